//! What comes in, and how fast.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

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
    frames: Bucket,
    malformed: Bucket,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let per_second = bounds.frames_per_second;
        Self {
            frames: Bucket::new(per_second.saturating_mul(2), Duration::from_secs(1), per_second),
            malformed: Bucket::new(bounds.malformed_per_minute, MINUTE, bounds.malformed_per_minute),
            pause: None,
        }
    }

    /// Ready when the next message may be read.
    pub(super) fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Counts a message.
    pub(super) fn count(&mut self) {
        let now = Instant::now();
        let wait = self.frames.put(now);
        if !wait.is_zero() {
            metrics::counter!("presence_hub_slowed_reads_total").increment(1);
            self.pause = Some(Box::pin(sleep_until(now + wait)));
        }
    }

    /// Whether one more malformed frame is put up with.
    pub(super) fn forgives(&mut self) -> bool {
        self.malformed.put(Instant::now()).is_zero()
    }
}

const MINUTE: Duration = Duration::from_mins(1);

/// A bucket that leaks evenly. 32 B: every connection has two.
#[derive(Debug)]
struct Bucket {
    /// How long one takes to leak, in nanoseconds.
    each_ns: u64,
    room: u32,
    /// When it will be empty; `None`: nothing was ever in it.
    empty_at: Option<Instant>,
}

impl Bucket {
    /// Room for `room`, of which `leak` go in `time`.
    fn new(room: u32, time: Duration, leak: u32) -> Self {
        let each_ns = time.as_nanos() as u64 / u64::from(leak.max(1));
        Self { each_ns, room, empty_at: None }
    }

    /// Puts one in: how long until there is room for all that is in it.
    fn put(&mut self, now: Instant) -> Duration {
        let empty_at = self.empty_at.unwrap_or(now).max(now) + Duration::from_nanos(self.each_ns);
        self.empty_at = Some(empty_at);
        (empty_at - now).saturating_sub(Duration::from_nanos(self.each_ns * u64::from(self.room)))
    }
}

#[cfg(test)]
mod tests;
