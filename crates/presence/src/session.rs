//! Sessions: one device of one user, with what it announces and the views it owns. It survives reconnects.

use model::{ConnectionId, Mono, Now, SessionId, Track, UserId, Wall};

use crate::{
    Decision, Presence,
    activity::Logged,
    input::{LastSeenNote, Note},
    leak::Leak,
    people::User,
    timers::TimerKey,
    view::ViewKey,
};

/// One device of one user.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) user: UserId,
    pub(crate) kind: Kind,
    /// What is announced; `None`: the session watches, and is not present.
    pub(crate) tracked: Option<Tracked>,
    /// Ended for everybody else, because its user appeared offline.
    pub(crate) signed_out: bool,
    /// The last sign of life while the user was not hidden; `None`: there was none, so last-seen stands still.
    pub(crate) last_sign: Option<Mono>,
    /// The stretch of it that is being logged.
    pub(crate) logged: Option<Box<Logged>>,
    /// In the order of their subscriptions.
    pub(crate) views: Vec<ViewKey>,
    pub(crate) last_subscription: u32,
}

/// How a session is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By this connection.
    Connected(ConnectionId),
    /// By grace, and for its views, since the connection was lost.
    Cut(Mono),
    /// By calls.
    Rest,
}

/// What a session announces.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) track: Track,
    /// The last track or activity; never a sign of life.
    pub(crate) active_at: Mono,
}

impl Session {
    pub(crate) fn new(user: UserId, kind: Kind, signed_out: bool) -> Self {
        Self {
            user,
            kind,
            tracked: None,
            signed_out,
            last_sign: None,
            logged: None,
            views: Vec::new(),
            last_subscription: 0,
        }
    }

    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self.kind {
            Kind::Connected(connection) => Some(connection),
            Kind::Cut(_) | Kind::Rest => None,
        }
    }
}

impl Presence {
    /// The session announces this from now on.
    pub(crate) fn track(&mut self, now: Now, id: SessionId, track: Track) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let user = session.user;
        if !self.users.get(&user).is_some_and(User::appears_offline) {
            session.signed_out = false;
        }
        if track.is_typing {
            self.timers.set(TimerKey::Typing(id), now.mono + self.limits.typing_ms);
        } else {
            self.timers.cancel(TimerKey::Typing(id));
        }
        let after = track.status;
        let before = session.tracked.as_ref().map(|before| before.track.status);
        // What was said where others may not look is not told to them now.
        let here = session.tracked.as_ref().is_some_and(|before| before.track.scope == track.scope);
        session.tracked = Some(Tracked { track, active_at: now.mono });
        self.refresh_user(user);
        self.keep_logged(now, user);
        if before != Some(after) || !here {
            self.status_changed(now.wall, id, before.filter(|_| here), after);
        }
    }

    pub(crate) fn typing_ended(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(tracked) = &mut session.tracked {
            tracked.track.is_typing = false;
        }
        let user = session.user;
        self.refresh_user(user);
    }

    /// The session announces nothing any more; its user was seen last at `seen`, if at all.
    pub(crate) fn end_presence(&mut self, now: Now, id: SessionId, seen: Option<Wall>) {
        self.timers.cancel(TimerKey::Typing(id));
        self.timers.cancel(TimerKey::Grace(id));
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(tracked) = &session.tracked else { return };
        let shown = !session.signed_out || self.leaks.has(Leak::LastSeenWhileHidden);
        let user = session.user;
        let note = seen.filter(|_| shown).map(|seen| note(now, session, &tracked.track, seen));
        self.end_logged(id, seen.map_or(now.mono, |seen| now.mono_of(seen)));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.tracked = None;
        }
        if let Some(note) = note {
            self.seen(now, note);
        }
        self.refresh_user(user);
    }

    /// A sign of life of the session. While its user is hidden it does not count: told of later, it would tell
    /// that the user was there.
    pub(crate) fn alive(&mut self, now: Now, id: SessionId) {
        self.go_on_logged(now, id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(user) = self.users.get_mut(&session.user) else { return };
        let hidden = user.is_hidden();
        if !hidden || self.leaks.has(Leak::LastSeenWhileHidden) {
            session.last_sign = Some(now.mono);
        }
        let (Some(tracked), false) = (&session.tracked, session.signed_out) else { return };
        let fresh = user.noted_at.is_some_and(|at| now.mono - at < self.limits.last_seen_note_ms);
        if fresh || hidden {
            return;
        }
        user.noted_at = Some(now.mono);
        let note =
            LastSeenNote { activity: user.last_activity, ..note(now, session, &tracked.track, now.wall) };
        self.decisions.push(Decision::Note(Note::LastSeen(note)));
    }

    /// Moves a user's last-seen on, unless the user is hidden: then it stands still.
    pub(crate) fn seen(&mut self, now: Now, note: LastSeenNote) {
        let (id, at) = (note.user, note.at);
        let leaks = self.leaks.has(Leak::LastSeenWhileHidden);
        let Some(user) = self.users.get_mut(&id) else { return };
        if user.is_hidden() && !leaks {
            return;
        }
        user.noted_at = Some(now.mono);
        let note = LastSeenNote { activity: user.last_activity, ..note };
        self.decisions.push(Decision::Note(Note::LastSeen(note)));
        let before = user.offline.clone();
        user.seen(id, at);
        if user.offline != before {
            for channel in user.channels() {
                self.mark_audience(channel, id);
                self.mark_own_views(channel, id);
            }
        }
    }
}

/// What is noted of a session's user who was seen at `at`.
pub(crate) fn note(now: Now, session: &Session, track: &Track, at: Wall) -> LastSeenNote {
    let session_minutes = session.logged.as_ref().map_or(0, |logged| logged.minutes_until(now.mono_of(at)));
    let user = session.user;
    LastSeenNote { user, at, page: track.page.clone(), device: track.device, activity: None, session_minutes }
}
