//! No map, queue or buffer passes its named limit, and when everybody has left nothing of them is left.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, ChannelId, EntryId, Limits, Mono, Occupancy, PeopleInterest, SessionId,
    SubscribeRequest, UserFacts, UserId, limits,
};
use oracle::Act;
use presence::{Ending, Sizes, ViewSizes};

use crate::{
    for_each_seed,
    rig::Rig,
    script::{self, Cast, Dice, Known},
};

/// Timers of one session (typing, the end of its presence, its own end), of one connection (heartbeat, stall, token)
/// and of one view (its window).
const TIMERS: (usize, usize, usize) = (3, 3, 1);

/// What a connection may be told without having asked: settings, a heartbeat, a word of the token, that all is stale,
/// and a welcome.
const UNASKED: usize = 5;

/// A run, and the directory as it is.
struct Run {
    rig: Rig,
    dice: Dice,
    cast: Cast,
    known: BTreeMap<UserId, Known>,
    people: BTreeMap<UserId, UserFacts>,
    accounts: BTreeMap<AccountId, AccountFacts>,
    occupancies: BTreeMap<AccountId, Occupancy>,
}

#[test]
fn nothing_grows() {
    for_each_seed("nothing_grows", 1_500, |seed| Run::new(seed).play());
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x9_0137);
        // Few are allowed, so that the limits are met.
        let (subscriptions_per_session, sessions_per_user) = dice.pick(&[(3, 2), (4, 3), (64, 32)]);
        let limits = Limits { subscriptions_per_session, sessions_per_user, ..crate::rig::limits() };
        Self {
            rig: Rig::new(limits),
            cast: Cast::new(&mut dice),
            dice,
            known: BTreeMap::new(),
            people: BTreeMap::new(),
            accounts: BTreeMap::new(),
            occupancies: BTreeMap::new(),
        }
    }

    fn play(mut self) {
        for act in script::beginning(&mut self.dice, &self.cast) {
            self.act(&act);
        }
        for _ in 0..90 {
            let at = self.rig.mono + script::pause(&mut self.dice);
            self.advance(at);
            self.step();
            self.check();
        }
        self.everybody_leaves();
    }

    fn step(&mut self) {
        let user = self.dice.pick(&self.cast.users);
        match self.dice.below(9) {
            0 | 1 => self.subscribe(user),
            2 => self.toggle_reading(user),
            3 => {
                let act = script::act_of_directory(&mut self.dice, &self.cast);
                self.act(&act);
            }
            4 => self.newcomer(),
            _ => {
                let known = self.known.entry(user).or_default();
                let act = script::act_of(&mut self.dice, &self.cast, user, known);
                self.act(&act);
            }
        }
    }

    /// Does it, unless the shell would not read the request yet.
    fn act(&mut self, act: &Act) {
        match act {
            Act::Facts { user, facts } => note(&mut self.people, *user, facts),
            Act::Account { account, facts } => {
                note(&mut self.accounts, *account, facts);
                if facts.is_none() {
                    self.occupancies.remove(account);
                }
            }
            Act::Occupancy { account, occupancy } => note(&mut self.occupancies, *account, occupancy),
            Act::Track { session, .. } | Act::Untrack { session } | Act::Alive { session }
                if !self.rig.may_ask(*session) =>
            {
                return;
            }
            _ => {}
        }
        self.rig.act(act);
    }

    fn session_of(&mut self, user: UserId) -> Option<SessionId> {
        let sockets = self.known.get(&user).map(|known| known.sockets.clone()).unwrap_or_default();
        (!sockets.is_empty()).then(|| self.dice.pick(&sockets))
    }

    fn subscribe(&mut self, user: UserId) {
        let Some(session) = self.session_of(user).filter(|session| self.rig.may_ask(*session)) else {
            return;
        };
        let channels = self.cast.channels();
        let requests = (0..1 + self.dice.below(6)).map(|_| SubscribeRequest {
            channel: self.dice.pick(&channels),
            people: self.dice.pick(&[None, Some(PeopleInterest::Roster), Some(PeopleInterest::None)]),
            accounts: self.dice.pick(&[None, Some(false)]),
        });
        let requests = requests.collect();
        self.rig.subscribe(session, requests);
    }

    fn toggle_reading(&mut self, user: UserId) {
        let Some(session) = self.session_of(user) else { return };
        let Some(client) = self.rig.clients.get_mut(&session) else { return };
        match &client.unread {
            None => client.unread = Some(Vec::new()),
            Some(frames) if frames.is_empty() => client.unread = None,
            Some(_) => self.rig.catch_up(session),
        }
    }

    /// Somebody new comes, and one of those who came before may go for ever.
    fn newcomer(&mut self) {
        let user = UserId(self.dice.id());
        let facts = Some(script::facts(&mut self.dice, &self.cast));
        self.act(&Act::Facts { user, facts });
        self.cast.users.push(user);
        if self.cast.users.len() > 8 {
            let gone = self.cast.users.remove(0);
            self.act(&Act::Facts { user: gone, facts: None });
        }
    }

    fn advance(&mut self, to: Mono) {
        while let Some(at) = self.rig.next_tick(to) {
            self.rig.tick(at);
            self.check();
        }
        self.rig.tick(to);
        self.check();
    }

    fn check(&mut self) {
        self.rig.noticed.clear();
        let (sizes, census) = (self.rig.presence.sizes(), self.rig.presence.census());
        let subscriptions = self.rig.limits.subscriptions_per_session;
        assert!(sizes.views_max <= subscriptions);
        assert!(sizes.ready_max <= sizes.views_max, "{sizes:?}");
        assert!(sizes.control_max <= limits::REQUESTS_IN_FLIGHT + subscriptions + UNASKED, "{sizes:?}");
        let (sessions, connections, views) = TIMERS;
        let timers = sessions * census.sessions + connections * census.connections + views * census.views;
        assert!(sizes.timers <= timers, "{} timers for {census:?}", sizes.timers);
        for view in &sizes.views {
            self.check_view(view);
        }
        for known in self.known.values() {
            let all = known.sockets.iter().chain(&known.rest).collect::<BTreeSet<_>>();
            let there = all.into_iter().filter(|id| self.rig.presence.owner_of(**id).is_some()).count();
            assert!(there <= self.rig.limits.sessions_per_user);
        }
    }

    fn check_view(&self, view: &ViewSizes) {
        assert!(view.dirty <= view.entries + view.shown, "{view:?}");
        assert!(view.shown <= view.entries + view.dirty, "{view:?}");
        let unconfirmed = self.rig.limits.heartbeat_ms + self.rig.limits.heartbeat_timeout_ms;
        let sent = self.rig.sent.get(&(view.session, view.subscription)).map_or(&[][..], Vec::as_slice);
        let last = sent.last().map_or(Mono(0), |(at, _)| *at);
        let lately = sent.iter().filter(|(at, _)| last - *at <= unconfirmed);
        let named: BTreeSet<EntryId> = lately.flat_map(|(_, entries)| entries).copied().collect();
        assert!(view.recent <= named.len(), "{view:?} but {named:?}");
    }

    /// Whoever has a socket loses it; whoever has none calls no more.
    fn everybody_leaves(mut self) {
        let clients: Vec<_> = self.rig.clients.keys().copied().collect();
        for session in clients {
            self.rig.disconnect(session, Ending::Lost);
        }
        let end = self.rig.mono + 130_000;
        self.advance(end);
        assert_eq!(self.rig.presence.sizes(), Sizes::default());
        let census = self.rig.presence.census();
        assert_eq!((census.sessions, census.connections, census.views), (0, 0, 0));
        let holders = self.occupancies.values().map(|occupancy| occupancy.user);
        let users: BTreeSet<_> = self.people.keys().copied().chain(holders).collect();
        let accounts: BTreeSet<_> = self.accounts.keys().chain(self.occupancies.keys()).collect();
        assert_eq!(census.users, users.len());
        assert_eq!(census.accounts, accounts.len());
        assert_eq!(census.channels, self.channels().len());
    }

    /// The channels that list somebody or something.
    fn channels(&self) -> BTreeSet<ChannelId> {
        let of_people = self.people.values().flat_map(|facts| {
            let weddings = facts.weddings.iter().copied().map(ChannelId::Wedding);
            weddings.chain(facts.organizations.keys().copied().map(ChannelId::Organization))
        });
        let of_accounts = self
            .accounts
            .iter()
            .flat_map(|(id, facts)| [ChannelId::Account(*id), ChannelId::Organization(facts.organization)]);
        of_people.chain(of_accounts).collect()
    }
}

fn note<K: Ord, V: Clone>(map: &mut BTreeMap<K, V>, key: K, value: &Option<V>) {
    match value {
        Some(value) => map.insert(key, value.clone()),
        None => map.remove(&key),
    };
}
