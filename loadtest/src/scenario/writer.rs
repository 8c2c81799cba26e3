//! `writer`: how much can be written behind, through the whole hub and into Postgres.
//!
//! Activity as fast as the hub takes it; and the last-seen of very many people at once, as after an outage.

mod last_seen;

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{
    Setup,
    bench::{Bench, Meter},
    load::Load,
    rows::{self, Told},
};
use crate::{
    engine::{drive, swarm::Plan},
    outcome::{Cost, Outcome},
    postgres::Postgres,
    process,
    world::World,
};

/// Clients that tell.
const CLIENTS: u32 = 500;
const ORGANIZATION: u32 = 10;
/// What a client has told and the hub has not answered yet.
const AT_ONCE: usize = 4;
const DURATION_S: u64 = 12;
/// For what the hub could not write at once to be written.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Rows of what was told, in the hub's database.
const COUNT: &str = "SELECT count(*) FROM presence_activity_logs WHERE metadata ? 'count'";

pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
    let activity = Postgres::start(&setup.hub, setup.core).and_then(|it| activity(&it, setup))?;
    let last_seen = Postgres::start(&setup.hub, setup.core).and_then(|it| last_seen::run(&it, setup))?;
    Ok(vec![activity, last_seen])
}

/// Rows at a moment.
struct Mark {
    at: Instant,
    taken: u64,
    rows: u64,
    /// For how long the hub's core has been busy.
    core_s: f64,
}

impl Mark {
    fn now(bench: &Bench, postgres: &Postgres, setup: &Setup) -> anyhow::Result<Self> {
        let rows = postgres.ask(COUNT)?.parse()?;
        let core_s = setup.core.map_or(Ok(0.0), process::core_busy_seconds)?;
        Ok(Self { at: Instant::now(), taken: bench.swarm.tally().taken, rows, core_s })
    }
}

fn activity(postgres: &Postgres, setup: &Setup) -> anyhow::Result<Outcome> {
    let load = load(setup).set_all(postgres.settings());
    let mut outcome = load.outcome("writer", setup);
    outcome.parameters.remove("changes_per_s");
    let mut bench = Bench::start(&load, setup)?;
    bench.swarm.judge.begin();
    tell(&mut outcome, &mut bench, postgres, setup, load.duration)?;
    let tally = bench.swarm.tally().clone();
    let told: Vec<_> = bench.swarm.told();
    let told: Vec<_> = told.into_iter().map(|(person, count)| Told { person, count, logged: true }).collect();
    (outcome.errors, outcome.notes) = (tally.errors, tally.complaints);
    bench.finish(&mut outcome)?;
    rows::check(&mut outcome, &load, setup, &told)?;
    copy(&mut outcome, postgres)?;
    outcome.check_truth();
    Ok(outcome)
}

fn load(setup: &Setup) -> Load {
    let people = setup.connections_or(CLIENTS);
    let world = World::new(people).with_organizations(0..people, ORGANIZATION).with_logs(0..people);
    let plans = (0..people).map(Plan::telling).collect();
    let load = Load { plans, duration: setup.duration_or(DURATION_S), ..Load::of(world, |_, _| None) };
    load.set("limits.activities_per_second", 1_000_000)
}

/// Everybody tells as fast as they are answered; what is counted is counted after a quarter of the time, and at its end.
fn tell(
    outcome: &mut Outcome,
    bench: &mut Bench,
    postgres: &Postgres,
    setup: &Setup,
    duration: Duration,
) -> anyhow::Result<()> {
    setup.progress.phase("telling", 2);
    bench.swarm.tell_relentlessly(AT_ONCE);
    drive::rest(&mut bench.swarm, duration / 4)?;
    let from = Mark::now(bench, postgres, setup)?;
    let meter = Meter::start(bench.hub.pid(), &mut bench.swarm)?;
    setup.progress.reach(1);
    drive::rest(&mut bench.swarm, duration * 3 / 4)?;
    let (cpu_s, generator_cpu_s) = meter.stop(&mut bench.swarm)?;
    let until = Mark::now(bench, postgres, setup)?;
    bench.swarm.relent();
    drive::settle(&mut bench.swarm, PATIENCE)?;
    let wall_s = (until.at - from.at).as_secs_f64();
    outcome.hub = Some(Cost { cpu_s, wall_s, generator_cpu_s, ..Cost::default() });
    outcome.duration_s = wall_s;
    outcome.figure("activities taken a second", (until.taken - from.taken) as f64 / wall_s, "");
    outcome.figure("rows committed a second", (until.rows - from.rows) as f64 / wall_s, "");
    outcome.figure("hub busy", 100.0 * cpu_s / wall_s, "%");
    outcome.figure("hub's core busy", 100.0 * (until.core_s - from.core_s) / wall_s, "%");
    outcome.figure(
        "told and not committed at the end",
        until.taken.saturating_sub(until.rows) as f64,
        "rows",
    );
    written(outcome, bench, postgres)
}

/// Waits until all that was taken is in the table.
fn written(outcome: &mut Outcome, bench: &mut Bench, postgres: &Postgres) -> anyhow::Result<()> {
    let began = Instant::now();
    let taken = bench.swarm.tally().taken;
    while postgres.ask(COUNT)?.parse::<u64>()? < taken && began.elapsed() < PATIENCE {
        drive::rest(&mut bench.swarm, LOOK_EVERY)?;
    }
    outcome.figure("all of it committed after", began.elapsed().as_secs_f64(), "s");
    for (name, metric) in [
        ("batches that failed", "presence_hub_writer_failed_batches_total"),
        ("times that something went to the disk", "presence_hub_backlog_syncs_total"),
    ] {
        outcome.figure(name, bench.hub.metric(metric)?, "");
    }
    Ok(())
}

/// The same rows by `psql` into a bare table: without indexes, row security and a write-ahead log.
fn copy(outcome: &mut Outcome, postgres: &Postgres) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rows").display().to_string();
    postgres.ask(&format!("\\copy (SELECT * FROM presence_activity_logs) TO '{file}'"))?;
    postgres.ask("CREATE UNLOGGED TABLE bare AS SELECT * FROM presence_activity_logs LIMIT 0")?;
    let rows = fs::read_to_string(&file).context(file.clone())?.lines().count();
    let began = Instant::now();
    postgres.ask("SELECT 1")?;
    let nothing = began.elapsed();
    let began = Instant::now();
    postgres.ask(&format!("\\copy bare FROM '{file}'"))?;
    let took = began.elapsed().saturating_sub(nothing);
    outcome.figure("rows a second by COPY into a bare table", rows as f64 / took.as_secs_f64(), "");
    Ok(())
}
