//! Who is in the scenario, and how it is before anything is measured.

use std::{ops::Range, thread, time::Duration};

use anyhow::anyhow;

use super::{
    DURATION_S, Held, Setup,
    desk::Desk,
    probe::{Actor, Probe},
    worker::Worker,
};
use crate::{
    hub::Hub,
    outcome::Outcome,
    scenario::load::Load,
    world::{
        World,
        agency::{Account, Agency, Assistant},
    },
};

const CONNECTIONS: u32 = 10_000;
/// One in so many clients is a member of the agency; and twice as many watch nothing.
const CLIENTS_BY_MEMBERS: u32 = 10;
/// People of an organization beside the agency, who take part in one wedding.
const ORGANIZATION: u32 = 20;
/// Assistants who clock in and out without a pause.
const WORKERS: u32 = 8;
/// Accounts to which each worker comes, at least.
const TO_AND_FRO: u32 = 2;
/// Connections over which codes are minted and the first clock-ins made.
const LANES: u32 = 8;
/// Changes a second of each client, and of all of them at least.
const RATE: f64 = 0.02;
const LEAST_RATE: f64 = 50.0;

/// How many there are of each.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    connections: u32,
    accounts: u32,
    /// Accounts whose assistants stay: the lowest ones. Assistant `n + 1` is in account `n`.
    held: u32,
    /// Of the longest phase.
    pub(super) duration: Duration,
}

/// Those who act, and who is where when they have come.
type Filled = (Probe, Vec<Worker>, Held);

impl Scene {
    pub(super) fn of(setup: &Setup) -> Self {
        let connections = setup.connections_or(CONNECTIONS);
        let held = (connections * 3 / 10).max(1);
        let accounts = (connections / 2).max(held + 4 + TO_AND_FRO * WORKERS);
        Self { connections, accounts, held, duration: setup.duration_or(DURATION_S) }
    }

    pub(super) fn tell(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.with("accounts", self.accounts).with("held", self.held);
        outcome.with("workers", WORKERS).with("members", self.members().end)
    }

    /// Whose tab looks on.
    pub(super) fn resident(&self) -> Assistant {
        self.held + 1
    }

    fn visitor(&self) -> Assistant {
        self.held + 2
    }

    fn workers(&self) -> Range<Assistant> {
        self.held + 3..self.held + 3 + WORKERS
    }

    fn members(&self) -> Range<u32> {
        0..(self.connections / CLIENTS_BY_MEMBERS).max(1)
    }

    fn agency(&self) -> Agency {
        Agency {
            accounts: self.accounts,
            assistants: self.workers().end,
            free: self.held..self.accounts,
            members: self.members(),
        }
    }

    /// Members of the agency, organizations in which people see each other, and people who watch nothing.
    pub(super) fn load(&self, setup: &Setup) -> Load {
        let members = self.members();
        let others = members.end..self.connections - 2 * members.end;
        let world = World::new(self.connections)
            .with_weddings(others.clone(), ORGANIZATION)
            .with_organizations(members.clone(), members.end)
            .with_organizations(others.clone(), ORGANIZATION);
        let load = Load {
            pool: others.collect(),
            rate: setup.rate_or((f64::from(self.connections) * RATE).max(LEAST_RATE)),
            duration: self.duration,
            agency: Some(self.agency()),
            ..Load::of(world, World::organization_of)
        };
        // Nobody's extension is connected; that they are lost is another matter than this one.
        load.set("occupancy.stale_after_s", 86_400)
            .set("limits.clockings_per_second", 100_000)
            .set("limits.wrong_codes_per_address", 100_000)
            .set("limits.wrong_codes_per_second", 100_000)
    }

    /// Mints everybody's code, and lets all come who stay.
    ///
    /// # Errors
    /// A code or a clock-in is refused.
    pub(super) fn fill(&self, hub: &Hub, setup: &Setup) -> anyhow::Result<Filled> {
        setup.progress.phase("who stays clocks in", self.held.into());
        let lane_length = self.held.div_ceil(LANES).max(1);
        thread::scope(|scope| {
            let lane = |first: Account| first..(first + lane_length).min(self.held);
            let lanes: Vec<_> = (0..self.held)
                .step_by(lane_length as usize)
                .map(|first| scope.spawn(move || stay(hub, lane(first))))
                .collect();
            lanes.into_iter().try_for_each(|lane| lane.join().map_err(|_| anyhow!("a panic"))?)
        })?;
        let mut probe = self.probe(hub)?;
        probe.settle()?;
        let mut held: Held = (0..self.held).map(|account| (account, account + 1)).collect();
        held.extend(probe.resident());
        Ok((probe, self.work(hub)?, held))
    }

    fn probe(&self, hub: &Hub) -> anyhow::Result<Probe> {
        let mut desk = Desk::at(hub.address())?;
        let mut actor = |who, first| {
            let code = desk.mint(hub, who)?;
            Ok::<_, anyhow::Error>(Actor::new(who, code, [first, first + 1]))
        };
        let resident = actor(self.resident(), self.held)?;
        let visitor = actor(self.visitor(), self.held + 2)?;
        Ok(Probe { desk, visitor, resident, session: None })
    }

    /// Each worker has accounts of their own.
    fn work(&self, hub: &Hub) -> anyhow::Result<Vec<Worker>> {
        let first = self.held + 4;
        let each = (self.accounts - first) / WORKERS;
        let worker = |(n, who): (u32, Assistant)| {
            let mut desk = Desk::at(hub.address())?;
            let code = desk.mint(hub, who)?;
            let start = first + n * each;
            Ok(Worker::new(desk, (who, code), start..start + each, n % self.held))
        };
        (0..).zip(self.workers()).map(worker).collect()
    }
}

fn stay(hub: &Hub, accounts: Range<Account>) -> anyhow::Result<()> {
    let mut desk = Desk::at(hub.address())?;
    for account in accounts {
        let who = account + 1;
        let code = desk.mint(hub, who)?;
        let answer = desk.clock_in(&code, who, account)?;
        answer.map_err(|refused| anyhow!("{who} cannot clock in: {refused:?}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::desk::CHANNEL, *};
    use crate::world::agency::OWNER;

    fn scene(connections: u32) -> Scene {
        let held = connections * 3 / 10;
        let accounts = (connections / 2).max(held + 4 + TO_AND_FRO * WORKERS);
        Scene { connections, accounts, held, duration: Duration::from_secs(1) }
    }

    #[test]
    fn nobody_is_two() {
        let scene = scene(10_000);
        assert_eq!((scene.accounts, scene.held, scene.members()), (5_000, 3_000, 0..1_000));
        assert!(scene.resident() > scene.held && scene.visitor() < scene.workers().start);
        assert_eq!(scene.agency().assistants, scene.workers().end);
        assert_ne!(scene.resident(), OWNER);
    }

    #[test]
    fn a_small_scene_has_room_for_all_workers() {
        let scene = scene(100);
        assert!((scene.accounts - scene.held - 4) / WORKERS >= TO_AND_FRO);
    }

    #[test]
    fn the_agency_is_the_first_organization() {
        let world = World::new(100).with_organizations(0..10, 10).with_organizations(10..80, 20);
        assert_eq!(world.organization_of(0), Some(CHANNEL));
        assert_ne!(world.organization_of(10), Some(CHANNEL));
    }
}
