//! Latencies: how many are how long.

use super::{
    plot::{Axis, Plot},
    scale::Scale,
};
use crate::{
    outcome::{Bucket, Latency},
    report::number,
};

/// The distribution over a logarithmic axis, with its percentiles marked.
pub(in crate::report) fn latencies(latency: &Latency) -> Option<String> {
    let (first, last) = (latency.buckets.first()?, latency.buckets.last()?);
    let share = |bucket: &Bucket| bucket.count as f64 / latency.count as f64;
    let highest = latency.buckets.iter().map(share).fold(0.0, f64::max);
    let x = Axis { scale: Scale::factors(first.from_ms, last.to_ms), show: time, title: "latency" };
    let y = Axis { scale: Scale::up_to(highest), show: whole_percent, title: "share of deliveries" };
    let mut plot = Plot::new(&x, &y);
    for bucket in &latency.buckets {
        let (from, to, count) =
            (time(bucket.from_ms), time(bucket.to_ms), number::count(bucket.count as f64));
        let tip = format!("{from} to {to}: {count}");
        plot.bar("hub", (bucket.from_ms, bucket.to_ms), share(bucket), &tip);
    }
    let marks = [
        ("p50", latency.p50_ms),
        ("p99", latency.p99_ms),
        ("p99.9", latency.p999_ms),
        ("max", latency.max_ms),
    ];
    for (row, (name, at)) in marks.into_iter().enumerate() {
        plot.mark(at, row, &format!("{name} {}", time(at)));
    }
    Some(plot.finish("Distribution of latencies"))
}

/// Milliseconds in the unit that suits them.
fn time(ms: f64) -> String {
    match ms {
        _ if ms < 0.9995 => format!("{} µs", number::short(ms * 1000.0)),
        _ if ms < 999.5 => format!("{} ms", number::short(ms)),
        _ => format!("{} s", number::short(ms / 1000.0)),
    }
    .replace(".00 ", " ")
    .replace(".0 ", " ")
}

fn whole_percent(share: f64) -> String {
    format!("{} %", number::short(share * 100.0).trim_end_matches(".00").trim_end_matches(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_the_unit_that_suits_them() {
        assert_eq!((time(0.01), time(1.0), time(1500.0)), ("10 µs".into(), "1 ms".into(), "1.50 s".into()));
        assert_eq!(
            (time(0.25), time(100.0), whole_percent(0.05)),
            ("250 µs".into(), "100 ms".into(), "5 %".into())
        );
    }

    #[test]
    fn nothing_recorded_is_no_chart() {
        assert_eq!(latencies(&Latency::default()), None);
    }
}
