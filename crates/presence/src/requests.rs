//! What a client asks for on its connection.

use model::{
    ChannelId, CloseCode, ConnectionId, ErrorCode, Kept, Now, Outgoing, Relation, RequestError, RequestId,
    SessionId, SubscribeOutcome, SubscribeRequest, SubscribedChannel, SubscriptionId, UserId,
};

use crate::{
    Presence,
    input::{Command, ReplyTo},
    leak::Leak,
    people::User,
    timers::TimerKey,
    view::{Place, View, ViewKey},
};

impl Presence {
    pub(crate) fn request(&mut self, now: Now, connection: ConnectionId, re: RequestId, command: Command) {
        let Some(id) = self.connections.get(&connection).map(|connection| connection.session) else { return };
        if !self.is_connected_by(id, connection) {
            return;
        }
        self.alive(now, id);
        let mut result = Ok(());
        match command {
            Command::Subscribe(requests) => return self.subscribe(connection, id, re, requests),
            Command::Unsubscribe(subscription) => result = self.unsubscribe(id, subscription),
            Command::Track(track) => self.track(now, id, track),
            Command::Activity(activity) => {
                let user = self.sessions.get(&id).map(|session| session.user);
                result = user.map_or(Ok(()), |user| self.log(now, user, Some(id), activity));
            }
            Command::Untrack => self.end_presence(now, id, Some(now.wall)),
            Command::Refresh { token_ends } => self.watch_token(now, connection, token_ends),
            Command::SignOut => self.sign_out(now, id),
            Command::Ping => {}
        }
        self.reply(ReplyTo { connection, re: Some(re) }, result.map(|()| Kept::Durably));
        if !self.sessions.contains_key(&id) {
            self.close_gracefully(now, connection, CloseCode::Normal);
        }
    }

    fn subscribe(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        re: RequestId,
        requests: Vec<SubscribeRequest>,
    ) {
        let outcomes = requests.into_iter().map(|request| SubscribedChannel {
            channel: request.channel,
            outcome: self.subscribe_one(session, &request),
        });
        let channels: Vec<_> = outcomes.collect();
        // One that was replaced by a later one of the same request is not there any more.
        let opened = channels.iter().filter_map(|channel| self.view_of(session, channel.outcome.ok()?));
        let opened: Vec<_> = opened.collect();
        self.say(connection, Outgoing::Subscribed { re, channels });
        opened.into_iter().for_each(|view| self.want_turn(view));
    }

    /// Subscribing again to a channel replaces the subscription.
    fn subscribe_one(&mut self, id: SessionId, request: &SubscribeRequest) -> SubscribeOutcome {
        let session = self.sessions.get(&id).ok_or(ErrorCode::UnknownChannel)?;
        let (user, channel) = (session.user, request.channel);
        if !self.may_subscribe(user, channel) {
            let known = self.leaks.has(Leak::ForbiddenForForeign) && self.channels.get(&channel).is_some();
            return Err(if known { ErrorCode::Unauthorized } else { ErrorCode::UnknownChannel });
        }
        let key = self.channels.key_or_new(channel);
        let on_channel = |view: &ViewKey| self.views.get(*view).is_some_and(|view| view.place.channel == key);
        if let Some(before) = session.views.iter().copied().find(on_channel) {
            self.drop_view(before);
        }
        let viewer = self.users.key_or_new(user);
        let session = self.sessions.get_mut(&id).ok_or(ErrorCode::UnknownChannel)?;
        if session.views.len() >= self.limits.subscriptions_per_session {
            return Err(ErrorCode::ChannelLimit);
        }
        session.last_subscription += 1;
        let subscription = SubscriptionId(session.last_subscription);
        let place = Place {
            session: id,
            subscription,
            viewer,
            channel: key,
            related: related_in(channel),
            interest: request.interest(),
        };
        let room = self.channels.row(channel);
        let view = View::new(place, session.connection(), room.entries(place.interest));
        let view = self.views.insert(view);
        room.viewers.insert(viewer, view);
        session.views.push(view);
        Ok(subscription)
    }

    /// The view behind a subscription.
    pub(crate) fn view_of(&self, session: SessionId, subscription: SubscriptionId) -> Option<ViewKey> {
        let is_it =
            |key: &ViewKey| self.views.get(*key).is_some_and(|view| view.place.subscription == subscription);
        self.sessions.get(&session)?.views.iter().copied().find(is_it)
    }

    /// Whether the channel is there for the user.
    pub(crate) fn may_subscribe(&self, user: UserId, channel: ChannelId) -> bool {
        let Some(facts) = self.users.get(&user).and_then(User::facts) else { return false };
        let is_member = |organization| facts.organizations.contains_key(organization);
        match channel {
            ChannelId::Wedding(wedding) => facts.weddings.contains(&wedding),
            ChannelId::Organization(organization) => is_member(&organization),
            ChannelId::Account(account) => self
                .accounts
                .get(&account)
                .and_then(|account| account.facts.as_ref())
                .is_some_and(|account| is_member(&account.organization)),
        }
    }

    fn unsubscribe(&mut self, id: SessionId, subscription: SubscriptionId) -> Result<(), RequestError> {
        if let Some(view) = self.view_of(id, subscription) {
            self.drop_view(view);
            return Ok(());
        }
        Err(RequestError::new(ErrorCode::UnknownSubscription, "no such subscription in this session"))
    }

    /// Forgets a view.
    pub(crate) fn drop_view(&mut self, key: ViewKey) {
        let Some(View { place, connection, .. }) = self.views.remove(key) else { return };
        if let Some(session) = self.sessions.get_mut(&place.session) {
            session.views.retain(|view| *view != key);
        }
        self.timers.cancel(TimerKey::Window(key));
        if let Some(connection) = connection.and_then(|id| self.connections.get_mut(&id)) {
            connection.ready.retain(|(_, view)| *view != key);
        }
        if let Some(room) = self.channels.at_mut(place.channel) {
            room.viewers.remove(place.viewer, key);
        }
        self.drop_if_empty(self.channels.id(place.channel));
    }
}

/// How those whom a channel lists are related to those who may look at it, who are listed themselves.
fn related_in(channel: ChannelId) -> Option<Relation> {
    match channel {
        ChannelId::Wedding(_) => Some(Relation::WeddingCollaborator),
        ChannelId::Organization(_) => Some(Relation::OrganizationMember),
        ChannelId::Account(_) => None,
    }
}
