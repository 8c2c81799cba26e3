//! `crowd`: one organization whose members all watch each other.

use super::{
    Setup,
    load::{Load, check_ratio},
};
use crate::{
    outcome::{Check, Outcome},
    world::{Choice, Visibility, World},
};

const MEMBERS: u32 = 2_000;
const CHANGES_PER_S: f64 = 1_000.0;
/// What one core is to deliver in a second.
const MARK: f64 = 2e6;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let mut outcome = load(setup).run("crowd", setup)?;
    let per_cpu_s = outcome.hub.map_or(0.0, |hub| hub.deliveries as f64 / hub.cpu_s);
    outcome.figure("deliveries for a CPU second", per_cpu_s, "changes");
    outcome.checks.push(Check::at_least("deliveries for a CPU second", per_cpu_s, MARK).into_aim());
    outcome.checks.push(Check::at_most("p99 in ms", outcome.latency.p99_ms, 250.0).into_aim());
    check_ratio(&mut outcome, 1.6, 1.0);
    Ok(outcome)
}

fn load(setup: &Setup) -> Load {
    let members = setup.connections_or(MEMBERS);
    let world = World::new(members).with_organizations(0..members, members).with_choices(|person| {
        let visibility = if person.is_multiple_of(2) { Visibility::Team } else { Visibility::Everyone };
        Choice::of(visibility)
    });
    Load {
        rate: setup.rate_or(CHANGES_PER_S * f64::from(members) / f64::from(MEMBERS)),
        duration: setup.duration_or(10),
        ..Load::of(world, World::organization_of)
    }
}
