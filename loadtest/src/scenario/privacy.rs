//! `privacy`: what it costs to decide per viewer, and what hidden changes tell by the time they take.
//!
//! The cost: `rooms` with everybody visible to everybody, against `rooms` with mixed choices, at the same delivered
//! rate. The time: in weddings where half hide, their changes come in every other phase of one run; what the
//! viewers see of the others must not arrive later for it.

use super::{
    Setup,
    bench::{Bench, Phase},
    load::Load,
    rooms,
};
use crate::{
    engine::judge::Leaves,
    outcome::{Check, Outcome, Recorder},
    world::{Choice, Visibility, World},
};

const ENOUGH: u64 = 50_000;
/// People of the paired run, half of whom hide.
const PAIRED: u32 = 2_000;
const VISIBLE_PER_S: f64 = 200.0;
const HIDDEN_PER_S: f64 = 1_000.0;
/// With and without hidden changes in turn, so that a drift of the machine meets both.
const PHASES: usize = 4;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let open = rooms::load(setup, |_| Choice::of(Visibility::Everyone));
    let mut everyone = Outcome::default();
    measure(&open, setup, "everybody visible", &mut everyone)?;
    let mixed = rooms::load(setup, rooms::mixed(setup.seed));
    // As many deliveries a second, of which each change causes fewer.
    let rate = open.rate * open.mean_audience() / mixed.mean_audience();
    let mixed = Load { rate, ..mixed };
    let mut outcome = mixed.outcome("privacy", setup);
    outcome.floor = Some(mixed.floor(setup)?.0);
    measure(&mixed, setup, "mixed choices", &mut outcome)?;
    cost(&mut outcome, &everyone);
    time(&mut outcome, setup)?;
    add(&mut outcome, everyone.delivered, everyone.expected, everyone.errors, everyone.forbidden);
    outcome.check_truth();
    Ok(outcome)
}

fn measure(load: &Load, setup: &Setup, phase: &str, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut bench = Bench::start(load, setup)?;
    bench.measure(load, setup, phase)?.tell(outcome);
    bench.finish(outcome)
}

fn cost(outcome: &mut Outcome, everyone: &Outcome) {
    let each = |outcome: &Outcome| outcome.hub.and_then(|hub| hub.cpu_s_per_million()).unwrap_or(f64::NAN);
    let ratio = each(outcome) / each(everyone);
    outcome.figure("CPU of a million, everybody visible", each(everyone), "s");
    let check = Check::at_most("CPU with choices, times without", ratio, 1.2);
    let enough = outcome.delivered >= ENOUGH;
    outcome.checks.push(if enough { check } else { check.into_aim() });
}

fn time(outcome: &mut Outcome, setup: &Setup) -> anyhow::Result<()> {
    let (plain, beside) = paired(setup);
    let mut bench = Bench::start(&plain, setup)?;
    bench.swarm.judge.time_only(&plain.pool);
    let mut medians = [Recorder::new(), Recorder::new()];
    for phase in 0..PHASES {
        let hidden = phase % 2;
        let load = if hidden == 1 { &beside } else { &plain };
        let name = if hidden == 1 { "with hidden changes" } else { "without hidden changes" };
        let Phase { tally, .. } = bench.measure(load, setup, name)?;
        medians[hidden].add(&tally.latency);
        add(outcome, tally.delivered, tally.expected, tally.errors, tally.forbidden);
        outcome.notes.extend(tally.complaints);
    }
    shift(outcome, &medians);
    bench.finish(outcome)
}

/// The same weddings with and without the changes of those who hide.
fn paired(setup: &Setup) -> (Load, Load) {
    let people = setup.connections_or(PAIRED).min(PAIRED);
    let hides = |person: u32| person % 2 == 1;
    let world = World::new(people).with_weddings(0..people, rooms::WEDDING).with_choices(|person| {
        Choice::of(if hides(person) { Visibility::Nobody } else { Visibility::Contacts })
    });
    let load = Load::of(world, World::wedding_of);
    let scale = f64::from(people) / f64::from(PAIRED);
    let plain = Load {
        pool: (0..people).filter(|person| !hides(*person)).collect(),
        rate: VISIBLE_PER_S * scale,
        duration: setup.duration_or(20) / PHASES as u32,
        leaves: Leaves::Wrong,
        ..load
    };
    let hidden = (0..people).filter(|person| hides(*person)).collect();
    let beside = Load { beside: Some((hidden, HIDDEN_PER_S * scale)), ..plain.clone() };
    (plain, beside)
}

fn shift(outcome: &mut Outcome, [without, with]: &[Recorder; 2]) {
    let (without, with) = (without.latency(), with.latency());
    outcome.figure("p50 without hidden changes", without.p50_ms, "ms");
    outcome.figure("p50 beside hidden changes", with.p50_ms, "ms");
    outcome.figure("p99 without hidden changes", without.p99_ms, "ms");
    outcome.figure("p99 beside hidden changes", with.p99_ms, "ms");
    let check = Check::at_most("hidden changes shift the median, in ms", with.p50_ms - without.p50_ms, 1.0);
    outcome.checks.push(check);
}

fn add(outcome: &mut Outcome, delivered: u64, expected: u64, errors: u64, forbidden: u64) {
    outcome.delivered += delivered;
    outcome.expected += expected;
    outcome.errors += errors;
    outcome.forbidden += forbidden;
}
