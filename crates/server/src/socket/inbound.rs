//! What comes in, and how fast.

use std::{num::NonZeroU32, pin::Pin, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock, clock::DefaultClock};
use model::CloseCode;
use presence::Ending;
use tokio::time::{Instant, Sleep, sleep_until};
use wire::{ClientFrame, DecodeError};

use crate::app::Bounds;

/// What came in.
pub(super) enum Inbound {
    /// A frame.
    Frame(Box<ClientFrame>),
    /// Something that is no frame; the connection goes on.
    Unreadable(DecodeError),
    /// Something after which the connection cannot go on.
    Broken(CloseCode),
    /// The other end closed, or is gone.
    Closed(Ending),
}

/// How fast a connection may speak. Who speaks faster is read more slowly: nothing is lost, and nobody else waits.
pub(super) struct Pace {
    frames: DefaultDirectRateLimiter,
    /// Made by the first malformed frame; most connections never send one.
    malformed: Option<Box<DefaultDirectRateLimiter>>,
    malformed_per_minute: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let per_second = NonZeroU32::new(bounds.frames_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        Self {
            frames: RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst)),
            malformed: None,
            malformed_per_minute: bounds.malformed_per_minute,
            pause: None,
        }
    }

    /// Waits until the next message may be read. Safe to cancel.
    pub(super) async fn wait(&mut self) {
        if let Some(pause) = &mut self.pause {
            pause.as_mut().await;
            self.pause = None;
        }
    }

    /// Counts a message.
    pub(super) fn count(&mut self) {
        if let Err(not_until) = self.frames.check() {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let resumes = Instant::now() + wait.max(Duration::from_millis(1));
            self.pause = Some(Box::pin(sleep_until(resumes)));
        }
    }

    /// Whether one more malformed frame is put up with.
    pub(super) fn forgives(&mut self) -> bool {
        let Some(quota) = NonZeroU32::new(self.malformed_per_minute) else { return false };
        let limiter = || Box::new(RateLimiter::direct(Quota::per_minute(quota)));
        self.malformed.get_or_insert_with(limiter).check().is_ok()
    }
}
