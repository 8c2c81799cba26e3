//! What each connection gets to send: its control frames, then its views' turns, as far as one turn has room.

use std::collections::BTreeMap;

use model::{ConnectionId, EntryId, Limits, Now, Outgoing, SessionId, SharedRecord, limits};

use crate::{
    Decision, Presence, Views,
    connection::Connection,
    leak::{Leak, Leaks},
    project::Projection,
    session::Session,
    sink::{Sink, Taken},
    timers::{TimerKey, Timers},
    view::{Turn, ViewKey, Waits},
};

/// Bytes that the envelope of a view frame is counted with.
const FRAME_WEIGHT: usize = 128;

/// Turns of one connection before the others have theirs. 4 x 8 KiB.
const TURNS_IN_A_ROW: usize = 4;

/// What turns are made of, besides the connection that takes one.
struct Turns<'a> {
    now: Now,
    limits: &'a Limits,
    leaks: Leaks,
    projection: Projection<'a>,
    views: &'a mut Views,
    timers: &'a mut Timers<TimerKey>,
    sessions: &'a BTreeMap<SessionId, Box<Session>>,
}

impl Presence {
    /// Lets every connection that may have something to say take its turn.
    pub(crate) fn pump(&mut self, now: Now, sink: &mut impl Sink) {
        self.decide(sink);
        while let Some(id) = self.pumped.pop_front() {
            self.take_turns(now, id, sink);
        }
    }

    /// As many turns as are wanted and taken, a few in a row: what the first has brought near is near for the next.
    fn take_turns(&mut self, now: Now, id: ConnectionId, sink: &mut impl Sink) {
        for _ in 0..TURNS_IN_A_ROW {
            if !self.take_turn(now, id, sink) {
                return;
            }
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.queue(id, &mut self.pumped);
        }
    }

    /// Hands on what was decided besides turns, in the order in which it was.
    fn decide(&mut self, sink: &mut impl Sink) {
        for decision in self.decisions.drain(..) {
            match decision {
                Decision::Close(connection, code) => sink.close(connection, code),
                Decision::Note(note) => sink.note(note),
            }
        }
    }

    /// One turn; tells whether there may be another.
    fn take_turn(&mut self, now: Now, id: ConnectionId, sink: &mut impl Sink) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        connection.queued = false;
        if connection.busy {
            return false;
        }
        let mut turns = Turns {
            now,
            limits: &self.limits,
            leaks: self.leaks,
            projection: Projection {
                users: &self.users,
                accounts: &self.accounts,
                channels: &self.channels,
                leaks: self.leaks,
            },
            views: &mut self.views,
            timers: &mut self.timers,
            sessions: &self.sessions,
        };
        turns.fill(id, connection, &mut self.frames);
        let sent = !self.frames.is_empty();
        if sent && sink.send(id, &mut self.frames) == Taken::Partly {
            connection.busy = true;
            self.timers.set(TimerKey::Stall(id), now.mono + self.limits.stall_ms);
        }
        let goes_on = sent && !connection.busy && connection.has_more();
        if let Some(code) = connection.closing.filter(|_| connection.control.is_empty()) {
            self.connections.remove(&id);
            self.forget_timers(id);
            sink.close(id, code);
        }
        goes_on
    }

    /// The window of a view has closed: it may send again.
    pub(crate) fn window_closed(&mut self, key: ViewKey) {
        let Some(view) = self.views.get_mut(key) else { return };
        view.window_until = None;
        view.waits = Waits::Not;
        self.want_turn(key);
    }
}

impl Turns<'_> {
    fn fill(&mut self, id: ConnectionId, connection: &mut Connection, frames: &mut Vec<Outgoing>) {
        let mut left = limits::TURN_BYTES - limits::TURN_OVERHEAD_BYTES;
        connection.take_control(&mut left, frames);
        // A view is not heard of before the answer that announces it.
        let all_said = connection.control.is_empty() && connection.closing.is_none();
        if all_said && !connection.ready.is_empty() {
            self.serve_views(id, connection, left, frames);
        }
    }

    /// Gives each view that is ready its turn, going round from where the last turn ended, while there is room.
    fn serve_views(
        &mut self,
        id: ConnectionId,
        connection: &mut Connection,
        mut left: usize,
        frames: &mut Vec<Outgoing>,
    ) {
        connection.put_ready_in_turn();
        for at in 0..connection.ready.len() {
            let (subscription, key) = connection.ready[at];
            let Some(budget) = left.checked_sub(FRAME_WEIGHT) else { break };
            match self.turn(key, budget) {
                Turn::NoRoom => break,
                Turn::Nothing => self.leak_after_nothing(id, connection, key),
                Turn::Frame(mut frame, spent) => {
                    left = budget.saturating_sub(spent);
                    if self.leaks.has(Leak::OrderByActivity) {
                        self.leak_order(&mut frame.join);
                    }
                    frames.push(Outgoing::View(frame));
                    connection.last_served = subscription;
                }
            }
        }
        let views = &self.views;
        connection.ready.retain(|(_, key)| views.get(*key).is_some_and(|view| view.waits == Waits::Turn));
    }

    fn turn(&mut self, key: ViewKey, budget: usize) -> Turn {
        let Some(view) = self.views.get_mut(key) else { return Turn::Nothing };
        if let Some(until) = view.window_until.filter(|until| *until > self.now.mono) {
            self.timers.set(TimerKey::Window(key), until);
            view.waits = Waits::Window;
            return Turn::Nothing;
        }
        let turn = view.turn(budget, self.leaks, &self.projection);
        view.waits = match &turn {
            // What did not fit goes on as soon as this was read; only a view at rest gathers.
            Turn::NoRoom => Waits::Turn,
            Turn::Frame(..) if view.wants_turn() => Waits::Turn,
            Turn::Nothing | Turn::Frame(..) => Waits::Not,
        };
        match &turn {
            Turn::Nothing => view.window_until = None,
            Turn::Frame(..) if view.waits == Waits::Not => view.open_window(self.now.mono, self.limits),
            Turn::NoRoom | Turn::Frame(..) => {}
        }
        if self.leaks.has(Leak::HiddenInWindow) && view.window_until.is_some() {
            view.open_window_for(self.now.mono, self.limits, self.projection.present_in(view.place.channel));
        }
        turn
    }

    fn leak_after_nothing(&mut self, id: ConnectionId, connection: &Connection, key: ViewKey) {
        if self.leaks.has(Leak::HiddenActMovesHeartbeat) && !connection.awaiting_heartbeat {
            self.timers.set(TimerKey::Heartbeat(id), self.now.mono + self.limits.heartbeat_ms);
        }
        if self.leaks.has(Leak::HiddenActOpensWindow)
            && let Some(view) = self.views.get_mut(key)
        {
            view.open_window(self.now.mono, self.limits);
        }
    }

    fn leak_order(&self, join: &mut [std::sync::Arc<SharedRecord>]) {
        join.sort_by_key(|record| match record.record().id() {
            EntryId::Person(user) => self.projection.users.get(&user).map_or(0, |user| {
                user.sessions
                    .iter()
                    .filter_map(|id| self.sessions.get(id))
                    .filter_map(|s| Some(s.last_sign?.0))
                    .max()
                    .unwrap_or(0)
            }),
            EntryId::Account(_) => 0,
        });
    }
}
