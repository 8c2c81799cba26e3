//! `outage`: the database is stopped, and later frozen, while everybody goes on.
//!
//! Presence has to go on as before. What has to be durable is refused in time; what hides is in force at once, is kept,
//! and is committed later. All recovers by itself, and nobody is shown what they may not see at any time.

mod tell;
mod watch;

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;

use super::{
    Setup,
    bench::{Bench, Phase},
    load::Load,
    rooms,
};
use crate::{
    engine::{drive, judge::Leaves},
    outcome::{Cost, Outcome, Recorder},
    postgres::Postgres,
    world::{Choice, Person, Visibility},
};
use watch::{Act, Seen, Watch};

const CONNECTIONS: u32 = 5_000;
/// For how long the server is stopped, in seconds. All the rest is measured by it.
const STOPPED_S: u64 = 120;
/// Hides while the server is stopped, and makes no change before.
const HIDES_WHILE_STOPPED: Person = 0;
/// The same while it is frozen.
const HIDES_WHILE_FROZEN: Person = 1;
/// Is hidden, and asks again and again to be seen, which cannot be granted meanwhile.
const WANTS_TO_BE_SEEN: Person = 2;
/// For what was encoded before somebody hid to arrive.
const ARRIVING: Duration = Duration::from_millis(100);

/// A stretch of the run, between two things that happen to the server, or to somebody's settings.
struct Stretch {
    /// Stretches of one name are told together.
    part: &'static str,
    act: Act,
    /// So many 24ths of the time for which the server is stopped.
    share: u32,
    /// Who hides in it.
    hides: Option<Person>,
}

const STRETCHES: [Stretch; 7] = [
    Stretch { part: "before", act: Act::Nothing, share: 6, hides: None },
    Stretch { part: "stopped", act: Act::Stop, share: 12, hides: Some(HIDES_WHILE_STOPPED) },
    Stretch { part: "stopped", act: Act::Nothing, share: 12, hides: None },
    Stretch { part: "back", act: Act::StartAgain, share: 2, hides: None },
    Stretch { part: "frozen", act: Act::Freeze, share: 6, hides: Some(HIDES_WHILE_FROZEN) },
    Stretch { part: "frozen", act: Act::Nothing, share: 6, hides: None },
    Stretch { part: "after", act: Act::Thaw, share: 6, hides: None },
];

impl Stretch {
    /// Whether the server is away.
    fn is_down(&self) -> bool {
        matches!(self.part, "stopped" | "frozen")
    }

    /// How long it lasts: also in a short run long enough for what has to happen in it.
    fn duration(&self, stopped: Duration) -> Duration {
        let least = match self.act {
            Act::Nothing => 1,
            Act::Stop | Act::Freeze => 6,
            Act::StartAgain | Act::Thaw => 10,
        };
        (stopped * self.share / 24).max(Duration::from_secs(least))
    }
}

/// What was found in the stretches of one name.
struct Part {
    name: &'static str,
    is_down: bool,
    latency: Recorder,
    cost: Cost,
    /// Resident memory of the hub at the end, in KiB.
    rss_kib: u64,
    seen: Seen,
}

/// The hub, its database, and what was found so far.
struct Course<'a> {
    setup: &'a Setup,
    load: Load,
    bench: Bench,
    watch: Watch<'a>,
    /// Whose hiding was acknowledged.
    hidden: Vec<Person>,
    parts: Vec<Part>,
    outcome: Outcome,
    /// When the last stretch began, in seconds since 1970.
    began_at_s: u64,
}

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let postgres = Postgres::start(&setup.hub, setup.core)?;
    let mut course = Course::begin(setup, &postgres)?;
    for stretch in &STRETCHES {
        course.go(stretch)?;
    }
    course.end(&postgres)
}

fn load(setup: &Setup, postgres: &Postgres) -> Load {
    let mut mixed = rooms::mixed(setup.seed);
    let choose = |person| match (person, mixed(person)) {
        (HIDES_WHILE_STOPPED | HIDES_WHILE_FROZEN, _) => Choice::of(Visibility::Contacts),
        (WANTS_TO_BE_SEEN, _) => Choice::of(Visibility::Nobody),
        (_, choice) => choice,
    };
    let people = setup.connections_or(CONNECTIONS);
    let load = Load { leaves: Leaves::Passed, ..rooms::load_of(people, setup, choose) };
    load.set_all(postgres.settings())
}

impl<'a> Course<'a> {
    fn begin(setup: &'a Setup, postgres: &'a Postgres) -> anyhow::Result<Self> {
        let load = load(setup, postgres);
        let mut outcome = load.outcome("outage", setup);
        let bench = Bench::start(&load, setup)?;
        outcome.memory = Some(bench.memory()?);
        let watch = Watch::of(&bench.hub, postgres, setup.core)?;
        let (hidden, parts) = Default::default();
        Ok(Self { setup, load, bench, watch, hidden, parts, outcome, began_at_s: 0 })
    }

    /// Lets everybody go on while something happens to the server.
    fn go(&mut self, stretch: &Stretch) -> anyhow::Result<()> {
        let duration = stretch.duration(self.setup.duration_or(STOPPED_S));
        let load = Load { duration, pool: self.pool(), ..self.load.clone() };
        self.began_at_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let (watch, bench, setup) = (&self.watch, &mut self.bench, self.setup);
        let (phase, seen) = thread::scope(|scope| {
            let watching = scope.spawn(|| watch.during(stretch, duration));
            let phase = bench.measure(&load, setup, stretch.part);
            let seen = watching.join().map_err(|_| anyhow!("what was to happen to the server did not"))?;
            anyhow::Ok((phase?, seen?))
        })?;
        if let Some(person) = stretch.hides.filter(|_| seen.has_hidden()) {
            drive::rest(&mut self.bench.swarm, ARRIVING)?;
            self.bench.swarm.judge.hide(person);
            self.hidden.push(person);
        }
        self.take(stretch, &phase, seen)
    }

    /// Who makes changes: whoever is to hide only once they have, because then nobody may be shown any of them.
    fn pool(&self) -> Vec<Person> {
        let waits = |person: &Person| {
            [HIDES_WHILE_STOPPED, HIDES_WHILE_FROZEN].contains(person) && !self.hidden.contains(person)
        };
        self.load.pool.iter().copied().filter(|person| !waits(person)).collect()
    }

    fn take(&mut self, stretch: &Stretch, phase: &Phase, seen: Seen) -> anyhow::Result<()> {
        phase.add_to(&mut self.outcome);
        if self.parts.last().is_none_or(|part| part.name != stretch.part) {
            self.parts.push(Part::new(stretch));
        }
        let rss_kib = self.bench.hub.rss_kib()?;
        if let Some(part) = self.parts.last_mut() {
            part.rss_kib = rss_kib;
            part.latency.add(&phase.tally.latency);
            part.cost = part.cost.and(phase.cost);
            part.seen.add(seen);
        }
        Ok(())
    }

    fn end(mut self, postgres: &Postgres) -> anyhow::Result<Outcome> {
        let outcome = &mut self.outcome;
        let cost = self.parts.iter().map(|part| part.cost).reduce(Cost::and).unwrap_or_default();
        (outcome.duration_s, outcome.hub) = (cost.wall_s, Some(cost));
        tell::figures(outcome, &self.parts);
        tell::check_parts(outcome, &self.parts);
        tell::check_database(outcome, postgres, self.began_at_s)?;
        outcome.check_truth();
        self.bench.finish(&mut self.outcome)?;
        Ok(self.outcome)
    }
}

impl Part {
    fn new(stretch: &Stretch) -> Self {
        let (cost, seen) = Default::default();
        Self {
            name: stretch.part,
            is_down: stretch.is_down(),
            latency: Recorder::new(),
            cost,
            rss_kib: 0,
            seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(part: &str, stopped: u64) -> Duration {
        let of_it = STRETCHES.iter().filter(|stretch| stretch.part == part);
        of_it.map(|stretch| stretch.duration(Duration::from_secs(stopped))).sum()
    }

    #[test]
    fn the_parts_last_as_they_are_told() {
        let seconds =
            ["before", "stopped", "back", "frozen", "after"].map(|part| length(part, STOPPED_S).as_secs());
        assert_eq!(seconds, [30, 120, 10, 60, 30]);
    }

    #[test]
    fn a_short_run_leaves_time_to_be_refused_and_to_recover() {
        assert!(
            length("stopped", 4) >= Duration::from_secs(6) && length("back", 4) >= Duration::from_secs(10)
        );
    }
}
