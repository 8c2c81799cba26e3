//! n and n + 1 of everything that is counted.

use model::{ErrorCode, Limits, SubscribeRequest, SubscriptionId};

use super::stage::*;
use crate::Command;

fn few() -> Limits {
    Limits { subscriptions_per_session: 2, sessions_per_user: 3, ..Limits::default() }
}

#[test]
fn channels_of_a_session() {
    let mut stage = Stage::with(few());
    stage.put(1, facts(&[1, 2, 3], &[])).connect(1, 1).heard(1);
    let requests = [1, 2, 3, 77].map(|id| SubscribeRequest::of(wedding(id)));
    stage.ask(1, Command::Subscribe(requests.to_vec()));
    assert_eq!(stage.heard(1)[0], "0 subscribed 1 2 channel_limit unknown_channel");
    // Again for one that is there: replaced, not one more.
    stage.subscribe(1, SubscribeRequest::of(wedding(2)));
    assert_eq!(stage.heard(1)[0], "0 subscribed 3");
    stage.subscribe(1, SubscribeRequest::of(wedding(3)));
    assert_eq!(stage.heard(1), ["0 subscribed channel_limit"]);
    stage.ask(1, Command::Unsubscribe(SubscriptionId(1))).subscribe(1, SubscribeRequest::of(wedding(3)));
    assert_eq!(stage.heard(1)[1], "0 subscribed 4");
    assert_eq!(stage.presence.census().views, 2);
}

#[test]
fn subscribing_again_replaces() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.subscribe(20, SubscribeRequest::roster(wedding(1)));
    assert_eq!(stage.heard(20), ["1000 subscribed 2", "1000 view 2#1 last +1:online +2:offline"]);
    stage.ask(20, Command::Unsubscribe(SubscriptionId(1)));
    assert_eq!(stage.heard(20), ["1000 error unknown_subscription"]);
    stage.at(2_000).track(1, typing());
    assert_eq!(stage.heard(20), ["2000 view 2#2 ~1:online|typing"], "one frame, of the new one");
    let twice = vec![SubscribeRequest::of(wedding(1)), SubscribeRequest::roster(wedding(1))];
    stage.ask(20, Command::Subscribe(twice));
    let expected = ["2000 subscribed 3 4", "2000 view 4#1 last +1:online|typing +2:offline"];
    assert_eq!(stage.heard(20), expected, "in one request too");
    assert_eq!(stage.presence.census().views, 1);
}

#[test]
fn who_does_not_follow_any_more_hears_nothing() {
    let mut stage = Stage::watched();
    stage.ask(20, Command::Unsubscribe(SubscriptionId(1))).come(1, 1, online()).at(1_000);
    assert_eq!(stage.heard(20), ["100 ack"]);
    stage.ask(20, Command::Unsubscribe(SubscriptionId(1)));
    assert_eq!(stage.heard(20), ["1000 error unknown_subscription"]);
    assert_eq!(ErrorCode::UnknownSubscription.number(), 410);
}

#[test]
fn of_too_many_sessions_the_one_lost_longest_gives_way() {
    let mut stage = Stage::with(few());
    for connection in [1, 2, 3] {
        stage.connect(connection, 1);
    }
    stage.lose(2).at(10).lose(1).at(20).connect(4, 1);
    assert_eq!(stage.heard(4), ["20 welcome"]);
    assert_eq!(stage.presence.owner_of(session(2)), None);
    assert_eq!(stage.presence.owner_of(session(1)), Some(user(1)));
    stage.connect(5, 1).connect(6, 1);
    assert_eq!(stage.presence.owner_of(session(1)), None);
    assert_eq!(stage.heard(5), ["20 welcome"]);
    assert_eq!(stage.heard(6), ["20 close too_many_sessions"], "all are live");
    stage.rest(1, 9, online());
    assert_eq!(stage.presence.owner_of(session(9)), None);
    stage.connect(7, 2).resume(8, 1, 3, &[]);
    assert_eq!(stage.heard(8), ["20 welcome back"], "a resume needs no room");
    assert_eq!(stage.heard(3), ["0 welcome", "20 close replaced"]);
}

#[test]
fn a_session_in_grace_that_gives_way_is_seen_to_leave() {
    let mut stage = Stage::with(few());
    stage.connect(20, 2).subscribe(20, SubscribeRequest::of(wedding(1))).at(100);
    stage.come(1, 1, online()).at(1_000).ask(1, Command::Ping).at(1_500).lose(1).connect(2, 1).connect(3, 1);
    stage.heard(20);
    stage.noted();
    stage.connect(4, 1);
    assert_eq!(stage.heard(20), ["1500 view 1#3 -1"]);
    assert_eq!(stage.noted(), [(1, 1_000, String::new())], "seen last at its last sign of life");
}

#[test]
fn sessions_without_a_socket_count_and_do_not_give_way() {
    let mut stage = Stage::with(few());
    for id in [7, 8, 9] {
        stage.rest(1, id, online());
    }
    stage.connect(1, 1);
    assert_eq!(stage.heard(1), ["0 close too_many_sessions"]);
    stage.at(90_000).connect(2, 1);
    assert_eq!(stage.heard(2), ["90000 welcome"]);
}
