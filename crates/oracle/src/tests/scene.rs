//! A stage for scenarios: few people under short names, and answers as lines that read like the domain.
//!
//! Ids are numbers. People of a fresh stage: 1 and 2 share wedding 1 and organization 1; 3 shares only wedding 1
//! with them, 4 only organization 1; 5 shares nothing. All are `everyone` unless a test says otherwise.

use std::collections::BTreeMap;

use model::{
    AccountFacts, AccountId, AccountRecord, ChannelId, CleanText, Device, EntryId, Holder, Interest, Limits,
    Minute, Mono, Occupancy, OrganizationId, PeopleInterest, PersonRecord, PersonState, Record, Role,
    SessionId, Settings, Status, Track, UserFacts, UserId, Visibility, Wall, WeddingId,
};

use crate::{Act, Event, Oracle, Truth, Watch};

/// 20 s past a minute, so that cutting to the minute shows.
pub(super) const START: Wall = Wall(1_000 * 60_000 + 20_000);

/// From mono to the minute shown: 0 for the minute in which the world began.
fn minutes(minute: Minute) -> i64 {
    minute.0 - 1_000
}

macro_rules! ids {
    ($($name:ident: $id:ident),+) => {$(
        pub(super) fn $name(number: u64) -> $id {
            format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
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
    CleanText::parse(raw, "text", 500).unwrap()
}

pub(super) fn everyone() -> Settings {
    Settings { visibility: Visibility::Everyone, ..Settings::default() }
}

pub(super) fn visible_to(visibility: Visibility) -> Settings {
    Settings { visibility, ..Settings::default() }
}

pub(super) fn appear_offline() -> Settings {
    Settings { appear_offline: true, ..everyone() }
}

/// Facts of someone in these weddings and organizations (as a member).
pub(super) fn facts(weddings: &[u64], organizations: &[u64]) -> UserFacts {
    UserFacts {
        display_name: "Ada".into(),
        disabled: false,
        organizations: organizations.iter().map(|o| (org(*o), Role::Member)).collect(),
        enterprise: Default::default(),
        erased: false,
        weddings: weddings.iter().map(|w| wed(*w)).collect(),
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

pub(super) fn within(channels: &[ChannelId], track: Track) -> Track {
    Track { scope: Some(channels.iter().copied().collect()), ..track }
}

pub(super) struct Scene {
    pub(super) oracle: Oracle,
    pub(super) log: Vec<Event>,
}

/// Building the log. Times are in milliseconds and must not go back.
impl Scene {
    pub(super) fn new() -> Self {
        let mut scene = Self { oracle: Oracle::new(START, Limits::default()), log: Vec::new() };
        let cast: [(u64, &[u64], &[u64]); 5] =
            [(1, &[1], &[1]), (2, &[1], &[1]), (3, &[1], &[]), (4, &[], &[1]), (5, &[], &[])];
        for (who, weddings, organizations) in cast {
            scene.put(0, who, facts(weddings, organizations));
        }
        scene
    }

    pub(super) fn act(&mut self, at: u64, act: Act) -> &mut Self {
        assert!(self.log.last().is_none_or(|last| last.at <= Mono(at)), "the log goes back");
        self.log.push(Event::new(at, act));
        self
    }

    pub(super) fn put(&mut self, at: u64, who: u64, facts: UserFacts) -> &mut Self {
        self.act(at, Act::Facts { user: user(who), facts: Some(facts) })
    }

    pub(super) fn remove(&mut self, at: u64, who: u64) -> &mut Self {
        self.act(at, Act::Facts { user: user(who), facts: None })
    }

    pub(super) fn settings(&mut self, at: u64, who: u64, settings: Settings) -> &mut Self {
        self.act(at, Act::Settings { user: user(who), settings })
    }

    pub(super) fn connect(&mut self, at: u64, who: u64, s: u64) -> &mut Self {
        self.act(at, Act::Connect { session: session(s), user: user(who) })
    }

    pub(super) fn track(&mut self, at: u64, s: u64, track: Track) -> &mut Self {
        self.act(at, Act::Track { session: session(s), track })
    }

    /// Connects and tracks in one go.
    pub(super) fn come(&mut self, at: u64, who: u64, s: u64, track: Track) -> &mut Self {
        self.connect(at, who, s).track(at, s, track)
    }

    pub(super) fn untrack(&mut self, at: u64, s: u64) -> &mut Self {
        self.act(at, Act::Untrack { session: session(s) })
    }

    pub(super) fn alive(&mut self, at: u64, s: u64) -> &mut Self {
        self.act(at, Act::Alive { session: session(s) })
    }

    pub(super) fn sign_out(&mut self, at: u64, s: u64) -> &mut Self {
        self.act(at, Act::SignOut { session: session(s) })
    }

    pub(super) fn lose(&mut self, at: u64, s: u64) -> &mut Self {
        self.act(at, Act::Lost { session: session(s) })
    }

    pub(super) fn resume(&mut self, at: u64, s: u64, track: Option<Track>) -> &mut Self {
        self.act(at, Act::Resume { session: session(s), track })
    }

    pub(super) fn rest(&mut self, at: u64, who: u64, s: u64, track: Track) -> &mut Self {
        self.act(at, Act::RestTrack { session: session(s), user: user(who), track })
    }

    pub(super) fn rest_end(&mut self, at: u64, s: u64) -> &mut Self {
        self.act(at, Act::RestEnd { session: session(s) })
    }

    pub(super) fn account(&mut self, at: u64, number: u64, organization: Option<u64>) -> &mut Self {
        let facts = organization.map(|o| AccountFacts { organization: org(o), name: "Shop".into() });
        self.act(at, Act::Account { account: acc(number), facts })
    }

    pub(super) fn occupy(&mut self, at: u64, number: u64, occupancy: Option<Occupancy>) -> &mut Self {
        self.act(at, Act::Occupancy { account: acc(number), occupancy })
    }
}

/// Asking.
impl Scene {
    pub(super) fn truth(&self, at: u64, viewer: u64, channel: ChannelId, people: PeopleInterest) -> Truth {
        let watch = Watch { viewer: user(viewer), channel, interest: Interest { people, accounts: true } };
        self.oracle.truth(&self.log, Mono(at), watch)
    }

    /// The whole list with the roster, as one line.
    pub(super) fn roster(&self, at: u64, viewer: u64, channel: ChannelId) -> String {
        line(&self.truth(at, viewer, channel, PeopleInterest::Roster))
    }

    /// The whole list of who is here, as one line.
    pub(super) fn here(&self, at: u64, viewer: u64, channel: ChannelId) -> String {
        line(&self.truth(at, viewer, channel, PeopleInterest::Present))
    }

    /// One person as one viewer has them in a roster; `absent` where not in it.
    pub(super) fn sees(&self, at: u64, viewer: u64, subject: u64, channel: ChannelId) -> String {
        let truth = self.truth(at, viewer, channel, PeopleInterest::Roster).unwrap_or_default();
        let record = truth.get(&EntryId::Person(user(subject)));
        record.map_or_else(|| "absent".into(), |record| words(record)[1..].join(" "))
    }

    /// Milliseconds since the world began.
    pub(super) fn last_seen(&self, at: u64, who: u64) -> Option<i64> {
        self.oracle.last_seen(&self.log, Mono(at), user(who)).map(|seen| seen.0 - START.0)
    }

    /// A table: at each time, what 2 has of 1 in wedding 1.
    pub(super) fn check(&self, rows: &[(u64, &str)]) {
        for (at, expected) in rows {
            assert_eq!(self.sees(*at, 2, 1, wedding(1)), *expected, "at {at}");
        }
    }
}

fn line(truth: &Truth) -> String {
    let Some(entries) = truth else { return "unknown".into() };
    check_keys(entries);
    entries.values().map(|record| words(record).join(" ")).collect::<Vec<_>>().join(", ")
}

fn check_keys(entries: &BTreeMap<EntryId, Record>) {
    assert!(entries.iter().all(|(id, record)| *id == record.id()));
}

fn number(id: &dyn std::fmt::Display) -> String {
    id.to_string().rsplit('-').next().unwrap().trim_start_matches('0').to_owned()
}

fn words(record: &Record) -> Vec<String> {
    match record {
        Record::Person(PersonRecord { user_id, state }) => {
            [vec![number(user_id)], state_words(state)].concat()
        }
        Record::Account(AccountRecord { account_id, holder }) => {
            vec![format!("account-{}", number(account_id)), holder_words(holder)]
        }
    }
}

fn state_words(state: &PersonState) -> Vec<String> {
    match state {
        PersonState::Offline { last_seen: None } => vec!["offline".into(), "never".into()],
        PersonState::Offline { last_seen: Some(minute) } => {
            vec!["offline".into(), format!("m{}", minutes(*minute))]
        }
        PersonState::Present { status, page, is_typing, device, custom_status, custom_emoji } => {
            let texts = [page, custom_status, custom_emoji];
            let texts = texts.into_iter().flatten().map(|text| text.as_str().to_owned());
            let mut words = vec![format!("{status:?}").to_lowercase()];
            words.extend(texts);
            words.extend(is_typing.then(|| "typing".to_owned()));
            words.extend(device.map(|device: Device| format!("{device:?}").to_lowercase()));
            words
        }
    }
}

fn holder_words(holder: &Holder) -> String {
    match holder {
        Holder::Occupied => "occupied".into(),
        Holder::Own { since } => format!("own since m{}", minutes(*since)),
        Holder::Named { user_id, display_name, since, stale_since } => {
            let stale = stale_since.map_or_else(String::new, |at| format!(" stale m{}", minutes(at)));
            format!("{}({display_name}) since m{}{stale}", number(user_id), minutes(*since))
        }
    }
}
