//! How often a user may change what others see.
//!
//! One update a second and user; typing has its own, and so has activity. Keyed by the caller alone, so that a refusal says nothing about
//! anybody else.

pub mod guesses;

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
    sync::LazyLock,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use model::{AccountId, CleanText, ErrorCode, Hold, RequestError, Track, UserId};

use crate::config::CallLimits;

/// What a track is to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not counted: nothing new, or typing that ends.
    Free,
    /// Nothing but typing begins.
    Typing,
    /// Anything else.
    Update,
}

/// What a session said last, as far as the limits need it: 16 bytes where the track may have a kilobyte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// A hash of all but typing. That two tracks share it is as likely as guessing it, and means one free update.
    rest: u64,
    is_typing: bool,
}

impl From<&Track> for Said {
    fn from(track: &Track) -> Self {
        let Track { status, page, is_typing, device, custom_status, custom_emoji, scope } = track;
        let texts = [page, custom_status, custom_emoji].map(|text| text.as_ref().map(CleanText::as_str));
        // Keyed by chance once per process, so that nobody can look for two tracks with the same hash.
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self { rest: KEY.hash_one((status, texts, device, scope)), is_typing: *is_typing }
    }
}

/// What `new` is, after `last` of the same session. The track in a hello or resume is never asked about: it is free.
#[must_use]
pub fn classify(last: Option<Said>, new: Said) -> Kind {
    match last {
        Some(last) if last == new => Kind::Free,
        Some(last) if last.rest == new.rest && new.is_typing => Kind::Typing,
        Some(last) if last.rest == new.rest => Kind::Free,
        _ => Kind::Update,
    }
}

type ByHold<C> = RateLimiter<
    (AccountId, u64),
    DashMapStateStore<(AccountId, u64)>,
    C,
    NoOpMiddleware<<C as Clock>::Instant>,
>;
type ByUser<C> = RateLimiter<UserId, DashMapStateStore<UserId>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limits of all users. An entry costs about 40 B and is swept a second after its user's last call.
#[derive(Debug)]
pub struct UserLimits<C: Clock = DefaultClock> {
    updates: ByUser<C>,
    typing: ByUser<C>,
    activity: ByUser<C>,
    erasures: ByUser<C>,
    clockings: ByUser<C>,
    boards: ByUser<C>,
    holds: ByHold<C>,
    clock: C,
}

impl UserLimits {
    /// Limits on the machine's clock.
    #[must_use]
    pub fn new(limits: &CallLimits) -> Self {
        Self::with_clock(limits, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> UserLimits<C> {
    /// Limits on another clock.
    #[must_use]
    pub fn with_clock(limits: &CallLimits, clock: &C) -> Self {
        let limiter = |ms| ByUser::new(one_per(ms), DashMapStateStore::default(), clock.clone());
        Self {
            updates: limiter(limits.update_interval_ms),
            typing: limiter(limits.typing_interval_ms),
            activity: ByUser::new(activity(limits), DashMapStateStore::default(), clock.clone()),
            erasures: limiter(ERASURE_INTERVAL_MS),
            clockings: ByUser::new(clockings(limits), DashMapStateStore::default(), clock.clone()),
            boards: ByUser::new(clockings(limits), DashMapStateStore::default(), clock.clone()),
            holds: ByHold::new(clockings(limits), DashMapStateStore::default(), clock.clone()),
            clock: clock.clone(),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The milliseconds after which it may be made, at least 1.
    pub fn check(&self, user: UserId, kind: Kind) -> Result<(), u64> {
        let limiter = match kind {
            Kind::Free => return Ok(()),
            Kind::Typing => &self.typing,
            Kind::Update => &self.updates,
        };
        limiter.check_key(&user).map_err(|not_until| ceil_ms(not_until.wait_time_from(self.clock.now())))
    }

    /// Counts an activity.
    ///
    /// # Errors
    /// As [`UserLimits::check`].
    pub fn check_activity(&self, user: UserId) -> Result<(), u64> {
        let checked = self.activity.check_key(&user);
        checked.map_err(|not_until| ceil_ms(not_until.wait_time_from(self.clock.now())))
    }

    /// Counts what an admin does about codes and accounts.
    ///
    /// # Errors
    /// The error that tells to wait.
    pub fn check_clocking(&self, user: UserId) -> Result<(), RequestError> {
        let checked = self.clockings.check_key(&user);
        checked.map_err(|not_until| too_much(not_until.wait_time_from(self.clock.now())))
    }

    /// Counts a list of accounts or of codes, which is much to make.
    ///
    /// # Errors
    /// As [`UserLimits::check_clocking`].
    pub fn check_board(&self, user: UserId) -> Result<(), RequestError> {
        let checked = self.boards.check_key(&user);
        checked.map_err(|not_until| too_much(not_until.wait_time_from(self.clock.now())))
    }

    /// Counts a move or a clock-out of a hold: whoever has the token of an old one is in nobody's way.
    ///
    /// # Errors
    /// As [`UserLimits::check_clocking`].
    pub fn check_hold(&self, hold: Hold) -> Result<(), RequestError> {
        let checked = self.holds.check_key(&(hold.account, hold.epoch));
        checked.map_err(|not_until| too_much(not_until.wait_time_from(self.clock.now())))
    }

    /// Counts an erasure.
    ///
    /// # Errors
    /// As [`UserLimits::check`].
    pub fn check_erasure(&self, user: UserId) -> Result<(), u64> {
        let checked = self.erasures.check_key(&user);
        checked.map_err(|not_until| ceil_ms(not_until.wait_time_from(self.clock.now())))
    }

    /// Forgets users who could call at once anyway. To be called every minute or so.
    pub fn sweep(&self) {
        self.holds.retain_recent();
        let [few, many] =
            [[&self.erasures, &self.clockings, &self.boards], [&self.updates, &self.typing, &self.activity]];
        for limiter in few.into_iter().chain(many) {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        metrics::gauge!("presence_hub_rate_limit_entries").set(self.len() as f64);
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        let rare = self.erasures.len() + self.clockings.len() + self.boards.len() + self.holds.len();
        self.updates.len() + self.typing.len() + self.activity.len() + rare
    }

    /// Whether no entry is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The error that tells a caller to wait.
#[must_use]
pub fn too_often(retry_after_ms: u64) -> RequestError {
    let error =
        RequestError::new(ErrorCode::RateLimited, "one presence update per user and second; wait as told");
    RequestError { retry_after_ms: Some(retry_after_ms), ..error }
}

/// The error that tells whoever works with accounts to wait.
fn too_much(wait: Duration) -> RequestError {
    let error = RequestError::new(ErrorCode::RateLimited, "too many calls about accounts; wait as told");
    RequestError { retry_after_ms: Some(ceil_ms(wait)), ..error }
}

/// The error that tells a caller to be less active.
#[must_use]
pub fn too_active(retry_after_ms: u64) -> RequestError {
    let error = RequestError::new(ErrorCode::RateLimited, "too many activities of one user; wait as told");
    RequestError { retry_after_ms: Some(retry_after_ms), ..error }
}

/// The error that tells a caller that an erasure was just asked for.
#[must_use]
pub fn erased_already(retry_after_ms: u64) -> RequestError {
    let error =
        RequestError::new(ErrorCode::RateLimited, "one erasure per user and 10 seconds; wait as told");
    RequestError { retry_after_ms: Some(retry_after_ms), ..error }
}

/// Between two erasures of one user, in milliseconds. Each looks through the archive, and lets nobody write meanwhile.
const ERASURE_INTERVAL_MS: u64 = 10_000;

/// So many a second, and three seconds' worth at once, as when a page comes back to life.
fn activity(limits: &CallLimits) -> Quota {
    let per_second = NonZeroU32::new(limits.activities_per_second).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(per_second).allow_burst(per_second.saturating_mul(ACTIVITY_BURST_S))
}

/// So many a second, and five seconds' worth at once, as when somebody tries what there is.
fn clockings(limits: &CallLimits) -> Quota {
    let per_second = NonZeroU32::new(limits.clockings_per_second).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(per_second).allow_burst(per_second.saturating_mul(CLOCKING_BURST_S))
}

/// Seconds' worth of clock-ins and the like that a user may ask for at once.
const CLOCKING_BURST_S: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Seconds' worth of activities that a user may tell at once.
const ACTIVITY_BURST_S: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// The configuration refuses 0; here it would mean the shortest interval there is.
fn one_per(interval_ms: u64) -> Quota {
    Quota::with_period(Duration::from_millis(interval_ms)).unwrap_or(Quota::per_second(NonZeroU32::MAX))
}

fn ceil_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
