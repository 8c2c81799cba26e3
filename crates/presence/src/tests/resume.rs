//! Coming back: what is said again, what is not, and why not.

use model::{Status, SubscribeRequest, Track};

use super::stage::*;
use crate::{Command, Connect};

#[test]
fn what_came_and_went_is_not_mentioned() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage
        .lose(20)
        .put(3, facts(&[1], &[]))
        .come(3, 3, online())
        .track(1, typing())
        .track(1, online())
        .close(3);
    stage.at(5_000).resume(21, 2, 20, &[(1, 2)]).at(6_000);
    assert_eq!(stage.heard(21), ["5000 welcome back 1:ok"]);
    stage.track(1, typing());
    assert_eq!(stage.heard(21), ["6000 view 1#3 ~1:online|typing"]);
}

#[test]
fn frames_that_were_lost_are_said_again_as_things_are_now() {
    let mut stage = Stage::watched();
    stage.put(3, facts(&[1], &[])).put(4, facts(&[1], &[]));
    stage
        .come(1, 1, online())
        .at(1_000)
        .come(3, 3, online())
        .at(2_000)
        .come(4, 4, online())
        .at(3_000)
        .close(3);
    let expected =
        ["100 view 1#2 +1:online", "1000 view 1#3 +3:online", "2000 view 1#4 +4:online", "3000 view 1#5 -3"];
    assert_eq!(stage.heard(20), expected);
    // The client got no further than the frame in which 1 joined.
    stage.lose(20).close(4).at(4_000).resume(21, 2, 20, &[(1, 2)]);
    assert_eq!(stage.heard(21), ["4000 welcome back 1:ok"], "3 and 4 came and went");
    stage.lose(21).at(5_000).resume(22, 2, 20, &[(1, 1)]);
    assert_eq!(stage.heard(22)[0], "5000 welcome back 1:Sequence", "it confirmed the second frame");
}

#[test]
fn an_entry_in_and_out_of_lost_frames_is_told_by_where_the_client_stands() {
    for (applied, expected) in [
        (1, "view 1#2 +1:busy"),
        (2, "view 1#3 ~1:busy"),
        (3, "view 1#4 +1:busy"),
        (4, "view 1#5 ~1:busy"),
        (5, ""),
    ] {
        let mut stage = Stage::watched();
        stage.come(1, 1, online()).at(1_000).ask(1, Command::Untrack).at(2_000).track(1, online());
        stage.at(3_000).track(1, Track::of(Status::Busy)).at(4_000);
        assert_eq!(stage.heard(20).len(), 4);
        stage.lose(20).resume(21, 2, 20, &[(1, applied)]);
        let said = stage.heard(21).get(1).cloned().unwrap_or_default();
        assert_eq!(said.trim_start_matches("4000 "), expected, "after frame {applied}");
    }
}

#[test]
fn a_lost_leave_is_said_again() {
    for (applied, expected) in [(2, Some("2000 view 1#3 -1")), (3, None)] {
        let mut stage = Stage::watched();
        stage.come(1, 1, online()).at(1_000).close(1).at(2_000);
        stage.lose(20).resume(21, 2, 20, &[(1, applied)]);
        assert_eq!(stage.heard(21).get(1).map(String::as_str), expected);
    }
}

#[test]
fn a_snapshot_that_was_lost_is_a_snapshot_again() {
    let mut stage = Stage::new();
    stage.come(1, 1, online()).connect(20, 2).subscribe(20, SubscribeRequest::of(wedding(1))).lose(20);
    stage.resume(21, 2, 20, &[(1, 0)]);
    assert_eq!(stage.heard(21), ["0 welcome back 1:ok", "0 view 1#1 last +1:online"]);
}

#[test]
fn numbers_that_make_no_sense_start_the_view_anew() {
    for sequence in [2, u32::MAX] {
        let mut stage = Stage::new();
        stage.come(1, 1, online()).connect(20, 2).subscribe(20, SubscribeRequest::of(wedding(1))).lose(20);
        stage.resume(21, 2, 20, &[(1, sequence), (7, 0)]);
        let expected = ["0 welcome back 1:Sequence 7:UnknownChannel", "0 view 1#1 last +1:online"];
        assert_eq!(stage.heard(21), expected);
    }
}

#[test]
fn an_answered_heartbeat_confirms_what_was_sent_before_it() {
    for (applied, outcome) in [(1, "1:Sequence"), (2, "1:ok"), (3, "1:ok"), (4, "1:Sequence")] {
        let mut stage = Stage::watched();
        stage.come(1, 1, online()).at(19_980).track(1, typing()).lose(20);
        stage.resume(21, 2, 20, &[(1, applied)]);
        assert_eq!(stage.heard(21)[0], format!("19980 welcome back {outcome}"), "from {applied}");
    }
}

#[test]
fn what_came_after_the_heartbeat_is_not_confirmed_by_its_answer() {
    let mut stage = Stage::watched();
    stage.silent.insert(20);
    stage.at(19_980).come(1, 1, online()).heartbeat(20);
    stage.lose(20).resume(21, 2, 20, &[(1, 1)]);
    assert_eq!(stage.heard(21), ["19980 welcome back 1:ok", "19980 view 1#2 +1:online"]);
}

#[test]
fn views_that_are_not_named_are_dropped() {
    let mut stage = Stage::watched();
    stage.subscribe(20, SubscribeRequest::roster(wedding(1))).lose(20).resume(21, 2, 20, &[]);
    assert_eq!(stage.presence.census().views, 0);
    stage.subscribe(21, SubscribeRequest::of(wedding(1)));
    assert_eq!(stage.heard(21)[1], "100 subscribed 3", "numbers of a session are not used again");
}

#[test]
fn only_ones_own_socket_sessions_can_be_resumed() {
    let mut stage = Stage::new();
    stage.connect(1, 1).rest(2, 9, online()).lose(1);
    for (connection, of) in [(30, 1), (31, 9), (32, 77)] {
        stage.resume(connection, 2, of, &[(1, 0)]);
        assert_eq!(stage.heard(connection), ["0 welcome anew UnknownSession"]);
    }
    assert_eq!(stage.presence.owner_of(session(30)), Some(user(2)), "a new one instead");
    assert_eq!(stage.presence.owner_of(session(1)), Some(user(1)));
}

#[test]
fn a_hello_that_says_the_same_changes_nothing_and_one_that_does_not_is_a_track() {
    let mut stage = Stage::watched();
    stage.come(1, 1, on_page("/a")).come(2, 1, on_page("/b")).at(1_000).heard(20);
    stage.lose(1);
    stage.connect_with(Connect { resume: Some(from(1, &[])), track: Some(on_page("/a")), ..hello(3, 1) });
    assert!(stage.heard(20).is_empty(), "no activity either: the page shown is still the other one");
    stage.lose(3);
    stage.connect_with(Connect { resume: Some(from(1, &[])), track: Some(on_page("/c")), ..hello(4, 1) });
    assert_eq!(stage.heard(20), ["1000 view 1#4 ~1:online|/c"]);
}

#[test]
fn who_left_the_channel_with_a_lost_frame_is_not_looked_at_again() {
    let mut stage = Stage::watched();
    let long = "x".repeat(500);
    for who in 100..150 {
        stage.put(who, facts(&[1], &[])).come(who, who, on_page(&long));
    }
    stage.at(1_000).lose(20);
    for who in 110..150 {
        stage.remove(who);
    }
    // The first turn has no room for all ten who are left.
    stage.slow.insert(21);
    stage.resume(21, 2, 20, &[(1, 1)]);
    let view = stage.presence.sizes().views[0];
    assert!(view.dirty > 0 && view.dirty <= view.entries + view.shown, "{view:?}");
}

/// The deadline of a window before the cut is not that of the window after it.
#[test]
fn a_window_ends_with_the_connection() {
    let mut stage = Stage::watched();
    stage.at(1_000).come(1, 1, online()).at(1_010).track(1, typing()).lose(20);
    stage.at(1_020).resume(21, 2, 20, &[(1, 2)]).at(1_055).track(1, online()).at(1_100);
    let expected = ["1020 welcome back 1:ok", "1020 view 1#3 ~1:online|typing", "1070 view 1#4 ~1:online"];
    assert_eq!(stage.heard(21), expected);
}
