use std::time::Duration;

use governor::clock::FakeRelativeClock;
use model::{CleanText, Status, Track, UserId};
use uuid::Uuid;

use super::{Kind, Said, UserLimits, classify, too_often};
use crate::testing::config;

fn limits() -> (UserLimits<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (UserLimits::with_clock(&config(&[]).limits, &clock), clock)
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

#[test]
fn tracks_are_classified_by_what_they_change() {
    let online = Track::of(Status::Online);
    let typing = Track { is_typing: true, ..online.clone() };
    let page = CleanText::parse("/timeline", "currentPage", 512).unwrap();
    let elsewhere = Track { page, ..online.clone() };
    let elsewhere_typing = Track { is_typing: true, ..elsewhere.clone() };
    for (last, new, kind) in [
        (None, &online, Kind::Update),
        (None, &typing, Kind::Update),
        (Some(&online), &online, Kind::Free),
        (Some(&typing), &typing, Kind::Free),
        (Some(&online), &typing, Kind::Typing),
        (Some(&typing), &online, Kind::Free),
        (Some(&online), &elsewhere, Kind::Update),
        (Some(&online), &elsewhere_typing, Kind::Update),
        (Some(&typing), &elsewhere, Kind::Update),
        (Some(&online), &Track::of(Status::Busy), Kind::Update),
    ] {
        assert_eq!(classify(last.map(Said::from), new.into()), kind, "{last:?} -> {new:?}");
    }
}

#[test]
fn one_update_a_second_and_user() {
    let (limits, clock) = limits();
    assert_eq!(limits.check(user(1), Kind::Update), Ok(()));
    assert_eq!(limits.check(user(1), Kind::Update), Err(1000));
    clock.advance(Duration::from_micros(400_500));
    assert_eq!(limits.check(user(1), Kind::Update), Err(600), "rounded up");
    assert_eq!(limits.check(user(2), Kind::Update), Ok(()), "another user has their own");
    clock.advance(Duration::from_millis(600));
    assert_eq!(limits.check(user(1), Kind::Update), Ok(()));
    assert_eq!(limits.check(user(1), Kind::Update), Err(1000), "waiting longer earns no burst");
}

#[test]
fn typing_has_its_own_limit_and_free_has_none() {
    let (limits, clock) = limits();
    assert_eq!(limits.check(user(1), Kind::Update), Ok(()));
    assert_eq!(limits.check(user(1), Kind::Typing), Ok(()));
    assert_eq!(limits.check(user(1), Kind::Typing), Err(1000));
    for _ in 0..100 {
        assert_eq!(limits.check(user(1), Kind::Free), Ok(()));
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(limits.check(user(1), Kind::Typing), Ok(()));
}

#[test]
fn entries_of_users_who_waited_are_swept() {
    let (limits, clock) = limits();
    for n in 0..50 {
        limits.check(user(n), Kind::Update).unwrap();
        limits.check(user(n), Kind::Typing).unwrap();
    }
    assert_eq!(limits.len(), 100);
    clock.advance(Duration::from_millis(2_500));
    limits.check(user(7), Kind::Update).unwrap();
    limits.sweep();
    assert_eq!(limits.len(), 1);
    assert_eq!(limits.check(user(7), Kind::Update), Err(1000), "the sweep forgave nothing");
    clock.advance(Duration::from_secs(5));
    limits.sweep();
    assert!(limits.is_empty());
}

#[test]
fn the_real_clock_serves_too() {
    let limits = UserLimits::new(&config(&[("limits.update_interval_ms", "3600000")]).limits);
    assert_eq!(limits.check(user(1), Kind::Update), Ok(()));
    let wait = limits.check(user(1), Kind::Update).unwrap_err();
    assert!((3_000_000..=3_600_000).contains(&wait), "{wait}");
    assert_eq!(too_often(wait).retry_after_ms, Some(wait));
}
