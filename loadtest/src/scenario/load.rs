//! A load: a world, its clients, and the changes they make; and the floor in the same shape.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, ensure};
use model::Encoding;

use super::{
    Setup,
    bench::{Bench, Meter, Phase},
};
use crate::{
    engine::{
        clock::{MILLISECOND, Nanos, nanos},
        drive::{self, Target},
        frame,
        judge::{Judge, Leaves},
        schedule::{Arrival, Schedule, Spacing, merged},
        speech::{Said, Speech},
        swarm::{Manner, Plan},
    },
    floor::{self, Members, Seat, Sizes},
    outcome::{Check, Cost, Latency, Outcome, Sample},
    world::{Channel, Person, World, agency::Agency, user},
};

/// More than the bare writer can do on one core would measure its queue and not its cost.
const FLOOR_DELIVERIES_PER_S: f64 = 100_000.0;
/// Deliveries below which a ratio is noise: it is reported, and nothing fails by it.
const ENOUGH: u64 = 50_000;
/// Time for what was sent last to arrive.
const SETTLING: Duration = Duration::from_secs(20);
/// A number of changes of the size that a run reaches, for the size of its text.
const TYPICAL: u32 = 0x1f;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) world: World,
    pub(crate) plans: Vec<Plan>,
    /// Who makes changes.
    pub(crate) pool: Vec<Person>,
    /// Changes a second.
    pub(crate) rate: f64,
    pub(crate) duration: Duration,
    pub(crate) leaves: Leaves,
    /// Which people announce a page and a device.
    pub(crate) details: fn(Person) -> bool,
    /// People who make changes besides, so many a second, whose latency is not of interest.
    pub(crate) beside: Option<(Vec<Person>, f64)>,
    /// Characters of everybody's page.
    pub(crate) padding: usize,
    /// Instead of the spacing that was asked for.
    pub(crate) spacing: Option<Spacing>,
    /// Whether the clients' tokens are signed with ES256.
    pub(crate) es256: bool,
    /// Who joins the first organization, and clocks in and out there.
    pub(crate) agency: Option<Agency>,
    /// Settings of the hub, over those it is loaded with.
    pub(crate) settings: BTreeMap<String, String>,
}

impl Load {
    /// Everybody watches what `channel` says, and everybody changes.
    pub(crate) fn of(world: World, channel: impl Fn(&World, Person) -> Option<Channel>) -> Self {
        let pool: Vec<Person> = (0..world.people()).collect();
        let plans = pool.iter().map(|person| Plan::of(*person, channel(&world, *person))).collect();
        Self {
            world,
            plans,
            pool,
            rate: 1000.0,
            duration: Duration::from_secs(20),
            leaves: Leaves::Wrong,
            details: |_| false,
            beside: None,
            padding: 0,
            spacing: None,
            es256: false,
            agency: None,
            settings: BTreeMap::new(),
        }
    }

    /// With a setting of the hub.
    pub(crate) fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.insert(key.to_owned(), value.to_string());
        self
    }

    /// With several.
    pub(super) fn set_all(self, settings: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        settings.into_iter().fold(self, |load, (key, value)| load.set(key, value))
    }

    /// What the hub's directory is filled with.
    pub(super) fn document(&self) -> serde_json::Value {
        let mut document = self.world.document();
        self.agency.iter().for_each(|agency| agency.join(&mut document));
        document
    }

    pub(super) fn manner(&self, setup: &Setup) -> Manner {
        Manner {
            encoding: setup.encoding,
            padding: self.padding,
            details: self.details,
            at: None,
            leaves: self.leaves,
            opening: 128,
            seed: setup.seed,
        }
    }

    /// Its changes, from a moment on.
    pub(super) fn schedule(&self, setup: &Setup, start: Nanos) -> impl Iterator<Item = Arrival> + use<> {
        self.schedule_of(setup, setup.seed, start)
    }

    /// The same, drawn from another seed.
    pub(super) fn schedule_of(
        &self,
        setup: &Setup,
        seed: u64,
        start: Nanos,
    ) -> impl Iterator<Item = Arrival> + use<> {
        let (duration, spacing) = (nanos(self.duration), self.spacing.unwrap_or(setup.spacing));
        let stream = |people: &[Person], rate: f64, seed| {
            Schedule::new(people.to_vec(), rate, spacing, seed).within(start, duration)
        };
        let beside = self.beside.as_ref().map(|(people, rate)| stream(people, *rate, !seed));
        merged(stream(&self.pool, self.rate, seed), beside.into_iter().flatten())
    }

    /// Measures the floor, then the hub, and checks what holds of every run.
    ///
    /// # Errors
    /// One of them could not be run.
    pub(crate) fn run(&self, name: &str, setup: &Setup) -> anyhow::Result<Outcome> {
        let mut outcome = self.outcome(name, setup);
        let (floor, latency) = self.floor(setup)?;
        outcome.floor = Some(floor);
        floor_figures(&mut outcome, &latency);
        let mut bench = Bench::start(self, setup)?;
        outcome.memory = Some(bench.memory()?);
        let phase = bench.measure(self, setup, "measuring")?;
        phase.tell(&mut outcome);
        bench.finish(&mut outcome)?;
        outcome.check_truth();
        Ok(outcome)
    }

    /// An outcome with the parameters in it.
    pub(super) fn outcome(&self, name: &str, setup: &Setup) -> Outcome {
        let encoding = match setup.encoding {
            Encoding::Json => "json",
            Encoding::MessagePack => "messagepack",
        };
        Outcome::new(name, setup.seed)
            .with("connections", self.plans.len())
            .with("people", self.world.people())
            .with("changes_per_s", self.rate)
            .with("encoding", encoding)
    }

    /// Runs the bare writer in this shape, at a rate that it can bear.
    ///
    /// # Errors
    /// It cannot be started, or does not write all in time.
    pub(crate) fn floor(&self, setup: &Setup) -> anyhow::Result<(Cost, Latency)> {
        let seats = self.seats();
        let sizes = self.sizes(setup.encoding)?;
        let (writer, address) = floor::start(sizes, setup.core)?;
        let mut members = Members::new(&seats, sizes, address)?;
        setup.progress.phase("floor", seats.len() as u64);
        members.connect()?;
        drive::rest(&mut members, Duration::from_millis(300))?;
        let rate = self.rate.min(FLOOR_DELIVERIES_PER_S / self.mean_audience().max(1.0));
        let load = Self { rate, duration: setup.floor_duration, ..self.clone() };
        let meter = Meter::start(writer.pid(), &mut members)?;
        let start = members.clock().now() + MILLISECOND;
        drive::play(&mut members, load.schedule(setup, start), |_, _| {})?;
        ensure!(drive::settle(&mut members, SETTLING)?, "the floor's writer did not write all");
        let wall_s = (members.clock().now() - start) as f64 / 1e9;
        let (cpu_s, generator_cpu_s) = meter.stop(&mut members)?;
        let deliveries = members.delivered();
        let cost =
            Cost { cpu_s, wall_s, deliveries, bytes: deliveries * sizes.frame as u64, generator_cpu_s };
        Ok((cost, members.latency().latency()))
    }

    /// Where the clients that watch sit in the floor's channels.
    fn seats(&self) -> Vec<Seat> {
        let judge = self.judge();
        let mut places: BTreeMap<(u8, u32), (u32, u32)> = BTreeMap::new();
        let watching = self.plans.iter().filter_map(|plan| Some((plan.person, plan.channel?)));
        let seat = |(person, channel): (Person, Channel)| {
            let next = places.len() as u32;
            let (channel, place) = places.entry(channel.key()).or_insert((next, 0));
            let seat = Seat { person, channel: *channel, place: *place, audience: judge.audience(person) };
            *place += 1;
            seat
        };
        watching.map(seat).collect()
    }

    /// How many views show a change, on the average of who makes them.
    pub(crate) fn mean_audience(&self) -> f64 {
        let judge = self.judge();
        let audience: u64 = self.pool.iter().map(|person| u64::from(judge.audience(*person))).sum();
        audience as f64 / self.pool.len().max(1) as f64
    }

    fn judge(&self) -> Judge {
        Judge::new(&self.world, &crate::engine::swarm::views(&self.world, &self.plans), self.leaves)
    }

    /// The mean sizes of what the hub is sent and sends for one change.
    fn sizes(&self, encoding: Encoding) -> anyhow::Result<Sizes> {
        let speech = Speech::new(encoding, self.padding);
        let mut total = Sizes { message: 0, frame: 0 };
        for person in &self.pool {
            let said = Said::plain(TYPICAL, (self.details)(*person));
            total.message += speech.track(TYPICAL, said).len();
            total.frame += self.frame_size(speech, *person, said)?;
        }
        let count = self.pool.len().max(1);
        Ok(Sizes { message: total.message / count, frame: total.frame / count })
    }

    fn frame_size(&self, speech: Speech, person: Person, said: Said) -> anyhow::Result<usize> {
        let join = diff(speech, self.record(speech, person, said), "update")?;
        if self.leaves != Leaves::Counted {
            return Ok(join);
        }
        let leave = diff(speech, serde_json::json!({ "userId": user(person) }), "leave")?;
        Ok((join + leave) / 2)
    }

    /// What others are shown of a change.
    fn record(&self, speech: Speech, person: Person, said: Said) -> serde_json::Value {
        let words = speech.words(said);
        let choice = self.world.choice(person);
        let mut record = serde_json::json!({ "userId": user(person), "status": words.status });
        let texts = [
            ("customStatus", words.custom_status),
            ("currentPage", words.current_page.filter(|_| choice.show_current_page)),
            ("device", words.device.filter(|_| choice.show_activity).map(|_| "mobile".to_owned())),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                record[name] = text.into();
            }
        }
        record
    }
}

/// The bytes of a diff with one entry, with its header, in the encoding of the run.
fn diff(speech: Speech, entry: serde_json::Value, list: &str) -> anyhow::Result<usize> {
    let text = serde_json::json!({ "t": "diff", "sub": 1, "seq": 500, list: [entry] }).to_string();
    let view =
        wire::decode_server(Encoding::Json, text.as_bytes()).map_err(|error| anyhow::anyhow!("{error:?}"));
    let payload = wire::encode_server(speech.encoding(), &view.context("a frame of our own")?);
    let mut out = Vec::new();
    frame::put_unmasked(frame::TEXT, &payload, &mut out);
    Ok(out.len())
}

fn floor_figures(outcome: &mut Outcome, latency: &Latency) {
    outcome.figure("floor latency p50", latency.p50_ms, "ms");
    outcome.figure("floor latency p99", latency.p99_ms, "ms");
}

impl Phase {
    /// Adds what was measured to an outcome of several phases: what arrived, what went wrong, and the curves.
    pub(super) fn add_to(&self, outcome: &mut Outcome) {
        let tally = &self.tally;
        outcome.delivered += tally.delivered;
        outcome.expected += tally.expected;
        outcome.errors += tally.errors;
        outcome.forbidden += tally.forbidden;
        outcome.notes.extend(tally.complaints.iter().cloned());
        let began = outcome.series.last().map_or(0.0, |sample| sample.at_s);
        let later = |sample: &Sample| Sample { at_s: began + sample.at_s, ..*sample };
        outcome.series.extend(self.series.iter().map(later));
    }

    /// Puts what was measured into an outcome.
    pub(super) fn tell(&self, outcome: &mut Outcome) {
        let tally = &self.tally;
        outcome.duration_s = self.cost.wall_s;
        outcome.hub = Some(self.cost);
        outcome.latency = tally.latency.latency();
        outcome.delivered = tally.delivered;
        outcome.expected = tally.expected;
        outcome.forbidden = tally.forbidden;
        outcome.errors = tally.errors;
        outcome.series.clone_from(&self.series);
        outcome.notes.extend(tally.complaints.iter().cloned());
        let frames = tally.frames.max(1) as f64;
        outcome.figure("deliveries per frame", tally.delivered as f64 / frames, "changes");
        outcome.figure("generator late p99", self.lag.latency().p99_ms, "ms");
        outcome.figure("generator busy", 100.0 * self.cost.generator_cpu_s / self.cost.wall_s, "%");
        outcome.figure("hub busy", 100.0 * self.cost.cpu_s / self.cost.wall_s, "%");
    }
}

/// A limit on the ratio to the floor: it fails the run where there were enough deliveries for a ratio to mean
/// something. Beside it the aim.
pub(super) fn check_ratio(outcome: &mut Outcome, limit: f64, aim: f64) {
    let Some(ratio) = outcome.ratio() else { return };
    let check = Check::at_most("times the floor", ratio, limit);
    let enough = outcome.delivered >= ENOUGH;
    outcome.checks.push(if enough { check } else { check.into_aim() });
    outcome.checks.push(Check::at_most("times the floor, aimed at", ratio, aim).into_aim());
}
