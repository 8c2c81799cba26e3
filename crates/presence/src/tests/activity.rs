//! What is logged, of whom, and when it stops.

use std::collections::BTreeSet;

use model::{
    Activity, ActivityType, MetadataKey, MetadataValue, Role, Settings, Status, SubscribeRequest, Track,
    UserFacts, Visibility,
};

use super::stage::*;
use crate::{Command, Input, Note};

/// Somebody of organization 1, which keeps a log, and 2, which does not.
fn logged() -> UserFacts {
    UserFacts { enterprise: BTreeSet::from([org(1)]), ..facts(&[1], &[1, 2]) }
}

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.put(1, logged());
    stage
}

fn viewed(page: &str) -> Command {
    Command::Activity(Activity { page: text(page), ..Activity::of(ActivityType::PageView) })
}

/// Activities since asked last: `<ms> <type> <page> <organizations>`.
fn done(stage: &mut Stage) -> Vec<String> {
    let notes = stage.take_notes(|note| match note {
        Note::Activity(note) => Ok(note),
        other => Err(other),
    });
    let line = |note: crate::ActivityNote| {
        let page = note.page.as_ref().map_or("-", |page| page.as_str());
        let organizations: Vec<_> = note.organizations.iter().map(|id| id.0.as_u128().to_string()).collect();
        format!("{} {} {page} {}", note.at.0 - START, note.kind.name(), organizations.join("+"))
    };
    notes.into_iter().map(line).collect()
}

/// Stretches since asked last: `<session> <started>-<seen>`, with a full stop where it ended.
fn stretches(stage: &mut Stage) -> Vec<String> {
    let notes = stage.take_notes(|note| match note {
        Note::Stretch(note) => Ok(note),
        other => Err(other),
    });
    let line = |note: crate::StretchNote| {
        let end = if note.ended { "." } else { "" };
        let (started, seen) = (note.started.0 - START, note.seen.0 - START);
        format!("{} {started}-{seen}{end}", note.session.0.as_u128())
    };
    notes.into_iter().map(line).collect()
}

#[test]
fn an_activity_goes_into_the_logs_of_enterprise_organizations() {
    let mut stage = stage();
    stage.come(1, 1, online()).at(500).ask(1, viewed("/a"));
    assert_eq!(done(&mut stage), ["0 status_update - 1", "500 page_view /a 1"]);
    assert_eq!(stage.heard(1).last().unwrap(), "500 ack");
    stage.put(1, UserFacts { enterprise: BTreeSet::new(), ..logged() }).ask(1, viewed("/b"));
    assert_eq!(done(&mut stage), ["500 session_end - 1"], "the plan has ended, and with it the log");
    stage.put(1, UserFacts { enterprise: [org(1), org(2)].into(), ..logged() }).ask(1, viewed("/c"));
    assert_eq!(done(&mut stage), ["500 page_view /c 1+2"]);
}

#[test]
fn an_organization_can_be_named_and_a_foreign_one_is_unknown() {
    let mut stage = stage();
    stage.come(1, 1, online());
    done(&mut stage);
    let of = |number| Activity { organization: Some(org(number)), ..Activity::of(ActivityType::Focus) };
    for (number, logged) in [(1, true), (2, false), (3, false)] {
        stage.ask(1, Command::Activity(of(number)));
        assert_eq!(!done(&mut stage).is_empty(), logged, "organization {number}");
    }
    let heard = stage.heard(1);
    assert!(heard.last().unwrap().contains("unknown_channel"), "{heard:?}");
    assert!(heard[heard.len() - 2].contains("ack"), "one without a log is no error: {heard:?}");
}

#[test]
fn nothing_is_logged_of_who_does_not_want_it_or_is_hidden() {
    let silent = Settings { show_activity: false, ..everyone() };
    for settings in [silent, offline(), visible_to(Visibility::Nobody)] {
        let mut stage = stage();
        stage.come(1, 1, online()).at(60_000).ask(1, Command::Ping);
        stretches(&mut stage);
        done(&mut stage);
        stage.at(61_000).settings(1, settings);
        assert_eq!(stretches(&mut stage), ["1 0-61000."], "it ends there");
        assert_eq!(done(&mut stage), ["61000 session_end - 1"]);
        stage.at(70_000).ask(1, viewed("/a")).track(1, Track::of(Status::Busy)).come(2, 1, online());
        let activity = Activity::of(ActivityType::Interaction);
        stage.input(Input::RestActivity { user: user(1), activity });
        stage.at(80_000).close(2);
        assert_eq!((stretches(&mut stage), done(&mut stage)), (vec![], vec![]));
        stage.at(90_000).settings(1, everyone());
        assert_eq!(stretches(&mut stage), ["1 90000-90000"], "and begins anew");
    }
}

#[test]
fn a_stretch_goes_on_with_signs_of_life_and_ends_with_the_session() {
    let mut stage = stage();
    stage.connect(1, 1).at(1_000).track(1, online());
    assert_eq!(stretches(&mut stage), ["1 1000-1000"], "from the first track");
    stage.at(1_999).ask(1, Command::Ping).at(2_000).ask(1, Command::Ping);
    assert_eq!(stretches(&mut stage), ["1 1000-2000"], "at most once a second");
    stage.at(5_000).ask(1, Command::Untrack);
    assert_eq!(stretches(&mut stage), ["1 1000-5000", "1 1000-5000."]);
    stage.at(6_000).track(1, online()).at(8_000).lose(1).at(18_001);
    let lost = stretches(&mut stage);
    assert_eq!(lost.last().unwrap(), "1 6000-6000.", "a lost one was there until its last sign of life");
    stage.rest(1, 9, online()).at(120_000);
    assert_eq!(stretches(&mut stage), ["9 18001-18001", "9 18001-18001."]);
}

#[test]
fn the_end_of_a_session_tells_how_long_it_was() {
    let mut stage = stage();
    stage.come(1, 1, online()).at(125_000).ask(1, Command::SignOut);
    let ends = stage.take_notes(|note| match note {
        Note::Activity(note) if note.kind == ActivityType::SessionEnd => Ok(note),
        other => Err(other),
    });
    assert_eq!(ends[0].metadata, [(MetadataKey::DurationMs, MetadataValue::Number(125_000))].into());
    let seen = stage.take_notes(|note| match note {
        Note::LastSeen(note) => Ok((note.session_minutes, note.activity)),
        other => Err(other),
    });
    assert_eq!(seen.last(), Some(&(2, Some(ActivityType::StatusUpdate))));
}

#[test]
fn a_session_of_some_channels_is_logged_for_those_alone() {
    let mut stage = stage();
    let only = |channel| Track { scope: Some([channel].into()), ..online() };
    stage.come(1, 1, only(wedding(1))).ask(1, viewed("/a"));
    assert_eq!((stretches(&mut stage), done(&mut stage)), (vec![], vec![]));
    stage.track(1, only(organization(1))).ask(1, viewed("/b"));
    assert_eq!(done(&mut stage), ["0 status_update - 1", "0 page_view /b 1"]);
    assert_eq!(stretches(&mut stage), ["1 0-0"]);
}

/// For whom a session exists that is not here, nobody knows: nothing is logged of it, and the answer is the same.
#[test]
fn a_call_that_names_a_session_that_is_not_the_callers_is_not_logged() {
    let mut stage = stage();
    stage.put(3, logged()).come(1, 1, online()).come(3, 3, online());
    done(&mut stage);
    for (named, kept) in [(1, 1), (3, 0), (77, 0)] {
        let activity = Activity { session: Some(session(named)), ..Activity::of(ActivityType::Interaction) };
        stage.input(Input::RestActivity { user: user(1), activity });
        assert_eq!(done(&mut stage).len(), kept, "session {named}");
    }
}

/// What was said for a wedding alone is not told to the agency afterwards.
#[test]
fn a_status_is_told_without_what_was_said_elsewhere() {
    let mut stage = stage();
    let only = |status, channel| Track { scope: Some([channel].into()), ..Track::of(status) };
    stage.come(1, 1, only(Status::Busy, wedding(1))).track(1, online());
    stage.track(1, Track::of(Status::Away));
    let said = stage.take_notes(|note| match note {
        Note::Activity(note) => Ok(note.metadata.get(&MetadataKey::PreviousStatus).cloned()),
        other => Err(other),
    });
    assert_eq!(said, [None, Some(MetadataValue::Text("online".into()))]);
}

/// Whoever sets the clock makes nobody's session longer or shorter.
#[test]
fn a_stretch_is_measured_by_the_clock_that_nobody_sets() {
    let mut stage = stage();
    stage.come(1, 1, online()).at(60_000);
    stretches(&mut stage);
    stage.set_clock(-3_600_000);
    stage.ask(1, Command::Ping).at(120_000).ask(1, Command::SignOut);
    assert_eq!(stretches(&mut stage).last().unwrap(), "1 0-120000.");
}

/// All that is known of somebody who was erased is gone from here too, on every hub that reads of it.
#[test]
fn who_was_erased_is_signed_out_and_never_was_seen() {
    let mut stage = stage();
    stage.come(1, 1, online()).at(600_000).ask(1, Command::Ping).close(1).come(2, 1, online());
    stage.come(20, 2, online()).heard(20);
    stage.at(700_000);
    done(&mut stage);
    stretches(&mut stage);
    stage.noted();
    let nobody = Settings { visibility: Visibility::Nobody, show_activity: false, ..Settings::default() };
    let erased = UserFacts { erased: true, settings: Some(nobody), ..logged() };
    stage.put(1, erased.clone());
    assert_eq!((stretches(&mut stage), done(&mut stage), stage.noted()), (vec![], vec![], vec![]));
    assert!(stage.heard(2).iter().any(|line| line.contains("close normal")));
    stage.at(800_000).put(1, UserFacts { erased: false, settings: Some(everyone()), ..erased });
    let seen = stage.sees(2, SubscribeRequest::roster(wedding(1)));
    assert!(seen.contains("1:offline") && !seen.contains("1:offline@"), "{seen}");
}

/// The page of the session that was active last is the one that is shown.
#[test]
fn an_activity_makes_its_session_the_one_that_speaks() {
    let mut stage = stage();
    stage.come(1, 1, on_page("/one")).at(1_000).come(2, 1, on_page("/two")).at(2_000);
    let roster = SubscribeRequest::roster(wedding(1));
    assert!(stage.sees(2, roster.clone()).contains("/two"));
    stage.ask(1, Command::Activity(Activity::of(ActivityType::Interaction)));
    assert!(stage.sees(2, roster).contains("/one"));
}

#[test]
fn of_one_who_is_removed_nothing_is_logged_any_more() {
    let mut stage = stage();
    stage.come(1, 1, online());
    done(&mut stage);
    stretches(&mut stage);
    stage.at(5_000).remove(1);
    assert_eq!((stretches(&mut stage), done(&mut stage)), (vec![], vec![]));
}

#[test]
fn an_admin_is_logged_as_everybody_else_and_many_organizations_are_bounded() {
    let mut stage = Stage::new();
    let numbers: Vec<u64> = (1..=20).collect();
    let all = numbers.iter().map(|number| org(*number)).collect();
    let mut boss = UserFacts { enterprise: all, ..facts(&[], &numbers) };
    boss.organizations.insert(org(1), Role::Owner);
    stage.put(5, boss).come(5, 5, online());
    let kept = stage.take_notes(|note| match note {
        Note::Activity(note) => Ok(note.organizations.len()),
        other => Err(other),
    });
    assert_eq!(kept, [model::limits::ACTIVITY_ORGANIZATIONS]);
}

/// Signed out for the others is signed out for the log, until the session has a connection again.
#[test]
fn a_session_that_was_lost_while_hidden_is_not_logged_when_its_user_is_shown() {
    let mut stage = stage();
    stage.come(1, 1, online()).at(1_000).settings(1, offline()).lose(1);
    stretches(&mut stage);
    stage.at(2_000).settings(1, everyone());
    assert!(stretches(&mut stage).is_empty());
    stage.at(3_000).resume(2, 1, 1, &[]);
    assert_eq!(stretches(&mut stage), ["1 3000-3000"]);
}
