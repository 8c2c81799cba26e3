//! The last-seen of very many people, all at once: they come and go while the database is stopped, so that the first
//! flush after it is back has all of them to write.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::{Setup, bench::prepare, load::Load};
use crate::{
    engine::{
        drive,
        swarm::{Plan, Swarm},
    },
    hub::Hub,
    outcome::{Check, Outcome},
    postgres::Postgres,
    process,
    world::{World, user},
};

const PEOPLE: u32 = 100_000;
/// People who are connected at once.
const WAVE: u32 = 10_000;
/// For everybody of a wave to be welcomed; and for all rows to be written.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long people stay after a lost connection, in milliseconds: short, so that all is noted soon.
const GRACE_MS: u64 = 500;
/// After it, nothing is noted any more.
const NOTED: Duration = Duration::from_secs(3);
/// Between two looks at the table.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The rhythm of the writer: what is due is to be written before the next of it is.
const CYCLE_S: f64 = 5.0;

pub(super) fn run(postgres: &Postgres, setup: &Setup) -> anyhow::Result<Outcome> {
    let people = setup.connections_or(PEOPLE);
    let load = Load::of(World::new(people), |_, _| None).set("presence.grace_ms", GRACE_MS);
    let load = load.set_all(postgres.settings());
    let mut outcome = load.outcome("writer-last-seen", setup);
    outcome.parameters.remove("changes_per_s");
    let hub = prepare(&load, setup)?;
    process::on_core(setup.core, || {
        postgres.server().stop();
        Ok(())
    })?;
    for wave in load.plans.chunks(WAVE as usize) {
        come_and_go(&hub, &load, wave, setup)?;
    }
    std::thread::sleep(NOTED);
    process::on_core(setup.core, || {
        postgres.server().start_again();
        Ok(())
    })?;
    let before_s = hub.cpu_seconds()?;
    let rows = written(postgres, people)?;
    outcome.figure("hub's CPU for it", hub.cpu_seconds()? - before_s, "s");
    outcome.checks.push(Check::exactly("people whose last-seen is written", rows as f64, f64::from(people)));
    cycle(&mut outcome, postgres)?;
    hub.stop()?;
    Ok(outcome)
}

/// People connect, are welcomed, and are gone without a word.
fn come_and_go(hub: &Hub, load: &Load, wave: &[Plan], setup: &Setup) -> anyhow::Result<()> {
    setup.progress.phase("coming and going", wave.len() as u64);
    let token = |person| hub.token(user(person));
    let mut swarm = Swarm::new(&load.world, wave, load.manner(setup), hub.address(), token)?;
    let all = drive::wait_for(&mut swarm, PATIENCE, |swarm| {
        setup.progress.reach(swarm.live() as u64);
        swarm.live() == swarm.len() || swarm.tally().errors > 0
    })?;
    let complaints = swarm.tally().complaints.join("; ");
    ensure!(
        all && swarm.tally().errors == 0,
        "{} of {} are welcome; {complaints}",
        swarm.live(),
        swarm.len()
    );
    Ok(())
}

/// Waits for all rows; how many there are.
fn written(postgres: &Postgres, people: u32) -> anyhow::Result<u64> {
    let began = Instant::now();
    loop {
        let rows = postgres.ask("SELECT count(*) FROM user_last_seen")?.parse()?;
        if rows >= u64::from(people) || began.elapsed() > PATIENCE {
            return Ok(rows);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// From the first batch to the end of the last one. A row has the time at which its transaction began; so one batch is
/// added, as long as the mean.
fn cycle(outcome: &mut Outcome, postgres: &Postgres) -> anyhow::Result<()> {
    let batches: f64 = postgres.ask("SELECT count(DISTINCT updated_at) FROM user_last_seen")?.parse()?;
    let span = "SELECT extract(epoch FROM max(updated_at) - min(updated_at)) FROM user_last_seen";
    let span_s: f64 = postgres.ask(span)?.parse()?;
    let cycle_s = if batches > 1.0 { span_s * batches / (batches - 1.0) } else { span_s };
    outcome.duration_s = cycle_s;
    outcome.figure("batches", batches, "");
    outcome.figure("from the first batch to the end of the last", cycle_s, "s");
    let check = Check::at_most("all within one cycle of the writer, in s", cycle_s, CYCLE_S);
    outcome.checks.push(check.into_aim());
    Ok(())
}
