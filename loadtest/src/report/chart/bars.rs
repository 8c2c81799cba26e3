//! The hub beside the floor, one pair of bars a scenario.

use super::scale::Scale;
use crate::report::{
    number,
    summary::Summary,
    svg::{Anchor, Svg},
};

const WIDTH: f64 = 480.0;
const LEFT: f64 = 66.0;
/// Room for the ratio behind the longer bar.
const RIGHT: f64 = 122.0;
const PAIR: f64 = 46.0;
const BAR: f64 = 16.0;

/// CPU for a million deliveries.
pub(in crate::report) fn hub_and_floor(summaries: &[Summary]) -> Option<String> {
    let median = |summary: &Summary, key| summary.figures.get(key).map(|spread| spread.median);
    let pairs: Vec<_> = summaries
        .iter()
        .filter_map(|summary| {
            let hub = median(summary, "cpu_s_per_million")?;
            Some((summary, hub, median(summary, "floor_cpu_s_per_million")))
        })
        .collect();
    let longest = pairs.iter().map(|(_, hub, floor)| hub.max(floor.unwrap_or_default())).reduce(f64::max)?;
    let scale = Scale::up_to(longest);
    let mut svg = Svg::new(WIDTH, PAIR * pairs.len() as f64);
    for (n, (summary, hub, floor)) in pairs.into_iter().enumerate() {
        let top = PAIR * n as f64 + 6.0;
        svg.text("name", Anchor::End, (LEFT - 8.0, top + BAR + 5.0), &summary.scenario);
        let ratio = median(summary, "ratio");
        let ratio = ratio.map_or_else(String::new, |ratio| format!(", {} x floor", number::short(ratio)));
        draw(&mut svg, scale, top, ("hub", hub, &ratio));
        if let Some(floor) = floor {
            draw(&mut svg, scale, top + BAR + 1.0, ("floor", floor, " floor"));
        }
    }
    Some(svg.finish("CPU seconds for a million deliveries: the hub beside the floor"))
}

fn draw(svg: &mut Svg, scale: Scale, top: f64, (who, cost, after): (&str, f64, &str)) {
    let length = scale.place(cost) * (WIDTH - LEFT - RIGHT);
    let text = number::short(cost);
    svg.rect(who, (LEFT, top), (length.max(1.0), BAR), &format!("{who}: {text}"));
    svg.text("axis", Anchor::Start, (LEFT + length + 6.0, top + 12.0), &format!("{text}{after}"));
}
