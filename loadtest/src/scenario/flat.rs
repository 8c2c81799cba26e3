//! `flat`: whether a delivery costs the same however many watch, and in however many channels.
//!
//! The delivered rate is the same at every size, so that only the size differs. The window in which changes are
//! gathered is as short as it can be and the changes are evenly spaced, or the small sizes would be cheaper by
//! gathering more; and heartbeats are put off, or the large ones would be dearer by having more of them.

use super::{Setup, bench::Bench, load::Load};
use crate::{
    engine::schedule::Spacing,
    outcome::{Check, Outcome, SizePoint},
    world::World,
};

const WEDDING: u32 = 20;
/// Viewers: from one channel to five hundred.
const SIZES: [u32; 6] = [20, 100, 300, 1_000, 3_000, 10_000];
/// The sizes of the line of viewers; in that of channels are the others, too, where they make a round number.
const FEWEST_VIEWERS: u32 = 100;
const CHANNELS: [u32; 4] = [1, 5, 50, 500];
/// Changes a second; each reaches the people of one wedding. In a single wedding everybody then makes one each 100 ms:
/// far enough apart that a moment's standstill does not bring two together, of which the hub would refuse one.
const CHANGES_PER_S: f64 = 200.0;
const ENOUGH: u64 = 50_000;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let most = setup.connections_or(SIZES[SIZES.len() - 1]);
    let mut outcome = Outcome::new("flat", setup.seed).with("changes_per_s", setup.rate_or(CHANGES_PER_S));
    for viewers in SIZES.into_iter().filter(|viewers| *viewers <= most) {
        point(&mut outcome, setup, viewers)?;
    }
    for line in ["viewers", "channels"] {
        check(&mut outcome, line);
    }
    outcome.check_truth();
    Ok(outcome)
}

/// Measures one size, and takes what was found there into the outcome.
fn point(outcome: &mut Outcome, setup: &Setup, viewers: u32) -> anyhow::Result<()> {
    let load = load(setup, viewers);
    let (floor, _) = load.floor(setup)?;
    let mut bench = Bench::start(&load, setup)?;
    let phase = bench.measure(&load, setup, &format!("{viewers} viewers"))?;
    let (hub, floor_each) = (phase.cost.cpu_s_per_million(), floor.cpu_s_per_million());
    outcome.points.extend(lines(viewers).map(|(line, size)| SizePoint {
        line: line.to_owned(),
        size: size.into(),
        hub: hub.unwrap_or(f64::NAN),
        floor: floor_each,
    }));
    // The last and largest is told in full; what is counted is the sum.
    let sums = (outcome.delivered, outcome.expected, outcome.forbidden, outcome.errors);
    outcome.figures.clear();
    phase.tell(outcome);
    outcome.delivered += sums.0;
    outcome.expected += sums.1;
    outcome.forbidden += sums.2;
    outcome.errors += sums.3;
    outcome.floor = Some(floor);
    bench.finish(outcome)
}

fn load(setup: &Setup, viewers: u32) -> Load {
    let load = Load {
        rate: setup.rate_or(CHANGES_PER_S),
        duration: setup.duration_or(6),
        spacing: Some(Spacing::Even),
        ..Load::of(World::new(viewers).with_weddings(0..viewers, WEDDING), World::wedding_of)
    };
    load.set("presence.window_ms", 1)
        .set("presence.heartbeat_ms", 600_000)
        .set("occupancy.stale_after_s", 3_600)
}

fn lines(viewers: u32) -> impl Iterator<Item = (&'static str, u32)> {
    let channels = viewers / WEDDING;
    let viewers = (viewers >= FEWEST_VIEWERS).then_some(("viewers", viewers));
    let channels = CHANNELS.contains(&channels).then_some(("channels", channels));
    viewers.into_iter().chain(channels)
}

/// The dearest point of a line against the cheapest, each as a multiple of the floor in its own shape: the floor is
/// not flat either, because the sockets of a few people stay in a cache and those of thousands do not.
fn check(outcome: &mut Outcome, line: &str) {
    let points = || outcome.points.iter().filter(|point| point.line == line);
    let ratios = spread(points().filter_map(|point| Some(point.hub / point.floor?)));
    let (hub, floor) =
        (spread(points().map(|point| point.hub)), spread(points().filter_map(|point| point.floor)));
    let check = Check::at_most(&format!("spread over {line}, as times the floor"), ratios, 2.0);
    let aim = Check::at_most(&format!("spread over {line}, as times the floor, aimed at"), ratios, 1.2);
    let enough = outcome.delivered >= ENOUGH;
    outcome.checks.push(if enough { check } else { check.into_aim() });
    outcome.checks.push(aim.into_aim());
    outcome.figure(&format!("spread of the hub over {line}"), hub, "x");
    outcome.figure(&format!("spread of the floor over {line}"), floor, "x");
}

/// The largest by the smallest.
fn spread(costs: impl Iterator<Item = f64>) -> f64 {
    let (least, most) =
        costs.fold((f64::INFINITY, 0.0), |(least, most), cost| (cost.min(least), cost.max(most)));
    most / least
}
