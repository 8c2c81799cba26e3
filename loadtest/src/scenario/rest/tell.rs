//! What the calls are judged by.

use super::{Phase, desk::Kind, office::Found};
use crate::outcome::{Check, Cost, Outcome, Recorder};

/// What a bulk query may cost the hub, in microseconds of its CPU.
const BULK_US: f64 = 1_000.0;
/// Above this share of its core the generator would be what is measured, in per cent.
const GENERATOR: f64 = 80.0;

/// What a bulk query costs: the hub's time with them, less that without.
pub(super) fn bulk(outcome: &mut Outcome, quiet: &Phase, bulk: &Phase) {
    count(outcome, &quiet.found);
    count(outcome, &bulk.found);
    let calls = bulk.found.latency(Kind::Bulk);
    let quiet_s = quiet.cpu_s / quiet.wall_s * bulk.wall_s;
    let each_us = (bulk.cpu_s - quiet_s) * 1e6 / calls.count() as f64;
    outcome.figure("hub busy, quiet", 100.0 * quiet.cpu_s / quiet.wall_s, "%");
    outcome.figure("hub busy, bulk alone", 100.0 * bulk.cpu_s / bulk.wall_s, "%");
    outcome.figure("hub's CPU of a bulk of 50", each_us, "us");
    latency(outcome, calls, "bulk of 50, alone");
    outcome.checks.push(Check::at_most("hub's CPU of a bulk of 50, in us", each_us, BULK_US).into_aim());
}

/// Reports one after the other.
pub(super) fn alone(outcome: &mut Outcome, found: &Found) {
    count(outcome, found);
    let reports = found.latency(Kind::Report);
    latency(outcome, reports, "report of 90 days, alone, uncached");
    let (aim, required) = Kind::Report.limits_ms();
    let p99 = reports.latency().p99_ms;
    outcome.checks.push(Check::at_most("p99 of a report alone, in ms", p99, required).into_aim());
    outcome.checks.push(Check::at_most("p99 of a report alone, in ms, aimed at", p99, aim).into_aim());
}

/// Everything at once.
pub(super) fn phase(outcome: &mut Outcome, phase: &Phase, name: &str) {
    count(outcome, &phase.found);
    for kind in Kind::ALL {
        latency(outcome, phase.found.latency(kind), &format!("{}, {name}", kind.name()));
    }
    latency(outcome, &phase.found.diffs, &format!("diff of a track, {name}"));
    let share = |s: f64| 100.0 * s / phase.wall_s;
    outcome.figure(&format!("hub busy, {name}"), share(phase.cpu_s), "%");
    outcome.figure(&format!("generator busy, {name}"), share(phase.generator_s), "%");
    outcome.figure(&format!("database busy, {name}"), share(phase.database_s), "%");
    outcome.figure(&format!("calls made late, p99, {name}"), phase.lag.latency().p99_ms, "ms");
    let busy = Check::at_most(&format!("generator busy, {name}, in %"), share(phase.generator_s), GENERATOR);
    outcome.checks.push(busy.into_aim());
}

/// What is required and aimed at, of the phase beside reports and the one without.
pub(super) fn aims(outcome: &mut Outcome, without: &Phase, with: &Phase) {
    for (phase, name) in [(without, "without reports"), (with, "beside reports")] {
        for kind in Kind::ALL {
            let found = phase.found.latency(kind);
            if found.count() == 0 {
                continue;
            }
            let ((aim, required), p99) = (kind.limits_ms(), found.latency().p99_ms);
            let check = format!("p99 of {}, {name}, in ms", kind.name());
            outcome.checks.push(Check::at_most(&check, p99, required).into_aim());
            outcome.checks.push(Check::at_most(&format!("{check}, aimed at"), p99, aim).into_aim());
        }
    }
    let diffs = &with.found.diffs;
    outcome.latency = diffs.latency();
    outcome.duration_s = with.wall_s;
    outcome.hub = Some(Cost {
        cpu_s: with.cpu_s,
        wall_s: with.wall_s,
        deliveries: with.found.delivered,
        bytes: 0,
        generator_cpu_s: with.generator_s,
    });
}

fn latency(outcome: &mut Outcome, recorder: &Recorder, name: &str) {
    let latency = recorder.latency();
    if latency.count == 0 {
        return;
    }
    outcome.figure(&format!("calls, {name}"), latency.count as f64, "");
    outcome.figure(&format!("p50 {name}"), latency.p50_ms, "ms");
    outcome.figure(&format!("p99 {name}"), latency.p99_ms, "ms");
    outcome.figure(&format!("longest {name}"), latency.max_ms, "ms");
}

/// Adds what was counted in a phase.
fn count(outcome: &mut Outcome, found: &Found) {
    outcome.delivered += found.delivered;
    outcome.expected += found.expected;
    outcome.forbidden += found.forbidden + found.shown_wrongly;
    outcome.errors += found.errors + found.wrongs;
    for ((kind, status), times) in &found.refused {
        let check = format!("calls of {kind} that were answered with {status}");
        outcome.checks.push(Check::exactly(&check, *times as f64, 0.0).into_aim());
        outcome.figure(&format!("calls of {kind} that were answered with {status}"), *times as f64, "");
    }
    for complaint in &found.complaints {
        if !outcome.notes.contains(complaint) {
            outcome.notes.push(complaint.clone());
        }
    }
}
