//! One socket, as the heart knows it: what waits to be said, whether the last turn was read, is anybody there.

use std::collections::VecDeque;

use model::{CloseCode, ConnectionId, Kept, Mono, Now, Outgoing, RequestError, SessionId, SubscriptionId};
use smallvec::SmallVec;

use crate::{
    Decision, Presence,
    input::{Ending, ReplyTo},
    session::Kind,
    timers::TimerKey,
    view::ViewKey,
};

/// One socket.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) session: SessionId,
    /// Whether a turn was sent that the kernel has not taken yet.
    pub(crate) busy: bool,
    /// What waits to be said besides views. Bounded: an answer for each request in flight (the shell reads no
    /// further past `REQUESTS_IN_FLIGHT`), one frame of each other kind, and one end per subscription.
    pub(crate) control: VecDeque<Outgoing>,
    /// Whether it is among those that take a turn next.
    pub(crate) queued: bool,
    /// Views that may have something to say.
    pub(crate) ready: SmallVec<[(SubscriptionId, ViewKey); 2]>,
    /// The view that had a turn last: the next turn starts behind it.
    pub(crate) last_served: SubscriptionId,
    pub(crate) awaiting_heartbeat: bool,
    pub(crate) token_ends: Option<Mono>,
    /// Set when the connection is to be closed once all that waits was said.
    pub(crate) closing: Option<CloseCode>,
}

impl Connection {
    pub(crate) fn new(session: SessionId, token_ends: Option<Mono>) -> Self {
        Self {
            session,
            busy: false,
            control: VecDeque::new(),
            queued: false,
            ready: SmallVec::new(),
            last_served: SubscriptionId(0),
            awaiting_heartbeat: false,
            token_ends,
            closing: None,
        }
    }

    /// Lets it take a turn, once however often it is asked for.
    pub(crate) fn queue(&mut self, id: ConnectionId, pumped: &mut VecDeque<ConnectionId>) {
        if !std::mem::replace(&mut self.queued, true) {
            pumped.push_back(id);
        }
    }

    /// Whether there is something that a turn had no room for.
    pub(crate) fn has_more(&self) -> bool {
        !self.control.is_empty() || (self.closing.is_none() && !self.ready.is_empty())
    }

    /// Takes what waits and fits; the first always does.
    pub(crate) fn take_control(&mut self, left: &mut usize, taken: &mut Vec<Outgoing>) {
        while let Some(frame) = self.control.front() {
            let weight = frame.weight();
            if weight > *left && !taken.is_empty() {
                break;
            }
            *left = left.saturating_sub(weight);
            taken.extend(self.control.pop_front());
        }
        // Most connections have nothing to be told most of the time: 4 frames of room would be half a kilobyte.
        if self.control.is_empty() {
            self.control = VecDeque::new();
        }
    }

    /// Sorts the views that are ready, from behind the one served last.
    pub(crate) fn put_ready_in_turn(&mut self) {
        self.ready.sort_unstable();
        let before = self.ready.partition_point(|(subscription, _)| *subscription <= self.last_served);
        self.ready.rotate_left(before);
    }
}

impl Presence {
    pub(crate) fn flushed(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.busy = false;
            self.timers.cancel(TimerKey::Stall(id));
            connection.queue(id, &mut self.pumped);
        }
    }

    pub(crate) fn reply(&mut self, to: ReplyTo, result: Result<Kept, RequestError>) {
        match (result, to.re) {
            (Ok(kept), Some(re)) => self.say(to.connection, Outgoing::Ack { re, kept }),
            (Ok(_), None) => {}
            (Err(error), re) => self.say(to.connection, Outgoing::Error { re, error }),
        }
    }

    /// Says what is so now; what waits of the same kind is replaced.
    pub(crate) fn say_latest(&mut self, id: ConnectionId, frame: Outgoing) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let kind = std::mem::discriminant(&frame);
            connection.control.retain(|waiting| std::mem::discriminant(waiting) != kind);
            self.say(id, frame);
        }
    }

    /// Tells everybody that what they see may be old, or is fresh again. The same for all: it says nothing of anybody.
    pub(crate) fn change_stale(&mut self, stale: bool) {
        if std::mem::replace(&mut self.stale, stale) == stale {
            return;
        }
        let open: Vec<_> = self.connections.keys().copied().collect();
        for connection in open {
            self.say_latest(connection, Outgoing::Stale { subscription: None, stale });
        }
    }

    /// Asks whether anybody is there, or gives up on one who did not answer.
    pub(crate) fn heartbeat_due(&mut self, now: Now, id: ConnectionId) {
        let open = self.connections.get_mut(&id).filter(|connection| connection.closing.is_none());
        let Some(connection) = open else { return };
        if connection.awaiting_heartbeat {
            return self.close_at_once(now, id, CloseCode::HeartbeatTimeout);
        }
        connection.awaiting_heartbeat = true;
        let session = connection.session;
        for view in self.sessions.get(&session).into_iter().flat_map(|session| &session.views) {
            if let Some(view) = self.views.get_mut(*view) {
                view.heartbeat_sent();
            }
        }
        self.timers.set(TimerKey::Heartbeat(id), now.mono + self.limits.heartbeat_timeout_ms);
        self.say(id, Outgoing::Heartbeat);
    }

    pub(crate) fn heartbeat_answered(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session_id = connection.session;
        // Of a connection that is being closed, or was replaced, it says nothing of the session any more.
        if connection.closing.is_some() {
            return;
        }
        if std::mem::take(&mut connection.awaiting_heartbeat) {
            self.timers.set(TimerKey::Heartbeat(id), now.mono + self.limits.heartbeat_ms);
            for view in self.sessions.get(&session_id).into_iter().flat_map(|session| &session.views) {
                if let Some(view) = self.views.get_mut(*view) {
                    view.heartbeat_answered();
                }
            }
        }
        self.alive(now, session_id);
    }

    /// Sets when the token's end is announced, or has come.
    pub(crate) fn watch_token(&mut self, now: Now, id: ConnectionId, token_ends: Option<Mono>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.token_ends = token_ends;
        match token_ends {
            Some(ends) => {
                let warning = Mono(ends.0.saturating_sub(self.limits.expiry_warning_ms)).max(now.mono);
                self.timers.set(TimerKey::Token(id), warning);
            }
            None => self.timers.cancel(TimerKey::Token(id)),
        }
    }

    pub(crate) fn token_due(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Some(ends) = connection.token_ends else { return };
        if now.mono >= ends {
            return self.close_gracefully(now, id, CloseCode::TokenExpired);
        }
        self.timers.set(TimerKey::Token(id), ends);
        self.say_latest(id, Outgoing::TokenExpiring { in_ms: ends - now.mono });
    }

    /// The connection says what waits, and is closed. Its session is cut now.
    pub(crate) fn close_gracefully(&mut self, now: Now, id: ConnectionId, code: CloseCode) {
        let Some(connection) =
            self.connections.get_mut(&id).filter(|connection| connection.closing.is_none())
        else {
            return;
        };
        connection.closing = Some(code);
        connection.queue(id, &mut self.pumped);
        // Nothing is asked any more and nothing announced; that what waits is read, still is a matter of time.
        self.timers.cancel(TimerKey::Heartbeat(id));
        self.timers.cancel(TimerKey::Token(id));
        self.cut(now, id);
    }

    /// The connection is closed without waiting for anything.
    pub(crate) fn close_at_once(&mut self, now: Now, id: ConnectionId, code: CloseCode) {
        self.cut(now, id);
        if self.connections.remove(&id).is_some() {
            self.forget_timers(id);
            self.decisions.push(Decision::Close(id, code));
        }
    }

    pub(crate) fn disconnected(&mut self, now: Now, id: ConnectionId, ending: Ending) {
        let Some(connection) = self.connections.get(&id) else { return };
        let session = connection.session;
        match ending {
            Ending::Clean if self.is_connected_by(session, id) => self.sign_out(now, session),
            Ending::Clean => {}
            Ending::Lost => self.cut(now, id),
        }
        self.connections.remove(&id);
        self.forget_timers(id);
    }

    /// Whether the session still lives on this connection, and not on a later one.
    pub(crate) fn is_connected_by(&self, session: SessionId, id: ConnectionId) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.kind == Kind::Connected(id))
    }

    pub(crate) fn forget_timers(&mut self, id: ConnectionId) {
        for key in [TimerKey::Heartbeat(id), TimerKey::Stall(id), TimerKey::Token(id)] {
            self.timers.cancel(key);
        }
    }
}
