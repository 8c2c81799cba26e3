//! Histories that were made by a world that is right are explained; each that is made wrong in one place is not.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::*;
use crate::occupancy_history::model::{Account, Assistant, Held};
use model::ErrorCode;

const ASSISTANTS: usize = 4;
const ACCOUNTS: usize = 4;
const LAG: Duration = Duration::from_secs(1);

/// A world in which everything happens as it should, at one instant each.
struct World {
    dice: StdRng,
    held: [Option<Held>; ACCOUNTS],
    last: [u64; ACCOUNTS],
    old: Vec<(Assistant, Account, u64)>,
    /// Time of the next instant, in milliseconds.
    now: u64,
    /// Whether some answers are lost.
    is_lossy: bool,
    ops: Vec<Op>,
}

impl World {
    fn new(seed: u64) -> Self {
        let (dice, held, last) = (StdRng::seed_from_u64(seed), [None; ACCOUNTS], [1; ACCOUNTS]);
        Self { dice, held, last, old: Vec::new(), now: 1_000, is_lossy: true, ops: Vec::new() }
    }

    fn free() -> State {
        State::free(ASSISTANTS, ACCOUNTS)
    }

    /// Something happens, somewhere between a question and an answer that overlap with others.
    fn step(&mut self) {
        let call = self.choose();
        let done = self.answer(&call);
        let is_lost =
            self.is_lossy && call != Call::Look && call != Call::Read && self.dice.random_ratio(1, 12);
        let answer = if is_lost { Answer::Open } else { done };
        self.now += self.dice.random_range(1..10);
        let (early, late) = (self.dice.random_range(0..20), self.dice.random_range(0..20));
        let hub = self.dice.random_range(0..2);
        self.note(call, answer, hub, [self.now - early, self.now + late]);
    }

    /// Something is told to have happened, after all else was answered.
    fn then(&mut self, call: Call, answer: Answer, hub: usize) {
        self.now += 100;
        self.note(call, answer, hub, [self.now, self.now + 10]);
    }

    fn note(&mut self, call: Call, answer: Answer, hub: usize, times: [u64; 2]) {
        let [asked, answered] = times.map(Duration::from_millis);
        self.ops.push(Op { call, answer, hub, asked, answered });
    }

    fn choose(&mut self) -> Call {
        let (who, account) = (self.dice.random_range(0..ASSISTANTS), self.dice.random_range(0..ACCOUNTS));
        match self.dice.random_range(0..10) {
            0..4 => Call::ClockIn { who, account },
            4..6 => match self.held[account] {
                Some(Held { who, epoch }) => Call::ClockOut { who, account, epoch: epoch.expect("told") },
                None => Call::ClockOut { who, account, epoch: self.last[account] },
            },
            6 => match self.old.last() {
                Some(&(who, account, epoch)) => Call::ClockOut { who, account, epoch },
                None => Call::Read,
            },
            7 => Call::Clear { account, holder: self.dice.random_bool(0.5).then_some(who) },
            8 => Call::Read,
            _ => Call::Look,
        }
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match *call {
            Call::ClockIn { who, account } => self.clock_in(who, account),
            Call::ClockOut { who, account, epoch } => self.end(account, Held { who, epoch: Some(epoch) }),
            Call::Clear { account, holder } => match self.held[account] {
                Some(held) if holder.is_none_or(|holder| holder == held.who) => self.end(account, held),
                _ => Answer::Refused(ErrorCode::NotHeld),
            },
            Call::Read => Answer::Shown(self.held.to_vec()),
            _ => Answer::Shown(self.names()),
        }
    }

    fn names(&self) -> Vec<Option<Held>> {
        self.held.iter().map(|held| held.map(|held| Held { epoch: None, ..held })).collect()
    }

    fn clock_in(&mut self, who: Assistant, account: Account) -> Answer {
        match self.held[account] {
            Some(held) if held.who != who => return Answer::Refused(ErrorCode::Occupied),
            Some(held) => return Answer::In { epoch: held.epoch.expect("told") },
            None => {}
        }
        for (left, place) in self.held.iter_mut().enumerate() {
            if let Some(held) = place.take_if(|held| held.who == who) {
                self.old.push((who, left, held.epoch.expect("told")));
            }
        }
        self.last[account] += self.dice.random_range(1..5);
        let epoch = self.last[account];
        self.held[account] = Some(Held { who, epoch: Some(epoch) });
        Answer::In { epoch }
    }

    fn end(&mut self, account: Account, hold: Held) -> Answer {
        if self.held[account] != Some(hold) {
            return Answer::Refused(ErrorCode::NotHeld);
        }
        self.held[account] = None;
        self.old.push((hold.who, account, hold.epoch.expect("told")));
        Answer::Ended
    }

    /// Everything answered, and everybody out.
    fn emptied(seed: u64) -> Self {
        let mut world = Self { is_lossy: false, ..Self::new(seed) };
        (0..40).for_each(|_| world.step());
        world.now += 1_000;
        for account in 0..ACCOUNTS {
            let call = Call::Clear { account, holder: None };
            let answer = world.answer(&call);
            world.then(call, answer, 0);
        }
        world.now += 2_000;
        world
    }

    /// Clocks in as it should be, and tells the epoch.
    fn comes(&mut self, who: Assistant, account: Account) -> u64 {
        let answer = self.clock_in(who, account);
        self.then(Call::ClockIn { who, account }, answer.clone(), 0);
        let Answer::In { epoch } = answer else { panic!("{answer:?}") };
        epoch
    }

    fn looks(&mut self, shown: [Option<Assistant>; ACCOUNTS], hub: usize) {
        let shown = shown.map(|who| who.map(|who| Held { who, epoch: None }));
        self.then(Call::Look, Answer::Shown(shown.to_vec()), hub);
    }
}

fn is_explained(world: &World) -> bool {
    explain(&world.ops, &World::free(), LAG).is_ok()
}

#[test]
fn twenty_good_histories_are_explained() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        (0..90).for_each(|_| world.step());
        if let Err(unexplained) = explain(&world.ops, &World::free(), LAG) {
            panic!("seed {seed}\n{}", Told(&world.ops, &unexplained));
        }
    }
}

/// What goes wrong behind a good history in which everybody was clocked out in the end.
type Wrong = fn(&mut World);

const WRONGS: [(&str, Wrong); 14] = [
    ("two holders of one account", |world| {
        world.comes(0, 0);
        let epoch = world.last[0] + 1;
        world.then(Call::ClockIn { who: 1, account: 0 }, Answer::In { epoch }, 1);
    }),
    ("a clock-out that was lost: somebody else is refused", |world| {
        let epoch = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch }, Answer::Ended, 0);
        world.then(Call::ClockIn { who: 1, account: 0 }, Answer::Refused(ErrorCode::Occupied), 1);
    }),
    ("a clock-out that was lost: it is still shown on that hub", |world| {
        let epoch = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch }, Answer::Ended, 0);
        world.looks([Some(0), None, None, None], 0);
    }),
    ("a clock-in that was lost", |world| {
        world.comes(0, 0);
        world.looks([None; ACCOUNTS], 0);
    }),
    ("an old epoch that is accepted", |world| {
        let old = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch: old }, Answer::Ended, 0);
        world.held[0] = None;
        world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch: old }, Answer::Ended, 1);
    }),
    ("an epoch that is used again", |world| {
        let epoch = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch }, Answer::Ended, 0);
        world.then(Call::ClockIn { who: 1, account: 0 }, Answer::In { epoch }, 0);
    }),
    ("an epoch that falls", |world| {
        let epoch = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch }, Answer::Ended, 0);
        world.then(Call::ClockIn { who: 1, account: 0 }, Answer::In { epoch: epoch - 1 }, 0);
    }),
    ("a clock-in that is refused though it was free all the time", |world| {
        world.then(Call::ClockIn { who: 1, account: 2 }, Answer::Refused(ErrorCode::Occupied), 1);
    }),
    ("a hold that is not held", |world| {
        let epoch = world.comes(0, 0);
        world.then(Call::ClockOut { who: 0, account: 0, epoch }, Answer::Refused(ErrorCode::NotHeld), 0);
    }),
    ("one in two accounts", |world| {
        world.comes(0, 0);
        world.comes(0, 1);
        world.looks([Some(0), Some(0), None, None], 0);
    }),
    ("one who was lost on the way", |world| {
        world.comes(0, 0);
        world.comes(0, 1);
        world.looks([None; ACCOUNTS], 0);
    }),
    ("the other hub, long after the acknowledgement", |world| {
        world.comes(0, 0);
        world.now += 2_000;
        world.looks([None; ACCOUNTS], 1);
    }),
    ("a hub that goes backwards", |world| {
        world.comes(0, 0);
        world.looks([Some(0), None, None, None], 1);
        world.looks([None; ACCOUNTS], 1);
    }),
    ("a clearing of who was not meant", |world| {
        world.comes(0, 0);
        world.then(Call::Clear { account: 0, holder: Some(1) }, Answer::Ended, 0);
    }),
];

#[test]
fn every_bad_history_is_refused() {
    for (name, wrong) in WRONGS {
        for seed in 100..102 {
            let mut world = World::emptied(seed);
            assert!(is_explained(&world), "seed {seed}, before anything is wrong");
            wrong(&mut world);
            assert!(!is_explained(&world), "{name}, seed {seed}");
        }
    }
}

#[test]
fn the_other_hub_may_lag_a_little() {
    let mut world = World::emptied(7);
    world.comes(0, 0);
    world.looks([None; ACCOUNTS], 1);
    world.looks([Some(0), None, None, None], 1);
    assert!(is_explained(&world));
}

#[test]
fn what_is_open_was_done_or_was_not() {
    let open = |shown: [Option<Assistant>; ACCOUNTS]| {
        let mut world = World::emptied(3);
        world.then(Call::ClockIn { who: 2, account: 1 }, Answer::Open, 0);
        world.looks(shown, 0);
        is_explained(&world)
    };
    assert!(open([None; ACCOUNTS]));
    assert!(open([None, Some(2), None, None]));
    assert!(!open([Some(2), None, None, None]), "not elsewhere");
    assert!(!open([None, Some(1), None, None]), "and nobody else");
}

/// Everything in every order, as slowly as can be.
fn is_explained_naively(ops: &[Op]) -> bool {
    fn some(ops: &[Op], order: &mut Vec<usize>, state: &State) -> bool {
        if ops.iter().enumerate().all(|(number, op)| op.is_open() || order.contains(&number)) {
            return true;
        }
        (0..ops.len()).filter(|next| !order.contains(next)).collect::<Vec<_>>().into_iter().any(|next| {
            let waits = |earlier: usize| !order.contains(&earlier) && ops[earlier].precedes(&ops[next], LAG);
            if (0..ops.len()).any(waits) {
                return false;
            }
            let Some(after) = state.after(&ops[next].call, &ops[next].answer) else { return false };
            order.push(next);
            let found = some(ops, order, &after);
            order.pop();
            found
        })
    }
    some(ops, &mut Vec::new(), &World::free())
}

/// Short histories, half of them with two answers exchanged.
#[test]
fn it_says_what_trying_every_order_says() {
    let (mut explained, mut refused) = (0, 0);
    for seed in 0..400 {
        let mut world = World::new(seed);
        (0..6).for_each(|_| world.step());
        if seed % 2 == 0 {
            let mut answers: Vec<_> = world.ops.iter().map(|op| op.answer.clone()).collect();
            answers.shuffle(&mut world.dice);
            world.ops.iter_mut().zip(answers).for_each(|(op, answer)| op.answer = answer);
        }
        let is = is_explained(&world);
        assert_eq!(is, is_explained_naively(&world.ops), "seed {seed}: {:?}", world.ops);
        *(if is { &mut explained } else { &mut refused }) += 1;
    }
    assert!(explained > 100 && refused > 50, "{explained} explained, {refused} refused");
}
