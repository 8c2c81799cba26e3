//! What did not hold, in words.

use super::number;
use crate::outcome::{Check, Outcome, Rule};

/// One line for each check that does not hold, those that fail the run first; or that all hold.
pub(super) fn misses(outcomes: &[&Outcome]) -> String {
    let mut missed: Vec<_> = outcomes
        .iter()
        .enumerate()
        .flat_map(|(n, outcome)| outcome.checks.iter().map(move |check| (run_name(outcomes, n), check)))
        .filter(|(_, check)| !check.holds)
        .collect();
    missed.sort_by_key(|(_, check)| !check.invariant);
    let lines: Vec<_> = missed.iter().map(|(run, check)| format!("{run}: {}\n", miss(check))).collect();
    if lines.is_empty() { "Every check holds.\n".to_owned() } else { lines.concat() }
}

/// The scenario, and which of its runs where there are several.
fn run_name(outcomes: &[&Outcome], n: usize) -> String {
    let scenario = &outcomes[n].scenario;
    let same = |outcome: &&&Outcome| outcome.scenario == *scenario;
    let (of, nth) = (outcomes.iter().filter(same).count(), outcomes[..=n].iter().filter(same).count());
    if of == 1 { scenario.clone() } else { format!("{scenario}, run {nth}") }
}

/// A check that does not hold.
pub(super) fn miss(check: &Check) -> String {
    let must = if check.invariant { "FAILED, must be" } else { "missed, aim" };
    let value = value(check.value, check.limit);
    format!("{} is {value} ({must} {})", check.name, limit(check))
}

/// What a value is held against.
pub(super) fn limit(check: &Check) -> String {
    let rule = match check.rule {
        Rule::AtMost => "at most",
        Rule::AtLeast => "at least",
        Rule::Exactly => "exactly",
    };
    format!("{rule} {}", number::count(check.limit))
}

/// A value beside its limit: with all its digits where fewer would make the two look the same.
pub(super) fn value(value: f64, limit: f64) -> String {
    let short = number::count(value);
    if value != limit && short == number::count(limit) { value.to_string() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_says_what_was_found_and_what_must_be() {
        let check = Check::at_most("p99, ms", 31.25, 20.0);
        assert_eq!(miss(&check), "p99, ms is 31.2 (FAILED, must be at most 20)");
        assert_eq!(miss(&check.into_aim()), "p99, ms is 31.2 (missed, aim at most 20)");
        let close = Check::at_most("ratio", 1.601, 1.6);
        assert_eq!(miss(&close), "ratio is 1.601 (FAILED, must be at most 1.60)");
    }

    #[test]
    fn failures_come_before_missed_aims_and_runs_are_told_apart() {
        let mut one = Outcome::new("rooms", 1);
        one.checks.push(Check::at_most("ratio", 2.0, 1.0).into_aim());
        let mut two = one.clone();
        two.checks.push(Check::exactly("errors", 1.0, 0.0));
        let text = misses(&[&one, &two]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "rooms, run 2: errors is 1 (FAILED, must be exactly 0)");
        assert_eq!(lines[1], "rooms, run 1: ratio is 2 (missed, aim at most 1)");
        assert_eq!(misses(&[&Outcome::new("idle", 1)]), "Every check holds.\n");
    }
}
