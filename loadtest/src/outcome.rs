//! What a scenario found: figures, checks and the curves behind them. It knows nothing of how they are shown.

mod latency;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub(crate) use latency::{Bucket, Latency, Recorder};

/// The result of one run of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// The name that `--scenario` knows it by.
    pub(crate) scenario: String,
    /// What the arrivals and the choices were drawn from.
    pub(crate) seed: u64,
    /// How long the measured phase lasted, in seconds.
    pub(crate) duration_s: f64,
    /// What the scenario was run with: connections, channels, rates.
    pub(crate) parameters: BTreeMap<String, Value>,
    /// The bare writer in the same shape.
    pub(crate) floor: Option<Cost>,
    /// The hub.
    pub(crate) hub: Option<Cost>,
    /// From the scheduled time of a change to its arrival at a viewer.
    pub(crate) latency: Latency,
    /// Changes that arrived, those included that a newer one carried.
    pub(crate) delivered: u64,
    /// Changes that had to arrive.
    pub(crate) expected: u64,
    /// Records and fields that arrived and may not be seen.
    pub(crate) forbidden: u64,
    /// Error frames, unexpected ends of connections, frames that could not be read, versions that went back.
    pub(crate) errors: u64,
    /// Where connections are weighed.
    pub(crate) memory: Option<Memory>,
    /// The hub over time.
    pub(crate) series: Vec<Sample>,
    /// Cost against size.
    pub(crate) points: Vec<SizePoint>,
    /// What only this scenario measures.
    pub(crate) figures: Vec<Figure>,
    /// What must hold.
    pub(crate) checks: Vec<Check>,
    /// What a reader has to know besides.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// An outcome without any figure yet.
    pub(crate) fn new(scenario: &str, seed: u64) -> Self {
        Self { scenario: scenario.to_owned(), seed, ..Self::default() }
    }

    /// The same with one parameter more.
    pub(crate) fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(parameter.to_owned(), value.into());
        self
    }

    /// Adds a figure of this scenario alone.
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &str) {
        self.figures.push(Figure { name: name.to_owned(), value, unit: unit.to_owned() });
    }

    /// The hub's CPU per delivery, as a multiple of the floor's.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let hub = self.hub?.cpu_s_per_million()?;
        let floor = self.floor?.cpu_s_per_million()?;
        (floor > 0.0).then_some(hub / floor)
    }

    /// Delivered by expected; nothing expected is nothing missed.
    pub(crate) fn accuracy(&self) -> f64 {
        if self.expected == 0 { 1.0 } else { self.delivered as f64 / self.expected as f64 }
    }

    /// Adds what must hold of every run: complete, nothing forbidden, no errors.
    pub(crate) fn check_truth(&mut self) {
        let (delivered, expected) = (self.delivered as f64, self.expected as f64);
        self.checks.extend([
            Check::exactly("delivered of expected", delivered, expected),
            Check::exactly("forbidden", self.forbidden as f64, 0.0),
            Check::exactly("errors", self.errors as f64, 0.0),
        ]);
    }

    /// Whether everything holds that makes a run fail.
    pub(crate) fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.holds || !check.invariant)
    }
}

/// What deliveries cost, measured over one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// User and system seconds of the server.
    pub(crate) cpu_s: f64,
    /// How long the phase lasted, in seconds.
    pub(crate) wall_s: f64,
    /// Changes that reached viewers.
    pub(crate) deliveries: u64,
    /// Bytes of the frames that carried them, without the kernel's headers.
    pub(crate) bytes: u64,
    /// User and system seconds of the generator, which is no part of `cpu_s`.
    pub(crate) generator_cpu_s: f64,
}

impl Cost {
    /// CPU seconds for a million deliveries.
    pub(crate) fn cpu_s_per_million(&self) -> Option<f64> {
        self.each(self.cpu_s * 1e6)
    }

    /// The generator's CPU seconds for a million deliveries.
    pub(crate) fn generator_cpu_s_per_million(&self) -> Option<f64> {
        self.each(self.generator_cpu_s * 1e6)
    }

    /// Bytes for one delivery.
    pub(crate) fn bytes_per_delivery(&self) -> Option<f64> {
        self.each(self.bytes as f64)
    }

    /// Deliveries in a second.
    pub(crate) fn deliveries_per_s(&self) -> Option<f64> {
        (self.wall_s > 0.0).then(|| self.deliveries as f64 / self.wall_s)
    }

    /// Both phases as one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            cpu_s: self.cpu_s + other.cpu_s,
            wall_s: self.wall_s + other.wall_s,
            deliveries: self.deliveries + other.deliveries,
            bytes: self.bytes + other.bytes,
            generator_cpu_s: self.generator_cpu_s + other.generator_cpu_s,
        }
    }

    fn each(&self, total: f64) -> Option<f64> {
        (self.deliveries > 0).then(|| total / self.deliveries as f64)
    }
}

/// What connections weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Memory {
    /// How many there are.
    pub(crate) connections: u64,
    /// Resident memory of the hub without them, in KiB.
    pub(crate) rss_before_kib: u64,
    /// Resident memory of the hub with them, in KiB.
    pub(crate) rss_after_kib: u64,
    /// The most there ever was, in KiB.
    pub(crate) rss_peak_kib: u64,
    /// What the kernel keeps for the hub's ends of the connections, in KiB. It is in no process's memory.
    pub(crate) kernel_kib: Option<f64>,
}

impl Memory {
    /// Resident KiB for one connection.
    pub(crate) fn rss_each_kib(&self) -> Option<f64> {
        let more = self.rss_after_kib as f64 - self.rss_before_kib as f64;
        (self.connections > 0).then(|| more / self.connections as f64)
    }

    /// The kernel's KiB for one connection.
    pub(crate) fn kernel_each_kib(&self) -> Option<f64> {
        self.kernel_kib.filter(|_| self.connections > 0).map(|kib| kib / self.connections as f64)
    }
}

/// The server at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the first sample.
    pub(crate) at_s: f64,
    /// User and system seconds since the process began.
    pub(crate) cpu_s: f64,
    /// Resident memory in KiB.
    pub(crate) rss_kib: u64,
    /// Buffers of all TCP sockets of the machine in KiB, those of the generator's ends too.
    pub(crate) tcp_kib: u64,
}

/// A point of the chart of cost against size.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SizePoint {
    /// What grows: one line of the chart, such as `viewers`.
    pub(crate) line: String,
    /// How large it is.
    pub(crate) size: u64,
    /// CPU seconds of the hub for a million deliveries.
    pub(crate) hub: f64,
    /// The same of the floor in that shape.
    pub(crate) floor: Option<f64>,
}

/// A figure that only one scenario has.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// How much.
    pub(crate) value: f64,
    /// In what: `s`, `KiB`, `x`; empty where it is a mere number.
    pub(crate) unit: String,
}

impl Figure {
    /// The name with its unit.
    pub(crate) fn title(&self) -> String {
        if self.unit.is_empty() { self.name.clone() } else { format!("{}, {}", self.name, self.unit) }
    }
}

/// Something that should hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    /// What is looked at.
    pub(crate) name: String,
    /// What was found.
    pub(crate) value: f64,
    /// What it is held against.
    pub(crate) limit: f64,
    /// Whether it may be less, or must be the same.
    pub(crate) rule: Rule,
    /// Whether it does.
    pub(crate) holds: bool,
    /// Whether the run fails when it does not. The others are aims, which noise may miss.
    pub(crate) invariant: bool,
}

/// How a value is held against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// Not more.
    AtMost,
    /// Not less.
    AtLeast,
    /// The same.
    Exactly,
}

impl Check {
    /// An invariant: at most `limit`. What is not a number does not hold.
    pub(crate) fn at_most(name: &str, value: f64, limit: f64) -> Self {
        Self::new(name, value, limit, Rule::AtMost)
    }

    /// An invariant: at least `limit`.
    pub(crate) fn at_least(name: &str, value: f64, limit: f64) -> Self {
        Self::new(name, value, limit, Rule::AtLeast)
    }

    /// An invariant: `limit` and nothing else.
    pub(crate) fn exactly(name: &str, value: f64, limit: f64) -> Self {
        Self::new(name, value, limit, Rule::Exactly)
    }

    /// The same as an aim: reported, and no reason to fail.
    pub(crate) fn into_aim(self) -> Self {
        Self { invariant: false, ..self }
    }

    fn new(name: &str, value: f64, limit: f64, rule: Rule) -> Self {
        let holds = match rule {
            Rule::AtMost => value <= limit,
            Rule::AtLeast => value >= limit,
            Rule::Exactly => value == limit,
        };
        Self { name: name.to_owned(), value, limit, rule, holds, invariant: true }
    }
}

#[cfg(test)]
mod tests;
