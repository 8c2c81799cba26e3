//! The hub over time.

use super::{
    plot::{Axis, Plot},
    scale::Scale,
};
use crate::{
    outcome::Sample,
    report::{number, svg::Point},
};

/// Resident memory, and the buffers of all TCP sockets of the machine, in MiB.
pub(in crate::report) fn memory(series: &[Sample]) -> Option<String> {
    let line = |kib: fn(&Sample) -> u64| -> Vec<Point> {
        series.iter().map(|sample| (sample.at_s, kib(sample) as f64 / 1024.0)).collect()
    };
    let (resident, buffers) = (line(|sample| sample.rss_kib), line(|sample| sample.tcp_kib));
    let highest = highest(&resident).max(highest(&buffers));
    let mut plot = plot(series, highest, "MiB")?;
    plot.line("floor-line", &buffers);
    plot.line("hub-line", &resident);
    Some(plot.finish("Memory over time"))
}

/// The share of one core, between two samples each.
pub(in crate::report) fn cpu(series: &[Sample]) -> Option<String> {
    let shares: Vec<_> = series.windows(2).map(|pair| share(&pair[0], &pair[1])).collect();
    let mut plot = plot(series, highest(&shares).max(10.0), "CPU, % of a core")?;
    plot.line("hub-line", &shares);
    Some(plot.finish("CPU over time"))
}

/// A dot in the middle between two samples: so far as it is known when the time was used.
fn share(from: &Sample, to: &Sample) -> Point {
    let length = (to.at_s - from.at_s).max(1e-3);
    (f64::midpoint(from.at_s, to.at_s), (to.cpu_s - from.cpu_s) / length * 100.0)
}

fn plot(series: &[Sample], highest: f64, title: &'static str) -> Option<Plot> {
    let (first, last) = (series.first()?, series.last().filter(|_| series.len() > 1)?);
    let x = Axis { scale: Scale::over(first.at_s, last.at_s), show: seconds, title: "" };
    let y = Axis { scale: Scale::up_to(highest), show: plain, title };
    Some(Plot::new(&x, &y))
}

fn highest(points: &[Point]) -> f64 {
    points.iter().map(|point| point.1).fold(0.0, f64::max)
}

fn seconds(value: f64) -> String {
    format!("{} s", plain(value))
}

/// A round number without the digits that say nothing.
pub(super) fn plain(value: f64) -> String {
    let text = number::short(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
