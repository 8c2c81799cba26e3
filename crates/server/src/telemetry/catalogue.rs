//! Every metric there is: what it counts, in which unit, by which labels. The exporter is told of all of them at the start,
//! and the tables of `docs/operations.md` are made from here.
//!
//! No label names a user, a channel, an organization or an address: who may see the metrics may not see people.

mod list;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

pub use list::PARTS;

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Only ever rises, until the next start.
    Counter,
    /// As it is now.
    Gauge,
    /// How often a value was at most so much; with its sum and its count.
    Histogram,
}

impl Sort {
    /// The word that Prometheus has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The values that a label may have.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These and no others, so that each is counted from nought.
    Closed(fn() -> Vec<&'static str>),
    /// Few, but only known when they occur; what they are.
    Open(&'static str),
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, without the endings that Prometheus gives to the parts of a histogram.
    pub name: &'static str,
    /// What it is to Prometheus.
    pub sort: Sort,
    /// Of what it tells how much.
    pub unit: Unit,
    /// Its labels.
    pub labels: &'static [(&'static str, Values)],
    /// What it tells, in a sentence.
    pub about: &'static str,
}

/// Metrics of one part of the hub.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The part.
    pub title: &'static str,
    /// Its metrics.
    pub metrics: &'static [Metric],
}

/// Every metric there is.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    PARTS.iter().flat_map(|part| part.metrics)
}

/// Tells the recorder of this process what each metric is, and begins those whose labels are known at nought: a rise
/// from nothing is no rise to Prometheus.
pub(super) fn begin() {
    for metric in metrics() {
        metric.describe();
        for labels in metric.series() {
            metric.touch(&labels);
        }
    }
}

type Labels = Vec<(&'static str, &'static str)>;

impl Metric {
    fn describe(&self) {
        let Self { name, unit, about, .. } = *self;
        match self.sort {
            Sort::Counter => describe_counter!(name, unit, about),
            Sort::Gauge => describe_gauge!(name, unit, about),
            Sort::Histogram => describe_histogram!(name, unit, about),
        }
    }

    /// Every set of labels that is known before it occurs: none where one of the labels is open.
    fn series(&self) -> Vec<Labels> {
        let mut series = vec![Labels::new()];
        for (label, values) in self.labels {
            let values = match values {
                Values::Closed(values) => values(),
                Values::Open(_) => Vec::new(),
            };
            let with =
                |value| series.iter().map(move |labels| [labels.as_slice(), &[(*label, value)]].concat());
            series = values.into_iter().flat_map(with).collect();
        }
        series
    }

    /// Makes a series be there, without changing it.
    fn touch(&self, labels: &Labels) {
        match self.sort {
            Sort::Counter => counter!(self.name, labels).increment(0),
            Sort::Gauge => gauge!(self.name, labels).increment(0.0),
            Sort::Histogram => drop(histogram!(self.name, labels)),
        }
    }
}

/// Something that is under way: counted in a gauge for as long as this lives.
#[derive(Debug)]
#[must_use]
pub(crate) struct UnderWay(&'static str);

impl UnderWay {
    /// Begins one more, in the gauge of that name.
    pub(crate) fn begin(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}
