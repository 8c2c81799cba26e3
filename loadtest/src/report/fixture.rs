//! Outcomes that are always the same.

use super::machine::Machine;
use crate::outcome::{Check, Cost, Memory, Outcome, Recorder, Sample, SizePoint};

pub(super) fn machine() -> Machine {
    Machine {
        cpu: "Example <CPU>".to_owned(),
        cores: 2,
        memory_kib: 8 * 1024 * 1024,
        kernel: "Linux 6.18".to_owned(),
        descriptors: 20_000,
    }
}

/// A run whose cost is `cpu_s` for a million deliveries.
pub(super) fn outcome(scenario: &str, cpu_s: f64) -> Outcome {
    let mut recorder = Recorder::new();
    // Something with one hump and a tail, and no chance in it.
    for n in 1..=20_000_u64 {
        let tail = if n.is_multiple_of(100) { n } else { 0 };
        recorder.record_us(90 + (n * 7919 % 101) * (n * 104_729 % 103) / 40 + tail);
    }
    let cost =
        |cpu_s, bytes| Cost { cpu_s, wall_s: 50.0, deliveries: 1_000_000, bytes, generator_cpu_s: 3.5 };
    let mut outcome = Outcome {
        duration_s: 50.0,
        floor: Some(cost(6.5, 118_000_000)),
        hub: Some(cost(cpu_s, 118_000_000)),
        latency: recorder.latency(),
        delivered: 1_000_000,
        expected: 1_000_000,
        memory: Some(memory()),
        series: series(cpu_s),
        ..Outcome::new(scenario, 7).with("connections", 10_000).with("visibilities", "mixed")
    };
    outcome.check_truth();
    outcome.checks.push(Check::at_most("CPU by the floor's", cpu_s / 6.5, 1.6));
    outcome.checks.push(Check::at_most("p99, ms", outcome.latency.p99_ms, 20.0).into_aim());
    outcome
}

fn memory() -> Memory {
    Memory {
        connections: 10_000,
        rss_before_kib: 20_000,
        rss_after_kib: 61_000,
        rss_peak_kib: 70_000,
        kernel_kib: Some(38_000.0),
    }
}

fn series(cpu_s: f64) -> Vec<Sample> {
    let sample = |n: u32| {
        let at_s = f64::from(n) * 0.25;
        let wave = f64::from(n * 37 % 11) / 10.0;
        let rss_kib = 20_000 + u64::from(n.min(60)) * 683 + u64::from(n * 13 % 400);
        let tcp_kib = 400 + u64::from(n * 29 % 900);
        Sample { at_s, cpu_s: at_s * cpu_s / 50.0 + wave * 0.01, rss_kib, tcp_kib }
    };
    (0..=200).map(sample).collect()
}

/// Costs that grow a little with the size.
pub(super) fn points(cpu_s: f64) -> Vec<SizePoint> {
    let point = |line: &str, n: usize, size: u64| {
        let slope = 1.0 + n as f64 * 0.02;
        SizePoint { line: line.to_owned(), size, hub: cpu_s * slope, floor: Some(6.5 * slope) }
    };
    let viewers = [100, 300, 1_000, 3_000, 10_000].into_iter().enumerate();
    let channels = [1, 5, 50, 500].into_iter().enumerate();
    let viewers = viewers.map(|(n, size)| point("viewers", n, size));
    viewers.chain(channels.map(|(n, size)| point("channels", n, size))).collect()
}
