//! The heart with its world around it: time, connections, and clients.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Activity, ActivityType, CloseCode, ConnectionId, EntryId, Limits, Mono, Now, Outgoing, RequestId,
    ResumePoint, ResumeRequest, SessionId, SubscribeRequest, SubscriptionId, Track, UserId, ViewFrame, Wall,
    limits,
};
use oracle::Act;
use presence::{Command, Connect, Effect, Ending, Input, Note, Presence, Sink, Taken};

use crate::{client::Client, script::START_WALL};

/// When a frame was sent, and of which entries it told.
pub(crate) type Told = (Mono, Vec<EntryId>);

/// The default limits, but with windows long enough to fall into, and of another length for every entry more.
pub(crate) fn limits() -> Limits {
    Limits { window_ms: 10, window_max_ms: 100, window_us_per_entry: 10_000, ..Limits::default() }
}

pub(crate) struct Rig {
    pub(crate) presence: Presence,
    pub(crate) limits: Limits,
    pub(crate) mono: Mono,
    connections: u64,
    pub(crate) clients: BTreeMap<SessionId, Client>,
    by_connection: BTreeMap<ConnectionId, SessionId>,
    /// Sessions that began without a socket.
    rest: BTreeSet<SessionId>,
    /// Whether clients check what they get.
    pub(crate) checks: bool,
    /// What happened of itself, for the oracle's log: signs of life and losses.
    pub(crate) noticed: Vec<(Mono, Act)>,
    /// What each view was sent, and when.
    pub(crate) sent: BTreeMap<(SessionId, SubscriptionId), Vec<Told>>,
    pub(crate) closes: Vec<(Mono, ConnectionId, CloseCode)>,
    /// What was handed to the writer, for whoever takes it out.
    pub(crate) notes: Vec<Note>,
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
            rest: BTreeSet::new(),
            checks: true,
            noticed: Vec::new(),
            sent: BTreeMap::new(),
            closes: Vec::new(),
            notes: Vec::new(),
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
        let mut sockets = self.sockets();
        self.presence.tick(self.now(), &mut sockets);
        self.run(sockets.effects);
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut sockets = self.sockets();
        self.presence.handle(self.now(), input, &mut sockets);
        self.run(sockets.effects);
    }

    fn sockets(&self) -> Sockets {
        let open = self.by_connection.iter();
        let direct = open.filter(|(_, session)| self.takes_at_once(**session)).map(|(id, _)| *id);
        Sockets { effects: Vec::new(), direct: direct.collect() }
    }

    /// Every other client's kernel takes what is sent while it is sent; the others say so later.
    fn takes_at_once(&self, session: SessionId) -> bool {
        session.0.as_u128().is_multiple_of(2)
            && self.clients.get(&session).is_some_and(|client| client.unread.is_none())
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frames } => self.sent(connection, frames),
                Effect::Close { connection, code } => self.closed(connection, code),
                Effect::Note(note) => self.notes.push(note),
            }
        }
    }

    fn sent(&mut self, connection: ConnectionId, frames: Vec<Outgoing>) {
        let weight: usize = frames.iter().map(weight).sum();
        assert!(!self.checks || weight <= model::limits::TURN_BYTES, "a turn of {weight} bytes");
        let session = self.by_connection[&connection];
        let client = self.clients.get_mut(&session).expect("a client behind every connection");
        assert_eq!(client.connection, Some(connection), "frames for a connection that is gone");
        client.unanswered -= frames.iter().filter(|frame| is_answer(frame)).count();
        for view in frames.iter().filter_map(as_view) {
            self.sent.entry((session, view.subscription)).or_default().push((self.mono, named(view)));
        }
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
        if !self.takes_at_once(session) {
            self.input(Input::Flushed { connection });
        }
        if heartbeats && self.by_connection.contains_key(&connection) {
            self.noticed.push((self.mono, Act::Alive { session }));
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
                self.noticed.push((self.mono, Act::Lost { session }));
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
            Act::Active { session } => self.active(session),
            Act::SignOut { session } => self.request(session, Command::SignOut),
            Act::Lost { session } => self.disconnect(session, Ending::Lost),
            Act::Resume { session, track } => self.resume(session, track),
            Act::RestTrack { session, user, track } => self.rest_track(session, user, track),
            Act::RestEnd { session } => {
                let user = self.presence.owner_of(session).unwrap_or(UserId(uuid::Uuid::nil()));
                self.input(Input::RestEnd { user, session });
            }
        }
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
        client.unanswered = 0;
        client.unread = client.unread.take().map(|_| Vec::new());
        self.input(Input::Connect(Connect { connection, user, session, resume, track, token_ends: None }));
    }

    fn resume(&mut self, session: SessionId, track: Option<Track>) {
        if self.presence.owner_of(session).is_none() || self.rest.contains(&session) {
            return;
        }
        let Some(client) = self.clients.get(&session) else { return };
        let points = client.views.iter();
        let points = points.map(|(id, seen)| ResumePoint { subscription: *id, sequence: seen.sequence });
        let request = ResumeRequest { session, subscriptions: points.collect() };
        self.connect(session, client.user, Some(request), track);
    }

    /// Over its connection where there is one, else by a call.
    fn active(&mut self, session: SessionId) {
        let activity = Activity { session: Some(session), ..Activity::of(ActivityType::Interaction) };
        let connected = self.clients.get(&session).is_some_and(|client| client.connection.is_some());
        match self.presence.owner_of(session) {
            Some(_) if connected => self.request(session, Command::Activity(activity)),
            Some(user) => self.input(Input::RestActivity { user, activity }),
            None => {}
        }
    }

    /// A call that names a session which is not there (any more) begins one without a socket.
    fn rest_track(&mut self, session: SessionId, user: UserId, track: Track) {
        let is_new = self.presence.owner_of(session).is_none();
        self.input(Input::RestTrack { user, session, track });
        if is_new {
            self.rest.insert(session);
        }
    }

    pub(crate) fn request(&mut self, session: SessionId, command: Command) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        let Some(connection) = client.connection else { return };
        client.next_request += 1;
        client.unanswered += 1;
        let re = RequestId(client.next_request);
        self.input(Input::Request { connection, re, command });
    }

    /// Whether the shell would read a request of the session now.
    pub(crate) fn may_ask(&self, session: SessionId) -> bool {
        let client = self.clients.get(&session).filter(|client| client.connection.is_some());
        client.is_some_and(|client| client.unanswered < limits::REQUESTS_IN_FLIGHT)
    }

    pub(crate) fn subscribe(&mut self, session: SessionId, requests: Vec<SubscribeRequest>) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if client.connection.is_some() {
            client.asked.push(requests.clone());
            self.noticed.push((self.mono, Act::Alive { session }));
            self.request(session, Command::Subscribe(requests));
        }
    }

    pub(crate) fn unsubscribe(&mut self, session: SessionId, subscription: SubscriptionId) {
        let Some(client) = self.clients.get_mut(&session) else { return };
        if client.connection.is_some() {
            client.views.remove(&subscription);
            self.noticed.push((self.mono, Act::Alive { session }));
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

/// The sockets of all connections during one input.
struct Sockets {
    effects: Vec<Effect>,
    /// Those whose kernel has room for all that is sent.
    direct: BTreeSet<ConnectionId>,
}

impl Sink for Sockets {
    fn send(&mut self, connection: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken {
        self.effects.send(connection, frames);
        if self.direct.contains(&connection) { Taken::Whole } else { Taken::Partly }
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode) {
        self.effects.close(connection, code);
    }

    fn note(&mut self, note: Note) {
        self.effects.note(note);
    }
}

fn is_answer(frame: &Outgoing) -> bool {
    matches!(frame, Outgoing::Ack { .. } | Outgoing::Error { .. } | Outgoing::Subscribed { .. })
}

fn as_view(frame: &Outgoing) -> Option<&ViewFrame> {
    match frame {
        Outgoing::View(view) => Some(view),
        _ => None,
    }
}

/// The entries that a frame tells of.
fn named(view: &ViewFrame) -> Vec<EntryId> {
    let told = view.join.iter().chain(&view.update).map(|record| record.record().id());
    told.chain(view.leave.iter().copied()).collect()
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
