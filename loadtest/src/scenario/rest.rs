//! `rest`: what a platform's back-end and pages ask for by HTTP, beside thousands of live subscribers and a log of
//! millions of rows.
//!
//! The hub has a core of its own. Postgres is on the generator's, behind it, so that analytics take no time from the hub,
//! as where the database is another machine. The generator sleeps while nothing is due: then the database has that core.

pub(super) mod answer;
mod desk;
mod log;
mod office;
mod tell;

use std::{ops::Range, time::Duration};

use super::{
    Setup,
    bench::{Bench, prepare},
    load::Load,
    rooms,
};
use crate::{
    engine::{
        clock::{MILLISECOND, SECOND, nanos},
        drive::{self, Target},
        schedule::{Arrival, Schedule, Spacing, merged},
    },
    outcome::{Outcome, Recorder},
    postgres::Postgres,
    process::{self, Foremost},
    world::{Channel, Choice, Person},
};
use desk::{Desk, Kind, desks};
use office::{Found, Office};

const CONNECTIONS: u32 = 10_000;
/// Members of the organization with a log.
const STAFF: u32 = 2_000;
/// Rows of its log, for each subscriber.
const ROWS_PER_CONNECTION: u64 = 1_000;
/// Days of a report, where the log is as long.
const DAYS: u32 = 90;
/// The phases of everything at once, in seconds; the quiet ones are a third of it.
const DURATION_S: u64 = 30;
/// Reports that are made one after another, with nothing else going on.
const ALONE: usize = 10;
/// For what was asked last to be answered.
const SETTLING: Duration = Duration::from_secs(20);
/// The same where reports are under way.
const REPORTING: Duration = Duration::from_secs(240);

/// How many there are of each.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scene {
    crowd: u32,
    staff: u32,
    /// Days of which there is a log, without those by which ranges differ.
    days: u32,
    rows: u64,
}

impl Scene {
    fn of(setup: &Setup) -> Self {
        let crowd = setup.connections_or(CONNECTIONS);
        Self {
            crowd,
            staff: (crowd / 5).clamp(20, STAFF),
            days: (crowd / 10).clamp(7, DAYS),
            rows: setup.rows.unwrap_or(u64::from(crowd) * ROWS_PER_CONNECTION),
        }
    }

    fn members(&self) -> Range<Person> {
        self.crowd..self.crowd + self.staff
    }

    /// Those who ask for reports.
    fn admins(&self) -> Range<Person> {
        self.crowd..self.crowd + desk::REPORTS_AT_ONCE
    }

    /// The crowd of `rooms`, of whom only those change who do so by REST; and the organization, which is not there.
    fn load(&self, setup: &Setup, postgres: &Postgres) -> Load {
        let mut mixed = rooms::mixed(setup.seed);
        let choose = |person| if person < self.crowd { mixed(person) } else { Choice::NONE };
        let world = rooms::world(self.crowd, self.staff);
        let world = world
            .with_organizations(self.members(), self.staff)
            .with_logs(self.members())
            .with_admins(self.admins())
            .with_choices(choose);
        let mut load = rooms::load_in(world, self.crowd, setup);
        load.plans.truncate(self.crowd as usize);
        load.duration = setup.duration_or(DURATION_S);
        load.set_all(postgres.settings())
            .set("limits.clockings_per_second", 100_000)
            .set("jobs.archive_after_days", 366)
    }

    fn organization(&self, load: &Load) -> Channel {
        let found = load.world.organization_of(self.crowd);
        found.unwrap_or(Channel::Organization(0))
    }
}

/// What was found in a phase.
struct Phase {
    found: Found,
    /// The hub's, the generator's and the database's.
    cpu_s: f64,
    generator_s: f64,
    database_s: f64,
    wall_s: f64,
    /// How late calls were made.
    lag: Recorder,
}

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let scene = Scene::of(setup);
    let postgres = Postgres::start_behind(&setup.hub, None)?;
    let _foremost = Foremost::become_it();
    let load = scene.load(setup, &postgres);
    let mut outcome = load.outcome("rest", setup).with("rows", scene.rows).with("staff", scene.staff);
    outcome.parameters.remove("changes_per_s");
    let hub = prepare(&load, setup)?;
    let organization = scene.organization(&load);
    log::fill(&mut outcome, &hub, &postgres, setup, (&scene, organization))?;
    let mut bench = Bench::with(hub, &load, setup)?;
    outcome.memory = Some(bench.memory()?);
    let desks = desks(&scene, &load, &bench.hub, organization)?;
    bench.swarm.admit_callers(desks.len());
    phases(&mut outcome, &mut bench, (&load, &postgres), setup, &desks)?;
    bench.finish(&mut outcome)?;
    outcome.check_truth();
    Ok(outcome)
}

fn phases(
    outcome: &mut Outcome,
    bench: &mut Bench,
    (load, postgres): (&Load, &Postgres),
    setup: &Setup,
    desks: &[Desk],
) -> anyhow::Result<()> {
    let short = Load { duration: load.duration / 3, ..load.clone() };
    let quiet = measure(bench, (&short, postgres), setup, ("quiet", desks, &[]))?;
    let bulk = measure(bench, (&short, postgres), setup, ("bulk alone", desks, &[Kind::Bulk]))?;
    tell::bulk(outcome, &quiet, &bulk);
    tell::alone(outcome, &alone(bench, setup, desks, load)?);
    let calls = [Kind::Track, Kind::Bulk, Kind::One, Kind::Settings];
    let without = measure(bench, (load, postgres), setup, ("without reports", desks, &calls))?;
    tell::phase(outcome, &without, "without reports");
    let all = [&calls[..], &[Kind::Report]].concat();
    let with = measure(bench, (load, postgres), setup, ("beside reports", desks, &all))?;
    tell::phase(outcome, &with, "beside reports");
    tell::aims(outcome, &without, &with);
    Ok(())
}

/// Lets those of some kinds ask, and waits until all have their answers.
fn measure(
    bench: &mut Bench,
    (load, postgres): (&Load, &Postgres),
    setup: &Setup,
    (name, desks, kinds): (&str, &[Desk], &[Kind]),
) -> anyhow::Result<Phase> {
    setup.progress.phase(name, load.duration.as_secs());
    bench.swarm.judge.begin();
    let pid = bench.hub.pid();
    let taken = || {
        Ok::<_, anyhow::Error>([
            process::cpu_seconds(pid)?,
            process::own_cpu_seconds(),
            postgres.cpu_seconds()?,
        ])
    };
    let before = taken()?;
    let start = bench.swarm.clock().now() + MILLISECOND;
    let mut office = Office::new(&mut bench.swarm, bench.hub.address(), load, desks);
    office.open_reports(kinds.contains(&Kind::Report), start);
    let mut lag = Recorder::new();
    drive::play(&mut office, arrivals(desks, kinds, load.duration, setup.seed, start), |now, late| {
        lag.record_us(late / 1000);
        setup.progress.reach((now - start) / SECOND);
    })?;
    let end = start + nanos(load.duration);
    while office.now() < end {
        office.run_until(end)?;
    }
    let wall_s = (office.now() - start) as f64 / SECOND as f64;
    drive::settle(&mut office, SETTLING)?;
    let after = taken()?;
    let [cpu_s, generator_s, database_s] = std::array::from_fn(|which| after[which] - before[which]);
    office.close_reports(REPORTING)?;
    let found = office.end();
    Ok(Phase { found, cpu_s, generator_s, database_s, wall_s, lag })
}

/// Everybody of a kind at the rate of the kind.
fn arrivals(
    desks: &[Desk],
    kinds: &[Kind],
    duration: Duration,
    seed: u64,
    start: u64,
) -> impl Iterator<Item = Arrival> {
    let stream = |kind: &Kind| -> Box<dyn Iterator<Item = Arrival>> {
        let callers: Vec<u32> =
            (0..).zip(desks).filter(|(_, desk)| desk.kind == *kind).map(|(n, _)| n).collect();
        let rate = kind.calls_per_s() * callers.len() as f64;
        // One who announces more than once a second would be refused; all others ask as they please.
        let spacing = if *kind == Kind::Track { Spacing::Even } else { Spacing::Poisson };
        let schedule = Schedule::new(callers, rate, spacing, seed + *kind as u64);
        Box::new(schedule.within(start, nanos(duration)))
    };
    let none: Box<dyn Iterator<Item = Arrival>> = Box::new(std::iter::empty());
    let open = kinds.iter().filter(|kind| **kind != Kind::Report);
    open.map(stream).fold(none, |one, other| Box::new(merged(one, other)))
}

/// Reports that nobody asked for before, one after the other, with nothing else going on.
fn alone(bench: &mut Bench, setup: &Setup, desks: &[Desk], load: &Load) -> anyhow::Result<Found> {
    setup.progress.phase("reports alone", ALONE as u64);
    bench.swarm.judge.begin();
    let mut office = Office::new(&mut bench.swarm, bench.hub.address(), load, desks);
    for number in 0..ALONE {
        setup.progress.reach(number as u64);
        office.report(number)?;
        drive::wait_for(&mut office, REPORTING, |office| office.is_done())?;
    }
    Ok(office.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_scene_has_everybody() {
        let scene = Scene { crowd: 100, staff: 20, days: 10, rows: 1_000 };
        assert_eq!((scene.members(), scene.admins()), (100..120, 100..110));
    }
}
