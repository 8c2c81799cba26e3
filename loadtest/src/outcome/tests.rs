use super::{Check, Cost, Memory, Outcome, Recorder, Rule};

#[test]
fn percentiles_are_right_to_a_thousandth() {
    let mut recorder = Recorder::new();
    (1..=100_000).for_each(|micros| recorder.record_us(micros));
    let latency = recorder.latency();
    let close =
        |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 0.001, "{found}, not {wanted}");
    close(latency.p50_ms, 50.0);
    close(latency.p90_ms, 90.0);
    close(latency.p99_ms, 99.0);
    close(latency.p999_ms, 99.9);
    close(latency.max_ms, 100.0);
    assert_eq!(latency.count, 100_000);
}

#[test]
fn bars_hold_everything_and_leave_no_gap() {
    let mut recorder = Recorder::new();
    for micros in [0, 1, 9, 10, 999, 1000, 1001, 5_000_000, u64::MAX] {
        recorder.record_us(micros);
    }
    let bars = recorder.latency().buckets;
    assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 9);
    for pair in bars.windows(2) {
        assert!((pair[0].to_ms / pair[1].from_ms - 1.0).abs() < 1e-9, "{pair:?}");
    }
    assert!(bars[0].count > 0 && bars[bars.len() - 1].count > 0);
}

#[test]
fn a_bar_holds_what_lies_between_its_edges() {
    let mut recorder = Recorder::new();
    recorder.record_us(250);
    let bars = recorder.latency().buckets;
    assert_eq!(bars.len(), 1);
    assert!(bars[0].from_ms <= 0.25 && 0.25 < bars[0].to_ms, "{bars:?}");
}

#[test]
fn recorders_add_up() {
    let (mut one, mut two) = (Recorder::new(), Recorder::new());
    one.record_us(10);
    two.record_us(30);
    one.add(&two);
    assert_eq!((one.latency().count, one.latency().max_ms), (2, 0.03));
}

#[test]
fn nothing_recorded_is_no_bar() {
    let latency = Recorder::new().latency();
    assert_eq!((latency.count, latency.buckets.len()), (0, 0));
}

#[test]
fn costs_are_told_per_delivery() {
    let cost = Cost { cpu_s: 2.0, wall_s: 4.0, deliveries: 500_000, bytes: 50_000_000, generator_cpu_s: 1.0 };
    assert_eq!(cost.cpu_s_per_million(), Some(4.0));
    assert_eq!(cost.generator_cpu_s_per_million(), Some(2.0));
    assert_eq!(cost.bytes_per_delivery(), Some(100.0));
    assert_eq!(cost.deliveries_per_s(), Some(125_000.0));
    assert_eq!(Cost::default().cpu_s_per_million(), None);
    assert_eq!(Cost::default().deliveries_per_s(), None);
}

#[test]
fn the_ratio_compares_cost_per_delivery() {
    let mut outcome = Outcome::new("rooms", 1).with("connections", 10);
    assert_eq!((outcome.ratio(), outcome.accuracy()), (None, 1.0));
    outcome.floor = Some(Cost { cpu_s: 1.0, deliveries: 1_000, ..Cost::default() });
    outcome.hub = Some(Cost { cpu_s: 3.0, deliveries: 2_000, ..Cost::default() });
    assert_eq!(outcome.ratio(), Some(1.5));
    outcome.floor = Some(Cost { deliveries: 1_000, ..Cost::default() });
    assert_eq!(outcome.ratio(), None);
}

#[test]
fn a_connection_weighs_the_difference() {
    let memory = Memory {
        connections: 100,
        rss_before_kib: 1_000,
        rss_after_kib: 1_400,
        rss_peak_kib: 2_000,
        kernel_kib: Some(250.0),
    };
    assert_eq!((memory.rss_each_kib(), memory.kernel_each_kib()), (Some(4.0), Some(2.5)));
    assert_eq!(Memory::default().rss_each_kib(), None);
}

#[test]
fn only_invariants_fail_a_run() {
    let mut outcome = Outcome { delivered: 10, expected: 10, ..Outcome::new("rooms", 1) };
    outcome.check_truth();
    outcome.checks.push(Check::at_most("ratio", 1.7, 1.6).into_aim());
    assert!(outcome.passed());
    outcome.delivered = 9;
    outcome.check_truth();
    assert!(!outcome.passed());
}

#[test]
fn a_check_holds_at_its_limit_and_never_without_a_number() {
    assert!(Check::at_most("x", 1.0, 1.0).holds && !Check::at_most("x", 1.1, 1.0).holds);
    assert!(Check::at_least("x", 1.0, 1.0).holds && !Check::at_least("x", 0.9, 1.0).holds);
    assert!(!Check::at_most("x", f64::NAN, 1.0).holds && !Check::exactly("x", f64::NAN, f64::NAN).holds);
    assert_eq!(Check::exactly("x", 0.0, 0.0).rule, Rule::Exactly);
}
