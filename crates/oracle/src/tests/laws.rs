//! What must hold of any log, tried on many made by a small generator.

use std::collections::BTreeSet;

use model::{Interest, Mono, Occupancy, PeopleInterest, Settings, Status, Track, UserFacts, Visibility};

use super::scene::*;
use crate::{Act, Event, Truth, Watch};

/// Repeatable numbers: the low bits of such a sequence are poor, so the high ones are used.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn settings(&mut self) -> Settings {
        let visibility = [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody];
        Settings {
            visibility: visibility[self.roll(4) as usize],
            appear_offline: self.roll(3) == 0,
            show_activity: self.roll(2) == 0,
            ..Settings::default()
        }
    }

    fn track(&mut self) -> Track {
        let status = [Status::Online, Status::Idle, Status::Away, Status::Busy];
        let track = Track { is_typing: self.roll(2) == 0, ..Track::of(status[self.roll(4) as usize]) };
        if self.roll(4) == 0 { within(&[wedding(1)], track) } else { track }
    }

    fn facts(&mut self) -> UserFacts {
        let weddings: &[u64] = if self.roll(4) == 0 { &[] } else { &[1] };
        let settings = (self.roll(2) == 0).then(|| self.settings());
        UserFacts { settings, disabled: self.roll(6) == 0, ..facts(weddings, &[1]) }
    }

    fn act(&mut self) -> Act {
        let (socket, rest) = (session(1 + self.roll(4)), session(20 + self.roll(2)));
        let user = user(1 + self.roll(4));
        match self.roll(16) {
            0 => Act::Facts { user, facts: (self.roll(4) != 0).then(|| self.facts()) },
            1 | 2 => Act::Settings { user, settings: self.settings() },
            3..=5 => Act::Connect { session: socket, user },
            6..=8 => Act::Track { session: socket, track: self.track() },
            9 => Act::Untrack { session: socket },
            10 => Act::SignOut { session: socket },
            11 => Act::Lost { session: socket },
            12 => Act::Resume { session: socket, track: (self.roll(2) == 0).then(|| self.track()) },
            13 => Act::RestTrack { session: rest, user, track: self.track() },
            14 => Act::RestEnd { session: rest },
            _ => Act::Alive { session: socket },
        }
    }

    fn log(&mut self, length: usize) -> Vec<Event> {
        let mut scene = Scene::new();
        let mut now = 1;
        for _ in 0..length {
            now += [0, 1, 900, 10_000, 40_000][self.roll(5) as usize];
            let act = self.act();
            scene.act(now, act);
        }
        scene.log
    }
}

const ROSTER: Interest = Interest { people: PeopleInterest::Roster, accounts: true };

fn watch(viewer: u64) -> Watch {
    Watch { viewer: user(viewer), channel: wedding(1), interest: ROSTER }
}

/// The last entry of a timeline that holds at `at`.
fn holds_at(timeline: &[(Mono, Truth)], at: Mono) -> &Truth {
    &timeline.iter().rfind(|(since, _)| *since <= at).unwrap().1
}

#[test]
fn a_timeline_is_the_truth_at_every_instant_and_between() {
    let oracle = Scene::new().oracle;
    for seed in 0..150 {
        let log = Dice(seed).log(40);
        let timeline = oracle.timeline(&log, watch(2), Mono(u64::MAX));
        for instant in oracle.instants(&log) {
            for at in [Mono(instant.0 - u64::from(instant.0 > 0)), instant, instant + 1] {
                assert_eq!(
                    *holds_at(&timeline, at),
                    oracle.truth(&log, at, watch(2)),
                    "seed {seed} at {at:?}"
                );
            }
        }
        assert!(timeline.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
    }
}

#[test]
fn walking_and_replaying_a_prefix_agree_wherever_one_stops() {
    let oracle = Scene::new().oracle;
    for seed in 0..50 {
        let log = Dice(seed).log(40);
        let mut walked = oracle.start();
        for (done, event) in (1..).zip(&log) {
            walked.apply(event);
            let replayed = oracle.truth(&log[..done], event.at, watch(3));
            assert_eq!(walked.view(watch(3)), replayed, "seed {seed} after {done}");
        }
    }
}

#[test]
fn last_seen_never_goes_back_and_stands_still_while_hidden() {
    let oracle = Scene::new().oracle;
    for seed in 0..150 {
        let mut world = oracle.start();
        for event in Dice(seed).log(60) {
            let before = world.clone();
            world.apply(&event);
            let by_directory = matches!(event.act, Act::Facts { .. });
            for who in (1..=4).map(user).filter(|_| !by_directory) {
                assert!(world.last_seen(who) >= before.last_seen(who), "seed {seed}");
                if before.hidden(who) {
                    assert_eq!(world.last_seen(who), before.last_seen(who), "seed {seed}");
                }
            }
        }
    }
}

/// What 1 does while appearing offline is seen by no one else, nor is that it was done.
#[test]
fn hidden_acts_change_nothing_for_others() {
    let oracle = Scene::new().oracle;
    for seed in 0..100 {
        let mut dice = Dice(seed);
        let mut scene = Scene::new();
        scene.come(10, 1, 1, online()).settings(1_000, 1, appear_offline());
        let quiet = scene.log.clone();
        let mut now = 1_000;
        for _ in 0..30 {
            now += dice.roll(30_000);
            let track = dice.track();
            match dice.roll(7) {
                0 => scene.connect(now, 1, 2),
                1 => scene.track(now, 2, track),
                2 => scene.lose(now, 2),
                3 => scene.resume(now, 2, Some(track)),
                4 => scene.sign_out(now, 2),
                5 => scene.rest(now, 1, 9, track),
                _ => scene.untrack(now, 2),
            };
        }
        for viewer in [2, 3] {
            let timeline = |log: &[Event]| oracle.timeline(log, watch(viewer), Mono(u64::MAX));
            assert_eq!(timeline(&scene.log), timeline(&quiet), "seed {seed}");
        }
    }
}

#[test]
fn instants_are_the_events_and_the_timers_that_follow() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, typing()).lose(3_000, 1).rest(5_000, 2, 9, online());
    let expected = [0, 1_000, 3_000, 5_000, 11_000, 13_000, 95_000, 123_000];
    assert_eq!(scene.oracle.instants(&scene.log), expected.map(Mono).into());
    // A timer that was overtaken is none.
    scene.resume(6_000, 1, None).rest_end(7_000, 9);
    let expected = [0, 1_000, 3_000, 5_000, 6_000, 7_000, 11_000];
    assert_eq!(scene.oracle.instants(&scene.log), expected.map(Mono).into());
    assert_eq!(scene.oracle.instants(&[]), BTreeSet::new());
}

#[test]
fn a_timeline_begins_at_zero_and_merges_what_is_equal() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).alive(2_000, 1).track(3_000, 1, online()).sign_out(4_000, 1);
    let times = |until| {
        let timeline = scene.oracle.timeline(&scene.log, watch(2), Mono(until));
        timeline.into_iter().map(|(at, _)| at.0).collect::<Vec<_>>()
    };
    assert_eq!(times(10_000), [0, 1_000, 4_000]);
    assert_eq!(times(3_999), [0, 1_000]);
    assert_eq!(scene.oracle.timeline(&[], watch(2), Mono(5)), [(Mono(0), None)]);
}

#[test]
fn other_times_can_be_in_force() {
    let mut scene = Scene::new();
    scene.oracle.limits = model::Limits {
        grace_ms: 100,
        typing_ms: 50,
        rest_session_ms: 300,
        resume_ms: 200,
        ..model::Limits::default()
    };
    scene.come(1_000, 1, 1, typing()).lose(1_000, 1).rest(1_000, 2, 9, online());
    let expected = [0, 1_000, 1_050, 1_100, 1_200, 1_300];
    assert_eq!(scene.oracle.instants(&scene.log), expected.map(Mono).into());
}

/// Which assistant holds an account changes nothing for a member who is neither.
#[test]
fn to_a_member_it_does_not_matter_who_holds_an_account() {
    let held_by = |who| Occupancy { user: user(who), since: START, stale_since: None, epoch: 1 };
    let board = |who| {
        let mut scene = Scene::new();
        scene.account(0, 1, Some(1)).occupy(10, 1, Some(held_by(who)));
        scene.roster(20, 2, organization(1))
    };
    assert_eq!(board(1), board(4));
}
