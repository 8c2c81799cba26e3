//! `slow`: readers that stop to read, beside readers in the same channels who must not notice.
//!
//! First all read, then half of them stop. Their windows are small and everybody's page is long, so that the buffers
//! of the kernel are full after a few seconds, and the hub has to hold what it cannot send.

use std::time::Duration;

use super::{
    Setup,
    bench::{Bench, Phase},
    load::Load,
};
use crate::{
    engine::{drive, judge::Leaves},
    outcome::{Check, Outcome, Sample},
    process,
    world::{Choice, Visibility, World},
};

const CONNECTIONS: u32 = 2_000;
const WEDDING: u32 = 100;
/// Bytes of a deaf client's receive buffer.
const WINDOW: usize = 4096;
/// Characters of everybody's page.
const PAGE: usize = 400;
/// How long the hub waits for a reader, in ms.
const STALL_MS: u64 = 2_000;
/// In less time the kernel's buffers are not full and the hub has not waited.
const STALLING: Duration = Duration::from_secs(8);
/// What a stalled reader may cost the hub, in KiB.
const STALLED_KIB: f64 = 64.0;
/// For those who were let go to learn of it.
const LEARNING: Duration = Duration::from_secs(15);
const ENOUGH: u64 = 50_000;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let load = load(setup);
    let deaf: Vec<usize> = (0..load.plans.len()).filter(|link| is_deaf(*link as u32)).collect();
    let mut outcome = load.outcome("slow", setup).with("deaf", deaf.len());
    let (floor, _) = load.floor(setup)?;
    outcome.floor = Some(floor);
    let mut bench = Bench::start(&load, setup)?;
    outcome.memory = Some(bench.memory()?);
    bench.swarm.judge.time_only(&load.pool);
    let all_read = bench.measure(&load, setup, "all read")?;
    process::forget_peak(bench.hub.pid())?;
    let (rss_kib, open) = (bench.hub.rss_kib()?, descriptors(&bench)?);
    for link in &deaf {
        bench.swarm.deafen(*link)?;
    }
    let load = Load { duration: load.duration.max(STALLING), ..load };
    let half_deaf = bench.measure(&load, setup, "half are deaf")?;
    let let_go = open.saturating_sub(descriptors(&bench)?);
    let more_kib = process::peak_rss_kib(bench.hub.pid())?.saturating_sub(rss_kib) as f64;
    half_deaf.tell(&mut outcome);
    costs(&mut outcome, more_kib, &half_deaf.series, deaf.len() as f64);
    compare(&mut outcome, &all_read, &half_deaf);
    outcome.checks.push(Check::exactly("stalled readers let go", let_go as f64, deaf.len() as f64));
    learn(&mut bench, &deaf, &mut outcome)?;
    outcome.errors += all_read.tally.errors;
    outcome.forbidden += all_read.tally.forbidden;
    outcome.delivered += all_read.tally.delivered;
    outcome.expected += all_read.tally.expected;
    bench.finish(&mut outcome)?;
    outcome.check_truth();
    Ok(outcome)
}

/// The files that the hub has open, its connections among them.
fn descriptors(bench: &Bench) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", bench.hub.pid()))?.count())
}

fn is_deaf(person: u32) -> bool {
    person % 2 == 1
}

fn load(setup: &Setup) -> Load {
    let connections = setup.connections_or(CONNECTIONS);
    let choice = Choice { show_current_page: true, ..Choice::of(Visibility::Contacts) };
    let world = World::new(connections).with_weddings(0..connections, WEDDING).with_choices(|_| choice);
    let mut load = Load::of(world, World::wedding_of);
    for plan in load.plans.iter_mut().filter(|plan| is_deaf(plan.person)) {
        plan.receive_buffer = Some(WINDOW);
    }
    load.pool.retain(|person| !is_deaf(*person));
    let load = Load {
        rate: setup.rate_or(f64::from(connections) / 2.0),
        duration: setup.duration_or(15),
        leaves: Leaves::Passed,
        padding: PAGE,
        ..load
    };
    load.set("presence.stall_ms", STALL_MS)
}

/// What the stalled readers cost while they were there.
fn costs(outcome: &mut Outcome, more_kib: f64, series: &[Sample], deaf: f64) {
    let first = series.first().map_or(0, |sample| sample.tcp_kib);
    let most = series.iter().map(|sample| sample.tcp_kib).max().unwrap_or_default();
    let kernel_each = most.saturating_sub(first) as f64 / deaf;
    outcome.figure("RSS of a stalled reader", more_kib / deaf, "KiB");
    outcome.figure("kernel buffers of a stalled reader, both ends", kernel_each, "KiB");
    outcome.checks.push(Check::at_most("RSS of a stalled reader in KiB", more_kib / deaf, STALLED_KIB));
}

fn compare(outcome: &mut Outcome, all_read: &Phase, half_deaf: &Phase) {
    let (before, during) = (all_read.tally.latency.latency(), half_deaf.tally.latency.latency());
    outcome.figure("p50 while all read", before.p50_ms, "ms");
    outcome.figure("p99 while all read", before.p99_ms, "ms");
    let ratio = during.p99_ms / before.p99_ms;
    let check = Check::at_most("p99 beside stalled readers, times before", ratio, 3.0);
    let enough = half_deaf.tally.delivered >= ENOUGH;
    outcome.checks.push(if enough { check } else { check.into_aim() });
    outcome.checks.push(Check::at_most("the same, aimed at", ratio, 1.1).into_aim());
}

/// Those who were let go read what is left, and find the end.
fn learn(bench: &mut Bench, deaf: &[usize], outcome: &mut Outcome) -> anyhow::Result<()> {
    for link in deaf {
        bench.swarm.hear_again(*link)?;
    }
    drive::wait_for(&mut bench.swarm, LEARNING, |swarm| swarm.let_go() == deaf.len())?;
    let learned = bench.swarm.let_go() as f64;
    outcome.checks.push(Check::exactly("stalled readers that found the end", learned, deaf.len() as f64));
    Ok(())
}
