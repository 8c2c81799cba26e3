//! How often access codes may be tried: so many wrong ones from one address and in all, and so many tries of one code.
//!
//! A try is counted before the code is looked at, so that a thousand at once are no more than a thousand one by one, and
//! given back when the code was good: whoever types the right ones is never in the way of colleagues.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use governor::{
    DefaultKeyedRateLimiter,
    clock::{Clock, DefaultClock},
};
use model::{ErrorCode, RequestError};
use persistence::CodeHash;
use tokio::time::Instant;

use super::{ceil_ms, clockings, refused};
use crate::{config::CallLimits, listener::network};

/// Seconds' worth of wrong codes in all that may come at once.
const ALL_BURST_S: u32 = 10;

/// The limits of all who try codes. An address costs about 60 B until a minute after its last wrong code.
pub struct Guesses {
    per_address: Rate,
    all: Rate,
    addresses: DashMap<IpAddr, Bucket>,
    everybody: Mutex<Bucket>,
    codes: DefaultKeyedRateLimiter<CodeHash>,
    clock: DefaultClock,
}

/// A try that was counted. Dropped, it was none, unless it is told to have been wrong.
#[must_use]
#[derive(Debug)]
pub struct Try<'a> {
    guesses: &'a Guesses,
    address: IpAddr,
    was_wrong: bool,
}

impl Guesses {
    /// Limits with nothing counted.
    #[must_use]
    pub fn new(limits: &CallLimits) -> Self {
        let per_second = limits.wrong_codes_per_second;
        Self {
            per_address: Rate::new(
                limits.wrong_codes_per_address,
                Duration::from_mins(1),
                limits.wrong_codes_per_address,
            ),
            all: Rate::new(per_second, Duration::from_secs(1), per_second.saturating_mul(ALL_BURST_S)),
            addresses: DashMap::new(),
            everybody: Mutex::default(),
            codes: DefaultKeyedRateLimiter::keyed(clockings(limits)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a try from an address; `None`: what was given cannot be a code.
    ///
    /// # Errors
    /// The error that tells to wait: the same, whatever the code is worth.
    pub fn begin(&self, address: IpAddr, code: Option<CodeHash>) -> Result<Try<'_>, RequestError> {
        let address = network(address);
        let now = Instant::now();
        self.addresses.entry(address).or_default().put(self.per_address, now).map_err(too_many)?;
        if let Err(wait) = self.everybody().put(self.all, now) {
            self.take_from(address);
            return Err(too_many(wait));
        }
        let counted = Try { guesses: self, address, was_wrong: false };
        let tried = code.map_or(Ok(()), |code| self.codes.check_key(&code));
        tried.map(|()| counted).map_err(|until| too_many(until.wait_time_from(self.clock.now())))
    }

    fn everybody(&self) -> MutexGuard<'_, Bucket> {
        self.everybody.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_from(&self, address: IpAddr) {
        if let Some(mut bucket) = self.addresses.get_mut(&address) {
            bucket.take_out(self.per_address);
        }
    }

    /// Forgets addresses and codes that might be tried at once anyway. To be called every minute or so.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.addresses.retain(|_, bucket| !bucket.is_empty(now));
        self.codes.retain_recent();
        metrics::gauge!("presence_hub_code_guessers").set(self.addresses.len() as f64);
    }
}

impl std::fmt::Debug for Guesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guesses").field("addresses", &self.addresses.len()).finish_non_exhaustive()
    }
}

impl Try<'_> {
    /// The code was wrong: it stays counted.
    pub fn was_wrong(mut self) {
        self.was_wrong = true;
    }
}

/// Also where its caller went away before it was known.
impl Drop for Try<'_> {
    fn drop(&mut self) {
        if !self.was_wrong {
            self.guesses.take_from(self.address);
            self.guesses.everybody().take_out(self.guesses.all);
        }
    }
}

/// So many in a time, and so many at once.
#[derive(Clone, Copy, Debug)]
struct Rate {
    each: Duration,
    room: u32,
}

impl Rate {
    fn new(count: u32, time: Duration, room: u32) -> Self {
        Self { each: time / count.max(1), room: room.max(1) }
    }
}

/// A bucket that leaks evenly, and from which can be taken what was put in by mistake. That is what a token bucket of
/// governor cannot do.
#[derive(Debug, Default)]
struct Bucket {
    /// When it will be empty.
    empty_at: Option<Instant>,
}

impl Bucket {
    /// Puts one in, or says how long until there is room.
    fn put(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let empty_at = self.empty_at.unwrap_or(now).max(now) + rate.each;
        let wait = (empty_at - now).saturating_sub(rate.each * rate.room);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.empty_at = Some(empty_at);
        Ok(())
    }

    fn take_out(&mut self, rate: Rate) {
        self.empty_at = self.empty_at.and_then(|at| at.checked_sub(rate.each));
    }

    fn is_empty(&self, now: Instant) -> bool {
        self.empty_at.is_none_or(|at| at <= now)
    }
}

fn too_many(wait: Duration) -> RequestError {
    refused("code");
    let error = RequestError::new(ErrorCode::RateLimited, "too many access codes were tried; wait as told");
    RequestError { retry_after_ms: Some(ceil_ms(wait)), ..error }
}

#[cfg(test)]
mod tests;
