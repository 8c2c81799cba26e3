//! The heart: who is where, and what each viewer has been shown of it.
//!
//! Plain data and one entrance, [`Presence::handle`]: an input and the time go in, effects come out. It never
//! blocks, never fails, reads no clock and draws no random number, so that a run is a function of its inputs.
//!
//! Views are level-triggered: a subscription remembers what its viewer has been *shown*; when something may
//! have changed the entry is marked dirty, and when the connection may send, *shown* is compared with what the
//! viewer may see *now*. Join, update, leave, snapshot, resume and revocation are that one comparison.

mod accounts;
mod activity;
mod channel;
mod clock;
mod connection;
mod directory;
mod fanout;
mod input;
mod leak;
mod lifecycle;
mod merge;
mod people;
mod project;
mod query;
mod requests;
mod session;
mod sink;
mod sizes;
mod table;
mod timers;
mod turns;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use model::{CloseCode, ConnectionId, Limits, Mono, Now, OrganizationId, Outgoing, SessionId, UserId};
use rustc_hash::FxHashMap;
use slotmap::SlotMap;

pub use input::{
    ActivityNote, Census, Command, Connect, Ending, Input, LastSeenNote, Note, ReplyTo, StretchNote,
};
#[cfg(feature = "seeded-leaks")]
pub use leak::Leak;
pub use query::{Asker, Subjects};
pub use sink::{Effect, Sink, Taken};
pub use sizes::{Sizes, ViewSizes};

use connection::Connection;
use project::{Accounts, Channels, Users};
use session::Session;
use timers::{TimerKey, Timers};
use view::{View, ViewKey};

pub(crate) type Views = SlotMap<ViewKey, View>;

/// What is decided besides turns.
#[derive(Debug)]
pub(crate) enum Decision {
    Close(ConnectionId, CloseCode),
    Note(Note),
}

/// All presence of one hub.
#[derive(Debug)]
pub struct Presence {
    limits: Limits,
    users: Users,
    accounts: Accounts,
    channels: Channels,
    sessions: BTreeMap<SessionId, Box<Session>>,
    views: Views,
    connections: FxHashMap<ConnectionId, Box<Connection>>,
    timers: Timers<TimerKey>,
    /// Whether the truth behind all views is out of reach.
    stale: bool,
    /// Connections that may have something to send at the end of this turn.
    pumped: VecDeque<ConnectionId>,
    /// The frames of the turn that is being made; empty in between.
    frames: Vec<Outgoing>,
    /// Decided in this turn, besides what is sent.
    decisions: Vec<Decision>,
    leaks: leak::Leaks,
}

impl Presence {
    /// An empty hub.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            users: Users::default(),
            accounts: Accounts::default(),
            channels: Channels::default(),
            sessions: BTreeMap::new(),
            views: SlotMap::default(),
            connections: FxHashMap::default(),
            timers: Timers::default(),
            stale: false,
            pumped: VecDeque::new(),
            frames: Vec::new(),
            decisions: Vec::new(),
            leaks: leak::Leaks::default(),
        }
    }

    /// Takes one input. Timers that are due fire first, and are sent first, so that what a viewer gets never
    /// depends on which input happened to come after them.
    pub fn handle(&mut self, now: Now, input: Input, sink: &mut impl Sink) {
        self.tick(now, sink);
        self.take(now, input);
        self.pump(now, sink);
    }

    /// Fires the timers that are due.
    pub fn tick(&mut self, now: Now, sink: &mut impl Sink) {
        if self.fire_timers(now) {
            self.pump(now, sink);
        }
    }

    /// When [`Presence::tick`] has to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Whose session that is; `None`: there is no such session.
    #[must_use]
    pub fn owner_of(&self, session: SessionId) -> Option<UserId> {
        self.sessions.get(&session).map(|session| session.user)
    }

    /// The settings of a user who may have connections; `None`: there is no such user, or they were never loaded.
    #[must_use]
    pub fn settings_of(&self, user: UserId) -> Option<&model::Settings> {
        self.users.get(&user).filter(|user| user.is_admitted())?.settings()
    }

    /// Whether the user is a member of the organization; `None`: of none in particular.
    #[must_use]
    pub fn is_member(&self, user: UserId, organization: Option<OrganizationId>) -> bool {
        let facts = self.users.get(&user).and_then(people::User::facts);
        organization.is_none_or(|id| facts.is_some_and(|facts| facts.organizations.contains_key(&id)))
    }

    fn take(&mut self, now: Now, input: Input) {
        match input {
            Input::Facts { user, facts } => self.change_facts(now, user, facts),
            Input::Settings { user, settings } => self.change_settings(now, user, settings),
            Input::Account { account, facts } => self.change_account(account, facts),
            Input::Occupancy { account, occupancy } => self.change_occupancy(account, occupancy),
            Input::Together(inputs) => inputs.into_iter().for_each(|input| self.take(now, input)),
            Input::Connect(connect) => self.connect(now, connect),
            Input::Request { connection, re, command } => self.request(now, connection, re, command),
            Input::Heartbeat { connection } => self.heartbeat_answered(now, connection),
            Input::Reply(reply, result) => self.reply(reply, result),
            Input::Flushed { connection } => self.flushed(connection),
            Input::Disconnected { connection, ending } => self.disconnected(now, connection, ending),
            Input::Stale { stale } => self.change_stale(stale),
            Input::Close { connection, code } => self.close_gracefully(now, connection, code),
            Input::RestTrack { user, session, track } => self.rest_track(now, user, session, track),
            // Whoever asks looks for the organization first: what became of it since is theirs to see.
            Input::RestActivity { user, activity } => drop(self.rest_activity(now, user, activity)),
            Input::SignOutUser { user } => self.sign_out_user(now, user),
            Input::RestEnd { user, session } => self.rest_end(now, user, session),
        }
    }
}
