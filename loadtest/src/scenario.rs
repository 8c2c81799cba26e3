//! The scenarios, one file each, and what they are given.

mod activity;
mod bench;
mod churn;
mod clock;
mod crowd;
mod desk;
mod flat;
mod hall;
mod idle;
mod load;
mod outage;
mod place;
mod privacy;
mod rest;
mod rooms;
mod rows;
mod season;
mod slow;
mod storm;
mod writer;

use std::{path::PathBuf, time::Duration};

use model::Encoding;

use crate::{engine::schedule::Spacing, outcome::Outcome, progress::Progress};

/// What `--scenario` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// 10,000 people in weddings of 20, mixed visibilities, a tenth hidden; 1,000 changes a second
    Rooms,
    /// 2,000 members of one organization, all watching it; 1,000 changes a second
    Crowd,
    /// One channel of 500, all watching; 20 joins or leaves a second
    Churn,
    /// 1,000 viewers of an organization of 10,000 who see only their wedding's people; 50 changes a second
    Hall,
    /// 18,000 connections: what each weighs, before and after a burst of snapshots
    Idle,
    /// 10,000 clients thrown off at once, who come back and resume
    Storm,
    /// 1,000 readers that stop to read, beside 1,000 that go on
    Slow,
    /// Cost per delivery against the number of viewers, and of channels
    Flat,
    /// What deciding per viewer costs, and what hidden changes tell by the time they take
    Privacy,
    /// 5,000 people on a Postgres that is stopped for two minutes and frozen for one, while they go on
    Outage,
    /// `rooms` with 5,000 activities a second told beside it in every other phase, on Postgres and on SQLite
    Activity,
    /// Activity as fast as it comes, and the last-seen of 100,000 people at once, into Postgres
    Writer,
    /// Clock-ins, moves and clock-outs in an agency of 5,000 accounts, beside 10,000 clients, on Postgres and on SQLite
    Clock,
    /// 500 who announce, 200 who ask about 50 people and 10 who ask for reports by REST, beside 10,000 clients and a log
    /// of 10,000,000 rows
    Rest,
    /// Days of a wedding weekend: 4,000 people plan, coordinate and are on site, with all that they do at once
    Season,
    /// All of them, one after the other
    All,
}

impl Scenario {
    const EACH: [Self; 15] = [
        Self::Rooms,
        Self::Crowd,
        Self::Churn,
        Self::Hall,
        Self::Idle,
        Self::Storm,
        Self::Slow,
        Self::Flat,
        Self::Privacy,
        Self::Outage,
        Self::Activity,
        Self::Writer,
        Self::Clock,
        Self::Rest,
        Self::Season,
    ];

    /// The scenarios that a name stands for.
    pub(crate) fn each(self) -> Vec<Self> {
        if self == Self::All { Self::EACH.to_vec() } else { vec![self] }
    }

    /// As `--scenario` and the report name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Crowd => "crowd",
            Self::Churn => "churn",
            Self::Hall => "hall",
            Self::Idle => "idle",
            Self::Storm => "storm",
            Self::Slow => "slow",
            Self::Flat => "flat",
            Self::Privacy => "privacy",
            Self::Outage => "outage",
            Self::Activity => "activity",
            Self::Writer => "writer",
            Self::Clock => "clock",
            Self::Rest => "rest",
            Self::Season => "season",
            Self::All => "all",
        }
    }

    /// Runs one scenario. It may have more than one outcome: `storm` has one for each manner of coming back.
    ///
    /// # Errors
    /// It could not be run to its end. That something did not hold is in the outcome.
    pub(crate) fn run(self, setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
        match self {
            Self::Rooms => rooms::run(setup).map(one),
            Self::Crowd => crowd::run(setup).map(one),
            Self::Churn => churn::run(setup).map(one),
            Self::Hall => hall::run(setup).map(one),
            Self::Idle => idle::run(setup).map(one),
            Self::Storm => storm::run(setup),
            Self::Slow => slow::run(setup).map(one),
            Self::Flat => flat::run(setup).map(one),
            Self::Privacy => privacy::run(setup).map(one),
            Self::Outage => outage::run(setup).map(one),
            Self::Activity => activity::run(setup),
            Self::Writer => writer::run(setup),
            Self::Clock => clock::run(setup),
            Self::Rest => rest::run(setup).map(one),
            Self::Season => season::run(setup).map(one),
            Self::All => Ok(Vec::new()),
        }
    }
}

fn one(outcome: Outcome) -> Vec<Outcome> {
    vec![outcome]
}

/// What every scenario is given.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The binary under test.
    pub(crate) hub: PathBuf,
    /// The core of the hub and of the floor; none: wherever the system puts them.
    pub(crate) core: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) encoding: Encoding,
    /// How long the measured phase lasts; none: as the scenario has it.
    pub(crate) duration: Option<Duration>,
    /// How long the floor is measured.
    pub(crate) floor_duration: Duration,
    /// Instead of the scenario's own number of connections.
    pub(crate) connections: Option<u32>,
    /// Instead of the scenario's own changes a second.
    pub(crate) rate: Option<f64>,
    /// Rows of activity, instead of the scenario's own number.
    pub(crate) rows: Option<u64>,
    pub(crate) spacing: Spacing,
    pub(crate) progress: Progress,
}

impl Setup {
    fn duration_or(&self, seconds: u64) -> Duration {
        self.duration.unwrap_or(Duration::from_secs(seconds))
    }

    fn connections_or(&self, connections: u32) -> u32 {
        self.connections.unwrap_or(connections)
    }

    fn rate_or(&self, rate: f64) -> f64 {
        self.rate.unwrap_or(rate)
    }
}
