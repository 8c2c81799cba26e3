//! A stage: a heart, a clock that only the test moves, and what was said to each connection as lines.
//!
//! Ids are numbers; connection 7 makes session 7. Clients read at once and answer heartbeats unless told not to.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, ChannelId, CleanText, ConnectionId, Limits, Mono, Now, Occupancy,
    OrganizationId, Outgoing, RequestId, ResumePoint, ResumeRequest, Role, SessionId, Settings, Status,
    SubscribeRequest, SubscriptionId, Track, UserFacts, UserId, ViewFrame, Visibility, Wall, WeddingId,
};
use uuid::Uuid;

use super::words::{record_words, weight, words};
use crate::{Command, Connect, Effect, Ending, Input, LastSeenNote, Note, Presence};

/// A minute begins with the world.
pub(super) const START: i64 = 60_000_000;

macro_rules! ids {
    ($($name:ident: $id:ident),+) => {$(
        pub(super) fn $name(number: u64) -> $id {
            $id(Uuid::from_u128(u128::from(number)))
        }
    )+};
}

ids!(user: UserId, session: SessionId, wed: WeddingId, org: OrganizationId, acc: AccountId);

pub(super) fn wedding(number: u64) -> ChannelId {
    ChannelId::Wedding(wed(number))
}

pub(super) fn organization(number: u64) -> ChannelId {
    ChannelId::Organization(org(number))
}

pub(super) fn account(number: u64) -> ChannelId {
    ChannelId::Account(acc(number))
}

pub(super) fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 600).unwrap()
}

pub(super) fn everyone() -> Settings {
    Settings { visibility: Visibility::Everyone, show_current_page: true, ..Settings::default() }
}

pub(super) fn visible_to(visibility: Visibility) -> Settings {
    Settings { visibility, ..everyone() }
}

pub(super) fn offline() -> Settings {
    Settings { appear_offline: true, ..everyone() }
}

/// Facts of somebody in these weddings and organizations (as a member), visible to everyone.
pub(super) fn facts(weddings: &[u64], organizations: &[u64]) -> UserFacts {
    UserFacts {
        display_name: "Ada".into(),
        disabled: false,
        organizations: organizations.iter().map(|id| (org(*id), Role::Member)).collect(),
        enterprise: BTreeSet::new(),
        erased: false,
        weddings: weddings.iter().map(|id| wed(*id)).collect(),
        settings: Some(everyone()),
        last_seen: None,
    }
}

pub(super) fn online() -> Track {
    Track::of(Status::Online)
}

pub(super) fn typing() -> Track {
    Track { is_typing: true, ..online() }
}

pub(super) fn on_page(page: &str) -> Track {
    Track { page: text(page), ..online() }
}

pub(super) fn held(by: u64) -> Occupancy {
    Occupancy { user: user(by), since: Wall(START), stale_since: None, epoch: 1 }
}

pub(super) struct Stage {
    pub(super) presence: Presence,
    pub(super) mono: u64,
    /// By how much the wall clock was set, in milliseconds.
    clock_set: i64,
    /// Connections that read nothing, and those that answer no heartbeat.
    pub(super) slow: BTreeSet<u64>,
    pub(super) silent: BTreeSet<u64>,
    said: BTreeMap<u64, Vec<String>>,
    pub(super) views: BTreeMap<u64, Vec<ViewFrame>>,
    pub(super) turns: Vec<Vec<Outgoing>>,
    notes: Vec<Note>,
    next_request: u32,
}

impl Stage {
    /// 1 and 2 take part in wedding 1.
    pub(super) fn new() -> Self {
        Self::with(Limits { window_ms: 50, ..Limits::default() })
    }

    pub(super) fn with(limits: Limits) -> Self {
        let mut stage = Self {
            presence: Presence::new(limits),
            mono: 0,
            clock_set: 0,
            slow: BTreeSet::new(),
            silent: BTreeSet::new(),
            said: BTreeMap::new(),
            views: BTreeMap::new(),
            turns: Vec::new(),
            notes: Vec::new(),
            next_request: 0,
        };
        stage.put(1, facts(&[1], &[]));
        stage.put(2, facts(&[1], &[]));
        stage
    }

    /// 2 looks at wedding 1 on connection 20, has heard all of it, and the window of that is over.
    pub(super) fn watched() -> Self {
        let mut stage = Self::new();
        stage.connect(20, 2);
        stage.subscribe(20, SubscribeRequest::of(wedding(1)));
        stage.at(100).heard(20);
        stage
    }

    /// The same, with the roster.
    pub(super) fn rostered() -> Self {
        let mut stage = Self::new();
        stage.connect(20, 2);
        stage.subscribe(20, SubscribeRequest::roster(wedding(1)));
        stage.at(100).heard(20);
        stage
    }

    fn now(&self) -> Now {
        Now { mono: Mono(self.mono), wall: Wall(START + self.clock_set + self.mono as i64) }
    }

    pub(super) fn set_clock(&mut self, by_ms: i64) {
        self.clock_set += by_ms;
    }

    pub(super) fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.presence.handle(self.now(), input, &mut effects);
        self.run(effects);
    }

    /// Lets time pass until then, timer by timer.
    pub(super) fn at(&mut self, ms: u64) -> &mut Self {
        assert!(ms >= self.mono, "time does not go back");
        while let Some(Mono(deadline)) = self.presence.next_deadline().filter(|deadline| deadline.0 <= ms) {
            self.mono = deadline.max(self.mono);
            let mut effects = Vec::new();
            self.presence.tick(self.now(), &mut effects);
            self.run(effects);
        }
        self.mono = ms;
        self
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frames } => self.sent(connection.0, frames),
                Effect::Close { connection, code } => {
                    self.hear(connection.0, format!("close {}", code.name()))
                }
                Effect::Note(note) => self.notes.push(note),
            }
        }
    }

    fn sent(&mut self, connection: u64, frames: Vec<Outgoing>) {
        let weight = frames.iter().map(weight).sum::<usize>();
        assert!(weight <= model::limits::TURN_BYTES, "a turn of {weight} bytes");
        let asked = frames.iter().any(|frame| matches!(frame, Outgoing::Heartbeat));
        for frame in &frames {
            self.hear(connection, words(frame));
            if let Outgoing::View(view) = frame {
                self.views.entry(connection).or_default().push(view.clone());
            }
        }
        self.turns.push(frames);
        if !self.slow.contains(&connection) {
            self.flush(connection);
        }
        if asked && !self.silent.contains(&connection) {
            self.heartbeat(connection);
        }
    }

    fn hear(&mut self, connection: u64, line: String) {
        self.said.entry(connection).or_default().push(format!("{} {line}", self.mono));
    }

    /// What was said to a connection since it was asked last: `<ms> <what>`.
    pub(super) fn heard(&mut self, connection: u64) -> Vec<String> {
        self.said.remove(&connection).unwrap_or_default()
    }

    /// Last-seen notes since asked last: user, milliseconds since the start, page.
    pub(super) fn noted(&mut self) -> Vec<(u64, i64, String)> {
        let note = |note: LastSeenNote| {
            let page = note.page.map_or_else(String::new, |page| page.as_str().to_owned());
            (note.user.0.as_u128() as u64, note.at.0 - START, page)
        };
        self.take_notes(|note| match note {
            Note::LastSeen(note) => Ok(note),
            other => Err(other),
        })
        .into_iter()
        .map(note)
        .collect()
    }

    /// Notes of one kind since asked last.
    pub(super) fn take_notes<T>(&mut self, wanted: impl Fn(Note) -> Result<T, Note>) -> Vec<T> {
        let mut taken = Vec::new();
        for note in std::mem::take(&mut self.notes) {
            match wanted(note) {
                Ok(note) => taken.push(note),
                Err(other) => self.notes.push(other),
            }
        }
        taken
    }

    pub(super) fn flush(&mut self, connection: u64) {
        self.input(Input::Flushed { connection: ConnectionId(connection) });
    }

    pub(super) fn heartbeat(&mut self, connection: u64) {
        self.input(Input::Heartbeat { connection: ConnectionId(connection) });
    }
}

/// What people do.
impl Stage {
    pub(super) fn put(&mut self, who: u64, facts: UserFacts) -> &mut Self {
        self.input(Input::Facts { user: user(who), facts: Some(facts) });
        self
    }

    pub(super) fn remove(&mut self, who: u64) -> &mut Self {
        self.input(Input::Facts { user: user(who), facts: None });
        self
    }

    pub(super) fn settings(&mut self, who: u64, settings: Settings) -> &mut Self {
        self.input(Input::Settings { user: user(who), settings });
        self
    }

    pub(super) fn account(&mut self, number: u64, organization: Option<u64>) -> &mut Self {
        let facts = organization.map(|id| AccountFacts { organization: org(id), name: "Shop".into() });
        self.input(Input::Account { account: acc(number), facts });
        self
    }

    pub(super) fn occupy(&mut self, number: u64, by: Option<u64>) -> &mut Self {
        self.input(Input::Occupancy { account: acc(number), occupancy: by.map(held) });
        self
    }

    pub(super) fn connect(&mut self, connection: u64, who: u64) -> &mut Self {
        self.connect_with(hello(connection, who))
    }

    pub(super) fn connect_with(&mut self, connect: Connect) -> &mut Self {
        self.input(Input::Connect(connect));
        self
    }

    /// Connects and tracks in one go.
    pub(super) fn come(&mut self, connection: u64, who: u64, track: Track) -> &mut Self {
        self.connect_with(Connect { track: Some(track), ..hello(connection, who) })
    }

    /// Comes back to session `of` on a new connection, from behind these frames.
    pub(super) fn resume(&mut self, connection: u64, who: u64, of: u64, points: &[(u32, u32)]) -> &mut Self {
        self.connect_with(Connect { resume: Some(from(of, points)), ..hello(connection, who) })
    }

    pub(super) fn ask(&mut self, connection: u64, command: Command) -> &mut Self {
        self.next_request += 1;
        let re = RequestId(self.next_request);
        self.input(Input::Request { connection: ConnectionId(connection), re, command });
        self
    }

    pub(super) fn track(&mut self, connection: u64, track: Track) -> &mut Self {
        self.ask(connection, Command::Track(track))
    }

    pub(super) fn subscribe(&mut self, connection: u64, request: SubscribeRequest) -> &mut Self {
        self.ask(connection, Command::Subscribe(vec![request]))
    }

    pub(super) fn lose(&mut self, connection: u64) -> &mut Self {
        self.input(Input::Disconnected { connection: ConnectionId(connection), ending: Ending::Lost });
        self
    }

    pub(super) fn close(&mut self, connection: u64) -> &mut Self {
        self.input(Input::Disconnected { connection: ConnectionId(connection), ending: Ending::Clean });
        self
    }

    pub(super) fn rest(&mut self, who: u64, number: u64, track: Track) -> &mut Self {
        self.input(Input::RestTrack { user: user(who), session: session(number), track });
        self
    }

    pub(super) fn rest_end(&mut self, who: u64, number: u64) -> &mut Self {
        self.input(Input::RestEnd { user: user(who), session: session(number) });
        self
    }

    /// What a fresh look at a channel shows `who`: the entries as one line.
    pub(super) fn sees(&mut self, who: u64, request: SubscribeRequest) -> String {
        let connection = 900_000 + u64::from(self.next_request);
        self.connect(connection, who).subscribe(connection, request);
        let views = self.views.remove(&connection).unwrap_or_default();
        self.close(connection).heard(connection);
        let entries = views.iter().flat_map(|view| &view.join).map(|record| record_words(record.record()));
        entries.collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn hello(connection: u64, who: u64) -> Connect {
    Connect {
        connection: ConnectionId(connection),
        user: user(who),
        session: session(connection),
        resume: None,
        track: None,
        token_ends: None,
    }
}

pub(super) fn from(of: u64, points: &[(u32, u32)]) -> ResumeRequest {
    let point = |(subscription, sequence): &(u32, u32)| ResumePoint {
        subscription: SubscriptionId(*subscription),
        sequence: *sequence,
    };
    ResumeRequest { session: session(of), subscriptions: points.iter().map(point).collect() }
}
