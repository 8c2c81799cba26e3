//! Hiding and showing, and who is told of it.

use model::{Settings, Status, SubscribeRequest, Track, Visibility};

use super::stage::*;
use crate::Command;

#[test]
fn appearing_offline_is_signing_out_for_everybody_else_at_that_instant() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).come(2, 1, online()).lose(2).at(1_000).heard(20);
    stage.settings(1, offline());
    assert_eq!(stage.heard(20), ["1000 view 1#3 -1"], "those in grace too");
    stage.track(1, typing()).come(3, 1, Track::of(Status::Busy)).at(8_000);
    assert!(stage.heard(20).is_empty());
    assert_eq!(stage.sees(1, SubscribeRequest::of(wedding(1))), "1:busy", "seen by oneself alone");
    stage.close(3).settings(1, everyone());
    assert_eq!(stage.heard(20), ["8000 view 1#4 +1:online|typing"], "what is connected shows again");
}

#[test]
fn switching_off_shows_nothing_that_is_not_connected() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).rest(1, 9, online()).at(60_000).heard(20);
    stage.settings(1, offline()).lose(1).at(61_000).settings(1, everyone());
    assert_eq!(stage.heard(20), ["60000 view 1#3 ~1:offline@1"], "the frozen last-seen");
    stage.rest(1, 9, Track::of(Status::Away));
    assert_eq!(stage.heard(20), ["61000 view 1#4 ~1:away"], "a call shows its session again");
    stage.at(62_000).resume(2, 1, 1, &[]);
    assert_eq!(stage.heard(20), ["62000 view 1#5 ~1:online"], "and a resume");
}

#[test]
fn in_a_roster_hiding_is_offline_and_losing_sight_a_leave() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.settings(1, offline()).at(2_000);
    stage.settings(1, visible_to(Visibility::Nobody)).at(3_000).settings(1, visible_to(Visibility::Team));
    stage.at(4_000).settings(1, everyone());
    let expected = ["1000 view 1#3 ~1:offline@0", "2000 view 1#4 -1", "4000 view 1#5 +1:online"];
    assert_eq!(stage.heard(20), expected);
}

#[test]
fn a_field_taken_back_is_gone_with_the_next_frame() {
    let mut stage = Stage::watched();
    let all = Track { device: Some(model::Device::Mobile), status: Status::Idle, ..on_page("/a") };
    stage.come(1, 1, all).at(1_000).settings(1, Settings { show_current_page: false, ..everyone() });
    stage.at(2_000).settings(1, Settings { show_activity: false, ..everyone() });
    stage.at(3_000).settings(1, Settings { show_activity: false, custom_status: text("hi"), ..everyone() });
    let expected = [
        "100 view 1#2 +1:idle|/a|Mobile",
        "1000 view 1#3 ~1:idle|Mobile",
        "2000 view 1#4 ~1:online|/a",
        "3000 view 1#5 ~1:online|/a|hi",
    ];
    assert_eq!(stage.heard(20), expected);
    assert_eq!(stage.sees(1, SubscribeRequest::of(wedding(1))), "1:idle|/a|hi|Mobile", "own sight is whole");
}

#[test]
fn settings_reach_all_connections_of_the_user_once() {
    let mut stage = Stage::new();
    stage.connect(1, 1).connect(2, 1).connect(20, 2).settings(1, offline()).settings(1, offline());
    for connection in [1, 2] {
        assert_eq!(stage.heard(connection), ["0 welcome", "0 settings Everyone offline"]);
    }
    assert_eq!(stage.heard(20), ["0 welcome"], "nobody else");
}

#[test]
fn of_settings_that_wait_only_the_last_is_said() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage
        .connect(1, 1)
        .settings(1, offline())
        .ask(1, Command::Ping)
        .settings(1, visible_to(Visibility::Team));
    stage.flush(1);
    assert_eq!(stage.heard(1), ["0 welcome", "0 ack", "0 settings Team"]);
}

#[test]
fn settings_of_nobody_are_nothing() {
    let mut stage = Stage::new();
    stage.settings(77, offline());
    assert_eq!(stage.presence.census().users, 2);
    assert_eq!(stage.presence.settings_of(user(77)), None);
}

#[test]
fn what_was_never_loaded_is_hidden_until_it_is() {
    let mut stage = Stage::watched();
    stage.put(3, model::UserFacts { settings: None, ..facts(&[1], &[]) }).come(3, 3, online()).at(1_000);
    assert!(stage.heard(20).is_empty());
    assert_eq!(stage.sees(3, SubscribeRequest::of(wedding(1))), "3:online");
    stage.put(3, facts(&[1], &[]));
    assert_eq!(stage.heard(20), ["1000 view 1#2 +3:online"]);
    assert_eq!(stage.heard(3), ["100 welcome", "1000 settings Everyone"]);
    stage.at(2_000).put(3, model::UserFacts { settings: None, ..facts(&[1], &[]) });
    assert!(stage.heard(20).is_empty(), "known settings are not lost to a reload without");
}

#[test]
fn the_audience_follows_the_relation_that_grants_sight() {
    let mut stage = Stage::new();
    for (who, weddings, organizations) in
        [(1, &[1][..], &[1][..]), (2, &[1], &[1]), (3, &[1], &[]), (4, &[], &[1])]
    {
        stage.put(who, facts(weddings, organizations)).connect(who * 10, who);
    }
    stage
        .subscribe(20, SubscribeRequest::of(wedding(1)))
        .subscribe(20, SubscribeRequest::of(organization(1)));
    stage
        .subscribe(30, SubscribeRequest::of(wedding(1)))
        .subscribe(40, SubscribeRequest::of(organization(1)));
    stage.subscribe(10, SubscribeRequest::of(organization(1))).at(100);
    for (visibility, both, collaborator, colleague) in [
        (Visibility::Everyone, 2, 1, 1),
        (Visibility::Team, 2, 0, 1),
        (Visibility::Contacts, 2, 1, 0),
        (Visibility::Nobody, 0, 0, 0),
    ] {
        stage.settings(1, visible_to(visibility));
        for connection in [10, 20, 30, 40] {
            stage.heard(connection);
        }
        stage.track(10, online());
        let told = [20, 30, 40].map(|connection| stage.heard(connection).len());
        assert_eq!(told, [both, collaborator, colleague], "{visibility:?}");
        let own = stage.heard(10);
        assert!(own.iter().any(|line| line.contains("+1:online")), "oneself, whatever one chose: {own:?}");
        let at = stage.mono + 100;
        stage.at(at).ask(10, Command::Untrack).at(at + 100);
    }
}
