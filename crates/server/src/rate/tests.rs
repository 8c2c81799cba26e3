use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use model::{AccountId, CleanText, ErrorCode, Hold, OrganizationId, Status, Track, UserId};
use uuid::Uuid;

use super::{Call, Said, UserLimits, classify};
use crate::testing::config;

fn limits() -> (UserLimits<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (UserLimits::with_clock(&config(&[]).limits, &clock), clock)
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

/// Milliseconds to wait.
fn wait<C: Clock + Clone>(limits: &UserLimits<C>, user: UserId, call: Call) -> Result<(), u64> {
    limits.check(user, call).map_err(|error| error.retry_after_ms.expect("it tells how long"))
}

fn hold(epoch: u64) -> Hold {
    let (account, organization) = (AccountId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
    Hold { account, organization, user: user(1), epoch }
}

#[test]
fn tracks_are_classified_by_what_they_change() {
    let online = Track::of(Status::Online);
    let typing = Track { is_typing: true, ..online.clone() };
    let page = CleanText::parse("/timeline", "currentPage", 512).unwrap();
    let elsewhere = Track { page, ..online.clone() };
    let elsewhere_typing = Track { is_typing: true, ..elsewhere.clone() };
    for (last, new, kind) in [
        (None, &online, Some(Call::Update)),
        (None, &typing, Some(Call::Update)),
        (Some(&online), &online, None),
        (Some(&typing), &typing, None),
        (Some(&online), &typing, Some(Call::Typing)),
        (Some(&typing), &online, None),
        (Some(&online), &elsewhere, Some(Call::Update)),
        (Some(&online), &elsewhere_typing, Some(Call::Update)),
        (Some(&typing), &elsewhere, Some(Call::Update)),
        (Some(&online), &Track::of(Status::Busy), Some(Call::Update)),
    ] {
        assert_eq!(classify(last.map(Said::from), new.into()), kind, "{last:?} -> {new:?}");
    }
}

#[test]
fn one_update_a_second_and_user() {
    let (limits, clock) = limits();
    assert_eq!(wait(&limits, user(1), Call::Update), Ok(()));
    assert_eq!(wait(&limits, user(1), Call::Update), Err(1000));
    clock.advance(Duration::from_micros(400_500));
    assert_eq!(wait(&limits, user(1), Call::Update), Err(600), "rounded up");
    assert_eq!(wait(&limits, user(2), Call::Update), Ok(()), "another user has their own");
    clock.advance(Duration::from_millis(600));
    assert_eq!(wait(&limits, user(1), Call::Update), Ok(()));
    assert_eq!(wait(&limits, user(1), Call::Update), Err(1000), "waiting longer earns no burst");
}

#[test]
fn typing_has_its_own_limit() {
    let (limits, clock) = limits();
    assert_eq!(wait(&limits, user(1), Call::Update), Ok(()));
    assert_eq!(wait(&limits, user(1), Call::Typing), Ok(()));
    assert_eq!(wait(&limits, user(1), Call::Typing), Err(1000));
    clock.advance(Duration::from_secs(1));
    assert_eq!(wait(&limits, user(1), Call::Typing), Ok(()));
}

#[test]
fn entries_of_users_who_waited_are_swept() {
    let (limits, clock) = limits();
    for n in 0..50 {
        wait(&limits, user(n), Call::Update).unwrap();
        wait(&limits, user(n), Call::Typing).unwrap();
    }
    assert_eq!(limits.len(), 100);
    clock.advance(Duration::from_millis(2_500));
    wait(&limits, user(7), Call::Update).unwrap();
    limits.sweep();
    assert_eq!(limits.len(), 1);
    assert_eq!(wait(&limits, user(7), Call::Update), Err(1000), "the sweep forgave nothing");
    clock.advance(Duration::from_secs(5));
    limits.sweep();
    assert!(limits.is_empty());
}

#[test]
fn the_real_clock_serves_too() {
    let limits = UserLimits::new(&config(&[("limits.update_interval_ms", "3600000")]).limits);
    assert_eq!(wait(&limits, user(1), Call::Update), Ok(()));
    let wait = wait(&limits, user(1), Call::Update).unwrap_err();
    assert!((3_000_000..=3_600_000).contains(&wait), "{wait}");
}

#[test]
fn each_call_has_as_many_at_once_as_its_limit_says() {
    let (limits, clock) = limits();
    for (call, at_once, each_ms) in [
        (Call::Activity, 60, 50),
        (Call::Erasure, 1, 10_000),
        (Call::Clocking, 25, 200),
        (Call::Board, 25, 200),
    ] {
        for n in 0..at_once {
            assert_eq!(wait(&limits, user(1), call), Ok(()), "{call:?} {n}");
        }
        assert_eq!(wait(&limits, user(1), call), Err(each_ms), "{call:?}");
        assert_eq!(wait(&limits, user(2), call), Ok(()), "{call:?} of another user");
        clock.advance(Duration::from_millis(each_ms));
        assert_eq!(wait(&limits, user(1), call), Ok(()), "{call:?}");
    }
}

#[test]
fn a_hold_is_limited_by_itself() {
    let (limits, clock) = limits();
    for _ in 0..25 {
        limits.check_hold(hold(1)).expect("it may");
    }
    let refused = limits.check_hold(hold(1)).expect_err("the 26th is one too many");
    assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::RateLimited, Some(200)));
    limits.check_hold(hold(2)).expect("the next hold of the account is another one");
    assert_eq!(limits.len(), 2);
    clock.advance(Duration::from_secs(6));
    limits.sweep();
    assert!(limits.is_empty());
}
