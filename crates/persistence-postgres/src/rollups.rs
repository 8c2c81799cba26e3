//! Totals of quarters of an hour, computed anew from the rows whenever something was written about a quarter: exact
//! whatever comes late, and rebuilt by the same code.
//!
//! A batch commits its rows and the names of their quarters together. What is taken from the queue by one statement is
//! seen by the next one with all its rows; what is committed in between is still in the queue. Quarters are computed one
//! after another, so that none is overwritten by one that saw less.

use std::time::Duration;

use chrono::{DateTime, Utc};
use model::Wall;
use persistence::{RolledUp, StoreError};
use sqlx::PgConnection;

use crate::{
    behind::{hold_off_erasures, weeks},
    database::{Database, Terms, take_time},
    error::Failure,
    facts::timestamp,
};

/// What one quarter may take: 900 s of 5,000 rows are 4.5 million rows.
const TIME_OF_A_QUARTER: Duration = Duration::from_secs(20);

pub(crate) fn terms() -> Terms {
    Terms { extra: TIME_OF_A_QUARTER, ..Terms::default() }
}

/// Computes at most `buckets` of the quarters that wait, the newest first: what is looked at is now. Where one fails it
/// waits on, and all others are computed before that is said: the same one would come first again.
pub(crate) async fn roll_up(database: &Database, buckets: usize) -> Result<RolledUp, StoreError> {
    let (mut place, mut failed) = (Waiting { before: None, count: buckets }, None);
    loop {
        let mut page = waiting(database, place).await?;
        let more = page.len() > buckets;
        page.truncate(buckets);
        for bucket in &page {
            if let Err(error) = one(database, *bucket).await {
                // Where the database is away the next one fails as well, and takes its time for it.
                answers(database).await?;
                tracing::warn!(%bucket, %error, "totals of this quarter of an hour could not be made");
                failed = Some(error);
            }
        }
        match failed {
            None => return Ok(RolledUp { buckets: page.len() as u64, more }),
            Some(error) if !more => return Err(error),
            Some(_) => place.before = page.last().copied(),
        }
    }
}

async fn one(database: &Database, bucket: DateTime<Utc>) -> Result<(), StoreError> {
    database.write(terms(), bucket, |connection, bucket| Box::pin(compute(connection, *bucket))).await
}

async fn answers(database: &Database) -> Result<(), StoreError> {
    let work = database.read((), |connection, ()| {
        Box::pin(async move {
            sqlx::query("SELECT").execute(connection).await?;
            Ok(())
        })
    });
    work.await
}

/// Which of the quarters that wait: so many, older than one.
#[derive(Clone, Copy)]
struct Waiting {
    before: Option<DateTime<Utc>>,
    count: usize,
}

/// One more than are asked for, where there are more. Without those of weeks that are being restored.
async fn waiting(database: &Database, place: Waiting) -> Result<Vec<DateTime<Utc>>, StoreError> {
    let work = database.read(place, |connection, place| {
        Box::pin(async move {
            let one_more = i64::try_from(place.count).unwrap_or(i64::MAX).saturating_add(1);
            // Each quarter is found by a step of its own along the index, however often it is noted.
            let found = sqlx::query_scalar(
                "WITH RECURSIVE noted (bucket) AS (\
                     (SELECT max(bucket) FROM presence_rollup_queue WHERE bucket < coalesce($2, 'infinity')) \
                     UNION ALL \
                     SELECT (SELECT max(q.bucket) FROM presence_rollup_queue AS q \
                             WHERE q.bucket < noted.bucket) \
                     FROM noted WHERE noted.bucket IS NOT NULL\
                 ) SELECT bucket FROM noted WHERE bucket IS NOT NULL AND NOT EXISTS (\
                     SELECT FROM presence_weeks WHERE restoring AND week = \
                         (date_bin('7 days', bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date) LIMIT $1",
            );
            Ok(found.bind(one_more).bind(place.before).fetch_all(connection).await?)
        })
    });
    work.await
}

/// What can be done about a quarter.
#[derive(sqlx::FromRow)]
struct Place {
    /// Whether its week is in the log.
    in_the_log: bool,
    /// Whether some rows of it may be missing yet.
    restoring: bool,
}

/// One quarter. Where its week is not in the log, what was computed before stays; where it is being restored, it waits
/// for the rest of the rows.
async fn compute(connection: &mut PgConnection, bucket: DateTime<Utc>) -> Result<(), Failure> {
    take_time(connection, TIME_OF_A_QUARTER).await?;
    hold_off_others(connection).await?;
    // No week is taken out of the log meanwhile.
    sqlx::query("LOCK TABLE ONLY presence_activity_logs IN ACCESS SHARE MODE")
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM presence_rollup_queue WHERE bucket = $1")
        .bind(bucket)
        .execute(&mut *connection)
        .await?;
    // Asked after the queue was read: whoever restores says so before any row of theirs is in the queue.
    match place(connection, bucket).await? {
        Place { restoring: true, .. } => {
            let again = sqlx::query("INSERT INTO presence_rollup_queue (bucket) VALUES ($1)");
            again.bind(bucket).execute(connection).await?;
        }
        Place { in_the_log: true, .. } => {
            sqlx::query(TOTALS).bind(bucket).execute(&mut *connection).await?;
            sqlx::query(PAGES).bind(bucket).execute(connection).await?;
        }
        Place { .. } => {}
    }
    Ok(())
}

async fn place(connection: &mut PgConnection, bucket: DateTime<Utc>) -> Result<Place, Failure> {
    let place = sqlx::query_as(concat!(
        "WITH ",
        weeks!(),
        " SELECT here.start IN (SELECT start FROM week) AS in_the_log, \
             EXISTS (SELECT FROM presence_weeks AS w \
                 WHERE restoring AND w.week = (here.start AT TIME ZONE 'UTC')::date) AS restoring \
         FROM (SELECT date_bin('7 days', $1, '2001-01-01Z')) AS here (start)"
    ));
    Ok(place.bind(bucket).fetch_one(connection).await?)
}

/// One quarter after another, and nobody is erased meanwhile.
pub(crate) async fn hold_off_others(connection: &mut PgConnection) -> Result<(), Failure> {
    hold_off_erasures(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(presence_lock_key('presence_roll_up'))")
        .execute(connection)
        .await?;
    Ok(())
}

/// Only what is another total than before is written. Rows of those who are gone, which only a load with triggers
/// switched off leaves behind, are in none.
const TOTALS: &str = "
    WITH parts AS (
        SELECT organization_id, user_id, count(*) AS events, 0 AS sessions, 0 AS desktop, 0 AS mobile, 0 AS tablet,
            interval '0' AS span
        FROM presence_activity_logs
        WHERE \"timestamp\" >= $1 AND \"timestamp\" < $1 + interval '15 minutes'
        GROUP BY organization_id, user_id
        UNION ALL
        SELECT organization_id, user_id, 0, began, began * (device_type IS NOT DISTINCT FROM 'desktop')::int,
            began * (device_type IS NOT DISTINCT FROM 'mobile')::int,
            began * (device_type IS NOT DISTINCT FROM 'tablet')::int,
            least(seen_at, $1 + interval '15 minutes') - greatest(started_at, $1)
        FROM (
            SELECT *, (started_at >= $1)::int AS began FROM presence_sessions
            WHERE started_at < $1 + interval '15 minutes' AND started_at >= $1 - interval '24 hours'
              AND seen_at >= $1 AND NOT long
            UNION ALL
            SELECT *, (started_at >= $1)::int FROM presence_sessions
            WHERE started_at < $1 + interval '15 minutes' AND seen_at >= $1 AND long
        ) AS stretch
    ), fresh AS MATERIALIZED (
        SELECT organization_id, user_id, sum(events)::int AS events, sum(sessions)::int AS sessions,
            sum(desktop)::int AS desktop, sum(mobile)::int AS mobile, sum(tablet)::int AS tablet,
            (extract(epoch FROM sum(span)) * 1000)::bigint AS millis
        FROM parts
        WHERE EXISTS (SELECT FROM users WHERE users.id = user_id)
          AND EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id)
        GROUP BY organization_id, user_id
        HAVING sum(events) > 0 OR sum(sessions) > 0 OR sum(span) > interval '0'
    ), gone AS (
        DELETE FROM activity_rollups AS known WHERE bucket = $1 AND NOT EXISTS (
            SELECT FROM fresh
            WHERE fresh.organization_id = known.organization_id AND fresh.user_id = known.user_id)
    )
    INSERT INTO activity_rollups AS known
        (organization_id, bucket, user_id, events, sessions, desktop, mobile, tablet, millis)
    SELECT organization_id, $1, user_id, events, sessions, desktop, mobile, tablet, millis FROM fresh
    ON CONFLICT (organization_id, bucket, user_id) DO UPDATE SET events = excluded.events,
        sessions = excluded.sessions, desktop = excluded.desktop, mobile = excluded.mobile,
        tablet = excluded.tablet, millis = excluded.millis
    WHERE (known.events, known.sessions, known.desktop, known.mobile, known.tablet, known.millis) IS DISTINCT FROM
        (excluded.events, excluded.sessions, excluded.desktop, excluded.mobile, excluded.tablet, excluded.millis)";

const PAGES: &str = "
    WITH fresh AS MATERIALIZED (
        SELECT organization_id, page_viewed AS page, user_id, count(*)::int AS views FROM presence_activity_logs
        WHERE \"timestamp\" >= $1 AND \"timestamp\" < $1 + interval '15 minutes'
          AND activity_type = 'page_view' AND page_viewed IS NOT NULL
          AND EXISTS (SELECT FROM users WHERE users.id = user_id)
          AND EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id)
        GROUP BY organization_id, page_viewed, user_id
    ), gone AS (
        DELETE FROM activity_pages AS known WHERE bucket = $1 AND NOT EXISTS (
            SELECT FROM fresh WHERE fresh.organization_id = known.organization_id AND fresh.page = known.page
              AND fresh.user_id = known.user_id)
    )
    INSERT INTO activity_pages AS known (organization_id, bucket, page, user_id, views)
    SELECT organization_id, $1, page, user_id, views FROM fresh
    ON CONFLICT (organization_id, bucket, page, user_id) DO UPDATE SET views = excluded.views
    WHERE known.views <> excluded.views";

/// Notes all quarters of weeks in the log that have rows or totals; how many.
pub(crate) async fn mark(connection: &mut PgConnection, from: Wall, until: Wall) -> Result<u64, Failure> {
    take_time(connection, TIME_OF_A_QUARTER).await?;
    let marked = sqlx::query(concat!(
        "WITH ",
        weeks!(),
        " INSERT INTO presence_rollup_queue (bucket) SELECT bucket FROM week, generate_series(week.start, \
             week.start + interval '7 days' - interval '15 minutes', interval '15 minutes') AS bucket \
         WHERE bucket > $1::timestamptz - interval '15 minutes' AND bucket < $2 AND (\
             EXISTS (SELECT FROM presence_activity_logs WHERE \"timestamp\" >= bucket \
                 AND \"timestamp\" < bucket + interval '15 minutes') \
             OR EXISTS (SELECT FROM presence_sessions WHERE started_at < bucket + interval '15 minutes' \
                 AND started_at >= bucket - interval '24 hours' AND seen_at >= bucket) \
             OR EXISTS (SELECT FROM presence_sessions WHERE started_at < bucket + interval '15 minutes' \
                 AND seen_at >= bucket AND long) \
             OR EXISTS (SELECT FROM activity_rollups AS known WHERE known.bucket = bucket.bucket) \
             OR EXISTS (SELECT FROM activity_pages AS known WHERE known.bucket = bucket.bucket))"
    ))
    .bind(timestamp(from))
    .bind(timestamp(until))
    .execute(connection)
    .await?;
    Ok(marked.rows_affected())
}
