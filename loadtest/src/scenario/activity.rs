//! `activity`: what people do is written for the analytics, beside the presence of others, which is no slower for it.
//!
//! The crowd of `rooms` goes on through the whole run. In turn nobody tells anything, people tell whose organizations
//! keep no log, and people tell whose organizations keep one: the frames are the same, so what is between the last two
//! is the writer and the database alone, and what is between the first two is the price of more frames, on the
//! generator's side too.

mod tell;

use std::ops::Range;

use super::{
    Setup,
    bench::{Bench, Phase},
    load::Load,
    place::Place,
    rooms,
    rows::{self, Told},
};
use crate::{
    engine::swarm::Plan,
    outcome::{Cost, Outcome, Recorder},
    process,
    world::{Choice, Person},
};

const CONNECTIONS: u32 = 10_000;
/// One in so many of the crowd is as many as tell where a log is kept; and as many tell where none is.
const CROWD_BY_TELLERS: u32 = 20;
/// Activities a second for each person of the crowd: 5,000 for all.
const TOLD_PER_PERSON: f64 = 0.5;
/// Members of an organization of those who tell.
const ORGANIZATION: u32 = 10;
/// How often each kind of phase comes.
const ROUNDS: u32 = 4;
/// All phases together, in seconds.
const DURATION_S: u64 = 48;

/// What goes on beside the crowd in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// Things are told of which no log is kept.
    Unlogged,
    Logged,
}

impl Beside {
    const ALL: [Self; 3] = [Self::Nothing, Self::Unlogged, Self::Logged];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing told",
            Self::Unlogged => "told, no log",
            Self::Logged => "told and logged",
        }
    }

    /// There and back again, so that a drift of the machine meets all of them.
    fn round(number: u32) -> [Self; 3] {
        let mut all = Self::ALL;
        if number % 2 == 1 {
            all.reverse();
        }
        all
    }
}

/// Who is in the world: the crowd first, then those who tell for a log, then those who tell for none.
#[derive(Clone, Copy, Debug)]
struct People {
    crowd: u32,
    tellers: u32,
}

impl People {
    fn logged(self) -> Range<Person> {
        self.crowd..self.crowd + self.tellers
    }

    fn unlogged(self) -> Range<Person> {
        self.crowd + self.tellers..self.crowd + 2 * self.tellers
    }

    /// The load of the crowd with something beside it.
    fn tell(self, load: &Load, beside: Beside) -> Load {
        let rate = TOLD_PER_PERSON * f64::from(self.crowd);
        let telling = match beside {
            Beside::Nothing => None,
            Beside::Unlogged => Some(self.unlogged()),
            Beside::Logged => Some(self.logged()),
        };
        Load { beside: telling.map(|people| (people.collect(), rate)), ..load.clone() }
    }
}

/// What was found in all phases of a kind.
struct Part {
    beside: Beside,
    latency: Recorder,
    /// By round.
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    cost: Cost,
    /// For how long the hub's core was busy, whoever kept it so.
    core_s: f64,
    told: u64,
    taken: u64,
}

pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
    // Each database is gone before the next run begins.
    let postgres = Place::postgres(setup).and_then(|place| on(&place, setup))?;
    let embedded = Place::embedded().and_then(|place| on(&place, setup))?;
    Ok(vec![postgres, embedded])
}

fn on(place: &Place, setup: &Setup) -> anyhow::Result<Outcome> {
    let crowd = setup.connections_or(CONNECTIONS);
    let people = People { crowd, tellers: (crowd / CROWD_BY_TELLERS).max(1) };
    let load = place.under(load(people, setup));
    let mut outcome = load.outcome(&format!("activity-{}", place.name()), setup);
    let mut bench = Bench::start(&load, setup)?;
    outcome.memory = Some(bench.memory()?);
    let mut parts = Beside::ALL.map(Part::new);
    for round in 0..ROUNDS {
        for beside in Beside::round(round) {
            let load = people.tell(&load, beside);
            parts[beside as usize].measure(&mut bench, &load, setup)?.add_to(&mut outcome);
        }
    }
    tell::all(&mut outcome, &parts);
    let told = told(&bench, people);
    bench.finish(&mut outcome)?;
    rows::check(&mut outcome, &load, setup, &told)?;
    outcome.check_truth();
    Ok(outcome)
}

/// The crowd of `rooms`, and those who tell, who watch nothing.
fn load(people: People, setup: &Setup) -> Load {
    let mut mixed = rooms::mixed(setup.seed);
    let choose = |person| if person < people.crowd { mixed(person) } else { Choice::NONE };
    let world = rooms::world(people.crowd, 2 * people.tellers)
        .with_organizations(people.logged(), ORGANIZATION)
        .with_organizations(people.unlogged(), ORGANIZATION)
        .with_logs(people.logged())
        .with_choices(choose);
    let mut load = rooms::load_in(world, people.crowd, setup);
    let tellers = people.crowd as usize..;
    for plan in &mut load.plans[tellers] {
        *plan = Plan::telling(plan.person);
    }
    let duration = setup.duration_or(DURATION_S) / (ROUNDS * Beside::ALL.len() as u32);
    Load { duration, ..load }.set("limits.activities_per_second", 100_000)
}

fn told(bench: &Bench, people: People) -> Vec<Told> {
    let told = |(person, count)| Told { person, count, logged: people.logged().contains(&person) };
    bench.swarm.told().into_iter().map(told).collect()
}

impl Part {
    fn new(beside: Beside) -> Self {
        let (p50_ms, p99_ms, cost) = Default::default();
        Self { beside, latency: Recorder::new(), p50_ms, p99_ms, cost, core_s: 0.0, told: 0, taken: 0 }
    }

    /// One phase.
    fn measure(&mut self, bench: &mut Bench, load: &Load, setup: &Setup) -> anyhow::Result<Phase> {
        let core_s = || setup.core.map_or(Ok(0.0), process::core_busy_seconds);
        let before_s = core_s()?;
        let phase = bench.measure(load, setup, self.beside.name())?;
        self.core_s += core_s()? - before_s;
        let latency = phase.tally.latency.latency();
        self.p50_ms.push(latency.p50_ms);
        self.p99_ms.push(latency.p99_ms);
        self.latency.add(&phase.tally.latency);
        self.cost = self.cost.and(phase.cost);
        self.told += phase.tally.told;
        self.taken += phase.tally.taken;
        Ok(phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_go_there_and_back() {
        assert_eq!(Beside::round(0), Beside::ALL);
        assert_eq!(Beside::round(1)[0], Beside::Logged);
        assert!(Beside::ALL.iter().enumerate().all(|(n, beside)| *beside as usize == n));
    }

    #[test]
    fn those_who_tell_come_after_the_crowd() {
        let people = People { crowd: 100, tellers: 5 };
        assert_eq!((people.logged(), people.unlogged()), (100..105, 105..110));
    }
}
