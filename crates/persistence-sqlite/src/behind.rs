//! What may lag, in batches: one transaction each, with one statement for all rows.
//!
//! What has no place any more is sorted out first, in the same transaction: only one writes at a time, so nobody is
//! erased in between.

mod activity;
mod admission;
mod last_seen;
mod stretches;

use async_trait::async_trait;
use persistence::{
    ActivityRow, Behind, Gap, LastSeen, StoreError, Stretch, Written,
    stored::{write_json, write_word},
};
use sqlx::SqliteConnection;

pub(crate) use activity::{insert as insert_activity, written_down};
pub(crate) use admission::{Admission, Candidate};

use crate::{SqliteStore, error::store_error};

#[async_trait]
impl Behind for SqliteStore {
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<Written, StoreError> {
        let batch = batch.to_vec();
        self.write(move |connection| Box::pin(async move { last_seen::write(connection, batch).await })).await
    }

    async fn write_activity(&self, batch: &[ActivityRow]) -> Result<Written, StoreError> {
        let batch = batch.to_vec();
        self.write(move |connection| Box::pin(async move { activity::write(connection, batch).await })).await
    }

    async fn write_stretches(&self, batch: &[Stretch]) -> Result<Written, StoreError> {
        let batch = batch.to_vec();
        self.write(move |connection| Box::pin(async move { stretches::write(connection, batch).await })).await
    }

    async fn write_gap(&self, gap: &Gap) -> Result<(), StoreError> {
        let gap = gap.clone();
        self.write(move |connection| Box::pin(async move { mark_gap(connection, &gap).await })).await
    }
}

async fn mark_gap(connection: &mut SqliteConnection, gap: &Gap) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presence_gaps (id, from_at, until_at, rows, reason) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(gap.id.hyphenated())
    .bind(gap.from.0)
    .bind(gap.until.0)
    .bind(i64::try_from(gap.rows).unwrap_or(i64::MAX))
    .bind(write_word(&gap.reason)?)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// How many of a batch were passed over.
fn passed_over(batch: usize, admitted: usize) -> u64 {
    batch.saturating_sub(admitted) as u64
}

/// Runs a statement over rows written as one JSON array; how many rows it inserted or changed.
async fn over_rows<T: serde::Serialize>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    rows: &[T],
) -> Result<u64, StoreError> {
    let done = sqlx::query(sql).bind(write_json(&rows)?).execute(connection).await.map_err(store_error)?;
    Ok(done.rows_affected())
}
