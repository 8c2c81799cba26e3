//! Who is there: weddings that share their coordinators, an agency with accounts, and an organization that keeps a log.

use std::ops::Range;

use super::{DURATION_S, Setup};
use crate::{
    engine::{judge::Leaves, swarm::Plan},
    scenario::{load::Load, rooms},
    world::{Choice, Person, World, agency::Agency},
};

/// People altogether.
const PEOPLE: u32 = 4_000;
/// One in so many watches the accounts of the agency.
const PEOPLE_BY_MEMBERS: u32 = 20;
/// One in so many tells what was done.
const PEOPLE_BY_TELLERS: u32 = 40;
/// The coordinators of a wedding who have the next one, too: as many have the one before.
const COORDINATORS: u32 = 2;
/// The place in a wedding of the supplier whose part is taken away and given back. They watch nothing.
const DROPPED: u32 = 7;
const ORGANIZATION: u32 = 10;
/// Deeds a second of each of the guests, and activities of each teller.
const DEEDS: f64 = 0.08;
/// Deeds a second of all of them at least, so that in a small town there is something to see.
const LEAST_DEEDS: f64 = 100.0;
const TOLD: f64 = 1.0;
/// Assistants who clock in and out, each with two accounts of their own.
pub(super) const ASSISTANTS: u32 = 6;
pub(super) const ACCOUNTS: u32 = 2 * ASSISTANTS;

/// How many there are of each: members of the agency, those who tell, and then the guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Town {
    people: u32,
}

impl Town {
    pub(super) fn of(setup: &Setup) -> Self {
        Self { people: setup.connections_or(PEOPLE) }
    }

    fn members(self) -> Range<Person> {
        0..(self.people / PEOPLE_BY_MEMBERS).max(2)
    }

    pub(super) fn tellers(self) -> Range<Person> {
        let first = self.members().end;
        first..first + (self.people / PEOPLE_BY_TELLERS).max(2)
    }

    fn guests(self) -> Range<Person> {
        self.tellers().end..self.people
    }

    /// Who administers the organization with a log.
    pub(super) fn admin(self) -> Person {
        self.tellers().start
    }

    fn agency(self) -> Agency {
        let members = self.members();
        // One of them is the owner.
        Agency { accounts: ACCOUNTS, assistants: ASSISTANTS + 1, free: 0..ACCOUNTS, members }
    }

    fn world(self, setup: &Setup) -> World {
        let (members, tellers, guests) = (self.members(), self.tellers(), self.guests());
        let mut mixed = rooms::mixed(setup.seed);
        let choose = |person| if guests.contains(&person) { mixed(person) } else { Choice::NONE };
        World::new(self.people)
            .with_organizations(members.clone(), members.len() as u32)
            .with_organizations(tellers.clone(), tellers.len() as u32)
            .with_logs(tellers.clone())
            .with_admins(self.admin()..self.admin() + 1)
            .with_weddings_that_share(guests.clone(), rooms::WEDDING, COORDINATORS)
            .with_organizations((guests.start + ORGANIZATION / 2).min(guests.end)..guests.end, ORGANIZATION)
            .with_choices(choose)
    }

    /// The supplier of a person's first wedding whose part comes and goes.
    pub(super) fn dropped(world: &World, person: Person) -> Option<Person> {
        let wedding = world.entries(world.wedding_of(person)?);
        Some(wedding.start + DROPPED).filter(|dropped| wedding.contains(dropped))
    }

    /// What a person's tabs watch: each of their weddings. Who may lose their part watches nothing.
    fn tabs(self, world: &World, person: Person) -> Vec<Plan> {
        if self.tellers().contains(&person) {
            return vec![Plan::telling(person)];
        }
        if Self::dropped(world, person) == Some(person) {
            return vec![Plan::of(person, None)];
        }
        let weddings: Vec<_> = world.weddings_of(person).collect();
        if weddings.is_empty() {
            return vec![Plan::of(person, world.organization_of(person))];
        }
        weddings.into_iter().map(|wedding| Plan::of(person, Some(wedding))).collect()
    }

    pub(super) fn load(self, setup: &Setup) -> Load {
        let world = self.world(setup);
        let guests = self.guests();
        let tellers: Vec<Person> = self.tellers().collect();
        let told = TOLD * tellers.len() as f64;
        let plans = (0..self.people).flat_map(|person| self.tabs(&world, person)).collect();
        let load = Load {
            plans,
            rate: setup.rate_or((guests.len() as f64 * DEEDS).max(LEAST_DEEDS)),
            pool: guests.collect(),
            duration: setup.duration_or(DURATION_S),
            beside: Some((tellers, told)),
            leaves: Leaves::Excused,
            agency: Some(self.agency()),
            ..Load::of(world, |_, _| None)
        };
        // No extension is connected; that they are lost is another matter than this one.
        load.set("occupancy.stale_after_s", 86_400)
            .set("limits.clockings_per_second", 100_000)
            .set("limits.wrong_codes_per_address", 100_000)
            .set("limits.activities_per_second", 100_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinators_have_two_weddings_and_whose_part_may_be_taken_has_one() {
        let town = Town { people: 200 };
        let guests = town.guests();
        let world = World::new(200).with_weddings_that_share(guests.clone(), rooms::WEDDING, COORDINATORS);
        let tabs: Vec<_> = guests.clone().map(|person| town.tabs(&world, person)).collect();
        let two = tabs.iter().filter(|tabs| tabs.len() == 2).count();
        assert_eq!(two as u32 % COORDINATORS, 0);
        assert!(two > 0 && tabs.iter().all(|tabs| (1..3).contains(&tabs.len())));
        let dropped: Vec<_> = guests.filter_map(|person| Town::dropped(&world, person)).collect();
        assert!(dropped.iter().all(|person| world.weddings_of(*person).count() == 1));
    }

    #[test]
    fn groups_do_not_overlap() {
        let town = Town { people: 100 };
        assert_eq!((town.members(), town.tellers(), town.guests()), (0..5, 5..7, 7..100));
    }
}
