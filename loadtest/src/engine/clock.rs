//! One clock for schedule and arrivals: nanoseconds since the run began.

use std::time::{Duration, Instant};

/// A moment or a span, in nanoseconds.
pub(crate) type Nanos = u64;

/// One millisecond.
pub(crate) const MILLISECOND: Nanos = 1_000_000;
/// One second.
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Counts from its making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunClock(Instant);

impl RunClock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Now. Takes about 25 ns.
    pub(crate) fn now(&self) -> Nanos {
        nanos(self.0.elapsed())
    }
}

/// A duration in nanoseconds; five centuries are enough.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
