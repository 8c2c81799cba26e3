//! Races of one agency, one after the other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postgres_cluster::Session;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use super::kinds::{ACCOUNTS, ASSISTANTS, Kind};
use crate::{
    fixture::{Desk, in_time},
    occupancy_history::{
        audit::Story,
        checker::{Op, Told, explain},
        crew::Crew,
        in_words,
        model::{Answer, Call, Held, State},
    },
};

/// Within which those who race begin.
const HEAD_START: Duration = Duration::from_micros(600);

/// What the races of a lane came to.
#[derive(Default)]
pub(super) struct Tally {
    /// How often each kind ended how.
    pub(super) outcomes: BTreeMap<(Kind, String), usize>,
    /// From the last answer until both hubs showed the end; the longest.
    pub(super) lag: Duration,
    /// Things done, by the audit.
    pub(super) events: BTreeMap<String, usize>,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (event, count) in other.events {
            *self.events.entry(event).or_default() += count;
        }
        self.lag = self.lag.max(other.lag);
    }
}

pub(super) struct Lane {
    pub(super) crew: Arc<Crew>,
    pub(super) desks: [Desk; 2],
    session: Session,
    dice: StdRng,
    tally: Tally,
}

impl Lane {
    pub(super) async fn begin(desks: [Desk; 2], session: Session, seed: u64) -> Self {
        let crew = Arc::new(Crew::hired(&desks[0], ASSISTANTS, ACCOUNTS).await);
        let lane = Self { crew, desks, session, dice: StdRng::seed_from_u64(seed), tally: Tally::default() };
        lane.converge(&Answer::Shown(vec![None; ACCOUNTS])).await;
        lane
    }

    pub(super) async fn run(&mut self, kind: Kind, races: usize) {
        for _ in 0..races {
            self.race(kind).await;
        }
    }

    /// Ends with a look at all that was written down.
    pub(super) fn end(mut self) -> Tally {
        let story = block_in_place(|| Story::read(&mut self.session, &self.crew.agency));
        self.tally.events = story.events;
        self.tally
    }

    async fn race(&mut self, kind: Kind) {
        let began = Instant::now();
        let mut ops = self.line_up(kind, began).await;
        let first = ops.len();
        let epoch = ops.first().map_or(0, |op| epoch_of(&op.answer));
        let calls = kind.calls(epoch, &mut self.dice);
        ops.extend(self.start(calls, began).await);
        let asked = began.elapsed();
        let answer = block_in_place(|| self.crew.read(&mut self.session));
        ops.push(Op { call: Call::Read, answer: answer.clone(), hub: 0, asked, answered: began.elapsed() });
        let free = State::free(ASSISTANTS, ACCOUNTS);
        if let Err(unexplained) = explain(&ops, &free, Duration::ZERO) {
            panic!("{kind:?} cannot be explained:\n{}", Told(&ops, &unexplained));
        }
        let lag = self.converge(&answer).await;
        self.tally.lag = self.tally.lag.max(lag);
        self.note(kind, &ops[first..ops.len() - 1]);
        if kind == Kind::RevokeAgainstMove {
            self.crew.renew_code(&self.desks[0], 0).await;
        }
    }

    /// Everybody is out, as by the platform's own SQL; then everybody is where the race begins.
    async fn line_up(&mut self, kind: Kind, began: Instant) -> Vec<Op> {
        let organization = self.crew.agency.organization;
        let clear = format!("DELETE FROM account_presence WHERE organization_id = '{organization}'");
        block_in_place(|| self.session.run(&clear)).expect("all out");
        let mut ops = Vec::new();
        for (who, account) in kind.before() {
            let call = Call::ClockIn { who: *who, account: *account };
            let hub = self.dice.random_range(0..2);
            ops.push(one(&self.crew, &self.desks, call, hub, began).await);
        }
        ops
    }

    /// All at once; most of them on different hubs.
    async fn start(&mut self, calls: Vec<Call>, began: Instant) -> Vec<Op> {
        let (first, apart) = (self.dice.random_range(0..2), !self.dice.random_ratio(1, 8));
        let runners = calls.into_iter().enumerate().map(|(number, call)| {
            let hub = if apart { (first + number) % 2 } else { first };
            let (crew, desks) = (self.crew.clone(), self.desks.clone());
            let wait = HEAD_START.mul_f64(self.dice.random());
            tokio::spawn(async move {
                sleep(wait).await;
                one(&crew, &desks, call, hub, began).await
            })
        });
        let mut ops = Vec::new();
        for runner in runners.collect::<Vec<_>>() {
            ops.push(runner.await.expect("an answer"));
        }
        ops
    }

    /// Waits until both hubs show this; how long that took.
    async fn converge(&self, end: &Answer) -> Duration {
        let Answer::Shown(end) = end else { panic!("{end:?}") };
        let names = end.iter().map(|held| held.map(|held| Held { epoch: None, ..held })).collect();
        let (names, began) = (Answer::Shown(names), Instant::now());
        for desk in &self.desks {
            let shown = async {
                while self.crew.try_look(desk).await.as_ref() != Some(&names) {
                    sleep(Duration::from_millis(1)).await;
                }
            };
            in_time(&format!("{names:?} on a hub"), shown).await;
        }
        began.elapsed()
    }

    fn note(&mut self, kind: Kind, racers: &[Op]) {
        assert!(racers.iter().all(|op| op.answer != Answer::Open), "an answer is missing: {racers:?}");
        let words: Vec<_> = racers.iter().map(in_words).collect();
        *self.tally.outcomes.entry((kind, words.join(", "))).or_default() += 1;
    }
}

fn epoch_of(answer: &Answer) -> u64 {
    let Answer::In { epoch } = answer else { panic!("{answer:?} where a race was to begin") };
    *epoch
}

async fn one(crew: &Crew, desks: &[Desk; 2], call: Call, hub: usize, began: Instant) -> Op {
    let asked = began.elapsed();
    let answer = crew.make(&desks[hub], &call, None).await;
    Op { call, answer, hub, asked, answered: began.elapsed() }
}
