//! `clock`: assistants clock in, move and clock out in an agency of thousands of accounts, most of which are held, beside
//! thousands of clients: members of the agency, members of others, and people who watch nothing.
//!
//! How long a call takes until it is committed, shown and answered; how soon a badge is seen; what a board costs those
//! who did not ask for it. And whoever is sent anything is shown what they may see: the owner who is where, everybody
//! else that somebody is.

mod board;
mod onlooker;
mod probe;
mod scene;
mod socket;
mod tell;
mod worker;

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context, anyhow};
use tempfile::TempDir;

use super::{
    Setup,
    bench::{Bench, prepare},
    desk,
    load::Load,
    place::Place,
};
use crate::{
    engine::{
        clock::{MILLISECOND, SECOND},
        drive,
        swarm::Swarm,
    },
    hub::{Hub, HubOptions},
    outcome::{Latency, Outcome, Recorder},
    postgres::Postgres,
    world::agency::{Account, Assistant, OWNER},
};
use board::Boards;
use onlooker::Onlooker;
use probe::{Probe, Seen};
use scene::Scene;
use worker::Found;

/// The phase of clock-ins, in seconds; the others are a third of it or less.
const DURATION_S: u64 = 30;
/// How often boards are opened for a while, and not opened for a while.
const ROUNDS: u32 = 4;
/// For what was changed last to arrive.
const SETTLING: Duration = Duration::from_secs(20);

/// Who is where.
type Held = BTreeMap<Account, Assistant>;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
    let postgres = Postgres::start(&setup.hub, setup.core).map(|it| Place::Postgres(Box::new(it)));
    let postgres = postgres.and_then(|place| on(&place, setup))?;
    let embedded = Place::embedded().and_then(|place| on(&place, setup))?;
    Ok(vec![postgres, embedded])
}

fn on(place: &Place, setup: &Setup) -> anyhow::Result<Outcome> {
    let scene = Scene::of(setup);
    let load = place.under(scene.load(setup));
    let name = format!("clock-{}", place.name());
    let mut outcome = scene.tell(load.outcome(&name, setup));
    let hub = prepare(&load, setup)?;
    let second = second(place, &load, setup)?;
    let (mut probe, workers, mut held) = scene.fill(&hub, setup)?;
    if let Place::Postgres(postgres) = place {
        probe.session = Some(postgres.session());
    }
    let mut onlookers = onlookers(&hub, second.as_ref().map(|(hub, _)| hub), scene.resident())?;
    let (mut bench, mut changes) =
        badges(&mut outcome, hub, &load, setup, (&mut probe, &mut onlookers, scene.duration / 3))?;
    boards(&mut outcome, &mut bench, &load, setup, (&scene, held.len()))?;
    let (found, seen) = clock(&mut outcome, &mut bench, &load, setup, (workers, &mut probe, &mut onlookers))?;
    changes += seen.changes();
    held.extend(&found.held);
    held.extend(probe.resident());
    tell::truth(&mut outcome, &mut bench, onlookers, &held)?;
    tell::lists(&mut outcome, &bench.hub, &held, scene.resident())?;
    if let Place::Postgres(postgres) = place {
        tell::database(&mut outcome, postgres, &held, (&found, changes))?;
    }
    second.map_or(Ok(()), |(hub, _)| hub.stop())?;
    bench.finish(&mut outcome)?;
    outcome.check_truth();
    Ok(outcome)
}

/// How soon badges are seen before anybody else is connected, and when all are and nobody does anything; the bench with
/// everybody, and how many changes there were.
fn badges(
    outcome: &mut Outcome,
    hub: Hub,
    load: &Load,
    setup: &Setup,
    (probe, onlookers, duration): (&mut Probe, &mut [Onlooker], Duration),
) -> anyhow::Result<(Bench, u64)> {
    setup.progress.phase("badges, nobody else", 1);
    let alone = probe.run(onlookers, duration)?;
    alone.tell(outcome, "nobody else");
    let mut bench = Bench::with(hub, load, setup)?;
    outcome.memory = Some(bench.memory()?);
    setup.progress.phase("badges, all quiet", 1);
    let quiet = beside(&mut bench.swarm, || probe.run(onlookers, duration))??;
    quiet.tell(outcome, "all quiet");
    tell::count(outcome, bench.swarm.tally());
    Ok((bench, alone.changes() + quiet.changes()))
}

/// Another hub on the same database, with a spool of its own, where there can be one.
fn second(place: &Place, load: &Load, setup: &Setup) -> anyhow::Result<Option<(Hub, TempDir)>> {
    let Place::Postgres(_) = place else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let mut settings = load.settings.clone();
    settings.insert("store.spool_path".to_owned(), folder.path().join("spool").display().to_string());
    let options = HubOptions { core: setup.core, settings, es256: false };
    let hub = Hub::start(&setup.hub, &options).context("the second hub")?;
    Ok(Some((hub, folder)))
}

fn onlookers(hub: &Hub, second: Option<&Hub>, resident: Assistant) -> anyhow::Result<Vec<Onlooker>> {
    let mut onlookers =
        vec![Onlooker::start("owner", hub, OWNER)?, Onlooker::start("assistant", hub, resident)?];
    if let Some(second) = second {
        onlookers.push(Onlooker::start("owner at the second hub", second, OWNER)?);
        onlookers.push(Onlooker::start("assistant at the second hub", second, resident)?);
    }
    Ok(onlookers)
}

/// Lets something be done on another thread, while the clients take what arrives.
fn beside<T: Send>(swarm: &mut Swarm, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let task = scope.spawn(work);
        while !task.is_finished() {
            swarm.run_until(swarm.clock().now() + MILLISECOND)?;
        }
        task.join().map_err(|_| anyhow!("it ended in a panic"))
    })
}

/// What the diffs of people took in some phases.
struct Beside {
    latency: Recorder,
    /// The hub's.
    cpu_s: f64,
    wall_s: f64,
}

impl Beside {
    fn new() -> Self {
        Self { latency: Recorder::new(), cpu_s: 0.0, wall_s: 0.0 }
    }

    fn latency(&self) -> Latency {
        self.latency.latency()
    }

    /// Lets people change while `work` is done on a thread of its own.
    fn measure<T: Send>(
        &mut self,
        outcome: &mut Outcome,
        bench: &mut Bench,
        (load, setup): (&Load, &Setup),
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        bench.swarm.judge.begin();
        let before_s = bench.hub.cpu_seconds()?;
        let swarm = &mut bench.swarm;
        let start = swarm.clock().now() + MILLISECOND;
        let done = thread::scope(|scope| {
            let task = scope.spawn(work);
            drive::play(swarm, load.schedule(setup, start), |now, _| {
                setup.progress.reach((now - start) / SECOND);
            })?;
            while !task.is_finished() {
                swarm.run_until(swarm.clock().now() + MILLISECOND)?;
            }
            self.wall_s += (swarm.clock().now() - start) as f64 / SECOND as f64;
            task.join().map_err(|_| anyhow!("it ended in a panic"))?
        })?;
        drive::settle(&mut bench.swarm, SETTLING)?;
        self.cpu_s += bench.hub.cpu_seconds()? - before_s;
        self.latency.add(&bench.swarm.tally().latency);
        tell::count(outcome, bench.swarm.tally());
        Ok(done)
    }

    fn tell(&self, outcome: &mut Outcome, when: &str) {
        let latency = self.latency();
        outcome.figure(&format!("p50 of others' diffs, {when}"), latency.p50_ms, "ms");
        outcome.figure(&format!("p99 of others' diffs, {when}"), latency.p99_ms, "ms");
        outcome.figure(&format!("longest of others' diffs, {when}"), latency.max_ms, "ms");
        outcome.figure(&format!("hub busy, {when}"), 100.0 * self.cpu_s / self.wall_s, "%");
    }
}

/// Phases without boards, and with them, in turn: the owner's, who is shown names, and a member's.
fn boards(
    outcome: &mut Outcome,
    bench: &mut Bench,
    load: &Load,
    setup: &Setup,
    (scene, held): (&Scene, usize),
) -> anyhow::Result<()> {
    let duration = scene.duration / (3 * ROUNDS);
    let load = Load { duration, ..load.clone() };
    let (mut without, mut with) = (Beside::new(), Beside::new());
    let (mut owners, mut members) = (Boards::new(), Boards::new());
    for round in 0..ROUNDS {
        setup.progress.phase("boards", duration.as_secs());
        without.measure(outcome, bench, (&load, setup), || Ok(()))?;
        let (boards, who) =
            if round % 2 == 0 { (&mut owners, OWNER) } else { (&mut members, scene.resident()) };
        let socket = socket::Socket::enter(&bench.hub, who)?;
        with.measure(outcome, bench, (&load, setup), || boards.open(socket, held, duration))?;
    }
    owners.tell(outcome, "the owner's");
    members.tell(outcome, "a member's");
    board::compare(outcome, &without, &with);
    Ok(())
}

/// All workers at once, beside the probe and the changes of people.
fn clock(
    outcome: &mut Outcome,
    bench: &mut Bench,
    load: &Load,
    setup: &Setup,
    (workers, probe, onlookers): (Vec<worker::Worker>, &mut Probe, &mut [Onlooker]),
) -> anyhow::Result<(Found, Seen)> {
    setup.progress.phase("clock-ins", load.duration.as_secs());
    let mut beside = Beside::new();
    let duration = load.duration;
    let (found, badges) = beside.measure(outcome, bench, (load, setup), || {
        thread::scope(|scope| {
            let working: Vec<_> =
                workers.into_iter().map(|worker| scope.spawn(move || worker.work(duration))).collect();
            let badges = probe.run(onlookers, duration);
            let mut all = Found::new();
            for working in working {
                all.add(working.join().map_err(|_| anyhow!("a worker ended in a panic"))??);
            }
            Ok((all, badges?))
        })
    })?;
    beside.tell(outcome, "beside clock-ins");
    badges.tell(outcome, "beside clock-ins");
    tell::found(outcome, &found, beside.wall_s);
    Ok((found, badges))
}
