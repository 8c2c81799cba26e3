//! A hub under test with its clients, from the first connection to the last look at what went wrong.

use std::time::Duration;

use anyhow::ensure;

use super::{Setup, load::Load};
use crate::{
    engine::{
        clock::MILLISECOND,
        drive::{self, Target},
        judge::Tally,
        swarm::Swarm,
    },
    hub::{Hub, HubOptions},
    outcome::{Cost, Memory, Outcome, Recorder, Sample},
    process,
    world::user,
};

/// For everybody to connect.
const CONNECTING: Duration = Duration::from_secs(180);
/// For what was changed last to arrive.
const SETTLING: Duration = Duration::from_secs(20);
/// Without a frame for so long, it is quiet.
const QUIET: u64 = 300 * MILLISECOND;

/// A hub and its clients.
pub(super) struct Bench {
    pub(super) hub: Hub,
    pub(super) swarm: Swarm,
    rss_before_kib: u64,
}

/// CPU seconds of a server and of the generator, from one moment to another. Meanwhile the generator stays awake.
pub(super) struct Meter {
    server: u32,
    server_s: f64,
    generator_s: f64,
}

impl Meter {
    /// # Errors
    /// The server is gone.
    pub(super) fn start(server: u32, target: &mut impl Target) -> anyhow::Result<Self> {
        target.stay_awake(true);
        let generator_s = process::own_cpu_seconds() - target.idle().as_secs_f64();
        Ok(Self { server, server_s: process::cpu_seconds(server)?, generator_s })
    }

    /// The seconds of the server, and those of the generator in which it did something.
    ///
    /// # Errors
    /// The server is gone.
    pub(super) fn stop(self, target: &mut impl Target) -> anyhow::Result<(f64, f64)> {
        target.stay_awake(false);
        let generator_s = process::own_cpu_seconds() - target.idle().as_secs_f64();
        Ok((process::cpu_seconds(self.server)? - self.server_s, generator_s - self.generator_s))
    }
}

/// One measured phase.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub(super) cost: Cost,
    pub(super) tally: Tally,
    pub(super) series: Vec<Sample>,
    /// How late the generator made its changes.
    pub(super) lag: Recorder,
}

impl Bench {
    /// Starts a hub, fills its directory, and connects everybody.
    ///
    /// # Errors
    /// The hub cannot be started, or not everybody gets their view.
    pub(super) fn start(load: &Load, setup: &Setup) -> anyhow::Result<Self> {
        Self::with(prepare(load, setup)?, load, setup)
    }

    /// Connects everybody to a hub that knows them.
    ///
    /// # Errors
    /// Not everybody gets their view.
    pub(super) fn with(hub: Hub, load: &Load, setup: &Setup) -> anyhow::Result<Self> {
        let token = |person| if load.es256 { hub.token_es256(user(person)) } else { hub.token(user(person)) };
        let mut swarm = Swarm::new(&load.world, &load.plans, load.manner(setup), hub.address(), token)?;
        load.agency.iter().for_each(|agency| swarm.judge.watch_accounts(agency));
        let rss_before_kib = hub.rss_kib()?;
        let mut bench = Self { hub, swarm, rss_before_kib };
        bench.connect(setup)?;
        Ok(bench)
    }

    /// Connects everybody, and waits until it is quiet.
    ///
    /// # Errors
    /// Not everybody gets their view in time.
    fn connect(&mut self, setup: &Setup) -> anyhow::Result<()> {
        setup.progress.phase("connecting", self.swarm.len() as u64);
        let all = drive::wait_for(&mut self.swarm, CONNECTING, |swarm| {
            setup.progress.reach(swarm.live() as u64);
            swarm.live() == swarm.len() || swarm.tally().errors > 0
        })?;
        ensure!(
            all && self.swarm.tally().errors == 0,
            "{} of {} clients have their view; {}",
            self.swarm.live(),
            self.swarm.len(),
            self.swarm.tally().complaints.join("; ")
        );
        self.quiet()
    }

    /// Waits until nothing arrives any more, and a moment longer.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn quiet(&mut self) -> anyhow::Result<()> {
        let clock = self.swarm.clock();
        drive::wait_for(&mut self.swarm, SETTLING, |swarm| clock.now() > swarm.last_heard() + QUIET)?;
        Ok(())
    }

    /// Lets the changes of a load happen, and waits until all have arrived.
    ///
    /// # Errors
    /// The hub is gone.
    pub(super) fn measure(&mut self, load: &Load, setup: &Setup, phase: &str) -> anyhow::Result<Phase> {
        setup.progress.phase(phase, load.duration.as_secs());
        self.swarm.judge.begin();
        let sampler = self.hub.sampler();
        let meter = Meter::start(self.hub.pid(), &mut self.swarm)?;
        let start = self.swarm.clock().now() + MILLISECOND;
        let mut lag = Recorder::new();
        drive::play(&mut self.swarm, load.schedule(setup, start), |now, late| {
            lag.record_us(late / 1000);
            setup.progress.reach((now - start) / 1_000_000_000);
        })?;
        let played_s = (self.swarm.clock().now() - start) as f64 / 1e9;
        drive::settle(&mut self.swarm, SETTLING)?;
        let wall_s = (self.swarm.clock().now() - start) as f64 / 1e9;
        let (cpu_s, generator_cpu_s) = meter.stop(&mut self.swarm)?;
        let tally = self.swarm.tally().clone();
        let cost = Cost {
            cpu_s,
            // A tail of waiting for nothing is no time in which something was delivered.
            wall_s: wall_s.min(played_s + 1.0),
            deliveries: tally.delivered,
            bytes: tally.bytes,
            generator_cpu_s,
        };
        Ok(Phase { cost, tally, series: sampler.stop(), lag })
    }

    /// What the connections weigh now.
    ///
    /// # Errors
    /// The hub is gone.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        Ok(Memory {
            connections: self.swarm.len() as u64,
            rss_before_kib: self.rss_before_kib,
            rss_after_kib: self.hub.rss_kib()?,
            rss_peak_kib: process::peak_rss_kib(self.hub.pid())?,
            kernel_kib: self.hub.kernel_memory().ok().map(|memory| memory.kib()),
        })
    }

    /// Ends the hub while everybody is connected; that it does not end in order is noted.
    ///
    /// # Errors
    /// The hub is gone already.
    pub(super) fn finish(mut self, outcome: &mut Outcome) -> anyhow::Result<()> {
        ensure!(self.hub.is_running(), "the hub has ended by itself");
        if let Some(memory) = &mut outcome.memory {
            memory.rss_peak_kib = process::peak_rss_kib(self.hub.pid())?;
        }
        // The clients go first: a hub that has nobody to say good-bye to ends sooner.
        drop(self.swarm);
        if let Err(error) = self.hub.stop() {
            outcome.notes.push(format!("the hub did not end in order: {error:#}"));
        }
        Ok(())
    }
}

/// A hub that knows everybody, and to whom nobody is connected yet.
///
/// # Errors
/// It does not start, or refuses the directory.
pub(super) fn prepare(load: &Load, setup: &Setup) -> anyhow::Result<Hub> {
    let options = HubOptions { core: setup.core, settings: load.settings.clone(), es256: load.es256 };
    let hub = Hub::start(&setup.hub, &options)?;
    setup.progress.phase("directory", 2);
    hub.import(&load.document())?;
    setup.progress.reach(1);
    hub.put_settings(&load.world.settings())?;
    Ok(hub)
}
