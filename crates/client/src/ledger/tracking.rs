//! What the session should announce. The last state wins: while one track is on its way, or the hub has said to
//! wait, newer ones replace each other, and all who asked are answered when the newest is acknowledged.

use std::time::Duration;

use model::{ErrorCode, RequestError, RequestId, TrackRequest};
use tokio::time::Instant;
use wire::{ClientFrame, TrackFrame};

use super::{Answer, Reply, answer};
use crate::RequestFailed;

/// Callers who may wait for the newest track.
const WAITING: usize = 64;
/// The wait after `rate_limited` without a time.
const UNTOLD: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Tracking {
    wanted: Option<TrackRequest>,
    /// What the hub has taken: a hello says it again. What it has not taken yet may be refused, and a hello with it
    /// would be refused each time.
    taken: Option<TrackRequest>,
    waiting: Vec<Reply>,
    in_flight: Option<InFlight>,
    /// From when on `wanted` is to be sent; `None`: the hub has it, or will have.
    due: Option<Instant>,
}

#[derive(Debug)]
struct InFlight {
    id: RequestId,
    track: TrackRequest,
    replies: Vec<Reply>,
}

impl Tracking {
    /// `track` is said in the first hello.
    pub(super) fn new(track: Option<TrackRequest>) -> Self {
        Self { wanted: track.clone(), taken: track, ..Self::default() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    /// Wants this announced. A wait that the hub has asked for goes on.
    pub(crate) fn want(&mut self, track: TrackRequest, reply: Reply, now: Instant) {
        self.wanted = Some(track);
        self.waiting.push(reply);
        self.due.get_or_insert(now);
    }

    /// The track for a hello.
    pub(crate) fn hello(&self) -> Option<TrackRequest> {
        self.taken.clone()
    }

    /// Wants nothing announced any more: who waits was overtaken, like by a newer track.
    pub(super) fn withdraw(&mut self) {
        (self.wanted, self.taken, self.due) = (None, None, None);
        for reply in self.waiting.drain(..) {
            answer(Some(reply), Ok(Answer::Done));
        }
    }

    pub(super) fn next_frame(&mut self, id: RequestId, now: Instant) -> Option<ClientFrame> {
        self.due.filter(|due| *due <= now && self.in_flight.is_none())?;
        let track = self.wanted.clone()?;
        self.due = None;
        self.in_flight =
            Some(InFlight { id, track: track.clone(), replies: std::mem::take(&mut self.waiting) });
        Some(ClientFrame::Track(TrackFrame { id, track }))
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.filter(|_| self.in_flight.is_none())
    }

    /// Whether the answer was to a track.
    pub(super) fn acked(&mut self, re: RequestId) -> bool {
        let Some(done) = self.take(re) else { return false };
        // Withdrawn meanwhile: a hello must not announce it again.
        self.taken = self.wanted.is_some().then_some(done.track);
        for reply in done.replies {
            answer(Some(reply), Ok(Answer::Done));
        }
        true
    }

    /// Whether the answer was to a track. One that came too soon is sent again when its time has come.
    pub(super) fn failed(&mut self, re: RequestId, error: &RequestError, now: Instant) -> bool {
        let Some(refused) = self.take(re) else { return false };
        if error.code == ErrorCode::RateLimited && self.wanted.is_some() {
            self.waiting.extend(refused.replies);
            self.due = Some(now + error.retry_after_ms.map_or(UNTOLD, Duration::from_millis));
            return true;
        }
        for reply in refused.replies {
            answer(Some(reply), Err(RequestFailed::Refused(error.clone())));
        }
        true
    }

    /// What was on its way may not have arrived.
    pub(super) fn disconnected(&mut self) {
        if let Some(lost) = self.in_flight.take() {
            self.waiting.extend(lost.replies);
        }
        self.waiting.retain(|reply| !reply.is_closed());
        self.due = (self.wanted != self.taken || !self.waiting.is_empty()).then(Instant::now);
    }

    pub(super) fn end(&mut self, failed: &RequestFailed) {
        self.disconnected();
        for reply in self.waiting.drain(..) {
            answer(Some(reply), Err(failed.clone()));
        }
    }

    fn take(&mut self, re: RequestId) -> Option<InFlight> {
        self.in_flight.take_if(|in_flight| in_flight.id == re)
    }
}
