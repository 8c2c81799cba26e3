//! Marking by audience never misses: in an organization of 200, everybody who may see a subject hears of it.

use std::collections::BTreeMap;

use model::{
    ChannelId, OrganizationId, PeopleInterest, Role, SessionId, SubscribeRequest, UserFacts, UserId,
    Visibility, WeddingId,
};
use oracle::{Act, Event, Oracle, Watch, World};

use crate::{
    for_each_seed_of,
    rig::{Rig, limits},
    script::{self, Cast, Dice, START_WALL},
};

const MEMBERS: usize = 200;
const WEDDINGS: usize = 30;

/// An agency: most of its members are `contacts`, and share a wedding with a few of the others.
struct Agency {
    rig: Rig,
    world: World,
    dice: Dice,
    cast: Cast,
    sessions: BTreeMap<UserId, SessionId>,
}

/// Few viewers are asked one by one; of many, only those in the subject's weddings are visited.
#[test]
fn everybody_who_may_see_a_subject_hears_of_it() {
    for_each_seed_of(100, "everybody_who_may_see_a_subject_hears_of_it", 30, |seed| {
        for viewers in [3, 150] {
            Agency::new(seed, viewers).play();
        }
    });
}

impl Agency {
    fn new(seed: u64, viewers: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut ids = |n: usize| (0..n).map(|_| dice.id()).collect::<Vec<_>>();
        let cast = Cast {
            users: ids(MEMBERS).into_iter().map(UserId).collect(),
            weddings: ids(WEDDINGS).into_iter().map(WeddingId).collect(),
            organizations: ids(1).into_iter().map(OrganizationId).collect(),
            accounts: Vec::new(),
        };
        let (rig, world) = (Rig::new(limits()), Oracle::new(START_WALL, limits()).start());
        let mut agency = Self { rig, world, dice, cast, sessions: BTreeMap::new() };
        for user in agency.cast.users.clone() {
            let session = SessionId(agency.dice.id());
            let facts = Some(agency.facts());
            agency.act(Act::Facts { user, facts });
            agency.act(Act::Connect { session, user });
            agency.sessions.insert(user, session);
        }
        let looking: Vec<_> = agency.sessions.values().copied().take(viewers).collect();
        let channel = ChannelId::Organization(agency.cast.organizations[0]);
        for session in looking {
            agency.rig.subscribe(session, vec![SubscribeRequest::roster(channel)]);
        }
        agency
    }

    fn facts(&mut self) -> UserFacts {
        let few = |dice: &mut Dice, cast: &Cast| {
            let n = dice.below(3);
            (0..n).map(|_| dice.pick(&cast.weddings)).collect()
        };
        let mut settings = script::settings(&mut self.dice);
        if !self.dice.one_in(4) {
            settings.visibility = Visibility::Contacts;
        }
        UserFacts {
            display_name: String::new(),
            disabled: false,
            organizations: BTreeMap::from([(self.cast.organizations[0], Role::Member)]),
            enterprise: Default::default(),
            erased: false,
            weddings: few(&mut self.dice, &self.cast),
            settings: Some(settings),
            last_seen: None,
        }
    }

    fn play(mut self) {
        for _ in 0..40 {
            for _ in 0..1 + self.dice.below(4) {
                let user = self.dice.pick(&self.cast.users);
                let session = self.sessions[&user];
                let act = match self.dice.below(6) {
                    0 => Act::Facts { user, facts: Some(self.facts()) },
                    1 => Act::Settings { user, settings: script::settings(&mut self.dice) },
                    2 => Act::Untrack { session },
                    _ => Act::Track { session, track: script::track(&mut self.dice, &self.cast) },
                };
                self.act(act);
            }
            let rest = self.rig.mono + self.rig.limits.window_max_ms + 10;
            while let Some(at) = self.rig.next_tick(rest) {
                self.rig.tick(at);
            }
            self.rig.tick(rest);
            self.world.advance(rest);
            self.check();
        }
    }

    fn act(&mut self, act: Act) {
        self.rig.act(&act);
        self.world.apply(&Event { at: self.rig.mono, act });
    }

    fn check(&self) {
        for client in self.rig.clients.values() {
            for seen in client.views.values() {
                let (viewer, channel) = (client.user, seen.request.channel);
                let watch = Watch { viewer, channel, interest: seen.request.interest() };
                assert_eq!(watch.interest.people, PeopleInterest::Roster);
                assert_eq!(Some(&seen.entries), self.world.view(watch).as_ref(), "{watch:?}");
            }
        }
    }
}
