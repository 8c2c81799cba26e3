//! `churn`: people come and go in a channel that many watch.
//!
//! They end their presence and take it up again on a socket that goes on watching, which is a leave and a join for
//! everybody, themselves included, and costs the generator no handshake.

use super::{
    Setup,
    load::{Load, check_ratio},
};
use crate::{
    engine::judge::Leaves,
    outcome::{Check, Outcome},
    world::World,
};

const WATCHING: u32 = 500;
const CHANGES_PER_S: f64 = 20.0;
/// Who comes and goes does so every two seconds: further apart than any latency, so that no leave meets its join.
const SECONDS_APART: f64 = 2.0;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let mut outcome = load(setup).run("churn", setup)?;
    let bytes = outcome.hub.and_then(|hub| hub.bytes_per_delivery()).unwrap_or_default();
    outcome.figure("bytes of a join or leave", bytes, "B");
    outcome.checks.push(Check::at_most("p99 in ms", outcome.latency.p99_ms, 150.0).into_aim());
    check_ratio(&mut outcome, 1.6, 1.0);
    Ok(outcome)
}

fn load(setup: &Setup) -> Load {
    let watching = setup.connections_or(WATCHING);
    let rate = setup.rate_or(CHANGES_PER_S);
    let load = Load::of(World::new(watching).with_weddings(0..watching, watching), World::wedding_of);
    let coming_and_going = ((rate * SECONDS_APART) as u32).clamp(1, watching);
    Load {
        pool: (0..coming_and_going).collect(),
        rate,
        duration: setup.duration_or(20),
        leaves: Leaves::Counted,
        ..load
    }
}
