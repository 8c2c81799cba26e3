//! The heart with its world around it: time, connections, and clients that believe every frame they get.

use std::collections::BTreeMap;

use model::{
    CloseCode, ConnectionId, EntryId, Limits, Mono, Now, Outgoing, Phase, Record, RequestId, ResumeOutcome,
    ResumePoint, ResumeRequest, SessionId, SubscribeRequest, SubscriptionId, Track, UserId, ViewFrame, Wall,
    WelcomeFrame,
};
use oracle::Act;
use presence::{Command, Connect, Effect, Ending, Input, Presence};

use crate::script::START_WALL;

/// What a client has of one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) request: SubscribeRequest,
    pub(crate) sequence: u32,
    pub(crate) entries: BTreeMap<EntryId, Record>,
    pub(crate) complete: bool,
}

/// A client: one session, on one connection at most.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) views: BTreeMap<SubscriptionId, Seen>,
    pub(crate) welcome: Option<WelcomeFrame>,
    asked: Vec<Vec<SubscribeRequest>>,
    next_request: u32,
    /// Frames that were sent and not read: none while it reads at once.
    pub(crate) unread: Option<Vec<Outgoing>>,
    /// Whether it answers heartbeats.
    pub(crate) answers: bool,
    /// Whether it checks what it gets; a heart with a seeded leak would not pass.
    checks: bool,
    pub(crate) frames: Vec<(Mono, Outgoing)>,
    pub(crate) closed: Option<CloseCode>,
}

pub(crate) struct Rig {
    pub(crate) presence: Presence,
    pub(crate) limits: Limits,
    pub(crate) mono: Mono,
    connections: u64,
    pub(crate) clients: BTreeMap<SessionId, Client>,
    by_connection: BTreeMap<ConnectionId, SessionId>,
    /// Whether clients check what they get.
    pub(crate) checks: bool,
    /// What happened of itself, for the oracle's log: signs of life and losses.
    pub(crate) noticed: Vec<Act>,
    pub(crate) closes: Vec<(Mono, ConnectionId, CloseCode)>,
}

impl Rig {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            presence: Presence::new(limits.clone()),
            limits,
            mono: Mono(0),
            connections: 0,
            clients: BTreeMap::new(),
            by_connection: BTreeMap::new(),
            checks: true,
            noticed: Vec::new(),
            closes: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.mono, wall: Wall(START_WALL.0 + self.mono.0 as i64) }
    }

    /// The next instant before `until` at which something happens of itself.
    pub(crate) fn next_tick(&self, until: Mono) -> Option<Mono> {
        self.presence.next_deadline().filter(|deadline| *deadline < until)
    }

    pub(crate) fn tick(&mut self, at: Mono) {
        self.mono = at.max(self.mono);
        let mut effects = Vec::new();
        self.presence.tick(self.now(), &mut effects);
        self.run(effects);
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.presence.handle(self.now(), input, &mut effects);
        self.run(effects);
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frames } => self.sent(connection, frames),
                Effect::Close { connection, code } => self.closed(connection, code),
                Effect::LastSeen(_) => {}
            }
        }
    }

    fn sent(&mut self, connection: ConnectionId, frames: Vec<Outgoing>) {
        let weight: usize = frames.iter().map(weight).sum();
        assert!(!self.checks || weight <= model::limits::TURN_BYTES, "a turn of {weight} bytes");
        let session = self.by_connection[&connection];
        let client = self.clients.get_mut(&session).expect("a client behind every connection");
        assert_eq!(client.connection, Some(connection), "frames for a connection that is gone");
        match &mut client.unread {
            Some(unread) => {
                assert!(unread.is_empty(), "a second turn before the first was read");
                unread.extend(frames);
            }
            None => self.read(connection, frames),
        }
    }

    fn read(&mut self, connection: ConnectionId, frames: Vec<Outgoing>) {
        let at = self.mono;
        let session = self.by_connection[&connection];
        let mut heartbeats = false;
        if let Some(client) = self.clients.get_mut(&session) {
            for frame in frames {
                heartbeats |= matches!(frame, Outgoing::Heartbeat);
                client.apply(at, frame);
            }
            heartbeats &= client.answers;
        }
        self.input(Input::Flushed { connection });
        if heartbeats && self.by_connection.get(&connection).is_some() {
            self.noticed.push(Act::Alive { session });
            self.input(Input::Heartbeat { connection });
        }
    }

    fn closed(&mut self, connection: ConnectionId, code: CloseCode) {
        self.closes.push((self.mono, connection, code));
        let Some(session) = self.by_connection.remove(&connection) else { return };
        let client = self.clients.get_mut(&session).expect("a client behind every connection");
        if client.connection == Some(connection) {
            client.connection = None;
            client.closed = Some(code);
            client.unread = client.unread.take().map(|_| Vec::new());
            if matches!(code, CloseCode::HeartbeatTimeout | CloseCode::TooSlow | CloseCode::TokenExpired) {
                self.noticed.push(Act::Lost { session });
            }
        }
    }

    /// Reads what was sent to a client that does not read at once.
    pub(crate) fn catch_up(&mut self, session: SessionId) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let Some(connection) = client.connection else { return };
        let frames = client.unread.as_mut().map(std::mem::take).unwrap_or_default();
        if !frames.is_empty() {
            self.read(connection, frames);
        }
    }

    /// Does to the heart what the act says. Acts on sessions that cannot do them do nothing, as with the oracle.
    pub(crate) fn act(&mut self, act: &Act) {
        match act.clone() {
            Act::Facts { user, facts } => self.input(Input::Facts { user, facts }),
            Act::Settings { user, settings } => self.input(Input::Settings { user, settings }),
            Act::Account { account, facts } => self.input(Input::Account { account, facts }),
            Act::Occupancy { account, occupancy } => self.input(Input::Occupancy { account, occupancy }),
            Act::Connect { session, user } => self.connect(session, user, None, None),
            Act::Track { session, track } => self.request(session, Command::Track(track)),
            Act::Untrack { session } => self.request(session, Command::Untrack),
            Act::Alive { session } => self.request(session, Command::Ping),
            Act::SignOut { session } => self.request(session, Command::SignOut),
            Act::Lost { session } => self.disconnect(session, Ending::Lost),
            Act::Resume { session, track } => self.resume(session, track),
            Act::RestTrack { session, user, track } => self.input(Input::RestTrack { user, session, track }),
            Act::RestEnd { session } => {
                let owner = self.clients.get(&session).map(|client| client.user);
                let user = owner.or_else(|| self.rest_owner(session));
                self.input(Input::RestEnd { user: user.unwrap_or(UserId(uuid::Uuid::nil())), session });
            }
        }
    }

    fn rest_owner(&self, session: SessionId) -> Option<UserId> {
        self.presence.owner_of(session)
    }

    pub(crate) fn connect(
        &mut self,
        session: SessionId,
        user: UserId,
        resume: Option<ResumeRequest>,
        track: Option<Track>,
    ) {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.by_connection.insert(connection, session);
        let client = self.clients.entry(session).or_insert_with(|| Client::new(user, session));
        if let Some(before) = client.connection.replace(connection) {
            // The heart lets the old connection go; nothing it says there is read any more.
            self.by_connection.remove(&before);
        }
        client.checks = self.checks;
        client.closed = None;
        client.asked.clear();
        client.unread = client.unread.take().map(|_| Vec::new());
        self.input(Input::Connect(Connect { connection, user, session, resume, track, token_ends: None }));
    }

    fn resume(&mut self, session: SessionId, track: Option<Track>) {
        if self.presence.owner_of(session).is_none() || self.is_rest(session) {
            return;
        }
        let Some(client) = self.clients.get(&session) else { return };
        let points = client.views.iter();
        let points = points.map(|(id, seen)| ResumePoint { subscription: *id, sequence: seen.sequence });
        let request = ResumeRequest { session, subscriptions: points.collect() };
        self.connect(session, client.user, Some(request), track);
    }

    fn is_rest(&self, session: SessionId) -> bool {
        !self.clients.contains_key(&session)
    }

    pub(crate) fn request(&mut self, session: SessionId, command: Command) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let Some(connection) = client.connection else { return };
        client.next_request += 1;
        let re = RequestId(client.next_request);
        self.input(Input::Request { connection, re, command });
    }

    pub(crate) fn subscribe(&mut self, session: SessionId, requests: Vec<SubscribeRequest>) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if client.connection.is_some() {
            client.asked.push(requests.clone());
            self.noticed.push(Act::Alive { session });
            self.request(session, Command::Subscribe(requests));
        }
    }

    pub(crate) fn unsubscribe(&mut self, session: SessionId, subscription: SubscriptionId) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if client.connection.is_some() {
            client.views.remove(&subscription);
            self.noticed.push(Act::Alive { session });
            self.request(session, Command::Unsubscribe(subscription));
        }
    }

    pub(crate) fn disconnect(&mut self, session: SessionId, ending: Ending) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let Some(connection) = client.connection.take() else { return };
        client.unread = client.unread.take().map(|_| Vec::new());
        self.by_connection.remove(&connection);
        self.input(Input::Disconnected { connection, ending });
    }
}

fn weight(frame: &Outgoing) -> usize {
    match frame {
        Outgoing::View(view) => {
            let records = view.join.iter().chain(&view.update).map(|record| record.record().weight());
            128 + records.sum::<usize>() + 64 * view.leave.len()
        }
        other => other.weight(),
    }
}

impl Client {
    fn new(user: UserId, session: SessionId) -> Self {
        Self {
            user,
            session,
            connection: None,
            views: BTreeMap::new(),
            welcome: None,
            asked: Vec::new(),
            next_request: 0,
            unread: None,
            answers: true,
            checks: true,
            frames: Vec::new(),
            closed: None,
        }
    }

    fn apply(&mut self, at: Mono, frame: Outgoing) {
        match &frame {
            Outgoing::Welcome(welcome) => self.welcomed(welcome.clone()),
            Outgoing::Subscribed { channels, .. } => {
                let requests = self.asked.remove(0);
                for (request, channel) in requests.into_iter().zip(channels) {
                    assert_eq!(request.channel, channel.channel);
                    self.views.retain(|_, seen| {
                        seen.request.channel != request.channel || channel.outcome.is_err()
                    });
                    if let Ok(subscription) = channel.outcome {
                        let seen = Seen { request, sequence: 0, entries: BTreeMap::new(), complete: false };
                        self.views.insert(subscription, seen);
                    }
                }
            }
            Outgoing::View(view) => {
                if let Some(seen) = self.views.get_mut(&view.subscription) {
                    if self.checks {
                        seen.check(view);
                    }
                    seen.apply(view);
                }
            }
            Outgoing::Ended { subscription, .. } => drop(self.views.remove(subscription)),
            _ => {}
        }
        self.frames.push((at, frame));
    }

    fn welcomed(&mut self, welcome: WelcomeFrame) {
        assert_eq!(welcome.session, self.session);
        match &welcome.resume {
            Some(ResumeOutcome::Resumed(outcomes)) => {
                for (subscription, outcome) in outcomes {
                    match outcome {
                        Ok(()) => {}
                        Err(model::NotResumed::Sequence) => {
                            let seen = self.views.get_mut(subscription).expect("named by the client");
                            (seen.sequence, seen.complete) = (0, false);
                            seen.entries.clear();
                        }
                        Err(_) => drop(self.views.remove(subscription)),
                    }
                }
            }
            _ => self.views.clear(),
        }
        self.welcome = Some(welcome);
    }
}

impl Seen {
    fn check(&self, frame: &ViewFrame) {
        assert_eq!(frame.sequence, self.sequence + 1, "a gap in the sequence");
        let ids = |records: &[std::sync::Arc<model::SharedRecord>]| -> Vec<EntryId> {
            records.iter().map(|record| record.record().id()).collect()
        };
        assert!(ids(&frame.join).is_sorted(), "joins in the order of ids");
        assert!(ids(&frame.update).is_sorted(), "updates too");
        assert!(frame.leave.is_sorted(), "leaves too");
        assert!(frame.leave.iter().all(|id| self.entries.contains_key(id)), "a leave of one never shown");
        assert!(self.complete || frame.phase != Phase::Live, "a diff before the snapshot was complete");
    }

    fn apply(&mut self, frame: &ViewFrame) {
        self.sequence = frame.sequence;
        for record in frame.join.iter().chain(&frame.update) {
            self.entries.insert(record.record().id(), record.record().clone());
        }
        for id in &frame.leave {
            self.entries.remove(id);
        }
        if let Phase::Snapshot { more } = frame.phase {
            self.complete = !more;
        }
    }
}
