//! The one place of the shell that reads clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use model::{Mono, Now, Wall};
use tokio::time::Instant;

/// The monotonic clock since the hub started, and the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { mono: Mono(millis(self.started.elapsed())), wall: wall_now() }
    }

    pub(crate) fn instant_of(&self, mono: Mono) -> Instant {
        self.started + std::time::Duration::from_millis(mono.0)
    }
}

fn wall_now() -> Wall {
    // A clock before 1970 is a broken machine; the epoch is as good an answer as any.
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| millis(since) as i64))
}

fn millis(duration: std::time::Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
