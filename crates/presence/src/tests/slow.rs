//! A slow reader: little is kept, and in the end everything is told.

use model::{Status, SubscribeRequest, Track};

use super::stage::*;
use crate::Command;

#[test]
fn changes_meanwhile_merge_and_the_last_state_is_told() {
    let mut stage = Stage::watched();
    stage.slow.insert(20);
    stage.come(1, 1, online());
    for n in 0..1_000 {
        stage.track(1, on_page(&format!("/{n}")));
        let sizes = stage.presence.sizes();
        assert!(sizes.views.iter().all(|view| view.dirty <= 2 && view.shown <= 2 && view.recent <= 2));
        assert_eq!(sizes.control_max, 0);
    }
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online"]);
    stage.flush(20);
    stage.at(151);
    stage.flush(20);
    assert_eq!(stage.heard(20), ["150 view 1#3 ~1:online|/999"], "once, as it is now");
}

#[test]
fn what_came_and_went_meanwhile_is_not_told() {
    let mut stage = Stage::watched();
    stage.slow.insert(20);
    stage.ask(20, Command::Ping).come(1, 1, online()).at(1_000).close(1).at(1_100);
    stage.flush(20);
    assert_eq!(stage.heard(20), ["100 ack"]);
}

#[test]
fn a_tightening_while_the_last_turn_is_unread_is_all_that_is_told() {
    let mut stage = Stage::watched();
    stage.slow.insert(20);
    stage.come(1, 1, on_page("/a")).at(1_000).track(1, on_page("/secret")).settings(1, offline());
    stage.flush(20);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online|/a", "1000 view 1#3 -1"]);
}

#[test]
fn turns_go_round_so_that_no_view_starves_another() {
    let mut stage = Stage::new();
    let long = "x".repeat(500);
    stage.put(2, facts(&[1, 2, 3], &[])).connect(20, 2);
    for who in 100..130 {
        stage.put(who, facts(&[1, 2, 3], &[])).come(who, who, on_page(&long));
    }
    stage.slow.insert(20);
    stage.ask(20, Command::Ping);
    stage.ask(20, Command::Subscribe([1, 2, 3].map(|id| SubscribeRequest::of(wedding(id))).to_vec()));
    let mut served = Vec::new();
    for _ in 0..40 {
        stage.flush(20);
        served.extend(stage.views.remove(&20).into_iter().flatten().map(|view| view.subscription.0));
    }
    assert_eq!(served[..6], [1, 2, 3, 1, 2, 3]);
    assert_eq!(stage.presence.sizes().views.iter().map(|view| view.shown).sum::<usize>(), 90);
}

#[test]
fn words_of_the_token_that_wait_are_one() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.connect(1, 1);
    for ends in [5_000, 6_000, 7_000] {
        stage.ask(1, Command::Refresh { token_ends: Some(model::Mono(ends)) });
        let at = stage.mono + 1;
        stage.at(at);
    }
    stage.flush(1);
    assert_eq!(stage.heard(1), ["0 welcome", "3 ack", "3 ack", "3 ack", "3 expiring in 6998"]);
}

#[test]
fn a_view_ended_meanwhile_is_ended_after_what_was_sent() {
    let mut stage = Stage::watched();
    stage.slow.insert(20);
    stage.come(1, 1, online()).track(1, Track::of(Status::Busy)).put(2, facts(&[], &[]));
    stage.flush(20);
    assert_eq!(stage.heard(20), ["100 view 1#2 +1:online", "100 ended 1 UnknownChannel"]);
}
