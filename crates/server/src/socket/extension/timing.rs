//! When an extension is asked whether it is there, and when its token ends.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::app::Bounds;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// To ask whether the client is there.
    Heartbeat,
    /// The client did not answer in time.
    Silence,
    /// To say that the token ends in so many milliseconds.
    Expiring(u64),
    /// The token has ended.
    Expired,
}

#[derive(Debug)]
pub(super) struct Timing {
    /// When to ask, or, where it was asked, when the answer has to be there.
    life: Instant,
    asked: bool,
    answer_within: Duration,
    /// When to warn of the token's end; `None`: it was done.
    warn: Option<Instant>,
    expires: Instant,
}

impl Timing {
    /// For a client that was just heard of, with a token that is good for `left`.
    pub(super) fn new(bounds: &Bounds, left: Duration) -> Self {
        let now = Instant::now();
        Self {
            life: now + bounds.heartbeat,
            asked: false,
            answer_within: bounds.heartbeat_timeout,
            warn: Some(now + left.saturating_sub(bounds.expiry_warning)),
            expires: now + left,
        }
    }

    /// The client is there.
    pub(super) fn heard(&mut self, bounds: &Bounds) {
        (self.life, self.asked) = (Instant::now() + bounds.heartbeat, false);
    }

    /// The client has a new token.
    pub(super) fn renewed(&mut self, bounds: &Bounds, lasts: Duration) {
        let now = Instant::now();
        (self.warn, self.expires) = (Some(now + lasts.saturating_sub(bounds.expiry_warning)), now + lasts);
    }

    /// Returns when something is due, which is then done. Dropped and called again, it misses nothing.
    pub(super) async fn due(&mut self) -> Due {
        let next = self.warn.unwrap_or(self.expires).min(self.life);
        sleep_until(next).await;
        if next >= self.life {
            return self.ask();
        }
        match self.warn.take() {
            Some(_) => Due::Expiring(ms(self.expires - Instant::now())),
            None => Due::Expired,
        }
    }

    fn ask(&mut self) -> Due {
        if self.asked {
            return Due::Silence;
        }
        (self.life, self.asked) = (Instant::now() + self.answer_within, true);
        Due::Heartbeat
    }
}

/// Whole milliseconds.
pub(super) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bounds() -> Bounds {
        Bounds {
            hello_timeout: SECOND,
            message_timeout: SECOND,
            malformed_per_minute: 1,
            frames_per_second: 1,
            subscriptions: 1,
            heartbeat: 20 * SECOND,
            heartbeat_timeout: 10 * SECOND,
            expiry_warning: 60 * SECOND,
            stall: SECOND,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_is_asked_again_and_who_does_not_is_gone() {
        let (bounds, began) = (bounds(), Instant::now());
        let mut timing = Timing::new(&bounds, 3_600 * SECOND);
        assert_eq!((timing.due().await, began.elapsed()), (Due::Heartbeat, 20 * SECOND));
        timing.heard(&bounds);
        assert_eq!((timing.due().await, began.elapsed()), (Due::Heartbeat, 40 * SECOND));
        assert_eq!((timing.due().await, began.elapsed()), (Due::Silence, 50 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_token_is_told_before_it_comes() {
        let bounds = Bounds { heartbeat: 3_600 * SECOND, ..bounds() };
        let began = Instant::now();
        let mut timing = Timing::new(&bounds, 100 * SECOND);
        assert_eq!((timing.due().await, began.elapsed()), (Due::Expiring(60_000), 40 * SECOND));
        timing.renewed(&bounds, 200 * SECOND);
        assert_eq!((timing.due().await, began.elapsed()), (Due::Expiring(60_000), 180 * SECOND));
        assert_eq!((timing.due().await, began.elapsed()), (Due::Expired, 240 * SECOND));
    }
}
