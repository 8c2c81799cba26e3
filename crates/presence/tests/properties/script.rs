//! Random worlds: a handful of people, weddings, organizations and accounts, and what they do to each other.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, ChannelId, CleanText, Device, Occupancy, OrganizationId, Role, SessionId,
    Settings, Status, Track, UserFacts, UserId, Visibility, Wall, WeddingId,
};
use oracle::Act;
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use uuid::Uuid;

pub(crate) const START_WALL: Wall = Wall(1_790_000_012_345);

/// A source of random choices.
pub(crate) struct Dice(SmallRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.random_range(0..n)
    }

    /// Once in `n`.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(&mut self.0).expect("something to pick from")
    }

    pub(crate) fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.0.random())
    }
}

/// Who and what there is.
pub(crate) struct Cast {
    pub(crate) users: Vec<UserId>,
    pub(crate) weddings: Vec<WeddingId>,
    pub(crate) organizations: Vec<OrganizationId>,
    pub(crate) accounts: Vec<AccountId>,
}

impl Cast {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let mut ids = |n: usize| -> Vec<Uuid> { (0..n).map(|_| dice.id()).collect() };
        Self {
            users: ids(6).into_iter().map(UserId).collect(),
            weddings: ids(3).into_iter().map(WeddingId).collect(),
            organizations: ids(2).into_iter().map(OrganizationId).collect(),
            accounts: ids(3).into_iter().map(AccountId).collect(),
        }
    }

    pub(crate) fn channels(&self) -> Vec<ChannelId> {
        let weddings = self.weddings.iter().copied().map(ChannelId::Wedding);
        let organizations = self.organizations.iter().copied().map(ChannelId::Organization);
        weddings.chain(organizations).chain(self.accounts.iter().copied().map(ChannelId::Account)).collect()
    }
}

pub(crate) fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 600).expect("short")
}

pub(crate) fn settings(dice: &mut Dice) -> Settings {
    Settings {
        visibility: dice.pick(&[
            Visibility::Everyone,
            Visibility::Everyone,
            Visibility::Team,
            Visibility::Contacts,
            Visibility::Nobody,
        ]),
        show_activity: !dice.one_in(3),
        show_current_page: dice.one_in(2),
        appear_offline: dice.one_in(5),
        custom_status: text(dice.pick(&["", "", "at the venue", "🌸"])),
        custom_emoji: text(dice.pick(&["", "💍"])),
    }
}

pub(crate) fn track(dice: &mut Dice, cast: &Cast) -> Track {
    let scope = dice.one_in(4).then(|| {
        let channels = cast.channels();
        (0..1 + dice.below(2)).map(|_| dice.pick(&channels)).collect::<BTreeSet<_>>()
    });
    let long = "x".repeat(500);
    Track {
        status: dice.pick(&[Status::Online, Status::Online, Status::Idle, Status::Away, Status::Busy]),
        page: text(dice.pick(&["", "/a", "/b", long.as_str()])),
        is_typing: dice.one_in(4),
        device: dice.pick(&[None, Some(Device::Desktop), Some(Device::Mobile)]),
        custom_status: text(dice.pick(&["", "", "brb"])),
        custom_emoji: text(dice.pick(&["", "", "🎂"])),
        scope,
    }
}

pub(crate) fn facts(dice: &mut Dice, cast: &Cast) -> UserFacts {
    let role =
        |dice: &mut Dice| dice.pick(&[Role::Owner, Role::Admin, Role::Member, Role::Member, Role::Member]);
    let mut organizations = BTreeMap::new();
    for id in &cast.organizations {
        if !dice.one_in(3) {
            organizations.insert(*id, role(dice));
        }
    }
    let weddings = cast.weddings.iter().filter(|_| !dice.one_in(3)).copied().collect();
    UserFacts {
        display_name: dice.pick(&["Ada", "Ben", "Cem"]).to_owned(),
        disabled: dice.one_in(12),
        enterprise: organizations.keys().filter(|_| dice.one_in(2)).copied().collect(),
        erased: false,
        organizations,
        weddings,
        settings: (!dice.one_in(8)).then(|| settings(dice)),
        last_seen: dice.one_in(3).then(|| Wall(START_WALL.0 - dice.below(10_000_000) as i64)),
    }
}

pub(crate) fn account(dice: &mut Dice, cast: &Cast) -> Option<AccountFacts> {
    let organization = dice.pick(&cast.organizations);
    (!dice.one_in(5)).then(|| AccountFacts { organization, name: "shared".into() })
}

pub(crate) fn occupancy(dice: &mut Dice, cast: &Cast) -> Option<Occupancy> {
    let since = Wall(START_WALL.0 + dice.below(300_000) as i64);
    (!dice.one_in(3)).then(|| Occupancy {
        user: dice.pick(&cast.users),
        since,
        stale_since: dice.one_in(3).then_some(Wall(since.0 + 60_000)),
        epoch: 1,
    })
}

/// The acts with which a world begins: everybody and everything is there, as the dice say.
pub(crate) fn beginning(dice: &mut Dice, cast: &Cast) -> Vec<Act> {
    let mut acts: Vec<Act> =
        cast.users.iter().map(|user| Act::Facts { user: *user, facts: Some(facts(dice, cast)) }).collect();
    for id in &cast.accounts {
        acts.push(Act::Account { account: *id, facts: account(dice, cast) });
        acts.push(Act::Occupancy { account: *id, occupancy: occupancy(dice, cast) });
    }
    acts
}

/// The sessions of a user so far, ended ones included.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) sockets: Vec<SessionId>,
    pub(crate) rest: Vec<SessionId>,
}

fn one_more(dice: &mut Dice, sessions: &mut Vec<SessionId>) -> SessionId {
    sessions.push(SessionId(dice.id()));
    sessions[sessions.len() - 1]
}

/// One random act of `user`. New sessions become known.
pub(crate) fn act_of(dice: &mut Dice, cast: &Cast, user: UserId, known: &mut Known) -> Act {
    match dice.below(21) {
        0 => Act::Settings { user, settings: settings(dice) },
        1 => Act::Settings { user, settings: settings(dice) },
        2 if known.rest.is_empty() || dice.one_in(3) => {
            let session = one_more(dice, &mut known.rest);
            Act::RestTrack { session, user, track: track(dice, cast) }
        }
        2 if !known.sockets.is_empty() && dice.one_in(3) => {
            Act::RestTrack { session: dice.pick(&known.sockets), user, track: track(dice, cast) }
        }
        2 => Act::RestTrack { session: dice.pick(&known.rest), user, track: track(dice, cast) },
        19 if !known.rest.is_empty() => Act::Active { session: dice.pick(&known.rest) },
        3 if !known.rest.is_empty() => Act::RestEnd { session: dice.pick(&known.rest) },
        4 => Act::Connect { session: one_more(dice, &mut known.sockets), user },
        _ if known.sockets.is_empty() => Act::Connect { session: one_more(dice, &mut known.sockets), user },
        choice => act_on(dice, cast, choice, known),
    }
}

fn act_on(dice: &mut Dice, cast: &Cast, choice: u64, known: &Known) -> Act {
    let session = dice.pick(&known.sockets);
    match choice {
        5 => Act::Untrack { session },
        6 => Act::Alive { session },
        7 => Act::SignOut { session },
        8 | 9 => Act::Lost { session },
        10 | 11 => Act::Resume { session, track: dice.one_in(2).then(|| track(dice, cast)) },
        19 | 20 => Act::Active { session },
        _ => Act::Track { session, track: track(dice, cast) },
    }
}

/// One random change of the directory or of an occupancy.
pub(crate) fn act_of_directory(dice: &mut Dice, cast: &Cast) -> Act {
    match dice.below(5) {
        0 | 1 => {
            Act::Facts { user: dice.pick(&cast.users), facts: (!dice.one_in(8)).then(|| facts(dice, cast)) }
        }
        2 => Act::Account { account: dice.pick(&cast.accounts), facts: account(dice, cast) },
        _ => Act::Occupancy { account: dice.pick(&cast.accounts), occupancy: occupancy(dice, cast) },
    }
}

/// Milliseconds until the next act: mostly little, sometimes past a timer.
pub(crate) fn pause(dice: &mut Dice) -> u64 {
    match dice.below(12) {
        0..=2 => 0,
        3..=5 => dice.below(30),
        6 | 7 => dice.below(120),
        8 | 9 => dice.below(4_000),
        10 => 5_000 + dice.below(10_000),
        _ => 10_000 + dice.below(130_000),
    }
}
