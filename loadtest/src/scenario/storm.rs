//! `storm`: everybody is thrown off at once and comes back, with their session and their view.

use std::time::Duration;

use super::{
    Setup,
    bench::{Bench, Meter},
    load::Load,
};
use crate::{
    engine::{drive, swarm::Retry},
    outcome::{Check, Outcome, Recorder},
    process,
    world::World,
};

const CLIENTS: u32 = 10_000;
const WEDDING: u32 = 20;
/// For all to be back, in seconds, and where that is too much to ask, before the run is given up.
const DEADLINE_S: f64 = 1.5;
const PATIENCE: Duration = Duration::from_secs(60);
/// What the hub may take above what it had, in KiB.
const PEAK_KIB: f64 = 64.0 * 1024.0;

/// How they come back.
struct Manner {
    name: &'static str,
    retry: Retry,
    spread: Duration,
    es256: bool,
}

/// Well-behaved clients draw their delay from a second; badly behaved ones come at once and do not wait when they
/// are refused.
const MANNERS: [Manner; 3] = [
    Manner { name: "storm", retry: Retry::WellBehaved, spread: Duration::from_secs(1), es256: false },
    Manner { name: "storm-bad", retry: Retry::AtOnce, spread: Duration::ZERO, es256: false },
    Manner { name: "storm-es256", retry: Retry::AtOnce, spread: Duration::ZERO, es256: true },
];

pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
    MANNERS.iter().map(|manner| blow(setup, manner)).collect()
}

fn blow(setup: &Setup, manner: &Manner) -> anyhow::Result<Outcome> {
    let load = load(setup, manner);
    let mut outcome =
        load.outcome(manner.name, setup).with("tokens", if manner.es256 { "ES256" } else { "HS256" });
    let mut bench = Bench::start(&load, setup)?;
    outcome.memory = Some(bench.memory()?);
    come_back(&mut bench, setup, manner, &mut outcome)?;
    // That their views live is seen by what they are shown afterwards.
    bench.quiet()?;
    let phase = bench.measure(&load, setup, "afterwards")?;
    phase.tell(&mut outcome);
    bench.finish(&mut outcome)?;
    outcome.check_truth();
    Ok(outcome)
}

fn load(setup: &Setup, manner: &Manner) -> Load {
    let clients = setup.connections_or(CLIENTS);
    Load {
        rate: setup.rate_or(f64::from(clients) / 10.0),
        duration: Duration::from_secs(2),
        es256: manner.es256,
        ..Load::of(World::new(clients).with_weddings(0..clients, WEDDING), World::wedding_of)
    }
}

fn come_back(bench: &mut Bench, setup: &Setup, manner: &Manner, outcome: &mut Outcome) -> anyhow::Result<()> {
    setup.progress.phase("coming back", bench.swarm.len() as u64);
    let pid = bench.hub.pid();
    process::forget_peak(pid)?;
    let steady_kib = bench.hub.rss_kib()?;
    let meter = Meter::start(pid, &mut bench.swarm)?;
    bench.swarm.throw_off(manner.retry, manner.spread, usize::MAX);
    drive::wait_for(&mut bench.swarm, PATIENCE, |swarm| {
        setup.progress.reach(swarm.live() as u64);
        swarm.live() == swarm.len()
    })?;
    let (hub_s, generator_s) = meter.stop(&mut bench.swarm)?;
    outcome.figure("hub CPU of a comeback", hub_s / bench.swarm.len() as f64 * 1e6, "us");
    outcome.figure("generator CPU of a comeback", generator_s / bench.swarm.len() as f64 * 1e6, "us");
    let peak_kib = process::peak_rss_kib(pid)?.saturating_sub(steady_kib) as f64;
    outcome.figure("peak RSS above steady", peak_kib / 1024.0, "MiB");
    outcome.checks.push(Check::at_most("peak RSS above steady in KiB", peak_kib, PEAK_KIB));
    tell(bench, manner, outcome);
    Ok(())
}

fn tell(bench: &Bench, manner: &Manner, outcome: &mut Outcome) {
    let comeback = bench.swarm.comeback();
    let mut times = Recorder::new();
    comeback.after.iter().for_each(|after| times.record_us(after / 1000));
    let times = times.latency();
    let all_s = times.max_ms / 1000.0;
    let clients = bench.swarm.len() as f64;
    outcome.figure("half are back after", times.p50_ms / 1000.0, "s");
    outcome.figure("all are back after", all_s, "s");
    outcome.figure("refused attempts", comeback.refused as f64, "");
    outcome.figure("new sessions or snapshots", comeback.renewed as f64, "");
    outcome.checks.extend([
        Check::exactly("clients that are back", bench.swarm.live() as f64, clients),
        Check::exactly("clients that resumed", comeback.resumed as f64, clients),
    ]);
    let in_time = Check::at_most("all are back after, in s", all_s, DEADLINE_S);
    // To verify an elliptic signature costs half as much again as all the rest: reported, not demanded.
    outcome.checks.push(if manner.es256 { in_time.into_aim() } else { in_time });
}
