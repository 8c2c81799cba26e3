//! The rows of a week that is set aside, listed by their ids: read in that order from a log that lies by time, each page
//! would cost a look at the whole week; and an index of all ids would cost every batch.

use std::ops::Range;

use model::Wall;
use persistence::{StoreError, WEEK_MS, Week};
use sqlx::SqliteConnection;

use super::DROPPED_ROWS;
use crate::error::store_error;

/// Milliseconds of the log that are listed in one transaction: others wait to write meanwhile.
const PART_MS: i64 = 6 * 60 * 60 * 1_000;

/// Sets a week aside; whether that was done before, and its rows were listed.
pub(super) async fn set_aside(connection: &mut SqliteConnection, week: Week) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "INSERT INTO presence_weeks AS week (start, set_aside) VALUES (?1, 1) \
         ON CONFLICT (start) DO UPDATE SET set_aside = 1, restored_at = NULL, restoring = 0, \
             listed = week.listed AND week.set_aside \
         RETURNING listed",
    )
    .bind(week.start().0)
    .fetch_one(connection)
    .await
    .map_err(store_error)
}

/// The time of a week, in parts.
pub(super) fn parts(week: Week) -> impl Iterator<Item = Range<Wall>> {
    let part = move |n| {
        let start = week.start().0 + n * PART_MS;
        Wall(start)..Wall(start + PART_MS)
    };
    (0..WEEK_MS / PART_MS).map(part)
}

/// Lists the rows of a part of a week.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    week: Week,
    part: Range<Wall>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presence_week_rows (start, id, timestamp) \
         SELECT ?1, id, timestamp FROM presence_activity_logs WHERE timestamp >= ?2 AND timestamp < ?3 \
         ON CONFLICT (start, id) DO NOTHING",
    )
    .bind(week.start().0)
    .bind(part.start.0)
    .bind(part.end.0)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

/// All of them are listed, unless the week was taken back in between.
pub(super) async fn is_listed(connection: &mut SqliteConnection, week: Week) -> Result<(), StoreError> {
    let sql = "UPDATE presence_weeks SET listed = set_aside WHERE start = ?1";
    sqlx::query(sql).bind(week.start().0).execute(connection).await.map(|_| ()).map_err(store_error)
}

/// Whether all rows of a week are listed.
pub(super) async fn is_complete(connection: &mut SqliteConnection, week: Week) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM presence_weeks WHERE start = ?1 AND set_aside AND listed)";
    sqlx::query_scalar(sql).bind(week.start().0).fetch_one(connection).await.map_err(store_error)
}

/// Forgets some of a list that is not needed any more; how many.
pub(super) async fn forget_some(connection: &mut SqliteConnection, week: Week) -> Result<u64, StoreError> {
    sqlx::query(
        "DELETE FROM presence_week_rows WHERE (start, id) IN \
             (SELECT start, id FROM presence_week_rows WHERE start = ?1 LIMIT ?2)",
    )
    .bind(week.start().0)
    .bind(DROPPED_ROWS)
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .map_err(store_error)
}
