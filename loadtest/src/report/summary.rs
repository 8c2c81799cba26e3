//! Figures of outcomes, and their spread over several runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::number;
use crate::outcome::Outcome;

/// Figures by key.
pub(super) type Derived = BTreeMap<&'static str, f64>;

/// A figure that every outcome may have.
pub(super) struct Column {
    /// Its name in JSON.
    pub(super) key: &'static str,
    /// Its name for people, in two lines where it is long.
    pub(super) title: [&'static str; 2],
    /// What it means.
    pub(super) means: &'static str,
    /// As text.
    pub(super) show: fn(f64) -> String,
    value: fn(&Outcome) -> Option<f64>,
}

/// The columns, in the order of the table.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        key: "deliveries_per_s",
        title: ["deliveries", "/s"],
        means: "Changes that reached viewers in a second.",
        show: number::short,
        value: |outcome| outcome.hub?.deliveries_per_s(),
    },
    Column {
        key: "cpu_s_per_million",
        title: ["CPU s", "/1M"],
        means: "User and system seconds of the hub for a million deliveries.",
        show: number::short,
        value: |outcome| outcome.hub?.cpu_s_per_million(),
    },
    Column {
        key: "floor_cpu_s_per_million",
        title: ["floor", "/1M"],
        means: "The same of a bare writer in this shape: what the kernel costs without any server.",
        show: number::short,
        value: |outcome| outcome.floor?.cpu_s_per_million(),
    },
    Column {
        key: "ratio",
        title: ["x", "floor"],
        means: "The hub's CPU by the floor's.",
        show: number::short,
        value: Outcome::ratio,
    },
    Column {
        key: "p50_ms",
        title: ["p50", "ms"],
        means: "From the scheduled time of a change to its arrival: half of them are not above it.",
        show: number::short,
        value: |outcome| latency(outcome, outcome.latency.p50_ms),
    },
    Column {
        key: "p99_ms",
        title: ["p99", "ms"],
        means: "The same for 99 in a hundred.",
        show: number::short,
        value: |outcome| latency(outcome, outcome.latency.p99_ms),
    },
    Column {
        key: "p999_ms",
        title: ["p99.9", "ms"],
        means: "The same for 999 in a thousand.",
        show: number::short,
        value: |outcome| latency(outcome, outcome.latency.p999_ms),
    },
    Column {
        key: "max_ms",
        title: ["max", "ms"],
        means: "The longest.",
        show: number::short,
        value: |outcome| latency(outcome, outcome.latency.max_ms),
    },
    Column {
        key: "bytes_per_delivery",
        title: ["bytes", "each"],
        means: "Bytes of frames for one delivery.",
        show: number::short,
        value: |outcome| outcome.hub?.bytes_per_delivery(),
    },
    Column {
        key: "rss_each_kib",
        title: ["RSS KiB", "/conn"],
        means: "Resident memory of the hub that one connection adds.",
        show: number::short,
        value: |outcome| outcome.memory?.rss_each_kib(),
    },
    Column {
        key: "kernel_each_kib",
        title: ["kernel KiB", "/conn"],
        means: "What the kernel keeps for the hub's end of one connection.",
        show: number::short,
        value: |outcome| outcome.memory?.kernel_each_kib(),
    },
    Column {
        key: "generator_cpu_s_per_million",
        title: ["generator", "/1M"],
        means: "CPU seconds of the generator for a million deliveries; no part of the hub's.",
        show: number::short,
        value: |outcome| outcome.hub?.generator_cpu_s_per_million(),
    },
    Column {
        key: "accuracy",
        title: ["accuracy", ""],
        means: "Delivered of expected; a change that a newer one replaced is delivered by it.",
        show: number::percent,
        value: |outcome| Some(outcome.accuracy()),
    },
    Column {
        key: "forbidden",
        title: ["forbid-", "den"],
        means: "Records and fields that arrived and may not be seen.",
        show: number::count,
        value: |outcome| Some(outcome.forbidden as f64),
    },
    Column {
        key: "errors",
        title: ["errors", ""],
        means: "Error frames, lost connections, frames that could not be read.",
        show: number::count,
        value: |outcome| Some(outcome.errors as f64),
    },
];

fn latency(outcome: &Outcome, value: f64) -> Option<f64> {
    (outcome.latency.count > 0).then_some(value)
}

/// All figures of an outcome.
pub(super) fn derive(outcome: &Outcome) -> Derived {
    COLUMNS.iter().filter_map(|column| Some((column.key, (column.value)(outcome)?))).collect()
}

/// A scenario over its runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) scenario: String,
    pub(super) runs: usize,
    pub(super) passed: bool,
    /// By the key of the column.
    pub(super) figures: BTreeMap<&'static str, Spread>,
    /// By the name of the scenario's own figure and its unit.
    pub(super) own_figures: BTreeMap<String, Spread>,
}

/// A figure over the runs of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// None without a value. Of an even number of values the median is the mean of the two in the middle.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
        let median = if odd {
            values[middle]
        } else {
            f64::midpoint(*values.get(middle.checked_sub(1)?)?, values[middle])
        };
        Some(Self { median, min: *values.first()?, max: *values.last()? })
    }
}

/// One summary a scenario, in the order in which they were first run.
pub(super) fn summarize(outcomes: &[Outcome]) -> Vec<Summary> {
    let mut scenarios: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !scenarios.contains(&outcome.scenario.as_str()) {
            scenarios.push(&outcome.scenario);
        }
    }
    let of = |scenario: &&str| {
        let runs: Vec<_> = outcomes.iter().filter(|outcome| outcome.scenario == **scenario).collect();
        summarize_runs(scenario, &runs)
    };
    scenarios.iter().map(of).collect()
}

fn summarize_runs(scenario: &str, runs: &[&Outcome]) -> Summary {
    let figures = COLUMNS.iter().filter_map(|column| {
        let values = runs.iter().filter_map(|run| (column.value)(run)).collect();
        Some((column.key, Spread::of(values)?))
    });
    let mut own: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for figure in runs.iter().flat_map(|run| &run.figures) {
        own.entry(figure.title()).or_default().push(figure.value);
    }
    Summary {
        scenario: scenario.to_owned(),
        runs: runs.len(),
        passed: runs.iter().all(|run| run.passed()),
        figures: figures.collect(),
        own_figures: own.into_iter().filter_map(|(name, values)| Some((name, Spread::of(values)?))).collect(),
    }
}
