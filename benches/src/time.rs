//! How long something takes that has to be quick: the one figure in time beside those in instructions.

use std::time::Instant;

use crate::region::{PERMISSION_CHECKS, permission};

/// Each gives one figure.
const RUNS: usize = 301;
/// How often all checks are made in one run: together some milliseconds.
const ROUNDS: u64 = 50;

/// Nanoseconds for one check, over all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Half of the runs took no longer.
    pub(crate) median_ns: f64,
    /// Of the quickest run.
    pub(crate) least_ns: f64,
    /// Nine runs in ten took no longer.
    pub(crate) p90_ns: f64,
    /// Of the slowest: what else the machine did is in it.
    pub(crate) most_ns: f64,
}

/// Checks permissions of people whose facts are in memory, and have been looked at before.
pub(crate) fn of_permission() -> Spread {
    let mut work = permission();
    let mut run = || {
        let began = Instant::now();
        let checks: u64 = (0..ROUNDS).map(|_| work()).sum();
        began.elapsed().as_nanos() as f64 / checks as f64
    };
    run();
    spread((0..RUNS).map(|_| run()).collect())
}

fn spread(mut runs: Vec<f64>) -> Spread {
    runs.sort_by(f64::total_cmp);
    let at = |share: f64| runs[((runs.len() - 1) as f64 * share) as usize];
    Spread { median_ns: at(0.5), least_ns: at(0.0), p90_ns: at(0.9), most_ns: at(1.0) }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median_ns, least_ns, p90_ns, most_ns } = self;
        let checks = ROUNDS * PERMISSION_CHECKS;
        write!(
            f,
            "{median_ns:.1} ns a check, the median of {RUNS} runs of {checks}; \
             least {least_ns:.1}, nine in ten at most {p90_ns:.1}, most {most_ns:.1}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let found = spread(vec![5.0, 1.0, 9.0, 2.0, 3.0]);
        assert_eq!((found.least_ns, found.median_ns, found.p90_ns, found.most_ns), (1.0, 3.0, 5.0, 9.0));
    }
}
