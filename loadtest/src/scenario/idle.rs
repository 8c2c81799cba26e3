//! `idle`: what a connection weighs that has its view and does nothing, and whether a burst leaves anything behind.

use std::time::Duration;

use anyhow::ensure;
use rustix::process::{Resource, getrlimit};

use super::{Setup, bench::Bench, load::Load};
use crate::{
    engine::drive,
    outcome::{Check, Memory, Outcome},
    world::World,
};

/// Where the limit of descriptors allows it, and where it does not.
const MANY: u32 = 50_000;
const FEWER: u32 = 18_000;
/// Descriptors that a process needs besides.
const OTHERS: u64 = 500;
const WEDDING: u32 = 20;
/// Connections below which the hub's own growth is most of what is measured.
const ENOUGH: u32 = 5_000;
const BURST: Duration = Duration::from_secs(60);

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let connections = setup.connections_or(if room_for(MANY) { MANY } else { FEWER });
    let load = load(connections);
    let mut outcome = load.outcome("idle", setup);
    let mut bench = Bench::start(&load, setup)?;
    let connected = bench.memory()?;
    let sampler = bench.hub.sampler();
    let cpu_s = quiet(&mut bench, setup, "quiet", setup.duration_or(60))?;
    let quiet_minute = bench.memory()?;
    burst(&mut bench, setup)?;
    let burst = bench.memory()?;
    quiet(&mut bench, setup, "quiet again", setup.duration_or(60) / 2)?;
    let after = bench.memory()?;
    outcome.series = sampler.stop();
    outcome.duration_s = setup.duration_or(60).as_secs_f64();
    let quiet_cpu = cpu_s / outcome.duration_s / f64::from(connections) * 1e6;
    outcome.figure("CPU while quiet, of 1,000 connections", quiet_cpu, "ms/s");
    outcome.memory = Some(Memory { rss_peak_kib: burst.rss_peak_kib, ..quiet_minute });
    let looks = [
        ("connected", connected),
        ("quiet", quiet_minute),
        ("after the burst", burst),
        ("quiet again", after),
    ];
    tell(&mut outcome, &looks);
    check(&mut outcome, connections, quiet_minute, after);
    let tally = bench.swarm.tally();
    (outcome.errors, outcome.forbidden) = (tally.errors, tally.forbidden);
    outcome.notes.extend(tally.complaints.iter().cloned());
    outcome.notes.push(format!("{connections} connections: the limit of descriptors is {}", limit()));
    bench.finish(&mut outcome)?;
    outcome.check_truth();
    Ok(outcome)
}

fn load(connections: u32) -> Load {
    Load::of(World::new(connections).with_weddings(0..connections, WEDDING), World::wedding_of)
}

fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn room_for(connections: u32) -> bool {
    limit() >= u64::from(connections) + OTHERS
}

/// Does nothing but answer heartbeats; the hub's CPU seconds meanwhile.
fn quiet(bench: &mut Bench, setup: &Setup, phase: &str, duration: Duration) -> anyhow::Result<f64> {
    setup.progress.phase(phase, duration.as_secs());
    let before = bench.hub.cpu_seconds()?;
    let clock = bench.swarm.clock();
    let (start, length) = (clock.now(), crate::engine::clock::nanos(duration));
    drive::wait_for(&mut bench.swarm, duration, |_| {
        setup.progress.reach((clock.now() - start) / 1_000_000_000);
        clock.now() - start >= length
    })?;
    Ok(bench.hub.cpu_seconds()? - before)
}

/// Everybody gives up their view and asks for it again, all at once.
fn burst(bench: &mut Bench, setup: &Setup) -> anyhow::Result<()> {
    setup.progress.phase("a burst of snapshots", bench.swarm.len() as u64);
    bench.swarm.subscribe_again();
    let all = drive::wait_for(&mut bench.swarm, BURST, |swarm| {
        setup.progress.reach(swarm.live() as u64);
        swarm.live() == swarm.len()
    })?;
    ensure!(all, "after the burst {} of {} have their view", bench.swarm.live(), bench.swarm.len());
    bench.quiet()
}

fn tell(outcome: &mut Outcome, looks: &[(&str, Memory)]) {
    for (when, memory) in looks {
        outcome.figure(&format!("RSS each, {when}"), memory.rss_each_kib().unwrap_or_default(), "KiB");
        outcome.figure(&format!("kernel each, {when}"), memory.kernel_each_kib().unwrap_or_default(), "KiB");
    }
}

fn check(outcome: &mut Outcome, connections: u32, quiet: Memory, after: Memory) {
    let each = quiet.rss_each_kib().unwrap_or(f64::NAN);
    let grown = after.rss_each_kib().unwrap_or(f64::NAN) / each;
    let ceilings = [
        Check::at_most("RSS of a connection in KiB", each, 8.0),
        Check::at_most("RSS after the burst, times before", grown, 1.1),
    ];
    outcome.checks.extend(ceilings.map(|check| if connections >= ENOUGH { check } else { check.into_aim() }));
    outcome.checks.push(Check::at_most("RSS of a connection in KiB, aimed at", each, 4.0).into_aim());
}
