//! The log of an organization, made by the database itself, and rolled up by the hub's own job.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{Scene, Setup, desk::SHIFTS};
use crate::{
    hub::Hub,
    outcome::Outcome,
    postgres::Postgres,
    world::{Channel, user, uuid_of},
};

/// Quarters of an hour of a day in which something is done: from 7:00 on.
const QUARTERS: u64 = 25;
/// For all quarters to be rolled up.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Between two looks whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Fills it up to yesterday. The days at its beginning are there so that ranges may differ.
///
/// # Errors
/// The database refuses a row, or the totals do not come about.
pub(super) fn fill(
    outcome: &mut Outcome,
    hub: &Hub,
    postgres: &Postgres,
    setup: &Setup,
    (scene, organization): (&Scene, Channel),
) -> anyhow::Result<()> {
    let (began, days) = (Instant::now(), scene.days + SHIFTS);
    // Nothing is measured yet, and a server that crashed would end the run anyway.
    commit_later(postgres, true)?;
    let each = (scene.rows / u64::from(scene.days) / u64::from(scene.staff)).max(1);
    postgres.ask(&weeks(days))?;
    setup.progress.phase("the log", days.into());
    for ago in (1..=days).rev() {
        postgres.ask(&rows(scene, organization, ago, each))?;
        postgres.ask(&stretches(scene, organization, ago))?;
        setup.progress.reach((days - ago).into());
    }
    let filled_s = began.elapsed().as_secs_f64();
    roll_up(hub, postgres, setup, days)?;
    outcome.figure("making the log", filled_s, "s");
    outcome.figure("rolling it up", began.elapsed().as_secs_f64() - filled_s, "s");
    commit_later(postgres, false)?;
    postgres.ask("VACUUM ANALYZE")?;
    postgres.ask("CHECKPOINT")?;
    for table in ["presence_activity_logs", "activity_rollups"] {
        let count = postgres.ask(&format!("SELECT count(*) FROM {table}"))?.parse()?;
        outcome.figure(&format!("rows of {table}"), count, "");
    }
    Ok(())
}

/// Whether a commit is answered before it is on the disk.
fn commit_later(postgres: &Postgres, later: bool) -> anyhow::Result<()> {
    let value = if later { "off" } else { "on" };
    postgres.ask(&format!("ALTER SYSTEM SET synchronous_commit = {value}"))?;
    postgres.ask("SELECT pg_reload_conf()").map(drop)
}

fn weeks(days: u32) -> String {
    format!(
        "SELECT count(presence_attach_week(monday::date)) FROM generate_series(\
         date_trunc('week', (now() - interval '{days} days') AT TIME ZONE 'UTC'), now() AT TIME ZONE 'UTC', '7 days') \
         AS monday"
    )
}

/// Midnight so many days ago.
fn midnight(ago: u32) -> String {
    format!("(date_trunc('day', now() AT TIME ZONE 'UTC') - interval '{ago} days') AT TIME ZONE 'UTC'")
}

/// The id of member `u`, in SQL.
fn member(scene: &Scene) -> String {
    let first = user(scene.crowd).to_string();
    let (beginning, _) = first.split_at(first.len() - 8);
    format!("('{beginning}' || lpad(to_hex({} + u), 8, '0'))::uuid", scene.crowd)
}

/// What the members do on a day: `each` of them so many things, over all quarters of the hours in which they work.
fn rows(scene: &Scene, organization: Channel, ago: u32, each: u64) -> String {
    let (of, member, midnight) = (uuid_of(organization), member(scene), midnight(ago));
    format!(
        "INSERT INTO presence_activity_logs \
             (id, organization_id, user_id, activity_type, page_viewed, \"timestamp\", device_type) \
         SELECT gen_random_uuid(), '{of}', {member}, \
             (ARRAY['page_view', 'focus', 'interaction'])[1 + (k + u) % 3], \
             CASE (k + u) % 3 WHEN 0 THEN '/weddings/' || (hashint4(u * 1009 + k) & 511) || '/timeline' END, \
             {midnight} + interval '7 hours' + (k * {QUARTERS} / {each}) * interval '15 minutes' \
                 + ((u * 7 + k * 13) % 900) * interval '1 second', \
             (ARRAY['desktop', 'mobile', 'tablet'])[1 + u % 3] \
         FROM generate_series(0, {each} - 1) AS k, generate_series(0, {} - 1) AS u",
        scene.staff
    )
}

/// Two stretches of three hours each for everybody.
fn stretches(scene: &Scene, organization: Channel, ago: u32) -> String {
    let (of, member, midnight) = (uuid_of(organization), member(scene), midnight(ago));
    format!(
        "INSERT INTO presence_sessions \
             (organization_id, session_id, started_at, user_id, seen_at, ended, device_type) \
         SELECT '{of}', gen_random_uuid(), began, {member}, began + interval '3 hours', true, \
             (ARRAY['desktop', 'mobile', 'tablet'])[1 + u % 3] \
         FROM generate_series(0, {} - 1) AS u, (VALUES (7), (10)) AS hours (hour), \
             LATERAL (SELECT {midnight} + hour * interval '1 hour' + u % 900 * interval '1 second' AS began) AS at",
        scene.staff
    )
}

/// Notes the quarters as a batch would, and lets the hub's job make their totals.
fn roll_up(hub: &Hub, postgres: &Postgres, setup: &Setup, days: u32) -> anyhow::Result<()> {
    let (first, last) = (midnight(days), midnight(1));
    postgres.ask(&format!(
        "INSERT INTO presence_rollup_queue SELECT day + n * interval '15 minutes' \
         FROM generate_series({first}, {last}, '1 day') AS day, generate_series(28, {}) AS n",
        28 + QUARTERS
    ))?;
    let waiting =
        || Ok::<u64, anyhow::Error>(postgres.ask("SELECT count(*) FROM presence_rollup_queue")?.parse()?);
    let (began, all) = (Instant::now(), waiting()?);
    setup.progress.phase("totals", all);
    // One that is under way already, because its minute has come, does the same.
    drop(hub.begin_job("rollups")?);
    loop {
        let left = waiting()?;
        setup.progress.reach(all.saturating_sub(left));
        if left == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{left} of {all} quarters wait for their totals");
        thread::sleep(LOOK_EVERY);
    }
}
