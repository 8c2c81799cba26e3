//! What the writing of activity is judged by.

use super::{Beside, Part};
use crate::outcome::{Check, Outcome};

/// By how much writing may shift the latency of others.
const SHIFT: f64 = 1.1;
/// How much of the hub's core others may use while nothing is told, in per cent. With more, no latency
/// of the run means anything.
const OTHERS: f64 = 10.0;

/// Figures of each kind of phase, of one by another, and the checks.
pub(super) fn all(outcome: &mut Outcome, parts: &[Part; 3]) {
    for part in parts {
        figures(outcome, part);
    }
    let [nothing, unlogged, logged] = parts;
    let shift = compare(outcome, nothing, logged);
    compare(outcome, nothing, unlogged);
    let written = compare(outcome, unlogged, logged);
    outcome.checks.push(Check::at_most("p99 told and logged, times nothing told", shift, SHIFT).into_aim());
    outcome.checks.push(Check::at_most("p99 told and logged, times told, no log", written, SHIFT).into_aim());
    let own_us = |part: &Part| (part.cost.cpu_s * 1e6, part.taken as f64);
    let ((with, taken), (without, _)) = (own_us(logged), own_us(unlogged));
    outcome.figure("hub's CPU a row written, beyond a frame that is not", (with - without) / taken, "us");
    let (told, taken) = parts.iter().fold((0, 0), |(told, taken), p| (told + p.told, taken + p.taken));
    outcome.checks.push(Check::exactly("activities taken of told", taken as f64, told as f64));
    let others = 100.0 * (nothing.core_s - nothing.cost.cpu_s) / nothing.cost.wall_s;
    let check = Check::at_most("others on the hub's core while nothing was told, in %", others, OTHERS);
    outcome.checks.push(check.into_aim());
    outcome.latency = logged.latency.latency();
    outcome.hub = Some(logged.cost);
    outcome.duration_s = parts.iter().map(|part| part.cost.wall_s).sum();
}

fn figures(outcome: &mut Outcome, part: &Part) {
    let (name, latency, wall_s) = (part.beside.name(), part.latency.latency(), part.cost.wall_s);
    outcome.figure(&format!("p50, {name}"), latency.p50_ms, "ms");
    outcome.figure(&format!("p99, {name}"), latency.p99_ms, "ms");
    outcome.figure(&format!("p99.9, {name}"), latency.p999_ms, "ms");
    let (least, _, most) = spread(&part.p99_ms);
    outcome.figure(&format!("p99 of the best round, {name}"), least, "ms");
    outcome.figure(&format!("p99 of the worst round, {name}"), most, "ms");
    outcome.figure(&format!("hub busy, {name}"), 100.0 * part.cost.cpu_s / wall_s, "%");
    outcome.figure(&format!("hub's core busy, {name}"), 100.0 * part.core_s / wall_s, "%");
    if part.beside != Beside::Nothing {
        outcome.figure(&format!("activities taken a second, {name}"), part.taken as f64 / wall_s, "");
    }
}

/// The ratios of two kinds, round by round; the median of those of p99.
fn compare(outcome: &mut Outcome, without: &Part, with: &Part) -> f64 {
    let names = format!("{} by {}", with.beside.name(), without.beside.name());
    let (_, p50, _) = spread(&ratios(&with.p50_ms, &without.p50_ms));
    let (least, p99, most) = spread(&ratios(&with.p99_ms, &without.p99_ms));
    outcome.figure(&format!("p50 {names}, median of rounds"), p50, "x");
    outcome.figure(&format!("p99 {names}, median of rounds"), p99, "x");
    outcome.figure(&format!("p99 {names}, least"), least, "x");
    outcome.figure(&format!("p99 {names}, most"), most, "x");
    p99
}

fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

/// The least, the median and the most.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else {
        return (f64::NAN, f64::NAN, f64::NAN);
    };
    let middle = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    (*least, middle, *most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_two() {
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), (1.0, 2.5, 4.0));
        assert_eq!(spread(&[3.0]), (3.0, 3.0, 3.0));
        assert!(spread(&[]).1.is_nan());
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        assert_eq!(ratios(&[2.0, 9.0], &[1.0, 3.0]), [2.0, 3.0]);
    }
}
