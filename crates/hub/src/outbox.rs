//! What was encoded for one connection and not taken by its task yet. The heart sends no further turn before the
//! last was flushed, so this holds at most one turn (`TURN_BYTES`), and perhaps a farewell.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use model::limits;
use tokio::sync::Notify;

use crate::Farewell;

/// What to write next.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Encoded frames, to be written together.
    pub frames: Vec<Bytes>,
    /// Set when the connection is to be closed after them.
    pub farewell: Option<Farewell>,
}

/// Between the hub and the task of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    parcel: Mutex<Parcel>,
    filled: Notify,
    in_flight: AtomicUsize,
}

impl Outbox {
    /// Waits for something to write. Safe to cancel: nothing is taken before it is returned.
    pub async fn next(&self) -> Parcel {
        loop {
            let filled = self.filled.notified();
            let parcel = std::mem::take(&mut *self.lock());
            if !parcel.frames.is_empty() || parcel.farewell.is_some() {
                return parcel;
            }
            filled.await;
        }
    }

    /// Whether the connection may have another request in flight.
    #[must_use]
    pub fn may_request(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) < limits::REQUESTS_IN_FLIGHT
    }

    pub(crate) fn requested(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn put(&self, frames: impl Iterator<Item = Bytes>, answers: usize) {
        self.lock().frames.extend(frames);
        self.in_flight.fetch_sub(answers, Ordering::Relaxed);
        self.filled.notify_one();
    }

    pub(crate) fn close(&self, farewell: Farewell) {
        self.lock().farewell = Some(farewell);
        self.filled.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Parcel> {
        // A panic while holding it leaves a parcel that is whole: both writers finish their one statement.
        self.parcel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
