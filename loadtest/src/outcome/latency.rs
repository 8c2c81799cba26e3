//! Latencies, recorded without allocating and told as percentiles and a chart.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer ones are recorded as this long.
const LONGEST_US: u64 = 120_000_000;
/// Three digits: a percentile is right to a thousandth.
const DIGITS: u8 = 3;
/// Bars of the chart for each factor of ten.
const BARS_PER_DECADE: f64 = 8.0;

/// Takes latencies.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    histogram: Histogram<u64>,
}

impl Recorder {
    /// Room for everything from a microsecond to two minutes: about 300 KiB, allocated here and never again.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS);
        Self { histogram: histogram.expect("the bounds are constants that fit") }
    }

    /// Records one in microseconds; less than one counts as one.
    pub(crate) fn record_us(&mut self, micros: u64) {
        self.histogram.saturating_record(micros.max(1));
    }

    /// Takes over what another recorded.
    pub(crate) fn add(&mut self, other: &Self) {
        // It fails only for values that do not fit, and the bounds are the same.
        let _ = self.histogram.add(&other.histogram);
    }

    /// How many were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// What they amount to.
    pub(crate) fn latency(&self) -> Latency {
        let h = &self.histogram;
        let quantile = |q| millis(h.value_at_quantile(q));
        Latency {
            count: self.count(),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            p999_ms: quantile(0.999),
            max_ms: millis(h.max()),
            buckets: self.buckets(),
        }
    }

    /// Bars of equal width on a logarithmic axis, from the first that is not empty to the last.
    fn buckets(&self) -> Vec<Bucket> {
        let mut bars: Vec<Bucket> = Vec::new();
        for value in self.histogram.iter_recorded() {
            let bar = (value.value_iterated_to() as f64).log10() * BARS_PER_DECADE;
            fill_up_to(&mut bars, bar.floor());
            if let Some(last) = bars.last_mut() {
                last.count += value.count_since_last_iteration();
            }
        }
        bars
    }
}

fn fill_up_to(bars: &mut Vec<Bucket>, bar: f64) {
    let edge = |bar: f64| 10_f64.powf(bar / BARS_PER_DECADE) / 1000.0;
    let first = bars.last().map_or(bar, |last| (last.to_ms * 1000.0).log10() * BARS_PER_DECADE).round();
    let missing = (bar - first) as i64 + 1;
    for n in 0..missing.max(0) {
        let from = first + n as f64;
        bars.push(Bucket { from_ms: edge(from), to_ms: edge(from + 1.0), count: 0 });
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// Latencies in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Latency {
    /// How many there are; without any, the others mean nothing.
    pub(crate) count: u64,
    /// Half are not above it.
    pub(crate) p50_ms: f64,
    /// Nine in ten are not above it.
    pub(crate) p90_ms: f64,
    /// 99 in a hundred are not above it.
    pub(crate) p99_ms: f64,
    /// 999 in a thousand are not above it.
    pub(crate) p999_ms: f64,
    /// The longest.
    pub(crate) max_ms: f64,
    /// How they are spread, from the shortest to the longest without a gap.
    pub(crate) buckets: Vec<Bucket>,
}

/// How many latencies lie between two edges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Bucket {
    /// The lower edge, which belongs to it.
    pub(crate) from_ms: f64,
    /// The upper edge, which does not.
    pub(crate) to_ms: f64,
    /// How many.
    pub(crate) count: u64,
}
