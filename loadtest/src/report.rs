//! What a run of scenarios found, for a terminal, for a program, and for a browser.

mod chart;
mod html;
mod machine;
mod number;
mod summary;
mod svg;
mod table;
mod words;

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use serde::Serialize;

use crate::outcome::Outcome;
use machine::Machine;
use summary::{Derived, Summary};

/// All outcomes of one call of the program, each scenario as often as it was run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The command line.
    command: String,
    /// When it began, in seconds since 1970.
    began_at: u64,
    machine: Machine,
    passed: bool,
    summary: Vec<Summary>,
    runs: Vec<Run>,
}

/// An outcome and the figures that follow from it.
#[derive(Clone, Debug, Serialize)]
struct Run {
    #[serde(flatten)]
    outcome: Outcome,
    derived: Derived,
}

impl Report {
    /// A report of this process: its command line, its machine.
    pub(crate) fn new(began: SystemTime, outcomes: Vec<Outcome>) -> Self {
        let command: Vec<_> = std::env::args().collect();
        Self::of(command.join(" "), began, Machine::look(), outcomes)
    }

    fn of(command: String, began: SystemTime, machine: Machine, outcomes: Vec<Outcome>) -> Self {
        Self {
            command,
            began_at: began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            machine,
            passed: outcomes.iter().all(Outcome::passed),
            summary: summary::summarize(&outcomes),
            runs: outcomes.into_iter().map(Run::new).collect(),
        }
    }

    /// Whether everything holds that makes a run fail.
    pub(crate) fn passed(&self) -> bool {
        self.passed
    }

    /// One aligned table of all scenarios, and beneath it in words what did not hold.
    pub(crate) fn table(&self) -> String {
        let outcomes: Vec<_> = self.outcomes().collect();
        table::render(&self.summary) + &words::misses(&outcomes)
    }

    /// Writes everything as JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        write(path, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// Writes a page that needs nothing but itself.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_html(&self, path: &Path) -> anyhow::Result<()> {
        write(path, &html::page(self))
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.runs.iter().map(|run| &run.outcome)
    }

    fn outcomes_of<'a>(&'a self, scenario: &'a str) -> Vec<&'a Outcome> {
        self.outcomes().filter(|outcome| outcome.scenario == scenario).collect()
    }
}

impl Run {
    fn new(outcome: Outcome) -> Self {
        Self { derived: summary::derive(&outcome), outcome }
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
