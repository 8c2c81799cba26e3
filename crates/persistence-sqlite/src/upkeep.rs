//! What grows or runs out is looked after here, and who does it is written down.

use async_trait::async_trait;
use model::Wall;
use persistence::{
    BATCH_ROWS, BUCKET_MS, Expired, Holder, JobRecord, Jobs, LEASE_MS, RolledUp, StoreError, Upkeep,
};
use sqlx::SqliteConnection;

use crate::{
    SqliteStore, changes, clock, database::IS_TO_BE_SCRUBBED, error::store_error, occupancies, operations,
    rollups,
};

#[async_trait]
impl Jobs for SqliteStore {
    async fn take_job(&self, name: &str, holder: Holder, every_ms: i64) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |connection| Box::pin(async move { take(connection, &name, holder, every_ms).await }))
            .await
    }

    async fn leave_job(&self, name: &str, holder: Holder, report: &str) -> Result<(), StoreError> {
        let (name, report) = (name.to_owned(), report.to_owned());
        self.write(move |connection| Box::pin(async move { leave(connection, &name, holder, &report).await }))
            .await
    }

    async fn give_up_job(&self, name: &str, holder: Holder) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection| Box::pin(async move { give_up(connection, &name, holder).await })).await
    }

    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.read(|connection| Box::pin(records(connection))).await
    }
}

#[async_trait]
impl Upkeep for SqliteStore {
    async fn expire(&self, now: Wall) -> Result<Expired, StoreError> {
        let (expired, scrub) = self.write(move |connection| Box::pin(expire(connection, now))).await?;
        if scrub {
            self.database.scrub().await?;
        }
        self.database.empty_wal().await?;
        Ok(expired)
    }

    async fn make_room(&self) -> Result<u64, StoreError> {
        // One table has all weeks.
        Ok(0)
    }

    async fn end_lost_stretches(&self, seen_before: Wall) -> Result<u64, StoreError> {
        self.write(move |connection| Box::pin(some(connection, END_LOST, seen_before.0))).await
    }

    async fn drop_old_totals(&self, before: Wall) -> Result<u64, StoreError> {
        let work = self.write(move |connection| {
            Box::pin(async move {
                let whole = before.0.saturating_sub(BUCKET_MS);
                Ok(some(connection, DROP_STRETCHES, before.0).await?
                    + some(connection, DROP_ROLLUPS, whole).await?
                    + some(connection, DROP_PAGES, whole).await?)
            })
        });
        work.await
    }

    async fn roll_up(&self, buckets: usize) -> Result<RolledUp, StoreError> {
        let mut done = 0;
        // A transaction each: others wait to write meanwhile.
        while done < buckets && self.write(|connection| Box::pin(rollups::compute_next(connection))).await? {
            done += 1;
        }
        let more = self.read(|connection| Box::pin(rollups::are_queued(connection))).await?;
        Ok(RolledUp { buckets: done as u64, more })
    }

    async fn mark_for_rollup(&self, from: Wall, until: Wall) -> Result<u64, StoreError> {
        self.write(move |connection| Box::pin(rollups::mark(connection, from, until))).await
    }
}

/// What expired; and whether the file has to be written anew, because somebody was erased since it was.
async fn expire(connection: &mut SqliteConnection, now: Wall) -> Result<(Expired, bool), StoreError> {
    changes::forget(connection, now).await?;
    let operation_results = operations::expire(connection, now).await?;
    let access_codes = occupancies::expire_codes(connection, now).await?;
    let scrub: bool =
        sqlx::query_scalar(IS_TO_BE_SCRUBBED).fetch_one(connection).await.map_err(store_error)?;
    Ok((Expired { operation_results, access_codes }, scrub))
}

const END_LOST: &str = "UPDATE presence_sessions SET ended = 1 \
    WHERE (organization_id, session_id, started_at) IN \
        (SELECT organization_id, session_id, started_at FROM presence_sessions \
         WHERE ended = 0 AND seen_at < ?1 LIMIT ?2)";
const DROP_STRETCHES: &str = "DELETE FROM presence_sessions \
    WHERE (organization_id, session_id, started_at) IN \
        (SELECT organization_id, session_id, started_at FROM presence_sessions \
         WHERE started_at < ?1 AND seen_at < ?1 LIMIT ?2)";
const DROP_ROLLUPS: &str = "DELETE FROM activity_rollups WHERE (organization_id, bucket, user_id) IN \
        (SELECT organization_id, bucket, user_id FROM activity_rollups WHERE bucket <= ?1 LIMIT ?2)";
const DROP_PAGES: &str = "DELETE FROM activity_pages WHERE (organization_id, bucket, page, user_id) IN \
        (SELECT organization_id, bucket, page, user_id FROM activity_pages WHERE bucket <= ?1 LIMIT ?2)";

/// Runs a statement on at most [`BATCH_ROWS`] rows that are from before an instant; how many they were.
async fn some(connection: &mut SqliteConnection, sql: &'static str, before: i64) -> Result<u64, StoreError> {
    let statement = sqlx::query(sql).bind(before).bind(i64::try_from(BATCH_ROWS).unwrap_or(i64::MAX));
    statement.execute(connection).await.map(|done| done.rows_affected()).map_err(store_error)
}

/// A clock that was set back ends a lease, and makes a job due: waiting until it is as late again could take years.
async fn take(
    connection: &mut SqliteConnection,
    name: &str,
    holder: Holder,
    every_ms: i64,
) -> Result<bool, StoreError> {
    let now = clock::now(connection).await?;
    sqlx::query(
        "INSERT INTO presence_jobs AS job (name, holder, heard_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, heard_at = excluded.heard_at \
         WHERE job.holder IS excluded.holder \
             OR ((job.holder IS NULL OR ?3 - job.heard_at NOT BETWEEN 0 AND ?4 - 1) \
                 AND (job.finished_at IS NULL OR ?3 - job.finished_at NOT BETWEEN 0 AND ?5 - 1))",
    )
    .bind(name)
    .bind(holder.hyphenated())
    .bind(now.0)
    .bind(LEASE_MS)
    .bind(every_ms)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() > 0)
    .map_err(store_error)
}

async fn leave(
    connection: &mut SqliteConnection,
    name: &str,
    holder: Holder,
    report: &str,
) -> Result<(), StoreError> {
    let now = clock::now(connection).await?;
    sqlx::query(
        "UPDATE presence_jobs SET holder = NULL, finished_at = ?3, report = ?4 WHERE name = ?1 AND holder = ?2",
    )
    .bind(name)
    .bind(holder.hyphenated())
    .bind(now.0)
    .bind(report)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

async fn give_up(connection: &mut SqliteConnection, name: &str, holder: Holder) -> Result<(), StoreError> {
    sqlx::query("UPDATE presence_jobs SET holder = NULL WHERE name = ?1 AND holder = ?2")
        .bind(name)
        .bind(holder.hyphenated())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

async fn records(connection: &mut SqliteConnection) -> Result<Vec<JobRecord>, StoreError> {
    let sql = "SELECT name, finished_at, report FROM presence_jobs ORDER BY name";
    let rows: Vec<(String, Option<i64>, Option<String>)> =
        sqlx::query_as(sql).fetch_all(connection).await.map_err(store_error)?;
    Ok(rows.into_iter().map(|(name, finished, report)| JobRecord { name, finished, report }).collect())
}
