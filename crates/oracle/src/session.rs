//! One session: what it announced, how it is reached, and when which of its clocks runs out.

use model::{Limits, Mono, Track, UserId};

/// How a session is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Over a connection thought to be live.
    Live,
    /// Its connection was lost then.
    Lost(Mono),
    /// By REST alone; the last call was then.
    Rest(Mono),
}

/// A session, raw. It is present while it has a track.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: UserId,
    pub(crate) link: Link,
    pub(crate) track: Option<Track>,
    /// The last track.
    pub(crate) tracked_at: Mono,
    /// The last track or activity: signs of life are none.
    pub(crate) active_at: Mono,
    /// The last sign of life while its owner was not hidden; others do not count.
    pub(crate) alive_at: Option<Mono>,
    /// Signed out for everybody but its owner.
    pub(crate) flagged: bool,
}

impl Session {
    pub(crate) fn new(user: UserId, link: Link, now: Mono, flagged: bool) -> Self {
        Self { user, link, track: None, tracked_at: now, active_at: now, alive_at: None, flagged }
    }

    /// A track that counts as activity; typing starts anew with it.
    pub(crate) fn announce(&mut self, track: &Track, now: Mono) {
        self.track = Some(track.clone());
        (self.tracked_at, self.active_at) = (now, now);
    }

    /// The first of its clocks to run out, perhaps in the past.
    pub(crate) fn next_timer(&self, limits: &Limits) -> Option<Mono> {
        let ends = [self.typing_end(limits), self.presence_end(limits), self.session_end(limits)];
        ends.into_iter().flatten().min()
    }

    /// When typing ends, while it lasts. It was said with the track.
    pub(crate) fn typing_end(&self, limits: &Limits) -> Option<Mono> {
        let typing = self.track.as_ref().is_some_and(|track| track.is_typing);
        typing.then(|| self.tracked_at + limits.typing_ms)
    }

    /// When presence ends with the grace, unless the session comes back. A call that names a lost session is a sign
    /// of life: the grace counts from it then.
    pub(crate) fn presence_end(&self, limits: &Limits) -> Option<Mono> {
        match self.link {
            Link::Lost(at) if self.track.is_some() => Some(at.max(self.active_at) + limits.grace_ms),
            _ => None,
        }
    }

    /// When the session itself is gone, unless it comes back or calls again.
    pub(crate) fn session_end(&self, limits: &Limits) -> Option<Mono> {
        match self.link {
            Link::Live => None,
            Link::Lost(at) => Some(at + limits.resume_ms),
            Link::Rest(last_call) => Some(last_call + limits.rest_session_ms),
        }
    }
}
