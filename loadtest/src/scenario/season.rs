//! `season`: days of a wedding weekend, each in a minute or two. By day plans are made at desktops; then everybody
//! coordinates; then they are on site with mobiles that lose their network.
//!
//! People go from page to page, type, choose who may see them, are cut off and come back; the back-end asks and announces
//! by REST; assistants clock in and out; parts in weddings are taken away and given back; activity is written to
//! Postgres. Every view is judged all the while, by what each viewer may see at that moment, and once more in the end;
//! and what was acknowledged is looked for in the database.

mod deed;
mod shift;
mod stage;
mod tell;
mod town;

use std::{thread, time::Duration};

use anyhow::anyhow;
use model::Device;

use super::{
    Setup,
    bench::Bench,
    load::Load,
    place::Place,
    rows::{self, Told},
};
use crate::{
    engine::{
        clock::{MILLISECOND, SECOND},
        drive::{self, Target},
    },
    hub::Hub,
    outcome::{Cost, Outcome, Recorder},
    process::{self, Foremost},
};
use deed::Deed;
use shift::Shift;
use stage::Stage;
use town::Town;

/// All days together, in seconds.
const DURATION_S: u64 = 240;
const DAYS: u32 = 4;
/// The least that days may be, for all that is done to be done.
const LEAST: Duration = Duration::from_secs(6);
/// For what was done last to arrive, and for everybody to be back.
const SETTLING: Duration = Duration::from_secs(30);
/// Between a day's last change and the look at the hub's memory.
const NIGHT: Duration = Duration::from_secs(2);

/// A part of a day.
struct Hours {
    name: &'static str,
    /// Of a day, in tenths.
    share: u32,
    /// How much is done, by what is done on the average of the day.
    pace: f64,
    device: Device,
    /// What is done, of a thousand deeds.
    deeds: &'static [(Deed, u32)],
}

/// A day.
const DAY: [Hours; 3] = [
    Hours {
        name: "planning",
        share: 4,
        pace: 0.6,
        device: Device::Desktop,
        deeds: &[
            (Deed::Track, 882),
            (Deed::Settings, 30),
            (Deed::Announce, 20),
            (Deed::Several, 20),
            (Deed::Team, 20),
            (Deed::One, 10),
            (Deed::Why, 5),
            (Deed::Collaboration, 8),
            (Deed::Cut, 5),
        ],
    },
    Hours {
        name: "17 to 19 h",
        share: 3,
        pace: 1.6,
        device: Device::Desktop,
        deeds: &[
            (Deed::Track, 866),
            (Deed::Settings, 40),
            (Deed::Announce, 20),
            (Deed::Several, 20),
            (Deed::Team, 20),
            (Deed::One, 10),
            (Deed::Why, 5),
            (Deed::Collaboration, 9),
            (Deed::Cut, 10),
        ],
    },
    Hours {
        name: "on site",
        share: 3,
        pace: 0.9,
        device: Device::Mobile,
        deeds: &[
            (Deed::Track, 725),
            (Deed::Settings, 30),
            (Deed::Announce, 20),
            (Deed::Several, 20),
            (Deed::Team, 10),
            (Deed::Why, 5),
            (Deed::Cut, 120),
            (Deed::Silence, 60),
            (Deed::Loss, 10),
        ],
    },
];

/// What was found in all hours of a name.
struct Part {
    name: &'static str,
    latency: Recorder,
    lag: Recorder,
    cost: Cost,
}

pub(super) fn run(setup: &Setup) -> anyhow::Result<Outcome> {
    let place = Place::postgres(setup)?;
    let _foremost = Foremost::become_it();
    let town = Town::of(setup);
    let load = place.under(town.load(setup));
    let mut outcome = load.outcome("season", setup).with("days", DAYS);
    let mut bench = Bench::start(&load, setup)?;
    outcome.memory = Some(bench.memory()?);
    let mut parts = DAY.map(|hours| Part::new(hours.name));
    let mut shift = Shift::begin(&bench.hub)?;
    bench.swarm.admit_callers(stage::CALLERS);
    bench.swarm.expect_cuts();
    let mut stage = Stage::new(&mut bench.swarm, &bench.hub, &town, load.world.clone(), setup.seed);
    let rss_kib = days(&mut outcome, (&mut stage, &mut shift), (&bench.hub, &load, setup), &mut parts)?;
    tell::parts(&mut outcome, &parts, length(setup));
    tell::memory(&mut outcome, &rss_kib);
    stage.tell(&mut outcome);
    tell::truth(&mut outcome, &mut stage, &shift)?;
    if let Place::Postgres(postgres) = &place {
        tell::database(&mut outcome, postgres, (&stage, &shift), &load.world)?;
    }
    shift.tell(&mut outcome);
    drop(stage);
    let told = bench.swarm.told().into_iter();
    let told: Vec<_> = told.map(|(person, count)| Told { person, count, logged: true }).collect();
    bench.finish(&mut outcome)?;
    rows::check(&mut outcome, &load, setup, &told)?;
    outcome.check_truth();
    Ok(outcome)
}

/// All days together.
fn length(setup: &Setup) -> Duration {
    setup.duration_or(DURATION_S).max(LEAST)
}

/// Lives through all days; what the hub weighs after each.
fn days(
    outcome: &mut Outcome,
    (stage, shift): (&mut Stage, &mut Shift),
    (hub, load, setup): (&Hub, &Load, &Setup),
    parts: &mut [Part],
) -> anyhow::Result<Vec<u64>> {
    let mut rss_kib = Vec::new();
    let day = length(setup) / DAYS;
    for number in 0..DAYS {
        for (hours, part) in DAY.iter().zip(&mut *parts) {
            let duration = day * hours.share / 10;
            let load = Load { duration, rate: load.rate * hours.pace, ..load.clone() };
            // Every day is another one.
            let seed = setup.seed + u64::from(number) * 1_000;
            part.live(outcome, (stage, shift), (hub, &load, setup), (hours, seed))?;
        }
        drive::rest(stage, NIGHT)?;
        rss_kib.push(hub.rss_kib()?);
    }
    Ok(rss_kib)
}

impl Part {
    fn new(name: &'static str) -> Self {
        Self { name, latency: Recorder::new(), lag: Recorder::new(), cost: Cost::default() }
    }

    /// Some hours, until all that was done has arrived and everybody is back.
    fn live(
        &mut self,
        outcome: &mut Outcome,
        (stage, shift): (&mut Stage, &mut Shift),
        (hub, load, setup): (&Hub, &Load, &Setup),
        (hours, seed): (&Hours, u64),
    ) -> anyhow::Result<()> {
        setup.progress.phase(self.name, load.duration.as_secs());
        stage.begin(hours);
        let (hub_s, generator_s) = (hub.cpu_seconds()?, process::own_cpu_seconds());
        let start = stage.clock().now() + MILLISECOND;
        let arrivals = load.schedule_of(setup, seed, start);
        thread::scope(|scope| {
            let working = scope.spawn(|| shift.work(load.duration));
            drive::play(stage, arrivals, |now, late| {
                self.lag.record_us(late / 1000);
                setup.progress.reach((now - start) / SECOND);
            })?;
            while !working.is_finished() {
                stage.run_until(stage.clock().now() + MILLISECOND)?;
            }
            working.join().map_err(|_| anyhow!("a shift ended in a panic"))?
        })?;
        let wall_s = (stage.clock().now() - start) as f64 / SECOND as f64;
        drive::wait_for(stage, SETTLING, Stage::is_quiet)?;
        let tally = stage.tally();
        self.latency.add(&tally.latency);
        self.cost = self.cost.and(Cost {
            cpu_s: hub.cpu_seconds()? - hub_s,
            wall_s,
            deliveries: tally.delivered,
            bytes: tally.bytes,
            generator_cpu_s: process::own_cpu_seconds() - generator_s,
        });
        tell::count(outcome, tally);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hours_make_a_day_and_the_deeds_of_each_a_thousand() {
        assert_eq!(DAY.iter().map(|hours| hours.share).sum::<u32>(), 10);
        for hours in &DAY {
            assert_eq!(hours.deeds.iter().map(|(_, share)| share).sum::<u32>(), 1_000, "{}", hours.name);
        }
        let pace: f64 = DAY.iter().map(|hours| hours.pace * f64::from(hours.share) / 10.0).sum();
        assert!((0.95..1.05).contains(&pace), "{pace}");
    }
}
