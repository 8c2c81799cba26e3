//! Every ending: when it shows, in which order it is told, and with which code.

use model::{CloseCode, ConnectionId, Mono, SubscribeRequest};

use super::stage::*;
use crate::{Command, Connect, Input};

#[test]
fn sign_out_is_acknowledged_and_then_closed() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).heard(1);
    stage.ask(1, Command::SignOut);
    assert_eq!(stage.heard(1), ["100 ack", "100 close normal"]);
    stage.at(150);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online", "150 view 1#3 -1"], "at once, after the window");
    assert_eq!(stage.presence.census().sessions, 1);
    stage.resume(2, 1, 1, &[]);
    assert_eq!(stage.heard(2), ["150 welcome anew UnknownSession"]);
}

#[test]
fn a_sign_out_waits_for_what_is_being_read() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.come(1, 1, online()).ask(1, Command::Ping).ask(1, Command::SignOut).ask(1, Command::Ping);
    assert_eq!(stage.heard(1), ["0 welcome"]);
    stage.flush(1);
    assert_eq!(stage.heard(1), ["0 ack", "0 ack", "0 close normal"], "and what comes after it is not heard");
}

#[test]
fn a_clean_close_is_a_sign_out_and_any_other_a_loss() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).close(1);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online", "1000 view 1#3 -1"]);
    stage.come(2, 1, online()).at(2_000).lose(2).at(11_999);
    assert_eq!(stage.heard(20), ["1050 view 1#4 +1:online"]);
    stage.at(12_000);
    assert_eq!(stage.heard(20), ["12000 view 1#5 -1"]);
    assert!(stage.heard(2).iter().all(|line| !line.contains("close")), "who is gone is not told");
}

#[test]
fn untrack_ends_presence_and_keeps_the_connection() {
    let mut stage = Stage::watched();
    stage.come(1, 1, typing()).at(1_000).ask(1, Command::Untrack).at(1_500).ask(1, Command::Untrack);
    assert_eq!(stage.heard(1), ["100 welcome", "1000 ack", "1500 ack"]);
    stage.at(15_000).track(1, online());
    let expected = ["100 view 1#2 +1:online|typing", "1000 view 1#3 -1", "15000 view 1#4 +1:online"];
    assert_eq!(stage.heard(20), expected, "typing that ended with it is not ended again");
}

#[test]
fn a_user_with_many_tabs_leaves_with_the_last() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).come(2, 1, online()).at(1_000).close(1).at(2_000);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online"]);
    stage.close(2);
    assert_eq!(stage.heard(20), ["2000 view 1#3 -1"]);
}

#[test]
fn delete_ends_a_session_without_a_socket_and_no_other() {
    let mut stage = Stage::watched();
    stage.rest(1, 9, online()).come(1, 1, online()).at(1_000).heard(20);
    stage.rest_end(2, 9).rest_end(1, 1).rest_end(1, 77).close(1);
    assert!(stage.heard(20).is_empty(), "somebody else's, a socket's, nobody's");
    stage.rest_end(1, 9);
    assert_eq!(stage.heard(20), ["1000 view 1#3 -1"]);
}

#[test]
fn a_disabled_user_is_signed_out_everywhere_and_refused() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).connect(2, 1).rest(1, 9, online()).come(3, 1, online()).lose(3);
    stage.at(1_000);
    for connection in [1, 2, 20] {
        stage.heard(connection);
    }
    stage.put(1, model::UserFacts { disabled: true, ..facts(&[1], &[]) });
    assert_eq!(stage.heard(1), ["1000 close account_disabled"]);
    assert_eq!(stage.heard(2), ["1000 close account_disabled"]);
    assert_eq!(stage.heard(20), ["1000 view 1#3 -1"]);
    stage.at(2_000).come(4, 1, online()).rest(1, 9, online());
    assert_eq!(stage.heard(4), ["2000 close account_disabled"]);
    stage.at(3_000);
    assert!(stage.heard(20).is_empty());
    assert_eq!(stage.presence.settings_of(user(1)), None);
    let census = stage.presence.census();
    assert_eq!((census.sessions, census.connections), (1, 1), "the viewer's");
    stage.put(1, facts(&[1], &[])).come(5, 1, online());
    assert_eq!(stage.heard(20), ["3000 view 1#4 +1:online"]);
    assert_eq!(stage.presence.settings_of(user(1)), Some(&everyone()));
}

#[test]
fn a_user_unknown_is_refused_in_the_same_words() {
    let mut stage = Stage::new();
    stage.come(1, 77, online()).rest(77, 9, online());
    assert_eq!(stage.heard(1), ["0 close account_disabled"]);
    assert_eq!(stage.presence.census().sessions, 0);
}

#[test]
fn a_removed_user_is_gone_at_once_with_all_that_was_known() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.remove(1);
    assert_eq!(stage.heard(20), ["1000 view 1#3 -1"], "not even offline");
    assert_eq!(stage.heard(1), ["100 welcome", "1000 close account_disabled"]);
    stage.at(2_000).put(1, facts(&[1], &[]));
    assert_eq!(stage.heard(20), ["2000 view 1#4 +1:offline"], "a later user of that id was never seen");
}

/// A note written after the rows of an erased user are gone would bring one of them back.
#[test]
fn a_removed_user_leaves_no_note_behind() {
    let mut stage = Stage::new();
    stage.come(1, 1, online()).come(2, 1, online()).lose(2).rest(1, 9, online()).at(5_000).noted();
    stage.remove(1).at(300_000);
    assert_eq!(stage.noted(), []);
}

#[test]
fn the_same_session_on_another_connection_replaces_the_first() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.resume(2, 1, 1, &[]);
    assert_eq!(stage.heard(1), ["100 welcome", "1000 close replaced"]);
    assert_eq!(stage.heard(2), ["1000 welcome back"]);
    // The shell tells of the old connection's end later: it means nothing any more.
    stage.close(1).lose(1).flush(1);
    stage.heartbeat(1);
    stage.ask(1, Command::SignOut).at(30_000);
    assert!(stage.heard(20).iter().all(|line| line.contains("heartbeat")), "nobody saw any of it");
    assert_eq!(stage.presence.census().connections, 2);
}

#[test]
fn the_shell_may_close_and_the_session_waits() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.input(Input::Close { connection: ConnectionId(1), code: CloseCode::Restarting });
    stage.input(Input::Close { connection: ConnectionId(77), code: CloseCode::Restarting });
    assert_eq!(stage.heard(1), ["100 welcome", "1000 close restarting"]);
    stage.at(5_000).resume(2, 1, 1, &[]);
    assert_eq!(stage.heard(2), ["5000 welcome back"]);
    assert!(stage.heard(20).is_empty());
}

#[test]
fn a_second_reason_to_close_does_not_replace_the_first() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.come(1, 1, online());
    for code in [CloseCode::TooManyErrors, CloseCode::Restarting] {
        stage.input(Input::Close { connection: ConnectionId(1), code });
    }
    stage.flush(1);
    assert_eq!(stage.heard(1), ["0 welcome", "0 close too_many_errors"]);
}

/// A connection that is being closed is nobody's sign of life, is asked nothing and announces nothing.
#[test]
fn a_closing_connection_says_only_what_waited() {
    let mut stage = Stage::rostered();
    stage.connect_with(Connect { track: Some(online()), token_ends: Some(Mono(82_000)), ..hello(3, 1) });
    stage.at(20_000);
    stage.slow.insert(3);
    stage.ask(3, Command::Ping).at(20_050).heard(3);
    stage.input(Input::Close { connection: ConnectionId(3), code: CloseCode::TooManyErrors });
    stage.at(29_000).heartbeat(3);
    assert!(stage.heard(3).is_empty(), "no heartbeat, no word of the token");
    stage.flush(3);
    assert_eq!(stage.heard(3), ["29000 close too_many_errors"]);
    stage.at(30_100);
    let sees = stage.sees(2, SubscribeRequest::roster(wedding(1)));
    assert_eq!(sees, "1:offline@0, 2:offline", "last seen before the close");
}

#[test]
fn an_old_connections_heartbeat_confirms_nothing_of_the_new_one() {
    let mut stage = Stage::watched();
    stage.at(15_000).slow.insert(20);
    stage.ask(20, Command::Ping);
    stage.input(Input::Close { connection: ConnectionId(20), code: CloseCode::Restarting });
    stage.at(15_100).resume(21, 2, 20, &[(1, 1)]);
    for at in [15_200, 15_300, 15_400] {
        stage.at(at).come(at, 1, on_page(&format!("/{at}")));
    }
    // The old one's heartbeat would have been asked at 19,980, behind the third frame of the new one.
    stage.at(20_000).heartbeat(20);
    stage.lose(21).resume(22, 2, 20, &[(1, 2)]);
    assert_eq!(stage.heard(22)[0], "20000 welcome back 1:ok");
}

#[test]
fn a_lost_connection_twice_is_lost_once() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).lose(1).at(9_000).lose(1).close(1).at(11_000);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online", "11000 view 1#3 -1"]);
}

/// A call that names a lost socket session is a sign of life: a grace follows it, and no more.
#[test]
fn a_call_for_a_lost_session_gives_it_one_more_grace() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).lose(1).at(9_000).rest(1, 1, typing()).at(12_000);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online", "9000 view 1#3 ~1:online|typing"]);
    stage.at(19_000);
    assert_eq!(stage.heard(20).last().map(String::as_str), Some("19000 view 1#4 -1"));
    stage.at(30_000).rest(1, 1, online()).at(39_999).heard(20);
    stage.at(40_000);
    assert_eq!(stage.heard(20), ["40000 view 1#6 -1"]);
    assert_eq!(stage.presence.census().sessions, 2, "and can still be resumed");
}

#[test]
fn a_call_that_names_a_live_socket_session_tracks_it() {
    let mut stage = Stage::watched();
    stage.connect(1, 1).rest(1, 1, online()).rest(2, 1, typing()).at(95_000);
    let views = stage.heard(20);
    let views: Vec<_> = views.iter().filter(|line| line.contains("view")).collect();
    assert_eq!(views, ["100 view 1#2 +1:online"], "it lives as long as its socket; nobody else may touch it");
}
