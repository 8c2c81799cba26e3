//! What may lag, in batches: one statement for all rows of a kind, which passes over whom it must not write about.

mod activity;
mod last_seen;
mod stretches;

use async_trait::async_trait;
use persistence::{ActivityRow, BATCH_ROWS, Behind, Gap, GapReason, LastSeen, StoreError, Stretch, Written};
use sqlx::PgConnection;

use crate::{
    PostgresStore,
    database::Terms,
    error::{Failure, unavailable},
    facts::timestamp,
};

/// The weeks that have a place in the log. Weeks are counted from a Monday in UTC.
macro_rules! weeks {
    () => {
        "week AS MATERIALIZED (\
             SELECT (to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC') AS start \
             FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid \
             WHERE i.inhparent = 'presence_activity_logs'::regclass)"
    };
}
pub(crate) use weeks;

/// What a batch came to, as its statement counts it.
#[derive(sqlx::FromRow)]
pub(crate) struct Counts {
    /// Rows that may be written.
    fit: i64,
    /// Rows that were.
    put: i64,
}

impl Counts {
    pub(crate) fn of(self, noted: usize) -> Written {
        let fit = u64::try_from(self.fit).unwrap_or(0);
        Written {
            written: u64::try_from(self.put).unwrap_or(0),
            passed_over: (noted as u64).saturating_sub(fit),
        }
    }
}

/// Nobody is erased until the end of this transaction; what the next statement sees is without those who were erased
/// before. And a plan for any batch: one for the first batches may read whole tables.
pub(crate) async fn hold_off_erasures(connection: &mut PgConnection) -> Result<(), Failure> {
    sqlx::query(
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), \
         pg_advisory_xact_lock_shared(presence_lock_key('presence_erasure'))",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A row is passed over for good where its week was taken out, or is too far ahead. Where nobody made room for this week,
/// it is kept until somebody does: nothing is written then.
async fn written(connection: &mut PgConnection, written: Written) -> Result<Written, Failure> {
    if written.passed_over == 0 || has_room(connection).await? {
        return Ok(written);
    }
    Err(unavailable("the activity log has no partition for this week; presence_make_partitions(4) makes it")
        .into())
}

/// Whether the log has a place for what happens now, or had one that was taken out.
async fn has_room(connection: &mut PgConnection) -> Result<bool, Failure> {
    let has_room = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM presence_log_weeks() AS w WHERE w.week = now_in.week) \
             OR EXISTS (SELECT FROM presence_weeks AS w WHERE w.week = now_in.week AND dropped_rows IS NOT NULL) \
         FROM (SELECT date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC')::date) AS now_in (week)",
    );
    Ok(has_room.fetch_one(connection).await?)
}

#[async_trait]
impl Behind for PostgresStore {
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<Written, StoreError> {
        debug_assert!(batch.len() <= BATCH_ROWS, "{} rows at once", batch.len());
        let columns = last_seen::Columns::of(batch)?;
        let work = self.database.write(Terms::default(), columns, |connection, batch| {
            Box::pin(last_seen::write(connection, batch))
        });
        work.await
    }

    async fn write_activity(&self, batch: &[ActivityRow]) -> Result<Written, StoreError> {
        debug_assert!(batch.len() <= BATCH_ROWS, "{} rows at once", batch.len());
        let columns = activity::Columns::of(batch)?;
        let work = self.database.write(Terms::default(), columns, |connection, batch| {
            Box::pin(async move {
                let outcome = activity::write(connection, batch).await?;
                written(connection, outcome).await
            })
        });
        work.await
    }

    async fn write_stretches(&self, batch: &[Stretch]) -> Result<Written, StoreError> {
        debug_assert!(batch.len() <= BATCH_ROWS, "{} rows at once", batch.len());
        let columns = stretches::Columns::of(batch)?;
        let work = self.database.write(Terms::default(), columns, |connection, batch| {
            Box::pin(async move {
                let outcome = stretches::write(connection, batch).await?;
                written(connection, outcome).await
            })
        });
        work.await
    }

    async fn write_gap(&self, gap: &Gap) -> Result<(), StoreError> {
        let work = self
            .database
            .write(Terms::default(), gap.clone(), |connection, gap| Box::pin(mark_gap(connection, gap)));
        work.await
    }
}

async fn mark_gap(connection: &mut PgConnection, gap: &Gap) -> Result<(), Failure> {
    let reason = match gap.reason {
        GapReason::Full => "full",
        GapReason::Corrupt => "corrupt",
        GapReason::Refused => "refused",
    };
    sqlx::query(
        "INSERT INTO presence_gaps (id, from_at, until_at, rows_lost, reason) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(gap.id)
    .bind(timestamp(gap.from))
    .bind(timestamp(gap.until))
    .bind(i64::try_from(gap.rows).unwrap_or(i64::MAX))
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}
