//! How often a user may change what others see.
//!
//! One update a second and user; each other kind of call has its own rate. Keyed by the caller alone, so that a refusal
//! says nothing about anybody else.

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

/// What is limited, each at its own rate per user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A change of what others see.
    Update,
    /// Typing begins.
    Typing,
    /// An activity to be written down.
    Activity,
    /// An erasure. Each looks through the archive, and lets nobody write meanwhile.
    Erasure,
    /// What an admin does about codes and accounts.
    Clocking,
    /// A list of accounts or of codes, which is much to make.
    Board,
}

impl Call {
    /// In the order of their declaration.
    pub const ALL: [Self; 6] =
        [Self::Update, Self::Typing, Self::Activity, Self::Erasure, Self::Clocking, Self::Board];

    fn quota(self, limits: &CallLimits) -> Quota {
        match self {
            Self::Update => one_per(limits.update_interval_ms),
            Self::Typing => one_per(limits.typing_interval_ms),
            Self::Activity => so_many(limits.activities_per_second, ACTIVITY_BURST_S),
            Self::Erasure => one_per(ERASURE_INTERVAL_MS),
            Self::Clocking | Self::Board => clockings(limits),
        }
    }

    /// Its name, for the operator.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Typing => "typing",
            Self::Activity => "activity",
            Self::Erasure => "erasure",
            Self::Clocking => "clocking",
            Self::Board => "board",
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::Update | Self::Typing => "one presence update per user and second; wait as told",
            Self::Activity => "too many activities of one user; wait as told",
            Self::Erasure => "one erasure per user and 10 seconds; wait as told",
            Self::Clocking | Self::Board => ABOUT_ACCOUNTS,
        }
    }
}

const ABOUT_ACCOUNTS: &str = "too many calls about accounts; wait as told";
/// Between two erasures of one user, in milliseconds.
const ERASURE_INTERVAL_MS: u64 = 10_000;
/// Seconds' worth of clock-ins and the like at once, as when somebody tries what there is.
const CLOCKING_BURST_S: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// Seconds' worth of activities that a user may tell at once, as when a page comes back to life.
const ACTIVITY_BURST_S: NonZeroU32 = NonZeroU32::new(3).unwrap();

fn clockings(limits: &CallLimits) -> Quota {
    so_many(limits.clockings_per_second, CLOCKING_BURST_S)
}

fn so_many(per_second: u32, burst_s: NonZeroU32) -> Quota {
    let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(per_second).allow_burst(per_second.saturating_mul(burst_s))
}

/// The configuration refuses 0; here it would mean the shortest interval there is.
fn one_per(interval_ms: u64) -> Quota {
    Quota::with_period(Duration::from_millis(interval_ms)).unwrap_or(Quota::per_second(NonZeroU32::MAX))
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

/// What `new` counts as, after `last` of the same session; `None` where it is free: nothing new, or typing that ends. The
/// track in a hello or resume is never asked about: it is free.
#[must_use]
pub fn classify(last: Option<Said>, new: Said) -> Option<Call> {
    match last {
        Some(last) if last == new => None,
        Some(last) if last.rest == new.rest => new.is_typing.then_some(Call::Typing),
        _ => Some(Call::Update),
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
    /// Of each [`Call`], in their order.
    calls: [ByUser<C>; Call::ALL.len()],
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
        let of = |call: Call| ByUser::new(call.quota(limits), DashMapStateStore::default(), clock.clone());
        Self {
            calls: Call::ALL.map(of),
            holds: ByHold::new(clockings(limits), DashMapStateStore::default(), clock.clone()),
            clock: clock.clone(),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`] with the milliseconds after which it may be made, at least 1.
    pub fn check(&self, user: UserId, call: Call) -> Result<(), RequestError> {
        let checked = self.calls[call as usize].check_key(&user);
        checked.map_err(|until| {
            refused(call.name());
            too_often(call.refusal(), until.wait_time_from(self.clock.now()))
        })
    }

    /// Counts a move or a clock-out of a hold: whoever has the token of an old one is in nobody's way.
    ///
    /// # Errors
    /// As [`UserLimits::check`].
    pub fn check_hold(&self, hold: Hold) -> Result<(), RequestError> {
        let checked = self.holds.check_key(&(hold.account, hold.epoch));
        checked.map_err(|until| {
            refused("hold");
            too_often(ABOUT_ACCOUNTS, until.wait_time_from(self.clock.now()))
        })
    }

    /// Forgets users who could call at once anyway. To be called every minute or so.
    pub fn sweep(&self) {
        for limiter in &self.calls {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        self.holds.retain_recent();
        self.holds.shrink_to_fit();
        metrics::gauge!("presence_hub_rate_limit_entries").set(self.len() as f64);
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.iter().map(ByUser::len).sum::<usize>() + self.holds.len()
    }

    /// Whether no entry is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Counts a call that was past its limit.
fn refused(call: &'static str) {
    metrics::counter!("presence_hub_rate_limited_total", "call" => call).increment(1);
}

/// The error that tells a caller to wait.
fn too_often(why: &'static str, wait: Duration) -> RequestError {
    RequestError { retry_after_ms: Some(ceil_ms(wait)), ..RequestError::new(ErrorCode::RateLimited, why) }
}

fn ceil_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
