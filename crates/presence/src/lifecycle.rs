//! How sessions begin, are lost, come back and end.

use model::{
    CloseCode, ConnectionId, NotResumed, Now, Outgoing, ResumeOutcome, ResumePoint, ResumeRequest, SessionId,
    SubscriptionId, Track, UserId, Wall, WelcomeFrame,
};

use crate::{
    Decision, Presence,
    connection::Connection,
    input::Connect,
    people::User,
    project::Projection,
    session::{Kind, Session},
    timers::TimerKey,
    view::{Sights, View, ViewKey, Waits},
};

impl Presence {
    pub(crate) fn connect(&mut self, now: Now, connect: Connect) {
        let Connect { connection, user, session, resume, track, token_ends } = connect;
        if !self.users.get(&user).is_some_and(User::is_admitted) {
            return self.refuse(connection, CloseCode::AccountDisabled);
        }
        let outcome = resume.map(|request| self.resume(now, connection, user, request));
        let id = match &outcome {
            Some((id, ResumeOutcome::Resumed(_))) => *id,
            _ if !self.make_room(now, user) => return self.refuse(connection, CloseCode::TooManySessions),
            _ => self.begin(session, user, Kind::Connected(connection)),
        };
        self.connections.insert(connection, Box::new(Connection::new(id, token_ends)));
        self.welcome(connection, user, id, outcome.map(|(_, outcome)| outcome));
        if self.stale {
            self.say_latest(connection, Outgoing::Stale { subscription: None, stale: true });
        }
        self.watch_token(now, connection, token_ends);
        self.timers.set(TimerKey::Heartbeat(connection), now.mono + self.heartbeat_spread_ms(id));
        self.alive(now, id);
        self.announce(now, id, track);
        self.want_all_turns(id);
    }

    fn refuse(&mut self, connection: ConnectionId, code: CloseCode) {
        self.decisions.push(Decision::Close(connection, code));
    }

    /// The time to a heartbeat, spread by the (random) session id, so that a restart brings no chorus.
    pub(crate) fn heartbeat_spread_ms(&self, id: SessionId) -> u64 {
        let spread = (self.limits.heartbeat_ms / 4).max(1);
        self.limits.heartbeat_ms - (id.0.as_u128() % u128::from(spread)) as u64
    }

    fn welcome(
        &mut self,
        connection: ConnectionId,
        user: UserId,
        session: SessionId,
        resume: Option<ResumeOutcome>,
    ) {
        let settings = self.users.get(&user).and_then(User::settings).cloned().unwrap_or_default();
        self.say(
            connection,
            Outgoing::Welcome(WelcomeFrame {
                user,
                session,
                resume,
                heartbeat_ms: self.limits.heartbeat_ms,
                heartbeat_timeout_ms: self.limits.heartbeat_timeout_ms,
                resume_ms: self.limits.resume_ms,
                settings,
            }),
        );
    }

    fn begin(&mut self, id: SessionId, user: UserId, kind: Kind) -> SessionId {
        let owner = self.users.row(user);
        owner.sessions.insert(id);
        let signed_out = owner.appears_offline();
        self.sessions.insert(id, Box::new(Session::new(user, kind, signed_out)));
        id
    }

    /// A hello's track. One that says what the session announces already changes nothing, so that a client that
    /// comes back causes no diff.
    fn announce(&mut self, now: Now, id: SessionId, track: Option<Track>) {
        let tracked = self.sessions.get(&id).and_then(|session| session.tracked.as_ref());
        match track {
            Some(track) if tracked.is_none_or(|tracked| tracked.track != track) => self.track(now, id, track),
            _ => {}
        }
    }

    fn want_all_turns(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else { return };
        let wants = |key: &ViewKey| self.views.get(*key).is_some_and(View::wants_turn);
        let wanting: Vec<_> = session.views.iter().copied().filter(wants).collect();
        wanting.into_iter().for_each(|key| self.want_turn(key));
    }

    /// Whether the user may have one more session; the one lost longest gives way.
    fn make_room(&mut self, now: Now, user: UserId) -> bool {
        let Some(owner) = self.users.get(&user) else { return true };
        if owner.sessions.len() < self.limits.sessions_per_user {
            return true;
        }
        let lost = owner.sessions.iter().filter_map(|id| match self.sessions.get(id)?.kind {
            Kind::Cut(at) => Some((at, *id)),
            Kind::Connected(_) | Kind::Rest => None,
        });
        let Some((_, oldest)) = lost.min() else { return false };
        self.drop_session(now, oldest);
        true
    }

    fn resume(
        &mut self,
        now: Now,
        connection: ConnectionId,
        user: UserId,
        request: ResumeRequest,
    ) -> (SessionId, ResumeOutcome) {
        let id = request.session;
        let known =
            self.sessions.get(&id).filter(|session| session.user == user && session.kind != Kind::Rest);
        let Some(session) = known else {
            return (id, ResumeOutcome::NotResumed(NotResumed::UnknownSession));
        };
        if let Some(before) = session.connection() {
            self.close_at_once(now, before, CloseCode::Replaced);
        }
        self.timers.cancel(TimerKey::Grace(id));
        self.timers.cancel(TimerKey::Gone(id));
        self.reattach(now, connection, id);
        let outcomes =
            request.subscriptions.iter().map(|point| (point.subscription, self.resume_view(id, *point)));
        let outcomes: Vec<_> = outcomes.collect();
        self.drop_views_except(id, &outcomes);
        (id, ResumeOutcome::Resumed(outcomes))
    }

    fn reattach(&mut self, now: Now, connection: ConnectionId, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.kind = Kind::Connected(connection);
        for key in &session.views {
            if let Some(view) = self.views.get_mut(*key) {
                view.connection = Some(connection);
            }
        }
        let user = session.user;
        if session.signed_out && !self.users.get(&user).is_some_and(User::appears_offline) {
            session.signed_out = false;
            self.refresh_user(user);
            self.keep_logged(now, user);
        }
    }

    fn resume_view(&mut self, id: SessionId, point: ResumePoint) -> Result<(), NotResumed> {
        let key = self.view_of(id, point.subscription).ok_or(NotResumed::UnknownChannel)?;
        let view = self.views.get_mut(key).ok_or(NotResumed::UnknownChannel)?;
        let resumed = view.resume(point.sequence, self.leaks);
        let channel = self.channels.at(view.place.channel);
        if resumed.is_err() {
            let entries = channel.map(|channel| channel.entries(view.place.interest));
            view.restart(entries.into_iter().flatten());
        }
        if let Some(channel) = channel {
            let projection = Projection {
                users: &self.users,
                accounts: &self.accounts,
                channels: &self.channels,
                leaks: self.leaks,
            };
            view.tidy(|entry| channel.lists(projection.id(entry)));
        }
        resumed
    }

    fn drop_views_except(&mut self, id: SessionId, named: &[(SubscriptionId, Result<(), NotResumed>)]) {
        let Some(session) = self.sessions.get(&id) else { return };
        let is_named = |key: &ViewKey| {
            let view = self.views.get(*key);
            view.is_some_and(|view| named.iter().any(|(named, _)| *named == view.place.subscription))
        };
        let dropped: Vec<_> = session.views.iter().copied().filter(|key| !is_named(key)).collect();
        dropped.into_iter().for_each(|key| self.drop_view(key));
    }

    /// The connection of a session is lost; the session waits for its client.
    pub(crate) fn cut(&mut self, now: Now, connection: ConnectionId) {
        let Some(id) = self.connections.get(&connection).map(|connection| connection.session) else { return };
        if !self.is_connected_by(id, connection) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.kind = Kind::Cut(now.mono);
        for key in &session.views {
            if let Some(view) = self.views.get_mut(*key) {
                view.connection = None;
                view.waits = Waits::Not;
                self.timers.cancel(TimerKey::Window(*key));
            }
        }
        if session.tracked.is_some() {
            self.timers.set(TimerKey::Grace(id), now.mono + self.limits.grace_ms);
        }
        self.timers.set(TimerKey::Gone(id), now.mono + self.limits.resume_ms);
    }

    pub(crate) fn prolong_grace(&mut self, now: Now, id: SessionId) {
        self.timers.set(TimerKey::Grace(id), now.mono + self.limits.grace_ms);
    }

    pub(crate) fn grace_ended(&mut self, now: Now, id: SessionId) {
        if let Some(session) = self.sessions.get(&id) {
            let seen = session.last_sign.map(|sign| now.wall_at(sign));
            self.end_presence(now, id, seen);
        }
    }

    /// The session ends at once.
    pub(crate) fn sign_out(&mut self, now: Now, id: SessionId) {
        self.end_session(now, id, Some(now.wall));
    }

    /// The session ends at once; its user was seen last at `seen`, if at all.
    pub(crate) fn end_session(&mut self, now: Now, id: SessionId, seen: Option<Wall>) {
        self.end_presence(now, id, seen);
        self.drop_session(now, id);
    }

    /// Forgets a session and its views. If it is present still, it was seen last at its last sign of life.
    pub(crate) fn drop_session(&mut self, now: Now, id: SessionId) {
        self.grace_ended(now, id);
        let Some(session) = self.sessions.get(&id) else { return };
        let user = session.user;
        session.views.clone().into_iter().for_each(|key| self.drop_view(key));
        for key in [TimerKey::Gone(id), TimerKey::Grace(id), TimerKey::Rest(id), TimerKey::Typing(id)] {
            self.timers.cancel(key);
        }
        self.sessions.remove(&id);
        if let Some(user) = self.users.get_mut(&user) {
            user.sessions.remove(&id);
        }
    }

    /// A call of a session without a socket: it begins, or goes on. One of the user's sockets is tracked instead; a
    /// lost one is given a new grace, for the call is a sign of life, and no lease.
    pub(crate) fn rest_track(&mut self, now: Now, user: UserId, id: SessionId, track: Track) {
        if !self.users.get(&user).is_some_and(User::is_admitted) {
            return;
        }
        match self.sessions.get(&id).map(|session| session.user) {
            Some(owner) if owner != user => return,
            Some(_) => {}
            None if self.make_room(now, user) => drop(self.begin(id, user, Kind::Rest)),
            None => return,
        }
        match self.sessions.get(&id).map(|session| session.kind) {
            Some(Kind::Rest) => self.timers.set(TimerKey::Rest(id), now.mono + self.limits.rest_session_ms),
            Some(Kind::Cut(_)) => self.prolong_grace(now, id),
            Some(Kind::Connected(_)) | None => {}
        }
        self.track(now, id, track);
        self.alive(now, id);
    }

    pub(crate) fn rest_end(&mut self, now: Now, user: UserId, id: SessionId) {
        let ends = |session: &Session| session.user == user && session.kind == Kind::Rest;
        if self.sessions.get(&id).is_some_and(|session| ends(session)) {
            self.sign_out(now, id);
        }
    }

    pub(crate) fn rest_lease_ended(&mut self, now: Now, id: SessionId) {
        self.drop_session(now, id);
    }
}
