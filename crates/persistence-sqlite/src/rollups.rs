//! Totals of each quarter of an hour, computed anew from the raw rows wherever something was written.
//!
//! The quarters to compute are queued in the transaction that wrote, so none is ever forgotten; and computing one
//! twice gives the same, so none is ever wrong for it.

use std::collections::BTreeSet;

use model::Wall;
use persistence::{BUCKET_MS, StoreError, WEEK_MS, Week, stored::write_json};
use sqlx::SqliteConnection;

use crate::{error::store_error, weeks};

/// The quarter of an hour that an instant is in: its first instant.
pub(crate) fn bucket(at: Wall) -> i64 {
    at.0.div_euclid(BUCKET_MS) * BUCKET_MS
}

/// The quarters of an hour that the time between two instants is in; where there is none between them, that of the first.
pub(crate) fn buckets(from: Wall, until: Wall) -> impl Iterator<Item = i64> {
    let last = until.0.saturating_sub(1).max(from.0);
    (from.0.div_euclid(BUCKET_MS)..=last.div_euclid(BUCKET_MS)).map(|step| step * BUCKET_MS)
}

/// Notes that these are to be computed again; how many different ones they are.
pub(crate) async fn enqueue(
    connection: &mut SqliteConnection,
    buckets: impl Iterator<Item = i64>,
) -> Result<u64, StoreError> {
    let buckets: BTreeSet<i64> = buckets.collect();
    sqlx::query(
        "INSERT INTO presence_rollup_queue (bucket) SELECT value FROM json_each(?1) WHERE true \
         ON CONFLICT (bucket) DO NOTHING",
    )
    .bind(write_json(&buckets)?)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(buckets.len() as u64)
}

/// Quarters of the queue whose turn it is: those of a week whose rows are coming back wait until all of them have.
macro_rules! due {
    () => {
        "FROM presence_rollup_queue WHERE NOT EXISTS (SELECT 1 FROM presence_weeks \
         WHERE restoring AND bucket >= start AND bucket < start + ?1)"
    };
}

/// Takes the oldest one from the queue and computes it; whether there was one. Where the raw rows of its week are not in
/// the log, it stays as it is.
pub(crate) async fn compute_next(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let sql = concat!(
        "DELETE FROM presence_rollup_queue WHERE bucket = (SELECT min(bucket) ",
        due!(),
        ") RETURNING bucket"
    );
    let query = sqlx::query_scalar(sql).bind(WEEK_MS);
    let taken: Option<i64> = query.fetch_optional(&mut *connection).await.map_err(store_error)?;
    let Some(bucket) = taken else { return Ok(false) };
    if !weeks::aside(connection).await?.contains(&Week::of(Wall(bucket))) {
        compute(connection, bucket).await?;
    }
    Ok(true)
}

/// Whether there are quarters whose turn it is.
pub(crate) async fn are_queued(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let sql = concat!("SELECT EXISTS (SELECT 1 ", due!(), ")");
    sqlx::query_scalar(sql).bind(WEEK_MS).fetch_one(connection).await.map_err(store_error)
}

async fn compute(connection: &mut SqliteConnection, bucket: i64) -> Result<(), StoreError> {
    let users = "INSERT INTO activity_rollups (organization_id, bucket, user_id, events, sessions, millis, \
                     desktop, mobile, tablet) \
                 SELECT organization_id, ?1, user_id, sum(event), sum(begun), sum(millis), \
                     sum(begun AND device_type IS 'desktop'), sum(begun AND device_type IS 'mobile'), \
                     sum(begun AND device_type IS 'tablet') \
                 FROM (SELECT organization_id, user_id, 1 AS event, 0 AS begun, 0 AS millis, NULL AS device_type \
                       FROM presence_activity_logs WHERE timestamp >= ?1 AND timestamp < ?1 + ?2 \
                       UNION ALL \
                       SELECT organization_id, user_id, 0, started_at >= ?1, \
                           min(seen_at, ?1 + ?2) - max(started_at, ?1), device_type \
                       FROM presence_sessions \
                       WHERE started_at < ?1 + ?2 AND (started_at >= ?1 OR seen_at > ?1) \
                           AND started_at >= ?1 - (SELECT max(seen_at - started_at) FROM presence_sessions)) \
                 GROUP BY organization_id, user_id";
    let pages = "INSERT INTO activity_pages (organization_id, bucket, page, user_id, views) \
                 SELECT organization_id, ?1, page_viewed, user_id, count(*) FROM presence_activity_logs \
                 WHERE timestamp >= ?1 AND timestamp < ?1 + ?2 AND activity_type = 'page_view' \
                     AND page_viewed IS NOT NULL \
                 GROUP BY organization_id, page_viewed, user_id";
    let old_users = "DELETE FROM activity_rollups WHERE bucket = ?1";
    let old_pages = "DELETE FROM activity_pages WHERE bucket = ?1";
    for sql in [old_users, old_pages, users, pages] {
        let statement = sqlx::query(sql).bind(bucket).bind(BUCKET_MS);
        statement.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}

/// Queues all quarters between two instants, the last one excluded, that have raw rows in the log; how many.
pub(crate) async fn mark(
    connection: &mut SqliteConnection,
    from: Wall,
    until: Wall,
) -> Result<u64, StoreError> {
    let (first, end) = (bucket(from), until.0);
    let mut found = logged(connection, first, end).await?;
    for (started, seen) in stretches(connection, first, end).await? {
        found.extend(buckets(Wall(started.max(first)), Wall(seen.min(end))));
    }
    let aside = weeks::aside(connection).await?;
    enqueue(connection, found.into_iter().filter(|bucket| !aside.contains(&Week::of(Wall(*bucket))))).await
}

async fn logged(connection: &mut SqliteConnection, from: i64, end: i64) -> Result<BTreeSet<i64>, StoreError> {
    let rows: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT timestamp / ?3 * ?3 FROM presence_activity_logs WHERE timestamp >= ?1 AND timestamp < ?2",
    )
    .bind(from)
    .bind(end)
    .bind(BUCKET_MS)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    Ok(rows.into_iter().collect())
}

/// When the stretches begin and end that reach into the time between two instants.
async fn stretches(
    connection: &mut SqliteConnection,
    from: i64,
    end: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    sqlx::query_as(
        "SELECT DISTINCT started_at, seen_at FROM presence_sessions \
         WHERE started_at < ?2 AND (started_at >= ?1 OR seen_at > ?1)",
    )
    .bind(from)
    .bind(end)
    .fetch_all(connection)
    .await
    .map_err(store_error)
}
