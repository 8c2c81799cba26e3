//! `hall`: a large organization in which each viewer may see only the people of their own wedding.
//!
//! The cost of a change must follow its audience and not the roster. So the same viewers make the same changes
//! twice: in an organization of 10,000, all of them present, and in one that has nobody else. Heartbeats are put
//! off in both, because those of 9,000 people who only sit there would be most of what is measured.

use super::{Setup, bench::Bench, load::Load};
use crate::{
    engine::swarm::Plan,
    outcome::{Check, Outcome},
    world::World,
};

const MEMBERS: u32 = 10_000;
/// Of so many members one watches.
const MEMBERS_PER_VIEWER: u32 = 10;
const WEDDING: u32 = 20;
const CHANGES_PER_S: f64 = 50.0;
/// Changes below which a ratio is noise.
const ENOUGH: u64 = 500;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let members = setup.connections_or(MEMBERS);
    let viewers = (members / MEMBERS_PER_VIEWER).max(WEDDING);
    let alone = of_a_change(&load(setup, viewers, viewers), setup)?;
    let mut outcome = load(setup, members, viewers).run("hall", setup)?.with("viewers", viewers);
    let changes = (outcome.duration_s * setup.rate_or(CHANGES_PER_S)).round();
    let hall = outcome.hub.map_or(0.0, |hub| hub.cpu_s / changes);
    outcome.figure("CPU of a change", hall * 1e6, "us");
    outcome.figure("CPU of a change, same audience alone", alone * 1e6, "us");
    let check = Check::at_most("times the same audience alone", hall / alone, 1.5);
    outcome.checks.push(if changes as u64 >= ENOUGH { check } else { check.into_aim() });
    Ok(outcome)
}

fn load(setup: &Setup, members: u32, viewers: u32) -> Load {
    let world =
        World::new(members).with_organizations(0..members, members).with_weddings(0..members, WEDDING);
    let load = Load::of(world, |world, person| world.organization_of(person).filter(|_| person < viewers));
    debug_assert!(
        load.plans.iter().filter(|plan: &&Plan| plan.channel.is_some()).count() == viewers as usize
    );
    let load = Load {
        pool: (0..viewers).collect(),
        rate: setup.rate_or(CHANGES_PER_S),
        duration: setup.duration_or(20),
        ..load
    };
    load.set("presence.heartbeat_ms", 600_000).set("occupancy.stale_after_s", 3_600)
}

/// The hub's CPU seconds for a change.
fn of_a_change(load: &Load, setup: &Setup) -> anyhow::Result<f64> {
    let mut bench = Bench::start(load, setup)?;
    let phase = bench.measure(load, setup, "alone")?;
    bench.finish(&mut Outcome::default())?;
    Ok(phase.cost.cpu_s / phase.tally.changes.max(1) as f64)
}
