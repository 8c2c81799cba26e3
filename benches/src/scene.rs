//! A heart with people in it, and a sink that encodes as the hub does and drops the bytes.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ChannelId, CleanText, CloseCode, ConnectionId, Encoding, Limits, Mono, Now, OrganizationId, Outgoing,
    RequestId, Role, SessionId, Settings, Status, SubscribeRequest, Track, UserFacts, UserId, Visibility,
    Wall, WeddingId,
};
use presence::{Command, Connect, Input, Note, Presence, Sink, Taken};
use uuid::Uuid;

/// Longer than any window in which changes are gathered, in milliseconds.
const APART_MS: u64 = 150;

/// People `0..` of one channel.
pub(crate) struct Scene {
    presence: Presence,
    now_ms: u64,
    encoder: Encoder,
    channel: ChannelId,
}

/// Encodes every turn into one buffer that is used again, and takes it whole.
pub(crate) struct Encoder {
    encoding: Encoding,
    limits: Limits,
    turn: Vec<u8>,
    /// Entries in view frames so far: joins, updates and leaves.
    changes: u64,
}

impl Sink for Encoder {
    fn send(&mut self, _: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken {
        self.turn.clear();
        for frame in frames.drain(..) {
            wire::message_into(&mut self.turn, self.encoding, &frame, &self.limits);
            if let Outgoing::View(view) = &frame {
                self.changes += (view.join.len() + view.update.len() + view.leave.len()) as u64;
            }
        }
        Taken::Whole
    }

    fn close(&mut self, _: ConnectionId, _: CloseCode) {}

    fn note(&mut self, _: Note) {}
}

impl Scene {
    /// So many people of one wedding, seen by everyone, none of them there.
    pub(crate) fn wedding(people: u64, encoding: Encoding) -> Self {
        Self::of(ChannelId::Wedding(WeddingId(id(1))), people, encoding)
    }

    /// The same in one organization.
    pub(crate) fn organization(people: u64, encoding: Encoding) -> Self {
        Self::of(ChannelId::Organization(OrganizationId(id(1))), people, encoding)
    }

    fn of(channel: ChannelId, people: u64, encoding: Encoding) -> Self {
        let limits = Limits::default();
        let encoder = Encoder { encoding, limits: limits.clone(), turn: Vec::new(), changes: 0 };
        let mut this = Self { presence: Presence::new(limits), now_ms: 0, encoder, channel };
        for n in 0..people {
            this.input(Input::Facts { user: user(n), facts: Some(facts(channel)) });
        }
        this
    }

    /// Everybody of `people` connects and announces themself.
    pub(crate) fn arrive(&mut self, people: u64) {
        for n in 0..people {
            self.input(Input::Connect(Connect {
                connection: ConnectionId(n),
                user: user(n),
                session: SessionId(id(n)),
                resume: None,
                track: Some(track(0)),
                token_ends: None,
            }));
        }
        self.pass();
    }

    /// Person `n` looks at the channel, and gets all of it.
    pub(crate) fn look(&mut self, n: u64) {
        self.request(n, Command::Subscribe(vec![SubscribeRequest::of(self.channel)]));
    }

    /// Everybody of `people` looks, and it grows quiet.
    pub(crate) fn all_look(&mut self, people: u64) {
        (0..people).for_each(|n| self.look(n));
        self.pass();
    }

    /// Person `n` announces something new.
    pub(crate) fn change(&mut self, n: u64, track: Track) {
        self.request(n, Command::Track(track));
    }

    /// Person `n` is seen by nobody else from now on.
    pub(crate) fn hide(&mut self, n: u64) {
        let settings = Settings { visibility: Visibility::Nobody, ..visible() };
        self.input(Input::Settings { user: user(n), settings });
        self.pass();
    }

    /// So much time that every window is over.
    pub(crate) fn pass(&mut self) {
        self.now_ms += APART_MS;
        let now = self.now();
        self.presence.tick(now, &mut self.encoder);
    }

    /// Entries sent to all viewers so far.
    pub(crate) fn changes(&self) -> u64 {
        self.encoder.changes
    }

    fn request(&mut self, n: u64, command: Command) {
        self.input(Input::Request { connection: ConnectionId(n), re: RequestId(1), command });
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        self.presence.handle(now, input, &mut self.encoder);
    }

    fn now(&self) -> Now {
        Now { mono: Mono(self.now_ms), wall: Wall(self.now_ms.cast_signed()) }
    }
}

/// The id of a number, spread as random ids are: a tree and a hash have no easy game with it.
fn id(number: u64) -> Uuid {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
    uuid::Builder::from_random_bytes(u128::from(number + 1).wrapping_mul(ODD).to_be_bytes()).into_uuid()
}

/// Person `n`.
pub(crate) fn user(n: u64) -> UserId {
    UserId(id(n))
}

/// What a bride's browser announces.
pub(crate) fn track(version: u64) -> Track {
    let text = |raw: &str| CleanText::parse(raw, "text", 100).ok().flatten();
    Track {
        page: text("/weddings/7/timeline"),
        custom_status: text(&format!("version {version:06}")),
        ..Track::of(Status::Online)
    }
}

/// Seen by everyone, page and all.
pub(crate) fn visible() -> Settings {
    Settings { visibility: Visibility::Everyone, show_current_page: true, ..Settings::default() }
}

/// Somebody of `channel`, and of nothing else.
pub(crate) fn facts(channel: ChannelId) -> UserFacts {
    let mut facts = UserFacts {
        display_name: "Ada".to_owned(),
        disabled: false,
        organizations: BTreeMap::new(),
        enterprise: BTreeSet::new(),
        erased: false,
        weddings: BTreeSet::new(),
        settings: Some(visible()),
        last_seen: None,
    };
    match channel {
        ChannelId::Wedding(wedding) => drop(facts.weddings.insert(wedding)),
        ChannelId::Organization(organization) => {
            facts.organizations.insert(organization, Role::Member);
        }
        ChannelId::Account(_) => {}
    }
    facts
}
