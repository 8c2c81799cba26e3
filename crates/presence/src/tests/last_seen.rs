//! Last-seen: which signs of life count, what the writer is told, and when it stands still.

use model::{SubscribeRequest, Visibility};

use super::stage::*;
use crate::Command;

fn roster(stage: &mut Stage) -> String {
    stage.sees(2, SubscribeRequest::roster(wedding(1)))
}

#[test]
fn the_writer_is_told_at_most_once_a_second() {
    let mut stage = Stage::new();
    stage.come(1, 1, on_page("/a"));
    assert_eq!(stage.noted(), [], "the hello came before the first track");
    stage.ask(1, Command::Ping).at(999).ask(1, Command::Ping);
    assert_eq!(stage.noted(), [(1, 0, "/a".into())]);
    stage.at(1_000).track(1, on_page("/b")).ask(1, Command::Ping);
    assert_eq!(stage.noted(), [(1, 1_000, "/a".into())], "the page of before the track");
    stage.come(2, 1, on_page("/c")).ask(2, Command::Ping);
    assert_eq!(stage.noted(), [], "once a second for the user, not for each session");
    stage.at(2_000).heartbeat(2);
    assert_eq!(stage.noted(), [(1, 2_000, "/c".into())]);
}

#[test]
fn an_ending_is_always_noted() {
    let mut stage = Stage::new();
    stage.come(1, 1, on_page("/a")).ask(1, Command::Ping).at(500).noted();
    stage.ask(1, Command::SignOut);
    assert_eq!(stage.noted(), [(1, 500, "/a".into())]);
    stage.come(2, 1, online()).at(700).ask(2, Command::Untrack);
    assert_eq!(stage.noted(), [(1, 700, String::new())]);
    stage.track(2, on_page("/b")).at(3_000).ask(2, Command::Ping).at(3_500).lose(2).noted();
    stage.at(13_500);
    assert_eq!(stage.noted(), [(1, 3_000, "/b".into())], "a lost one was seen at its last sign of life");
    stage.at(20_000).rest(1, 9, online()).noted();
    stage.at(110_000);
    assert_eq!(stage.noted(), [(1, 20_000, String::new())], "and a silent one at its last call");
    stage.connect(3, 1).lose(3).at(300_000);
    assert_eq!(stage.noted(), [], "who announced nothing was not seen");
}

#[test]
fn nothing_is_noted_while_hidden() {
    for hiding in [offline(), visible_to(Visibility::Nobody)] {
        let mut stage = Stage::new();
        stage.come(1, 1, online()).at(5_000).settings(1, hiding);
        assert_eq!(stage.noted(), [(1, 5_000, String::new())], "the instant of hiding, and then");
        stage.at(70_000).ask(1, Command::Ping).track(1, online());
        stage.ask(1, Command::Untrack).track(1, online()).lose(1).at(90_000).rest(1, 9, online());
        stage.at(300_000);
        assert_eq!(stage.noted(), []);
        assert!(!roster(&mut stage).contains("1:online"));
    }
}

#[test]
fn hiding_from_hiding_is_noted_once() {
    let mut stage = Stage::new();
    stage.come(1, 1, online()).at(5_000).settings(1, offline()).noted();
    stage.at(65_000).settings(1, visible_to(Visibility::Nobody)).settings(1, offline());
    assert_eq!(stage.noted(), []);
}

#[test]
fn signs_of_life_while_hidden_are_not_told_by_a_grace_that_outlives_the_hiding() {
    for hiding in [offline(), visible_to(Visibility::Nobody)] {
        let mut stage = Stage::new();
        stage.come(1, 1, online()).at(1_000).settings(1, hiding).at(200_000).ask(1, Command::Ping).lose(1);
        stage.at(201_000).settings(1, everyone()).noted();
        stage.at(215_000);
        assert!(stage.noted().iter().all(|(_, at, _)| *at <= 1_000));
        assert_eq!(roster(&mut stage), "1:offline@0, 2:offline");
    }
}

#[test]
fn a_session_that_was_never_seen_leaves_last_seen_alone() {
    let mut stage = Stage::new();
    stage.settings(1, visible_to(Visibility::Nobody)).come(1, 1, online()).at(70_000).lose(1);
    stage.at(71_000).settings(1, everyone());
    assert_eq!(roster(&mut stage), "1:online, 2:offline", "in grace it counts as present");
    stage.at(80_000);
    assert_eq!(roster(&mut stage), "1:offline, 2:offline");
    assert_eq!(stage.noted(), []);
}

#[test]
fn whoever_stops_hiding_is_seen_at_that_instant() {
    for hiding in [offline(), visible_to(Visibility::Nobody)] {
        let mut stage = Stage::new();
        stage.settings(1, hiding).come(1, 1, on_page("/a")).at(70_000).settings(1, everyone());
        assert_eq!(stage.noted(), [(1, 70_000, "/a".into())]);
        stage.at(75_000).lose(1).at(130_000);
        assert_eq!(roster(&mut stage), "1:offline@1, 2:offline");
    }
}

#[test]
fn a_known_last_seen_never_goes_back() {
    let mut stage = Stage::new();
    stage.at(200_000).come(1, 1, online()).ask(1, Command::Untrack);
    stage.put(1, model::UserFacts { last_seen: Some(model::Wall(START)), ..facts(&[1], &[]) });
    assert_eq!(roster(&mut stage), "1:offline@3, 2:offline");
    stage.put(1, model::UserFacts { last_seen: Some(model::Wall(START + 600_000)), ..facts(&[1], &[]) });
    assert_eq!(roster(&mut stage), "1:offline@10, 2:offline");
}

#[test]
fn a_second_end_in_the_same_minute_says_nothing_new() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).at(1_000).ask(1, Command::Untrack);
    stage.at(2_000).track(1, online()).at(3_000).ask(1, Command::Untrack).at(4_000);
    let views = stage.heard(20);
    assert_eq!(views.last().map(String::as_str), Some("3000 view 1#5 ~1:offline@0"));
}

/// Last-seen is one for all channels: it moves on also where the session was not, for oneself too.
#[test]
fn a_session_elsewhere_moves_last_seen_here() {
    let mut stage = Stage::new();
    let team = || model::UserFacts { settings: Some(visible_to(Visibility::Team)), ..facts(&[1, 2], &[1]) };
    stage.put(1, team()).put(2, facts(&[1], &[1])).put(3, facts(&[1], &[]));
    for (connection, who) in [(10, 1), (20, 2), (30, 3)] {
        stage.connect(connection, who).subscribe(connection, SubscribeRequest::roster(wedding(1)));
    }
    let scoped = model::Track { scope: Some([wedding(2)].into()), ..online() };
    stage.at(60_000).come(1, 1, scoped).at(130_000);
    for connection in [10, 20, 30] {
        stage.heard(connection);
    }
    stage.ask(1, Command::Untrack);
    assert_eq!(stage.heard(10), ["130000 view 1#2 ~1:offline@2"]);
    assert_eq!(stage.heard(20), ["130000 view 1#2 ~1:offline@2"]);
    assert!(stage.heard(30).is_empty(), "who may not see them is told nothing");
}
