//! What a client asks for on its connection.

use std::collections::BTreeSet;

use model::{
    ChannelId, CloseCode, ConnectionId, ErrorCode, Now, Outgoing, RequestError, RequestId, SessionId,
    SubscribeOutcome, SubscribeRequest, SubscribedChannel, SubscriptionId, UserId,
};

use crate::{
    Presence,
    input::{Command, ReplyTo},
    leak::Leak,
    people::User,
    timers::TimerKey,
    view::View,
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
            Command::Untrack => self.end_presence(now, id, Some(now.wall)),
            Command::Refresh { token_ends } => self.watch_token(now, connection, token_ends),
            Command::SignOut => self.sign_out(now, id),
            Command::Ping => {}
        }
        self.reply(ReplyTo { connection, re: Some(re) }, result);
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
        let is_open =
            |id: &SubscriptionId| self.sessions.get(&session).is_some_and(|s| s.views.contains_key(id));
        let opened = channels.iter().filter_map(|channel| channel.outcome.ok());
        let opened: Vec<_> = opened.filter(is_open).collect();
        self.say(connection, Outgoing::Subscribed { re, channels });
        for subscription in opened {
            self.want_turn(connection, subscription);
        }
    }

    /// Subscribing again to a channel replaces the subscription.
    fn subscribe_one(&mut self, id: SessionId, request: &SubscribeRequest) -> SubscribeOutcome {
        let session = self.sessions.get(&id).ok_or(ErrorCode::UnknownChannel)?;
        let (user, channel) = (session.user, request.channel);
        if !self.may_subscribe(user, channel) {
            let known = self.leaks.has(Leak::ForbiddenForForeign) && self.channels.contains_key(&channel);
            return Err(if known { ErrorCode::Unauthorized } else { ErrorCode::UnknownChannel });
        }
        if let Some(before) = session.by_channel.get(&channel).copied() {
            self.drop_view(id, before);
        }
        let session = self.sessions.get_mut(&id).ok_or(ErrorCode::UnknownChannel)?;
        if session.views.len() >= self.limits.subscriptions_per_session {
            return Err(ErrorCode::ChannelLimit);
        }
        session.last_subscription += 1;
        let subscription = SubscriptionId(session.last_subscription);
        let place = self.channels.entry(channel).or_default();
        let entries: BTreeSet<_> = place.entries(request.interest()).collect();
        place.viewers.entry(user).or_default().insert((id, subscription));
        session.views.insert(subscription, Box::new(View::new(channel, request.interest(), entries)));
        session.by_channel.insert(channel, subscription);
        Ok(subscription)
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
        if self.sessions.get(&id).is_some_and(|session| session.views.contains_key(&subscription)) {
            self.drop_view(id, subscription);
            return Ok(());
        }
        Err(RequestError::new(ErrorCode::UnknownSubscription, "no such subscription in this session"))
    }

    /// Forgets a view.
    pub(crate) fn drop_view(&mut self, id: SessionId, subscription: SubscriptionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(view) = session.views.remove(&subscription) else { return };
        session.by_channel.remove(&view.channel);
        let (user, connection) = (session.user, session.connection());
        self.timers.cancel(TimerKey::Window(id, subscription));
        if let Some(connection) = connection.and_then(|id| self.connections.get_mut(&id)) {
            connection.ready.remove(&subscription);
        }
        if let Some(channel) = self.channels.get_mut(&view.channel) {
            channel.remove_view(user, (id, subscription));
        }
        self.drop_if_empty(view.channel);
    }
}
