//! Every timer: what happens at its instant, and that nothing happens a millisecond before.

use model::{Mono, Status, SubscribeRequest, Track};

use super::stage::*;
use crate::{Command, Connect, timers::Timers};

#[test]
fn the_grace_ends_after_ten_seconds_to_the_millisecond() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online());
    stage.at(1_000).lose(1);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online"]);
    stage.silent.insert(20);
    stage.at(10_999);
    assert_eq!(stage.heard(20).len(), 0);
    stage.at(11_000);
    assert_eq!(stage.heard(20), ["11000 view 1#3 -1"]);
}

#[test]
fn who_is_back_within_the_grace_was_never_gone() {
    for (back, expected) in [(10_999, 0), (11_000, 2)] {
        let mut stage = Stage::watched();
        stage.come(1, 1, online()).at(1_000).heard(20);
        stage.lose(1).at(back);
        stage.connect_with(Connect { resume: Some(from(1, &[])), track: Some(online()), ..hello(2, 1) });
        stage.at(15_000);
        assert_eq!(stage.heard(20).len(), expected, "back at {back}");
        assert_eq!(stage.heard(2), [format!("{back} welcome back")]);
        stage.at(19_000);
        assert!(stage.heard(20).is_empty(), "the grace of before is over and done with");
    }
}

#[test]
fn typing_ends_by_itself_ten_seconds_after_it_was_said_last() {
    let mut stage = Stage::watched();
    stage.come(1, 1, typing()).at(4_000).track(1, typing()).at(13_999);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online|typing"]);
    stage.at(14_000);
    assert_eq!(stage.heard(20), ["14000 view 1#3 ~1:online"]);
    assert_eq!(stage.sees(1, SubscribeRequest::of(wedding(1))), "1:online", "for oneself too");
}

#[test]
fn typing_taken_back_is_not_ended_twice() {
    let mut stage = Stage::watched();
    stage.come(1, 1, typing()).at(1_000).track(1, online()).at(9_000);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online|typing", "1000 view 1#3 ~1:online"]);
    stage.track(1, typing()).at(10_001);
    assert_eq!(stage.heard(20), ["9000 view 1#4 ~1:online|typing"], "the first deadline has no meaning");
    stage.at(19_000);
    assert_eq!(stage.heard(20), ["19000 view 1#5 ~1:online"]);
}

#[test]
fn a_lost_session_can_be_resumed_for_two_minutes() {
    for (back, line) in [(120_999, "welcome back"), (121_000, "welcome anew UnknownSession")] {
        let mut stage = Stage::new();
        stage.come(1, 1, online()).at(1_000).lose(1).at(back).resume(2, 1, 1, &[]);
        assert_eq!(stage.heard(2), [format!("{back} {line}")]);
        stage.at(300_000);
        assert_eq!(stage.presence.census().sessions, 1, "what was resumed is not forgotten later");
    }
}

/// The first heartbeat is spread by the session's id, here 3.
#[test]
fn a_heartbeat_every_twenty_seconds_wants_its_answer_within_ten() {
    let mut stage = Stage::new();
    stage.connect(3, 1).heard(3);
    stage.at(19_996);
    assert!(stage.heard(3).is_empty());
    stage.at(50_000);
    assert_eq!(stage.heard(3), ["19997 heartbeat", "39997 heartbeat"]);
    stage.silent.insert(3);
    stage.at(69_996);
    assert_eq!(stage.heard(3), ["59997 heartbeat"]);
    stage.at(69_997);
    assert_eq!(stage.heard(3), ["69997 close heartbeat_timeout"]);
    assert_eq!(stage.presence.census().connections, 0);
    assert_eq!(stage.presence.census().sessions, 1, "kept to be resumed");
}

#[test]
fn an_answer_in_the_last_millisecond_is_in_time() {
    let mut stage = Stage::new();
    stage.connect(3, 1);
    stage.silent.insert(3);
    stage.at(29_996).heartbeat(3);
    stage.heard(3);
    stage.at(49_995);
    assert!(stage.heard(3).is_empty());
    stage.at(49_996);
    assert_eq!(stage.heard(3), ["49996 heartbeat"], "twenty seconds after the answer");
}

#[test]
fn requests_and_unasked_answers_do_not_move_the_heartbeat() {
    let mut stage = Stage::new();
    stage.connect(3, 1).at(15_000).heartbeat(3);
    stage.ask(3, Command::Ping).heard(3);
    stage.at(19_997);
    assert_eq!(stage.heard(3), ["19997 heartbeat"]);
}

#[test]
fn who_reads_nothing_for_ten_seconds_is_too_slow() {
    let mut stage = Stage::new();
    stage.silent.insert(1);
    stage.slow.insert(1);
    stage.connect(1, 1).at(9_999).flush(1);
    assert_eq!(stage.heard(1), ["0 welcome"]);
    stage.ask(1, Command::Ping).at(19_998).ask(1, Command::Ping);
    assert_eq!(stage.heard(1), ["9999 ack"]);
    stage.at(19_999);
    assert_eq!(stage.heard(1), ["19999 close too_slow"], "counted from the turn that was not read");
}

#[test]
fn a_tokens_end_is_announced_a_minute_before_and_then_closes() {
    let mut stage = Stage::watched();
    stage.connect_with(Connect { token_ends: Some(Mono(100_000)), track: Some(online()), ..hello(3, 1) });
    stage.heard(3);
    stage.at(39_999);
    assert_eq!(stage.heard(3), ["20097 heartbeat"]);
    stage.at(40_000);
    assert_eq!(stage.heard(3), ["40000 expiring in 60000"]);
    stage.at(99_999);
    stage.heard(3);
    stage.heard(20);
    stage.at(100_000);
    assert_eq!(stage.heard(3), ["100000 close token_expired"]);
    stage.at(109_999).heard(20);
    stage.at(110_000);
    assert_eq!(stage.heard(20), ["110000 view 1#3 -1"], "the grace follows");
}

#[test]
fn a_new_token_in_time_keeps_the_connection() {
    let mut stage = Stage::new();
    stage.connect_with(Connect { token_ends: Some(Mono(30_000)), ..hello(3, 1) });
    stage.at(0);
    assert_eq!(stage.heard(3), ["0 welcome", "0 expiring in 30000"], "less than a minute is left");
    stage.at(29_999).ask(3, Command::Refresh { token_ends: Some(Mono(200_000)) }).at(139_999);
    let said = stage.heard(3);
    assert!(said.contains(&"29999 ack".into()) && !said.iter().any(|line| line.contains("clos")), "{said:?}");
    stage.at(140_000).ask(3, Command::Refresh { token_ends: None }).at(500_000);
    let said = stage.heard(3);
    assert!(said.contains(&"140000 expiring in 60000".into()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("close")), "a token without end: {said:?}");
}

#[test]
fn a_token_that_has_ended_closes_at_once() {
    let mut stage = Stage::new();
    stage.at(5_000).connect_with(Connect { token_ends: Some(Mono(5_000)), ..hello(3, 1) }).at(5_000);
    assert_eq!(stage.heard(3), ["5000 welcome", "5000 close token_expired"]);
}

#[test]
fn a_session_without_a_socket_ends_ninety_seconds_after_its_last_call() {
    let mut stage = Stage::watched();
    stage.rest(1, 9, online()).at(50_000).rest(1, 9, online()).heard(20);
    stage.at(139_999);
    assert!(!stage.heard(20).iter().any(|line| line.contains("view")));
    stage.at(140_000);
    assert!(stage.heard(20).contains(&"140000 view 1#3 -1".into()));
    assert_eq!(stage.presence.census().sessions, 1, "only the viewer's is left");
}

#[test]
fn the_first_change_goes_at_once_and_a_burst_is_gathered() {
    let mut stage = Stage::watched();
    stage.at(1_000).come(1, 1, online());
    for status in [Status::Busy, Status::Away, Status::Idle] {
        let at = stage.mono + 10;
        stage.at(at).track(1, Track::of(status));
    }
    assert_eq!(stage.heard(20), ["1000 view 1#2 +1:online"]);
    stage.at(1_049);
    assert!(stage.heard(20).is_empty());
    stage.at(1_050);
    assert_eq!(stage.heard(20), ["1050 view 1#3 ~1:idle"], "once, as it is now");
    stage.at(1_099).track(1, online());
    assert!(stage.heard(20).is_empty(), "that opened the window again");
    stage.at(1_100);
    assert_eq!(stage.heard(20), ["1100 view 1#4 ~1:online"]);
    stage.at(1_150).track(1, Track::of(Status::Busy));
    assert_eq!(stage.heard(20), ["1150 view 1#5 ~1:busy"], "the window is over at its end");
}

#[test]
fn what_is_undone_within_the_window_is_not_said_and_opens_none() {
    let mut stage = Stage::watched();
    stage.at(1_000).come(1, 1, online()).at(1_010).track(1, Track::of(Status::Busy));
    stage.at(1_020).track(1, online()).at(1_060).heard(20);
    stage.at(1_061).track(1, Track::of(Status::Busy));
    assert_eq!(stage.heard(20), ["1061 view 1#3 ~1:busy"], "at once");
}

#[test]
fn only_a_visible_send_opens_a_window() {
    let mut stage = Stage::watched();
    stage.put(3, facts(&[1], &[])).settings(3, visible_to(model::Visibility::Nobody));
    stage.at(1_000).come(3, 3, online()).track(3, typing());
    stage.at(1_001).come(1, 1, online());
    assert_eq!(stage.heard(20), ["1001 view 1#2 +1:online"]);
    stage.at(1_040).track(3, online()).at(1_051).track(1, typing());
    assert_eq!(stage.heard(20), ["1051 view 1#3 ~1:online|typing"]);
}

#[test]
fn deadlines_come_in_order_of_time_then_of_key() {
    let mut timers = Timers::default();
    timers.set('b', Mono(2));
    timers.set('a', Mono(2));
    timers.set('c', Mono(1));
    timers.set('c', Mono(3));
    timers.set('d', Mono(1));
    timers.cancel('d');
    timers.cancel('e');
    assert_eq!(timers.next(), Some(Mono(2)));
    assert_eq!(timers.pop_due(Mono(1)), None);
    let popped: Vec<_> = std::iter::from_fn(|| timers.pop_due(Mono(3))).collect();
    assert_eq!(popped, ['a', 'b', 'c']);
    assert_eq!(timers.next(), None);
}
