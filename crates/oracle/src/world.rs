//! The world at one instant: facts, settings, sessions, occupancies, and what each act and each timer does to
//! them. Who may see what of it is the business of `view`.

use std::collections::BTreeMap;

use model::{
    AccountFacts, AccountId, Limits, Mono, Occupancy, SessionId, Settings, Track, UserFacts, UserId, Wall,
};

use crate::log::{Act, Event};
use crate::session::{Link, Session};

/// The world at one instant. Time is a number that only [`World::apply`] and [`World::advance`] move.
#[derive(Clone, Debug)]
pub struct World {
    start_wall: Wall,
    limits: Limits,
    pub(crate) users: BTreeMap<UserId, UserFacts>,
    pub(crate) accounts: BTreeMap<AccountId, AccountFacts>,
    pub(crate) occupancies: BTreeMap<AccountId, Occupancy>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
}

/// Time and the log.
impl World {
    pub(crate) fn new(start_wall: Wall, limits: Limits) -> Self {
        Self {
            start_wall,
            limits,
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            occupancies: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Fires the timers due up to and at the event, then does it. Answers when timers fired.
    pub fn apply(&mut self, event: &Event) -> Vec<Mono> {
        let fired = self.advance(event.at);
        self.act(&event.act, event.at);
        fired
    }

    /// Fires the timers due up to and at `to`, the earliest first. Answers when.
    pub fn advance(&mut self, to: Mono) -> Vec<Mono> {
        let mut fired = Vec::new();
        while let Some((due, session)) = self.next_timer().filter(|(due, _)| *due <= to) {
            self.fire(session, due);
            fired.push(due);
        }
        fired
    }

    fn next_timer(&self) -> Option<(Mono, SessionId)> {
        let timers =
            self.sessions.iter().filter_map(|(id, session)| Some((session.next_timer(&self.limits)?, *id)));
        timers.min()
    }

    fn fire(&mut self, id: SessionId, now: Mono) {
        let due = |end: Option<Mono>| end.is_some_and(|end| end <= now);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // A lease's last call is also its last sign of life.
        let seen = session.alive_at;
        if due(session.typing_end(&self.limits)) {
            session.track.iter_mut().for_each(|track| track.is_typing = false);
        }
        let presence_ends = due(session.presence_end(&self.limits));
        let session_ends = due(session.session_end(&self.limits));
        if presence_ends || session_ends {
            self.end_presence(id, seen);
        }
        if session_ends {
            self.sessions.remove(&id);
        }
    }

    fn act(&mut self, act: &Act, now: Mono) {
        match act {
            Act::Facts { user, facts: Some(facts) } => self.put_user(*user, facts, now),
            Act::Facts { user, facts: None } => self.remove_user(*user, now),
            Act::Settings { user, settings } => self.change_settings(*user, settings, now),
            Act::Account { account, facts } => self.account(*account, facts.as_ref()),
            Act::Occupancy { account, occupancy } => {
                replace(&mut self.occupancies, *account, occupancy.as_ref())
            }
            Act::Connect { session, user } => self.connect(*session, *user, now),
            Act::Track { session, track } => self.track(*session, track, now),
            Act::Untrack { session } => self.untrack(*session, now),
            Act::Alive { session } => self.alive(*session, now),
            Act::Active { session } => self.active(*session, now),
            Act::SignOut { session } => self.sign_out(*session, now),
            Act::Lost { session } => self.lost(*session, now),
            Act::Resume { session, track } => self.resume(*session, track.as_ref(), now),
            Act::RestTrack { session, user, track } => self.rest_track(*session, *user, track, now),
            Act::RestEnd { session } => self.rest_end(*session, now),
        }
    }
}

/// The directory and the settings.
impl World {
    fn put_user(&mut self, user: UserId, facts: &UserFacts, now: Mono) {
        if facts.disabled {
            // First, under the settings of before: what was hidden until now stays unseen.
            self.end_all(user, now);
        }
        let Some(known) = self.users.get(&user) else {
            self.users.insert(user, facts.clone());
            return;
        };
        let last_seen = known.last_seen.max(facts.last_seen);
        let settings = known.settings.clone();
        self.users.insert(user, UserFacts { settings, last_seen, ..facts.clone() });
        if let Some(settings) = &facts.settings {
            self.change_settings(user, settings, now);
        }
    }

    fn remove_user(&mut self, user: UserId, now: Mono) {
        self.end_all(user, now);
        self.users.remove(&user);
    }

    fn account(&mut self, account: AccountId, facts: Option<&AccountFacts>) {
        replace(&mut self.accounts, account, facts);
        if facts.is_none() {
            // An account that is deleted is clocked out.
            self.occupancies.remove(&account);
        }
    }

    fn change_settings(&mut self, user: UserId, settings: &Settings, now: Mono) {
        if !self.users.contains_key(&user) {
            return;
        }
        let seen_until_now =
            self.sessions_of(user).any(|session| session.track.is_some() && !session.flagged);
        if settings.hidden() && seen_until_now {
            // Does nothing where the user was hidden already.
            self.advance_last_seen(user, now);
        }
        let was_offline = self.appears_offline(user);
        let was_hidden = self.hidden(user);
        self.users.entry(user).and_modify(|facts| facts.settings = Some(settings.clone()));
        for session in self.sessions.values_mut().filter(|session| session.user == user) {
            match (was_offline, settings.appear_offline) {
                (false, true) => session.flagged = true,
                (true, false) if session.link == Link::Live => session.flagged = false,
                _ => {}
            }
            // From here on others see them there.
            if was_hidden && !settings.hidden() && session.link == Link::Live {
                session.alive_at = Some(now);
            }
        }
    }

    /// Whether `user` has switched `appearOffline` on. Settings not loaded hide, but sign nobody out.
    pub(crate) fn appears_offline(&self, user: UserId) -> bool {
        let settings = self.users.get(&user).and_then(|facts| facts.settings.as_ref());
        settings.is_some_and(|settings| settings.appear_offline)
    }

    /// The settings of `user` as they are in force; `None`: not loaded, or no such user.
    #[must_use]
    pub fn settings(&self, user: UserId) -> Option<&Settings> {
        self.users.get(&user)?.settings.as_ref()
    }

    /// Whether nobody else sees `user`: settings not loaded, visibility `nobody`, or `appearOffline`.
    #[must_use]
    pub fn hidden(&self, user: UserId) -> bool {
        let settings = self.users.get(&user).and_then(|facts| facts.settings.as_ref());
        settings.is_none_or(Settings::hidden)
    }

    /// The stored last-seen of `user`, not yet cut to the minute.
    #[must_use]
    pub fn last_seen(&self, user: UserId) -> Option<Wall> {
        self.users.get(&user)?.last_seen
    }

    /// Never backwards, and never while hidden.
    fn advance_last_seen(&mut self, user: UserId, seen: Mono) {
        if self.hidden(user) {
            return;
        }
        let seen = Wall(self.start_wall.0 + seen.0 as i64);
        self.users.entry(user).and_modify(|facts| facts.last_seen = facts.last_seen.max(Some(seen)));
    }
}

/// Sessions.
impl World {
    fn may_act(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|facts| !facts.disabled)
    }

    pub(crate) fn sessions_of(&self, user: UserId) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(move |session| session.user == user)
    }

    fn live(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id).filter(|session| session.link == Link::Live)
    }

    fn connect(&mut self, id: SessionId, user: UserId, now: Mono) {
        if self.may_act(user) && !self.sessions.contains_key(&id) {
            let flagged = self.appears_offline(user);
            self.sessions.insert(id, Session::new(user, Link::Live, now, flagged));
            self.sign_of_life(id, now);
        }
    }

    fn track(&mut self, id: SessionId, track: &Track, now: Mono) {
        if let Some(session) = self.live(id) {
            session.announce(track, now);
            self.sign_of_life(id, now);
            self.unflag_unless_offline(id);
        }
    }

    fn untrack(&mut self, id: SessionId, now: Mono) {
        if self.live(id).is_some() {
            self.end_presence(id, Some(now));
        }
    }

    fn alive(&mut self, id: SessionId, now: Mono) {
        if self.live(id).is_some() {
            self.sign_of_life(id, now);
        }
    }

    fn active(&mut self, id: SessionId, now: Mono) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.track.is_some() {
            session.active_at = now;
        }
        if matches!(session.link, Link::Rest(_)) {
            session.link = Link::Rest(now);
        }
        self.sign_of_life(id, now);
    }

    /// What happens while nobody else sees the owner is not told later either.
    fn sign_of_life(&mut self, id: SessionId, now: Mono) {
        let Some(user) = self.sessions.get(&id).map(|session| session.user) else { return };
        if !self.hidden(user) {
            self.sessions.entry(id).and_modify(|session| session.alive_at = Some(now));
        }
    }

    fn sign_out(&mut self, id: SessionId, now: Mono) {
        if self.live(id).is_some() {
            self.end(id, now);
        }
    }

    fn lost(&mut self, id: SessionId, now: Mono) {
        if let Some(session) = self.live(id) {
            session.link = Link::Lost(now);
        }
    }

    fn resume(&mut self, id: SessionId, track: Option<&Track>, now: Mono) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if matches!(session.link, Link::Rest(_)) {
            return;
        }
        session.link = Link::Live;
        if let Some(track) = track.filter(|track| session.track.as_ref() != Some(track)) {
            session.announce(track, now);
        }
        self.sign_of_life(id, now);
        self.unflag_unless_offline(id);
    }

    fn rest_track(&mut self, id: SessionId, user: UserId, track: &Track, now: Mono) {
        if !self.may_act(user) {
            return;
        }
        let flagged = self.appears_offline(user);
        let begun = || Session::new(user, Link::Rest(now), now, flagged);
        let session = self.sessions.entry(id).or_insert_with(begun);
        if session.user == user {
            if matches!(session.link, Link::Rest(_)) {
                session.link = Link::Rest(now);
            }
            session.announce(track, now);
            self.sign_of_life(id, now);
            self.unflag_unless_offline(id);
        }
    }

    fn rest_end(&mut self, id: SessionId, now: Mono) {
        if self.sessions.get(&id).is_some_and(|session| matches!(session.link, Link::Rest(_))) {
            self.end(id, now);
        }
    }

    /// A session shows itself to others again when it acts, or gets a live connection, after the switching off.
    fn unflag_unless_offline(&mut self, id: SessionId) {
        let Some(user) = self.sessions.get(&id).map(|session| session.user) else { return };
        if !self.appears_offline(user) {
            self.sessions.entry(id).and_modify(|session| session.flagged = false);
        }
    }

    fn end_all(&mut self, user: UserId, now: Mono) {
        let ids: Vec<_> =
            self.sessions.iter().filter(|(_, session)| session.user == user).map(|(id, _)| *id).collect();
        for id in ids {
            self.end(id, now);
        }
    }

    fn end(&mut self, id: SessionId, seen: Mono) {
        self.end_presence(id, Some(seen));
        self.sessions.remove(&id);
    }

    /// The session is present no more; its owner was last seen at `seen`, if ever, where others could see the
    /// session.
    fn end_presence(&mut self, id: SessionId, seen: Option<Mono>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (user, flagged) = (session.user, session.flagged);
        let tracked = session.track.take().is_some();
        if let Some(seen) = seen.filter(|_| tracked && !flagged) {
            self.advance_last_seen(user, seen);
        }
    }
}

fn replace<K: Ord, V: Clone>(map: &mut BTreeMap<K, V>, key: K, value: Option<&V>) {
    match value {
        Some(value) => map.insert(key, value.clone()),
        None => map.remove(&key),
    };
}
