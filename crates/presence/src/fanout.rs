//! Who has to look again, and what each connection gets to send.
//!
//! Marking follows the audience of the subject: for somebody whom only their weddings may see, the views of a
//! ten-thousand-member organization are not visited one by one.

use std::collections::BTreeSet;

use model::{ChannelId, ConnectionId, EntryId, Now, Outgoing, SubscriptionId, UserId, Visibility, limits};
use policy::Sight;

use crate::{
    Presence,
    channel::ViewId,
    connection::Connection,
    input::Effect,
    leak::Leak,
    project::Projection,
    timers::TimerKey,
    view::{LEAVE_WEIGHT, Turn},
};

/// Bytes that the envelope of a view frame is counted with.
const FRAME_WEIGHT: usize = 128;

impl Presence {
    /// The entry may have changed for anybody who looks at the channel.
    pub(crate) fn mark_all_views(&mut self, channel: ChannelId, entry: EntryId) {
        let Some(channel) = self.channels.get(&channel) else { return };
        let views: Vec<ViewId> = channel.viewers.values().flatten().copied().collect();
        self.mark(&views, entry);
    }

    /// The entry is not in the channel any more.
    pub(crate) fn mark_departed(&mut self, channel: ChannelId, entry: EntryId) {
        self.mark_all_views(channel, entry);
        let Some(place) = self.channels.get(&channel) else { return };
        for (session, subscription) in place.viewers.values().flatten() {
            let session = self.sessions.get_mut(session);
            if let Some(view) = session.and_then(|session| session.views.get_mut(subscription)) {
                view.tidy(|other| other != entry);
            }
        }
    }

    /// A user's own views have to look at the user again.
    pub(crate) fn mark_own_views(&mut self, channel: ChannelId, user: UserId) {
        let Some(views) = self.channels.get(&channel).and_then(|channel| channel.viewers.get(&user)) else {
            return;
        };
        let views: Vec<ViewId> = views.iter().copied().collect();
        self.mark(&views, EntryId::Person(user));
    }

    /// A user's public record changed: those who may see it have to look again. Who may not, was not shown it.
    pub(crate) fn mark_audience(&mut self, channel: ChannelId, subject: UserId) {
        let views = self.audience(channel, subject);
        self.mark(&views, EntryId::Person(subject));
    }

    fn audience(&self, channel_id: ChannelId, subject: UserId) -> Vec<ViewId> {
        let Some(channel) = self.channels.get(&channel_id) else { return Vec::new() };
        let Some(settings) = self.users.get(&subject).and_then(|user| user.settings()) else {
            return Vec::new();
        };
        let all = || channel.viewers.values().flatten().copied().collect();
        match (settings.visibility, channel_id) {
            (Visibility::Nobody, _) => Vec::new(),
            (Visibility::Everyone, _)
            | (Visibility::Team, ChannelId::Organization(_))
            | (Visibility::Contacts, ChannelId::Wedding(_)) => all(),
            (Visibility::Contacts, _) => self.collaborators_looking(channel_id, subject),
            (Visibility::Team, _) => self.seeing_viewers(channel_id, subject),
        }
    }

    /// The views of those who share a wedding with `subject`: through the weddings where that is the shorter way.
    fn collaborators_looking(&self, channel_id: ChannelId, subject: UserId) -> Vec<ViewId> {
        let Some(channel) = self.channels.get(&channel_id) else { return Vec::new() };
        let weddings = self.users.get(&subject).and_then(|user| user.facts()).map(|facts| &facts.weddings);
        let shared: Vec<_> = weddings
            .into_iter()
            .flatten()
            .filter_map(|wedding| self.channels.get(&ChannelId::Wedding(*wedding)))
            .collect();
        if shared.iter().map(|wedding| wedding.people.len()).sum::<usize>() > channel.viewers.len() {
            return self.seeing_viewers(channel_id, subject);
        }
        let people: BTreeSet<_> = shared.iter().flat_map(|wedding| wedding.people.keys()).collect();
        people.into_iter().filter_map(|user| channel.viewers.get(user)).flatten().copied().collect()
    }

    fn seeing_viewers(&self, channel_id: ChannelId, subject: UserId) -> Vec<ViewId> {
        let Some(channel) = self.channels.get(&channel_id) else { return Vec::new() };
        let projection = self.projection();
        let seeing = |viewer: &UserId| projection.sight(*viewer, subject) == Sight::Public;
        let views = channel.viewers.iter().filter(|(viewer, _)| seeing(viewer)).flat_map(|(_, views)| views);
        views.copied().collect()
    }

    fn projection(&self) -> Projection<'_> {
        Projection {
            users: &self.users,
            accounts: &self.accounts,
            channels: &self.channels,
            leaks: self.leaks,
        }
    }

    fn mark(&mut self, views: &[ViewId], entry: EntryId) {
        for (session_id, subscription) in views {
            let Some(session) = self.sessions.get_mut(session_id) else { continue };
            let Some(view) = session.views.get_mut(subscription) else { continue };
            view.mark(entry);
            if let Some(connection) = session.connection() {
                self.want_turn(connection, *subscription);
            }
        }
    }

    /// Everything that a user's views show may have changed.
    pub(crate) fn mark_views_of(&mut self, user: UserId) {
        let Some(sessions) = self.users.get(&user).map(|user| user.sessions.clone()) else { return };
        for id in sessions {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            for view in session.views.values_mut() {
                let entries = self.channels.get(&view.channel).map(|channel| channel.entries(view.interest));
                view.mark_all(entries.into_iter().flatten());
            }
            let subscriptions: Vec<_> = session.views.keys().copied().collect();
            let Some(connection) = session.connection() else { continue };
            for subscription in subscriptions {
                self.want_turn(connection, subscription);
            }
        }
    }

    /// The view would like to send, as soon as it and its connection may.
    pub(crate) fn want_turn(&mut self, id: ConnectionId, subscription: SubscriptionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ready.insert(subscription);
            self.pumped.insert(id);
        }
    }

    /// Says something to a connection, in its turn.
    pub(crate) fn say(&mut self, id: ConnectionId, frame: Outgoing) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.control.push_back(frame);
            self.pumped.insert(id);
        }
    }

    /// Lets every connection that may have something to say take its turn.
    pub(crate) fn pump(&mut self, now: Now) {
        while let Some(id) = self.pumped.pop_first() {
            if let Some(connection) = self.connections.remove(&id)
                && let Some(connection) = self.take_turn(now, id, connection)
            {
                self.connections.insert(id, connection);
            }
        }
    }

    fn take_turn(&mut self, now: Now, id: ConnectionId, mut connection: Connection) -> Option<Connection> {
        if connection.busy {
            return Some(connection);
        }
        let mut left = limits::TURN_BYTES - limits::TURN_OVERHEAD_BYTES;
        let mut frames = connection.take_control(&mut left);
        if connection.closing.is_none() {
            frames.extend(self.take_view_turns(now, id, &mut connection, left));
        }
        if !frames.is_empty() {
            connection.busy = true;
            self.timers.set(TimerKey::Stall(id), now.mono + self.limits.stall_ms);
            self.effects.push(Effect::Send { connection: id, frames });
        }
        match connection.closing {
            Some(code) if connection.control.is_empty() => {
                self.forget_timers(id);
                self.effects.push(Effect::Close { connection: id, code });
                None
            }
            _ => Some(connection),
        }
    }

    /// Gives each view that is ready its turn, going round from where the last turn ended, while there is room.
    fn take_view_turns(
        &mut self,
        now: Now,
        id: ConnectionId,
        connection: &mut Connection,
        mut left: usize,
    ) -> Vec<Outgoing> {
        let mut frames = Vec::new();
        for subscription in connection.ready_in_turn() {
            let Some(budget) = left.checked_sub(FRAME_WEIGHT) else { break };
            match self.take_view_turn(now, connection, subscription, budget) {
                Turn::NoRoom => break,
                Turn::Nothing => self.leak_after_nothing(now, id, connection, subscription),
                Turn::Frame(mut frame) => {
                    let spent = frame.join.iter().chain(&frame.update).map(|record| record.record().weight());
                    left = budget.saturating_sub(spent.sum::<usize>() + LEAVE_WEIGHT * frame.leave.len());
                    if self.leaks.has(Leak::OrderByActivity) {
                        self.leak_order(&mut frame.join);
                    }
                    frames.push(Outgoing::View(frame));
                    connection.last_served = subscription;
                }
            }
        }
        frames
    }

    fn take_view_turn(
        &mut self,
        now: Now,
        connection: &mut Connection,
        subscription: SubscriptionId,
        budget: usize,
    ) -> Turn {
        let projection = Projection {
            users: &self.users,
            accounts: &self.accounts,
            channels: &self.channels,
            leaks: self.leaks,
        };
        connection.ready.remove(&subscription);
        let Some(session) = self.sessions.get_mut(&connection.session) else { return Turn::Nothing };
        let viewer = session.user;
        let Some(view) = session.views.get_mut(&subscription) else { return Turn::Nothing };
        if let Some(until) = view.window_until.filter(|until| *until > now.mono) {
            self.timers.set(TimerKey::Window(connection.session, subscription), until);
            return Turn::Nothing;
        }
        let (channel, interest) = (view.channel, view.interest);
        let turn = view.turn(subscription, budget, self.leaks, |entry| {
            projection.of(viewer, channel, interest, entry).cloned()
        });
        match &turn {
            Turn::Nothing => view.window_until = None,
            // What did not fit goes on as soon as this was read; only a view at rest gathers.
            Turn::NoRoom => drop(connection.ready.insert(subscription)),
            Turn::Frame(_) if view.wants_turn() => drop(connection.ready.insert(subscription)),
            Turn::Frame(_) => view.window_until = Some(now.mono + self.limits.window_ms),
        }
        turn
    }

    /// The window of a view has closed: it may send again.
    pub(crate) fn window_closed(&mut self, session_id: model::SessionId, subscription: SubscriptionId) {
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        let Some(view) = session.views.get_mut(&subscription) else { return };
        view.window_until = None;
        if let Some(connection) = session.connection() {
            self.want_turn(connection, subscription);
        }
    }

    fn leak_after_nothing(
        &mut self,
        now: Now,
        id: ConnectionId,
        connection: &Connection,
        subscription: SubscriptionId,
    ) {
        if self.leaks.has(Leak::HiddenActMovesHeartbeat) && !connection.awaiting_heartbeat {
            self.timers.set(TimerKey::Heartbeat(id), now.mono + self.limits.heartbeat_ms);
        }
        if self.leaks.has(Leak::HiddenActOpensWindow) {
            let view = self.sessions.get_mut(&connection.session).map(|session| &mut session.views);
            if let Some(view) = view.and_then(|views| views.get_mut(&subscription)) {
                view.window_until = Some(now.mono + self.limits.window_ms);
            }
        }
    }

    fn leak_order(&self, join: &mut [std::sync::Arc<model::SharedRecord>]) {
        join.sort_by_key(|record| match record.record().id() {
            EntryId::Person(user) => self.users.get(&user).map_or(0, |user| {
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

    #[cfg(feature = "seeded-leaks")]
    pub(crate) fn forget_in_views(&mut self, channel: ChannelId, entry: EntryId) {
        let Some(channel) = self.channels.get(&channel) else { return };
        for (session, subscription) in channel.viewers.values().flatten() {
            let session = self.sessions.get_mut(session);
            if let Some(view) = session.and_then(|session| session.views.get_mut(subscription)) {
                view.forget(entry);
            }
        }
    }

    #[cfg(not(feature = "seeded-leaks"))]
    #[expect(clippy::unused_self, reason = "the same call in both builds")]
    pub(crate) fn forget_in_views(&self, _: ChannelId, _: EntryId) {}
}
