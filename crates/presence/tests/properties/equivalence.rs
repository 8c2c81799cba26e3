//! Snapshot + diffs = later snapshot = the oracle's projection: for any commands, any viewer, any cut.

use std::collections::{BTreeMap, VecDeque};

use model::{Mono, PeopleInterest, SessionId, SubscribeRequest, SubscriptionId, UserId};
use oracle::{Act, Event, Oracle, Truth, Watch, World};
use presence::Subjects;

use crate::{
    for_each_seed,
    rig::Rig,
    script::{self, Cast, Dice, Known, START_WALL},
};

/// A run: the heart, the oracle walking beside it, and what was true lately for each view.
struct Run {
    rig: Rig,
    world: World,
    dice: Dice,
    cast: Cast,
    viewers: Vec<SessionId>,
    lately: BTreeMap<(SessionId, SubscriptionId), VecDeque<(Mono, Truth)>>,
    log: Vec<Event>,
    /// When a client that had stopped reading caught up: what it read was as old as it was.
    caught_up: BTreeMap<SessionId, Mono>,
}

#[test]
fn views_equal_the_truth() {
    for_each_seed("views_equal_the_truth", 3_000, |seed| Run::new(seed).play());
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let limits = crate::rig::limits();
        let cast = Cast::new(&mut dice);
        let world = Oracle::new(START_WALL, limits.clone()).start();
        let rig = Rig::new(limits);
        Self {
            rig,
            world,
            dice,
            cast,
            viewers: Vec::new(),
            lately: BTreeMap::new(),
            log: Vec::new(),
            caught_up: BTreeMap::new(),
        }
    }

    fn play(mut self) {
        for act in script::beginning(&mut self.dice, &self.cast) {
            self.act(act);
        }
        let mut sessions: BTreeMap<_, Known> = BTreeMap::new();
        for _ in 0..3 {
            let user = self.dice.pick(&self.cast.users);
            let session = SessionId(self.dice.id());
            sessions.entry(user).or_default().sockets.push(session);
            self.viewers.push(session);
            self.act(Act::Connect { session, user });
            self.subscribe(session);
        }
        for _ in 0..50 {
            let at = self.rig.mono + script::pause(&mut self.dice);
            self.advance(at);
            let user = self.dice.pick(&self.cast.users);
            match self.dice.below(10) {
                0 => self.subscribe_anew(),
                1 => self.toggle_reading(),
                2 => {
                    let act = script::act_of_directory(&mut self.dice, &self.cast);
                    self.act(act);
                }
                _ => {
                    let known = sessions.entry(user).or_default();
                    let act = script::act_of(&mut self.dice, &self.cast, user, known);
                    self.act(act);
                }
            }
        }
        self.rest();
    }

    fn subscribe(&mut self, session: SessionId) {
        let channels = self.cast.channels();
        let requests = (0..3).map(|_| SubscribeRequest {
            channel: self.dice.pick(&channels),
            people: self.dice.pick(&[None, Some(PeopleInterest::Roster), Some(PeopleInterest::None)]),
            accounts: self.dice.pick(&[None, Some(false)]),
        });
        let mut requests: Vec<_> = requests.collect();
        requests.sort_by_key(|request| request.channel);
        requests.dedup_by_key(|request| request.channel);
        self.rig.subscribe(session, requests);
        self.noticed();
        self.check();
    }

    fn subscribe_anew(&mut self) {
        let session = self.dice.pick(&self.viewers);
        let known =
            self.rig.clients.get(&session).map(|client| client.views.keys().copied().collect::<Vec<_>>());
        match known {
            Some(known) if !known.is_empty() && self.dice.one_in(3) => {
                let subscription = self.dice.pick(&known);
                self.rig.unsubscribe(session, subscription);
                self.noticed();
                self.check();
            }
            _ => self.subscribe(session),
        }
    }

    /// A client stops reading, or reads what it left.
    fn toggle_reading(&mut self) {
        let session = self.dice.pick(&self.viewers);
        let Some(client) = self.rig.clients.get_mut(&session) else { return };
        if client.unread.is_none() {
            client.unread = Some(Vec::new());
            return;
        }
        self.read_again(session);
        self.check();
    }

    fn read_again(&mut self, session: SessionId) {
        let Some(client) = self.rig.clients.get_mut(&session) else { return };
        let frames = client.unread.take().unwrap_or_default();
        client.unread = Some(frames);
        self.rig.catch_up(session);
        if let Some(client) = self.rig.clients.get_mut(&session) {
            // What was sent while catching up is read at once from here on.
            let rest = client.unread.take().unwrap_or_default();
            if !rest.is_empty() {
                client.unread = Some(rest);
                return self.read_again(session);
            }
        }
        self.caught_up.insert(session, self.rig.mono);
        self.noticed();
    }

    fn act(&mut self, act: Act) {
        let at = self.rig.mono;
        self.rig.act(&act);
        self.judge(Event { at, act });
        self.noticed();
        self.check();
        self.ask();
    }

    /// Tells the oracle what happened of itself.
    fn noticed(&mut self) {
        for (at, act) in std::mem::take(&mut self.rig.noticed) {
            self.judge(Event { at, act });
        }
    }

    fn judge(&mut self, event: Event) {
        self.world.apply(&event);
        self.log.push(event);
    }

    fn advance(&mut self, to: Mono) {
        while let Some(at) = self.rig.next_tick(to) {
            self.step(at);
        }
        self.step(to);
    }

    fn step(&mut self, at: Mono) {
        self.rig.tick(at);
        self.world.advance(at);
        self.noticed();
        self.check();
    }

    /// Every view of a client that reads equals the truth of an instant at most the batching window ago.
    fn check(&mut self) {
        let at = self.rig.mono;
        let window = self.rig.limits.window_max_ms;
        let mut lately = std::mem::take(&mut self.lately);
        for client in self.rig.clients.values().filter(|client| client.connection.is_some()) {
            for (subscription, seen) in &client.views {
                let watch = Watch {
                    viewer: client.user,
                    channel: seen.request.channel,
                    interest: seen.request.interest(),
                };
                let past = lately.entry((client.session, *subscription)).or_default();
                past.push_back((at, self.world.view(watch)));
                // The truth that was in force when the window began counts as well.
                while past.len() > 1 && past[1].0 + window < at {
                    past.pop_front();
                }
                let stopped =
                    self.caught_up.get(&client.session).is_some_and(|since| since.0 + window >= at.0);
                if client.unread.is_none() && seen.complete && !stopped {
                    let entries = Some(seen.entries.clone());
                    assert!(
                        past.iter().any(|(_, truth)| *truth == entries),
                        "at {at:?} {watch:?} in {:?} shows\n{entries:?}\nbut the truth was\n{:?}\nafter\n{}",
                        client.session,
                        past.back(),
                        self.log.iter().map(|event| format!("{event:?}\n")).collect::<String>()
                    );
                }
            }
        }
        self.lately = lately;
    }

    /// What is asked once, without a subscription, is the truth of that instant: no window, nothing from before.
    fn ask(&mut self) {
        let viewer = self.dice.pick(&self.cast.users);
        let mut subjects = self.cast.users.clone();
        subjects.push(viewer);
        for channel in self.cast.channels().into_iter().map(Some).chain([None]) {
            let truth = self.world.people(viewer, channel);
            let users = subjects.clone();
            let asked = channel.map_or(Subjects::Users(users.clone()), |id| Subjects::In(id, users));
            let words = format!("{viewer:?} asks {asked:?}");
            let answer = self.rig.presence.people_for(viewer, &asked);
            assert_eq!(answer, truth, "{words}");
            if let Some(channel) = channel {
                assert_eq!(self.rig.presence.people_for(viewer, &Subjects::All(channel)), truth, "{words}");
                let seen = truth.as_ref().map(|people| people.iter().map(|person| person.user_id).collect());
                assert_eq!(self.rig.presence.seen_in(viewer, channel), seen, "{words}");
                let may_see = |user: &UserId| self.rig.presence.may_see(viewer, *user);
                assert!(seen.iter().flatten().all(may_see), "{words}");
            }
            for subject in self.cast.users.iter().filter(|_| channel.is_none()) {
                let listed = truth.iter().flatten().any(|person| person.user_id == *subject);
                assert_eq!(self.rig.presence.may_see(viewer, *subject), listed, "{viewer:?} {subject:?}");
            }
        }
    }

    /// At rest every view is the truth exactly, and a new viewer of the same channel gets the same.
    fn rest(&mut self) {
        for session in self.viewers.clone() {
            self.read_again(session);
        }
        let at = self.rig.mono + self.rig.limits.window_max_ms;
        self.advance(at);
        let views: Vec<_> = self.open_views();
        for (watch, request, entries) in views {
            assert_eq!(self.world.view(watch), Some(entries.clone()), "at rest {watch:?}");
            let session = SessionId(self.dice.id());
            self.act(Act::Connect { session, user: watch.viewer });
            self.rig.subscribe(session, vec![request]);
            self.noticed();
            let fresh = &self.rig.clients[&session].views;
            let fresh = fresh.values().next().expect("a subscription of the same channel");
            assert_eq!(fresh.entries, entries, "a later snapshot of {watch:?}");
            self.act(Act::SignOut { session });
        }
    }

    fn open_views(&self) -> Vec<(Watch, SubscribeRequest, BTreeMap<model::EntryId, model::Record>)> {
        let open = self.rig.clients.values().filter(|client| client.connection.is_some());
        open.flat_map(|client| {
            client.views.values().map(|seen| {
                let (channel, interest) = (seen.request.channel, seen.request.interest());
                let watch = Watch { viewer: client.user, channel, interest };
                (watch, seen.request.clone(), seen.entries.clone())
            })
        })
        .collect()
    }
}
