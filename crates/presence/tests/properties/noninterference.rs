//! Two worlds that differ only in what the viewer's projection does not contain give the viewer byte-equal
//! transcripts: frames, their order, their numbers, their times.
//!
//! A pair is built by rewriting acts one after the other and keeping a rewrite only if the oracle says that the
//! viewer's timed projection of every channel stays the same. The heart is not asked.

use model::{Encoding, Limits, Mono, PeopleInterest, SessionId, SubscribeRequest, UserId};
use oracle::{Act, Truth};
use presence::Presence;

use crate::{
    for_each_seed,
    rig::{Rig, limits},
    script::{self, Cast, Dice, Known},
    timeline::{Moment, is_own, lasting, truths},
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
    cast: Cast,
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

/// Long enough for every timer to fire.
pub(crate) const AFTERMATH_MS: u64 = 200_000;

#[test]
fn transcripts_are_byte_equal() {
    let (mut runs, mut with_hidden_state, mut told_by_signs) = (0_u64, 0_u64, 0_u64);
    for_each_seed("transcripts_are_byte_equal", 1_500, |seed| {
        let pair = Pair::new(seed);
        runs += 1;
        with_hidden_state += u64::from(pair.hidden_state_differs);
        told_by_signs += u64::from(!pair.is_equal());
    });
    eprintln!("{told_by_signs} of {runs} pairs were told apart by visible signs of life");
    assert!(runs < 1_000 || told_by_signs * 1_000 <= runs, "that must be rare");
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
            let (one, other) = pair.transcripts(None);
            differing += u64::from(one != other);
            if one == other && std::env::var_os("PROPERTY_SEED").is_some() {
                pair.print();
            }
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
            cast: Cast::new(&mut Dice::new(seed ^ 0x5eed)),
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
            // What came after the viewer looked; what was in force then shows in it soon enough.
            let after = |script| {
                let later = |moment: &Moment| matches!(moment, Moment::Truth(at, _) if at > since);
                let moments = truths(script, *user, cast).into_iter().flatten();
                moments.filter(later).collect::<Vec<_>>()
            };
            after(&self.one) != after(&self.other)
        })
    }

    /// Makes the viewer stay and look, and adds an act that the viewer can tell in the end; `false` where none was
    /// found.
    fn make_visible(&mut self, seed: u64) -> bool {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let cast = Cast::new(&mut dice);
        let mut dice = Dice::new(!seed);
        let Some(requests) = self.stay() else { return false };
        let truth = lasting(&self.one, self.viewer, &requests);
        for _ in 0..60 {
            let mut known: Vec<Known> = cast.users.iter().map(|_| Known::default()).collect();
            let mut candidate = self.one.clone();
            insert_act(&mut dice, &cast, &mut candidate, self.viewer, &mut known);
            let after = lasting(&candidate, self.viewer, &requests);
            let told = |(before, after): (&Option<Truth>, &Option<Truth>)| {
                before.is_some() && after.is_some() && before != after
            };
            if truth.iter().zip(&after).any(told) {
                self.other = candidate;
                return true;
            }
        }
        false
    }

    /// Leaves of the viewer's own acts only the first: they connect, subscribe and look. Answers to what.
    fn stay(&mut self) -> Option<Vec<SubscribeRequest>> {
        let whole = std::mem::take(&mut self.one);
        let looks = whole.iter().position(|(_, step)| matches!(step, Step::Subscribe(_)))?;
        let kept = whole.iter().enumerate();
        let kept = kept.filter(|(at, (_, step))| *at <= looks || !is_own(step, self.viewer, &whole));
        self.one = kept.map(|(_, step)| step.clone()).collect();
        self.one.iter().find_map(|(_, step)| match step {
            Step::Subscribe(requests) => Some(requests.clone()),
            Step::Act(_) => None,
        })
    }

    /// Asserts that the transcripts are equal; `false` where the worlds turned out to be two to the viewer.
    fn is_equal(&self) -> bool {
        if std::env::var_os("PROPERTY_SEED").is_some() {
            self.print();
        }
        let (one, other) = self.transcripts(None);
        if one != other && !self.is_one_with_signs_of_life() {
            return false;
        }
        for (at, (x, y)) in one.iter().zip(&other).enumerate() {
            assert_eq!(x, y, "frame {at}:\n{}\nagainst\n{}", readable(&x.1), readable(&y.1));
        }
        let longer = if one.len() > other.len() { &one } else { &other };
        let more = longer[one.len().min(other.len())..].iter().map(|(at, frame)| (at, readable(frame)));
        assert_eq!(one.len(), other.len(), "one world says more: {:#?}", more.collect::<Vec<_>>());
        true
    }

    /// Whether the worlds are still one to the viewer when the answers of others to heartbeats are told as well. When
    /// those come depends on when a connection was made, also one made unseen; an answer given while the subject is
    /// seen, and the last before a loss, is the minute that everybody may read.
    fn is_one_with_signs_of_life(&self) -> bool {
        let truths = |script: &Script| {
            let mut rig = Rig::new(limits());
            self.play_in(&mut rig, script);
            let signs = std::mem::take(&mut rig.noticed).into_iter().filter(|(_, act)| {
                !matches!(act, Act::Alive { session } | Act::Lost { session } if *session == self.session)
            });
            let mut script = script.clone();
            script.extend(signs.map(|(at, act)| (at, Step::Act(act))));
            script.sort_by_key(|(at, _)| *at);
            truths(&script, self.viewer, &self.cast)
        };
        truths(&self.one) == truths(&self.other)
    }

    fn print(&self) {
        eprintln!("viewer {:?} in {:?}, reads after {} ms", self.viewer, self.session, self.reads_after_ms);
        for step in &self.one {
            eprintln!("{} {step:?}", if self.other.contains(step) { "  both" } else { "< one " });
        }
        for step in self.other.iter().filter(|step| !self.one.contains(step)) {
            eprintln!("> other {step:?}");
        }
    }

    /// What the viewer gets in each world. `seed` may get the heart wrong first.
    pub(crate) fn transcripts(&self, seed: Option<&dyn Fn(&mut Presence)>) -> (Transcript, Transcript) {
        (self.play(&self.one, seed), self.play(&self.other, seed))
    }

    fn play(&self, script: &Script, seed: Option<&dyn Fn(&mut Presence)>) -> Transcript {
        let mut rig = Rig::new(limits());
        if let Some(seed) = seed {
            seed(&mut rig.presence);
            rig.checks = false;
        }
        self.play_in(&mut rig, script);
        let client = rig.clients.get(&self.session);
        let frames = client.into_iter().flat_map(|client| &client.frames);
        frames.map(|(at, frame)| (*at, wire::encode(self.encoding, frame, &Limits::default()))).collect()
    }

    fn play_in(&self, rig: &mut Rig, script: &Script) {
        let mut reads_at = None;
        for (at, step) in script {
            self.advance(rig, *at, &mut reads_at);
            match step {
                Step::Act(act) => rig.act(act),
                Step::Subscribe(requests) => rig.subscribe(self.session, requests.clone()),
            }
            if let Some(client) = rig.clients.get_mut(&self.session).filter(|_| self.reads_after_ms > 0) {
                client.unread.get_or_insert_default();
            }
        }
        let last = [&self.one, &self.other].into_iter().filter_map(|script| Some(script.last()?.0)).max();
        let end = last.unwrap_or_default() + AFTERMATH_MS;
        self.advance(rig, end, &mut reads_at);
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
        let swapped =
            |script: &Script| matches!(&script.get(at + 2), Some((_, Step::Act(Act::Connect { .. }))));
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
        Act::Occupancy { account, .. } => {
            Act::Occupancy { account, occupancy: script::occupancy(dice, cast) }
        }
        Act::Account { account, .. } => Act::Account { account, facts: script::account(dice, cast) },
        Act::Untrack { session } => Act::Track { session, track: script::track(dice, cast) },
        Act::Lost { session } => Act::SignOut { session },
        Act::SignOut { session } | Act::Alive { session } => Act::Lost { session },
        act => act,
    }
}

/// Whether the act is the viewer's own, and so the same in both worlds.
pub(crate) fn acts_for(act: &Act, viewer: UserId, script: &Script) -> bool {
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
        | Act::Active { session }
        | Act::SignOut { session }
        | Act::Lost { session }
        | Act::Resume { session, .. }
        | Act::RestEnd { session } => owner(session),
        Act::Account { .. } | Act::Occupancy { .. } => false,
    }
}
