//! Cost against size: flat is good.

use super::{
    plot::{Axis, Plot},
    scale::Scale,
    timeline::plain,
};
use crate::{
    outcome::SizePoint,
    report::{number, summary::Spread, svg::Point},
};

/// One chart a line, with its name.
pub(in crate::report) fn cost_against_size(points: &[SizePoint]) -> Vec<(String, String)> {
    let mut names: Vec<&str> = points.iter().map(|point| point.line.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let chart = |name: &&str| {
        let points: Vec<_> = points.iter().filter(|point| point.line == **name).collect();
        Some(((*name).to_owned(), draw(name, &points)?))
    };
    names.iter().filter_map(chart).collect()
}

fn draw(name: &str, points: &[&SizePoint]) -> Option<String> {
    let sizes = points.iter().map(|point| point.size as f64);
    let (least, most) = (sizes.clone().reduce(f64::min)?, sizes.reduce(f64::max)?);
    let costs = points.iter().map(|point| point.hub.max(point.floor.unwrap_or_default()));
    let x = Axis { scale: Scale::factors(least, most), show: number::count, title: "" };
    let highest = costs.fold(0.0, f64::max) * 1.1;
    let y = Axis { scale: Scale::up_to(highest), show: plain, title: "CPU s per 1M deliveries" };
    let mut plot = Plot::new(&x, &y);
    let floor = points.iter().filter_map(|point| Some((point.size, point.floor?)));
    add(&mut plot, ("floor", 18.0), floor.collect());
    add(&mut plot, ("hub", -10.0), points.iter().map(|point| (point.size, point.hub)).collect());
    Some(plot.finish(&format!("Cost against {name}")))
}

/// A dot for each value, and a line through the middle of those of one size.
fn add(plot: &mut Plot, (who, name_below): (&str, f64), mut values: Vec<(u64, f64)>) {
    values.sort_by_key(|(size, _)| *size);
    let middle = |same: &[(u64, f64)]| {
        let median = Spread::of(same.iter().map(|(_, cost)| *cost).collect())?.median;
        Some((same[0].0 as f64, median))
    };
    let middles: Vec<Point> = values.chunk_by(|a, b| a.0 == b.0).filter_map(middle).collect();
    plot.line(&format!("{who}-line"), &middles);
    for (size, cost) in &values {
        let tip = format!("{who}, {}: {}", number::count(*size as f64), number::short(*cost));
        plot.dot(who, (*size as f64, *cost), &tip);
    }
    if let Some(last) = middles.last() {
        plot.name(*last, name_below, who);
    }
}
