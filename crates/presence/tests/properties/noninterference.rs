//! Two worlds that differ only in what the viewer's projection does not contain give the viewer byte-equal
//! transcripts: frames, their order, their numbers, their times.
//!
//! A pair is built by rewriting acts one after the other and keeping a rewrite only if the oracle says that the
//! viewer's timed projection of every channel stays the same. The heart is not asked.

use model::{ChannelId, Encoding, Interest, Limits, Mono, PeopleInterest, SessionId, SubscribeRequest, UserId};
use oracle::{Act, Event, Oracle, Truth, Watch};
use presence::Presence;

use crate::{
    for_each_seed,
    rig::Rig,
    script::{self, Cast, Dice, Known, START_WALL},
};

/// One line of a script.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Somebody acts.
    Act(Act),
    /// The viewer subscribes.
    Subscribe(Vec<SubscribeRequest>),
}

/// A script: what happens, and when.
pub(crate) type Script = Vec<(Mono, Step)>;

/// Two worlds that are one to the viewer.
pub(crate) struct Pair {
    pub(crate) viewer: UserId,
    pub(crate) session: SessionId,
    pub(crate) one: Script,
    pub(crate) other: Script,
    /// Whether hidden state differed while the viewer was subscribed.
    pub(crate) hidden_state_differs: bool,
    pub(crate) encoding: Encoding,
    /// How long the viewer takes to read a turn.
    pub(crate) reads_after_ms: u64,
}

/// Everything that reached the viewer: when, and the bytes.
pub(crate) type Transcript = Vec<(Mono, Vec<u8>)>;

const REWRITES: usize = 10;

#[test]
fn transcripts_are_byte_equal() {
    let (mut runs, mut with_hidden_state) = (0_u64, 0_u64);
    for_each_seed("transcripts_are_byte_equal", 1_500, |seed| {
        let pair = Pair::new(seed);
        runs += 1;
        with_hidden_state += u64::from(pair.hidden_state_differs);
        pair.assert_equal();
    });
    eprintln!("hidden state differed while the viewer was subscribed in {with_hidden_state} of {runs} cases");
    assert!(runs < 100 || with_hidden_state * 2 >= runs, "at least half of the cases must hide something");
}

/// The same, with one more act that the viewer may see: then the transcripts must differ, or the test is blind.
#[test]
fn a_visible_act_changes_the_transcript() {
    let (mut runs, mut differing) = (0_u64, 0_u64);
    for_each_seed("a_visible_act_changes_the_transcript", 1_500, |seed| {
        let mut pair = Pair::new(seed);
        if pair.make_visible(seed) {
            runs += 1;
            differing += u64::from(pair.transcripts(None).0 != pair.transcripts(None).1);
        }
    });
    eprintln!("a visible act changed the transcript in {differing} of {runs} cases");
    assert!(runs == 0 || differing * 100 >= runs * 99, "at least 99 % must differ");
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let cast = Cast::new(&mut dice);
        let viewer = cast.users[0];
        let session = SessionId(dice.id());
        let one = script(&mut dice, &cast, viewer, session);
        let mut pair = Self {
            viewer,
            session,
            other: one.clone(),
            one,
            hidden_state_differs: false,
            encoding: dice.pick(&Encoding::ALL),
            reads_after_ms: dice.pick(&[0, 0, 0, 7, 120]),
        };
        pair.rewrite(&mut dice, &cast);
        pair.hidden_state_differs = pair.differs_in_hidden_state(&cast);
        pair
    }

    /// Rewrites acts of others, keeping what the viewer cannot tell.
    fn rewrite(&mut self, dice: &mut Dice, cast: &Cast) {
        let truth = truths(&self.one, self.viewer, cast);
        let mut known: Vec<Known> = cast.users.iter().map(|_| Known::default()).collect();
        for (_, step) in &self.one {
            if let Step::Act(Act::Connect { session, user }) = step
                && let Some(at) = cast.users.iter().position(|known| known == user)
            {
                known[at].sockets.push(*session);
            }
        }
        for _ in 0..REWRITES {
            let mut candidate = self.other.clone();
            rewrite_once(dice, cast, &mut candidate, self.viewer, &mut known);
            if candidate != self.other && truths(&candidate, self.viewer, cast) == truth {
                self.other = candidate;
            }
        }
    }

    fn differs_in_hidden_state(&self, cast: &Cast) -> bool {
        let since = self.one.iter().find(|(_, step)| matches!(step, Step::Subscribe(_)));
        let Some((since, _)) = since else { return false };
        cast.users.iter().filter(|user| **user != self.viewer).any(|user| {
            let after = |script| {
                let mut truths = truths(script, *user, cast);
                for truth in &mut truths {
                    // What was in force at the time counts with what came after.
                    let first = truth.iter().rposition(|(at, _)| at <= since).unwrap_or(0);
                    truth.drain(..first);
                    truth.iter_mut().take(1).for_each(|(at, _)| *at = *since);
                }
                truths
            };
            after(&self.one) != after(&self.other)
        })
    }

    /// Adds an act that the viewer can tell for longer than the batching window; `false` where none was found.
    fn make_visible(&mut self, seed: u64) -> bool {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let cast = Cast::new(&mut dice);
        let mut dice = Dice::new(!seed);
        let lasting = |script: &Script| subscribed_truth(script, self.viewer, self.session);
        let before = lasting(&self.one);
        for _ in 0..60 {
            let mut known: Vec<Known> = cast.users.iter().map(|_| Known::default()).collect();
            let mut candidate = self.one.clone();
            insert_act(&mut dice, &cast, &mut candidate, self.viewer, &mut known);
            if lasting(&candidate) != before {
                self.other = candidate;
                return true;
            }
        }
        false
    }

    pub(crate) fn assert_equal(&self) {
        let (one, other) = self.transcripts(None);
        for (at, (x, y)) in one.iter().zip(&other).enumerate() {
            assert_eq!(x, y, "frame {at}:\n{}\nagainst\n{}", readable(&x.1), readable(&y.1));
        }
        assert_eq!(one.len(), other.len(), "one world says more: {:?}", one.len().min(other.len()));
    }

    /// What the viewer gets in each world. `seed` may get the heart wrong first.
    pub(crate) fn transcripts(&self, seed: Option<&dyn Fn(&mut Presence)>) -> (Transcript, Transcript) {
        (self.play(&self.one, seed), self.play(&self.other, seed))
    }

    fn play(&self, script: &Script, seed: Option<&dyn Fn(&mut Presence)>) -> Transcript {
        let mut rig = Rig::new(Limits::default());
        if let Some(seed) = seed {
            seed(&mut rig.presence);
        }
        let mut reads_at = None;
        for (at, step) in script {
            self.advance(&mut rig, *at, &mut reads_at);
            match step {
                Step::Act(act) => rig.act(act),
                Step::Subscribe(requests) => rig.subscribe(self.session, requests.clone()),
            }
            if let Some(client) = rig.clients.get_mut(&self.session).filter(|_| self.reads_after_ms > 0) {
                client.unread.get_or_insert_default();
            }
        }
        let end = rig.mono + 200_000;
        self.advance(&mut rig, end, &mut reads_at);
        let client = rig.clients.get(&self.session);
        let frames = client.into_iter().flat_map(|client| &client.frames);
        frames.map(|(at, frame)| (*at, wire::encode(self.encoding, frame))).collect()
    }

    /// Lets time pass; the viewer reads each turn a fixed time after it was sent.
    fn advance(&self, rig: &mut Rig, to: Mono, reads_at: &mut Option<Mono>) {
        loop {
            let waiting = rig.clients.get(&self.session).and_then(|client| client.unread.as_ref());
            let waits = waiting.is_some_and(|frames| !frames.is_empty());
            *reads_at = waits.then(|| reads_at.unwrap_or(rig.mono + self.reads_after_ms));
            let read = reads_at.filter(|at| *at < to);
            match (rig.next_tick(to), read) {
                (Some(tick), Some(read)) if read < tick => self.read(rig, read, reads_at),
                (Some(tick), _) => rig.tick(tick),
                (None, Some(read)) => self.read(rig, read, reads_at),
                (None, None) => break,
            }
        }
        rig.tick(to);
    }

    fn read(&self, rig: &mut Rig, at: Mono, reads_at: &mut Option<Mono>) {
        *reads_at = None;
        rig.tick(at);
        rig.catch_up(self.session);
    }
}

fn readable(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("{bytes:02x?}"), str::to_owned)
}

/// A world of which the viewer sees about half.
fn script(dice: &mut Dice, cast: &Cast, viewer: UserId, session: SessionId) -> Script {
    let begin = script::beginning(dice, cast).into_iter();
    let mut script: Script = begin.map(|act| (Mono(0), Step::Act(admit(act, viewer)))).collect();
    let mut known: Vec<Known> = cast.users.iter().map(|_| Known::default()).collect();
    script.push((Mono(0), Step::Act(Act::Connect { session, user: viewer })));
    script.push((Mono(1), Step::Subscribe(subscriptions(dice, cast))));
    known[0].sockets.push(session);
    let mut at = Mono(1);
    for _ in 0..35 {
        at = at + script::pause(dice);
        script.push((at, step(dice, cast, viewer, session, &mut known)));
    }
    script
}

/// The viewer is always somebody who may look.
fn admit(act: Act, viewer: UserId) -> Act {
    match act {
        Act::Facts { user, facts: Some(facts) } if user == viewer => {
            Act::Facts { user, facts: Some(model::UserFacts { disabled: false, ..facts }) }
        }
        act => act,
    }
}

fn step(dice: &mut Dice, cast: &Cast, viewer: UserId, session: SessionId, known: &mut [Known]) -> Step {
    match dice.below(12) {
        0 => Step::Subscribe(subscriptions(dice, cast)),
        1 => Step::Act(Act::Lost { session }),
        2 => Step::Act(Act::Resume { session, track: None }),
        3 => Step::Act(admit(script::act_of_directory(dice, cast), viewer)),
        _ => {
            let user = dice.below(cast.users.len() as u64) as usize;
            Step::Act(script::act_of(dice, cast, cast.users[user], &mut known[user]))
        }
    }
}

fn subscriptions(dice: &mut Dice, cast: &Cast) -> Vec<SubscribeRequest> {
    let mut channels = cast.channels();
    channels.retain(|_| !dice.one_in(3));
    channels
        .into_iter()
        .map(|channel| SubscribeRequest {
            channel,
            people: dice.pick(&[None, Some(PeopleInterest::Roster)]),
            accounts: None,
        })
        .collect()
}

fn rewrite_once(dice: &mut Dice, cast: &Cast, script: &mut Script, viewer: UserId, known: &mut [Known]) {
    if dice.one_in(2) {
        return insert_act(dice, cast, script, viewer, known);
    }
    let at = dice.below(script.len() as u64) as usize;
    let Step::Act(act) = &script[at].1 else { return };
    if acts_for(act, viewer, script) {
        return;
    }
    if dice.one_in(3) {
        script.remove(at);
        return;
    }
    script[at].1 = Step::Act(vary(dice, cast, act.clone()));
}

fn insert_act(dice: &mut Dice, cast: &Cast, script: &mut Script, viewer: UserId, known: &mut [Known]) {
    let at = dice.below(script.len() as u64) as usize;
    let time = script[at].0;
    let user = 1 + dice.below(cast.users.len() as u64 - 1) as usize;
    let act = if dice.one_in(6) {
        script::act_of_directory(dice, cast)
    } else {
        let connected = known[user].sockets.is_empty();
        let act = script::act_of(dice, cast, cast.users[user], &mut known[user]);
        // A first session announces something, or nothing would be hidden.
        if let (true, Act::Connect { session, .. }) = (connected, &act) {
            let track = Act::Track { session: *session, track: script::track(dice, cast) };
            script.insert(at + 1, (time, Step::Act(track)));
        }
        act
    };
    if !acts_for(&act, viewer, script) {
        script.insert(at + 1, (time, Step::Act(act)));
        // The connection comes before what it announces.
        let swapped = |script: &Script| matches!(&script.get(at + 2), Some((_, Step::Act(Act::Connect { .. }))));
        if swapped(script) {
            script.swap(at + 1, at + 2);
        }
    }
}

/// Another act of the same kind by the same one.
fn vary(dice: &mut Dice, cast: &Cast, act: Act) -> Act {
    match act {
        Act::Track { session, .. } => Act::Track { session, track: script::track(dice, cast) },
        Act::Settings { user, .. } => Act::Settings { user, settings: script::settings(dice) },
        Act::Facts { user, .. } => Act::Facts { user, facts: Some(script::facts(dice, cast)) },
        Act::Occupancy { account, .. } => Act::Occupancy { account, occupancy: script::occupancy(dice, cast) },
        Act::Account { account, .. } => Act::Account { account, facts: script::account(dice, cast) },
        Act::Untrack { session } => Act::Track { session, track: script::track(dice, cast) },
        Act::Lost { session } => Act::SignOut { session },
        Act::SignOut { session } | Act::Alive { session } => Act::Lost { session },
        act => act,
    }
}

/// Whether the act is the viewer's own, and so the same in both worlds.
fn acts_for(act: &Act, viewer: UserId, script: &Script) -> bool {
    let owner = |session: &SessionId| {
        script.iter().any(|(_, step)| match step {
            Step::Act(Act::Connect { session: id, user } | Act::RestTrack { session: id, user, .. }) => {
                id == session && *user == viewer
            }
            _ => false,
        })
    };
    match act {
        Act::Facts { user, .. }
        | Act::Settings { user, .. }
        | Act::Connect { user, .. }
        | Act::RestTrack { user, .. } => *user == viewer,
        Act::Track { session, .. }
        | Act::Untrack { session }
        | Act::Alive { session }
        | Act::SignOut { session }
        | Act::Lost { session }
        | Act::Resume { session, .. }
        | Act::RestEnd { session } => owner(session),
        Act::Account { .. } | Act::Occupancy { .. } => false,
    }
}

/// The timed projection of every channel for `viewer`. A roster with accounts contains every lesser interest.
fn truths(script: &Script, viewer: UserId, cast: &Cast) -> Vec<Vec<(Mono, Truth)>> {
    cast.channels().into_iter().map(|channel| timeline(script, viewer, channel)).collect()
}

fn timeline(script: &Script, viewer: UserId, channel: ChannelId) -> Vec<(Mono, Truth)> {
    let oracle = Oracle::new(START_WALL, Limits::default());
    let interest = Interest { people: PeopleInterest::Roster, accounts: true };
    let until = script.last().map_or(Mono(0), |(at, _)| *at) + 200_000;
    oracle.timeline(&log(script), Watch { viewer, channel, interest }, until)
}

/// The script as the oracle hears it. Signs of life that answer heartbeats are left out of both worlds alike.
fn log(script: &Script) -> Vec<Event> {
    let acts = script.iter().filter_map(|(at, step)| match step {
        Step::Act(act) => Some(Event { at: *at, act: act.clone() }),
        Step::Subscribe(_) => None,
    });
    acts.collect()
}

/// What a viewer who subscribed once and was never cut could tell at rest, 300 ms after each change.
fn subscribed_truth(script: &Script, viewer: UserId, session: SessionId) -> Vec<Truth> {
    let subscribed = script.iter().filter_map(|(_, step)| match step {
        Step::Subscribe(requests) => Some(requests),
        Step::Act(_) => None,
    });
    let Some(requests) = subscribed.last() else { return Vec::new() };
    let cut = script.iter().rposition(|(_, step)| {
        matches!(step, Step::Act(Act::Lost { session: id } | Act::SignOut { session: id }) if *id == session)
    });
    let back = script.iter().rposition(|(_, step)| matches!(step, Step::Subscribe(_)));
    if cut > back {
        return Vec::new();
    }
    let oracle = Oracle::new(START_WALL, Limits::default());
    let end = script.last().map_or(Mono(0), |(at, _)| *at) + 300;
    let log = log(script);
    requests
        .iter()
        .map(|request| {
            let watch = Watch { viewer, channel: request.channel, interest: request.interest() };
            oracle.truth(&log, end, watch)
        })
        .collect()
}
