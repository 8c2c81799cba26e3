//! Changes of what the directory and the users themselves say. Each is compared into the views at once.

use std::collections::BTreeSet;

use model::{ChannelId, CloseCode, EndReason, EntryId, Now, Outgoing, Settings, UserFacts, UserId, Wall};

use crate::{
    Presence,
    people::User,
    session::{Kind, note},
    view::Place,
};

impl Presence {
    pub(crate) fn change_facts(&mut self, now: Now, id: UserId, mut facts: Option<UserFacts>) {
        // Everything is read again now and then, and nearly always it is as it was.
        if self.users.get(&id).is_some_and(|user| user.knows(facts.as_ref())) {
            return self.change_last_seen(id, facts.and_then(|facts| facts.last_seen));
        }
        match &facts {
            // Of one who is removed nothing is written any more.
            None => {
                self.forget_logged(id);
                self.end_sessions_of(now, id, None, CloseCode::AccountDisabled);
            }
            Some(facts) if self.users.get(&id).is_some_and(|user| user.is_erased_by(facts)) => {
                self.forget_acts_of(now, id);
            }
            Some(facts) if facts.disabled => {
                self.end_sessions_of(now, id, Some(now.wall), CloseCode::AccountDisabled);
            }
            Some(_) => {}
        }
        let user = self.users.row(id);
        let before: BTreeSet<ChannelId> = user.channels().into_iter().collect();
        // Settings of a known user change by the one way in which settings change, below.
        let known = user.facts().is_some();
        let settings = facts.as_mut().filter(|_| known).and_then(|facts| facts.settings.take());
        user.set_facts(id, facts);
        let after: BTreeSet<ChannelId> = user.channels().into_iter().collect();
        let holds: Vec<_> = user.holds.iter().copied().collect();
        before.difference(&after).for_each(|channel| self.leave_channel(id, *channel));
        after.difference(&before).for_each(|channel| self.enter_channel(id, *channel));
        self.refresh_user(id);
        for account in holds {
            self.refresh_account(account);
        }
        for channel in before.difference(&after) {
            self.mark_departed(*channel, EntryId::Person(id));
            self.drop_if_empty(*channel);
        }
        self.look_again(id, after.into_iter());
        self.end_views_of(id);
        if let Some(settings) = settings {
            self.change_settings(now, id, settings);
        }
        self.keep_logged(now, id);
        self.forget_user_if_unknown(id);
    }

    fn enter_channel(&mut self, id: UserId, channel: ChannelId) {
        let (user, key) = (self.users.key_or_new(id), self.channels.key_or_new(channel));
        self.channels.row(channel).people.insert(id, user);
        self.users.row(id).enter(key);
    }

    fn leave_channel(&mut self, id: UserId, channel: ChannelId) {
        let key = self.channels.key_or_new(channel);
        self.channels.row(channel).people.remove(&id);
        self.users.row(id).leave(key);
    }

    /// Who the user is to others, or what they may know, may have changed both ways.
    fn look_again(&mut self, id: UserId, channels: impl Iterator<Item = ChannelId>) {
        for channel in channels {
            self.mark_all_views(channel, EntryId::Person(id));
        }
        self.mark_views_of(id);
    }

    /// Of everybody who was here since everything was read, this is what the store has and the heart need not: it concerns
    /// nobody while they are here.
    fn change_last_seen(&mut self, id: UserId, at: Option<Wall>) {
        let (Some(user), Some(at)) = (self.users.get_mut(&id), at) else { return };
        let before = user.offline.clone();
        user.seen(id, at);
        if user.offline == before {
            return;
        }
        let channels = user.channels();
        for channel in channels {
            if !self.is_shown_here(channel, id) {
                self.mark_all_views(channel, EntryId::Person(id));
            }
        }
    }

    /// Whether anybody is shown the user as here, in the channel.
    fn is_shown_here(&self, channel: ChannelId, id: UserId) -> bool {
        let key = self.channels.key(&channel);
        let member = key.and_then(|key| self.users.get(&id)?.member(key));
        member.is_some_and(|member| member.public.is_some())
    }

    pub(crate) fn forget_user_if_unknown(&mut self, id: UserId) {
        let forgotten =
            |user: &User| user.facts().is_none() && user.sessions.is_empty() && user.holds.is_empty();
        if self.users.get(&id).is_some_and(forgotten) {
            self.users.remove(&id);
        }
    }

    /// All about the user was erased: the sessions end, and nothing is written of them.
    fn forget_acts_of(&mut self, now: Now, id: UserId) {
        self.forget_logged(id);
        self.end_sessions_of(now, id, None, CloseCode::Normal);
        if let Some(user) = self.users.get_mut(&id) {
            user.forget_acts();
        }
    }

    /// A user signs out of everything.
    pub(crate) fn sign_out_user(&mut self, now: Now, id: UserId) {
        self.end_sessions_of(now, id, Some(now.wall), CloseCode::Normal);
    }

    fn end_sessions_of(&mut self, now: Now, id: UserId, seen: Option<Wall>, code: CloseCode) {
        let Some(sessions) = self.users.get(&id).map(|user| user.sessions.clone()) else { return };
        for session in sessions {
            let connection = self.sessions.get(&session).and_then(|session| session.connection());
            self.end_session(now, session, seen);
            if let Some(connection) = connection {
                self.close_gracefully(now, connection, code);
            }
        }
    }

    /// Ends the views of a user on channels that are not there for them any more.
    fn end_views_of(&mut self, id: UserId) {
        let Some(sessions) = self.users.get(&id).map(|user| user.sessions.clone()) else { return };
        for session_id in sessions {
            let Some(session) = self.sessions.get(&session_id) else { continue };
            let views = session.views.iter().filter_map(|key| Some((*key, self.views.get(*key)?.place)));
            let lost = views.filter(|(_, place)| !self.may_subscribe(id, self.channels.id(place.channel)));
            let lost: Vec<_> = lost.collect();
            let connection = session.connection();
            for (key, Place { subscription, .. }) in lost {
                self.drop_view(key);
                if let Some(connection) = connection {
                    let reason = EndReason::UnknownChannel;
                    self.say(connection, Outgoing::Ended { subscription, reason });
                }
            }
        }
    }

    /// Ends the views on a channel of those for whom it is not there any more.
    pub(crate) fn end_views_without_right(&mut self, channel: ChannelId) {
        let viewers = self.channels.get(&channel).into_iter().flat_map(|channel| channel.viewers.iter());
        let viewers: BTreeSet<_> = viewers.map(|(viewer, _)| self.users.id(viewer)).collect();
        viewers.into_iter().for_each(|viewer| self.end_views_of(viewer));
    }

    pub(crate) fn change_settings(&mut self, now: Now, id: UserId, settings: Settings) {
        let known = self.users.get(&id).filter(|user| user.facts().is_some());
        if known.is_none_or(|user| user.settings() == Some(&settings)) {
            return;
        }
        let was_hidden = known.is_some_and(User::is_hidden);
        self.hide_or_show(now, id, &settings);
        let channels = self.users.get_mut(&id).map(|user| {
            user.set_settings(settings.clone());
            user.channels()
        });
        self.refresh_user(id);
        for channel in channels.into_iter().flatten() {
            self.mark_all_views(channel, EntryId::Person(id));
        }
        self.keep_logged(now, id);
        if was_hidden {
            self.seen_from_now_on(now, id);
        }
        self.tell_settings(id, &settings);
    }

    /// Hidden no more, a user is seen present with what is connected: that is a sign of life, at this instant.
    fn seen_from_now_on(&mut self, now: Now, id: UserId) {
        let Some(user) = self.users.get(&id) else { return };
        let sessions =
            user.sessions.iter().filter_map(|id| Some((*id, self.sessions.get(id)?.connection()?)));
        let connected: Vec<_> = sessions.map(|(session, _)| session).collect();
        for session in connected {
            self.alive(now, session);
        }
    }

    /// Hiding is signing out for everybody else, at this instant; showing is signing in with what is connected.
    fn hide_or_show(&mut self, now: Now, id: UserId, after: &Settings) {
        let Some(user) = self.users.get(&id) else { return };
        let (was_hidden, appeared_offline) = (user.is_hidden(), user.appears_offline());
        let sessions = user.sessions.clone();
        if after.hidden() && !was_hidden {
            let shown =
                sessions.iter().filter_map(|id| self.sessions.get(id)).filter(|session| !session.signed_out);
            let sign = shown.filter_map(|session| Some((session, session.tracked.as_ref()?))).next();
            if let Some((session, tracked)) = sign {
                let note = note(now, session, &tracked.track, now.wall);
                self.seen(now, note);
            }
        }
        if after.appear_offline == appeared_offline {
            return;
        }
        for session in sessions {
            let Some(session) = self.sessions.get_mut(&session) else { continue };
            session.signed_out =
                after.appear_offline || (session.signed_out && !matches!(session.kind, Kind::Connected(_)));
        }
    }

    fn tell_settings(&mut self, id: UserId, settings: &Settings) {
        let Some(user) = self.users.get(&id) else { return };
        let connections: Vec<_> =
            user.sessions.iter().filter_map(|id| self.sessions.get(id)?.connection()).collect();
        for connection in connections {
            self.say_latest(connection, Outgoing::Settings(settings.clone()));
        }
    }
}
