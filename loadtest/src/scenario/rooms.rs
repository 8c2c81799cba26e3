//! `rooms`: many small channels, everybody with a choice of their own.

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{
    Setup,
    load::{Load, check_ratio},
};
use crate::{
    outcome::{Check, Outcome},
    world::{Choice, Person, Visibility, World},
};

const CONNECTIONS: u32 = 10_000;
/// People in a wedding.
pub(super) const WEDDING: u32 = 20;
/// People in an organization; they lie across the weddings, so that in each some are colleagues and some are not.
const ORGANIZATION: u32 = 10;

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let mut outcome = load(setup, mixed(setup.seed)).run("rooms", setup)?;
    check_ratio(&mut outcome, 1.6, 1.2);
    let p99 = outcome.latency.p99_ms;
    outcome.checks.push(Check::at_most("p99 in ms", p99, 20.0).into_aim());
    Ok(outcome)
}

/// Weddings of 20 in which people choose.
pub(super) fn load(setup: &Setup, choose: impl FnMut(Person) -> Choice) -> Load {
    load_of(setup.connections_or(CONNECTIONS), setup, choose)
}

/// The same of so many people.
pub(super) fn load_of(people: u32, setup: &Setup, choose: impl FnMut(Person) -> Choice) -> Load {
    load_in(world(people, 0).with_choices(choose), people, setup)
}

/// Weddings of 20 of `people`, and so many who are nowhere `beside` them.
pub(super) fn world(people: u32, beside: u32) -> World {
    World::new(people + beside)
        .with_weddings(0..people, WEDDING)
        .with_organizations((WEDDING / 4).min(people)..people, ORGANIZATION)
}

/// The changes of the first `people` of a world.
pub(super) fn load_in(world: World, people: u32, setup: &Setup) -> Load {
    Load {
        pool: (0..people).collect(),
        rate: setup.rate_or(f64::from(people) / 10.0),
        duration: setup.duration_or(20),
        details: |person| person % 8 == 3,
        ..Load::of(world, World::wedding_of)
    }
}

/// Three tenths each for everyone, team and contacts; a tenth hides, in either way. Half show their page, and half
/// what they do.
pub(super) fn mixed(seed: u64) -> impl FnMut(Person) -> Choice {
    let mut dice = SmallRng::seed_from_u64(seed);
    move |_| {
        let (visibility, appear_offline) = match dice.random_range(0..20) {
            0 => (Visibility::Nobody, false),
            1 => (Visibility::Everyone, true),
            n if n < 8 => (Visibility::Everyone, false),
            n if n < 14 => (Visibility::Team, false),
            _ => (Visibility::Contacts, false),
        };
        let (show_activity, show_current_page) = (dice.random(), dice.random());
        Choice { visibility, appear_offline, show_activity, show_current_page }
    }
}
