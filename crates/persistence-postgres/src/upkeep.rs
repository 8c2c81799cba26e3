//! What grows or runs out.

use async_trait::async_trait;
use model::Wall;
use persistence::{BATCH_ROWS, CODE_KEPT_MS, Expired, RolledUp, StoreError, Upkeep};
use sqlx::PgConnection;

use crate::{
    PostgresStore, changes,
    database::{Terms, Unit},
    error::Failure,
    facts::timestamp,
    occupancies, rollups, settings,
};

#[async_trait]
impl Upkeep for PostgresStore {
    async fn expire(&self, now: Wall) -> Result<Expired, StoreError> {
        let usual = Terms::default();
        let operation_results = self
            .until_no_more(usual, now, |connection, now| {
                Box::pin(settings::expire_operations(connection, *now))
            })
            .await?;
        let access_codes = self
            .until_no_more(usual, now, |connection, now| Box::pin(expire_codes(connection, *now)))
            .await?;
        self.until_no_more(usual, (), |connection, ()| Box::pin(changes::drop_old(connection))).await?;
        let terms = Terms { extra: occupancies::TIME_OF_A_SWEEP, ..usual };
        self.until_no_more(terms, (), |connection, ()| Box::pin(occupancies::end_unfounded(connection)))
            .await?;
        Ok(Expired { operation_results, access_codes })
    }

    /// Four weeks are ahead, so that a month of failures does no harm.
    async fn make_room(&self) -> Result<u64, StoreError> {
        let work = self.database.write(Terms::default(), (), |connection, ()| {
            Box::pin(async move {
                let made: i32 =
                    sqlx::query_scalar("SELECT presence_make_partitions(4)").fetch_one(connection).await?;
                Ok(u64::try_from(made).unwrap_or(0))
            })
        });
        work.await
    }

    async fn end_lost_stretches(&self, seen_before: Wall) -> Result<u64, StoreError> {
        let work = self.database.write(Terms::default(), seen_before, |connection, seen_before| {
            Box::pin(end_lost(connection, *seen_before))
        });
        work.await
    }

    async fn drop_old_totals(&self, before: Wall) -> Result<u64, StoreError> {
        let work = self
            .database
            .write(Terms::default(), before, |connection, before| Box::pin(drop_totals(connection, *before)));
        work.await
    }

    async fn roll_up(&self, buckets: usize) -> Result<RolledUp, StoreError> {
        rollups::roll_up(&self.database, buckets).await
    }

    async fn mark_for_rollup(&self, from: Wall, until: Wall) -> Result<u64, StoreError> {
        let input = (from, until);
        let work = self.database.write(rollups::terms(), input, |connection, (from, until)| {
            Box::pin(rollups::mark(connection, *from, *until))
        });
        work.await
    }
}

impl PostgresStore {
    /// Does a step, a transaction each time, that says how many rows it dropped or changed and whether there may be more,
    /// until there are none.
    pub(crate) async fn until_no_more<I, W>(&self, terms: Terms, input: I, step: W) -> Result<u64, StoreError>
    where
        I: Clone + Send + Sync + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, (u64, bool)> + Copy + Send + Sync + 'static,
    {
        let mut done = 0;
        loop {
            let (some, more) = self.database.write(terms, input.clone(), step).await?;
            done += some;
            if !more {
                return Ok(done);
            }
        }
    }
}

/// A code ends when it expires or is revoked.
async fn expire_codes(connection: &mut PgConnection, now: Wall) -> Result<(u64, bool), Failure> {
    let dropped = sqlx::query(
        "DELETE FROM access_codes WHERE id IN \
         (SELECT id FROM access_codes WHERE least(expires_at, revoked_at) <= $1 LIMIT $2)",
    )
    .bind(timestamp(Wall(now.0.saturating_sub(CODE_KEPT_MS))))
    .bind(rows_at_once())
    .execute(connection)
    .await?
    .rows_affected();
    Ok((dropped, dropped >= BATCH_ROWS as u64))
}

/// What a hub is writing at this moment is not lost: it is passed over, and nobody waits.
async fn end_lost(connection: &mut PgConnection, seen_before: Wall) -> Result<u64, Failure> {
    let ended = sqlx::query(
        "UPDATE presence_sessions SET ended = true \
         WHERE (organization_id, session_id, started_at) IN \
             (SELECT organization_id, session_id, started_at FROM presence_sessions \
              WHERE NOT ended AND seen_at < $1 ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(timestamp(seen_before))
    .bind(rows_at_once())
    .execute(connection)
    .await?;
    Ok(ended.rows_affected())
}

/// A stretch that goes on is kept, however long ago it began.
async fn drop_totals(connection: &mut PgConnection, before: Wall) -> Result<u64, Failure> {
    // Totals of days follow, and what is left of a day is asked for: nobody else takes from it meanwhile.
    rollups::hold_off_others(connection).await?;
    let statements = [
        "DELETE FROM presence_sessions WHERE (organization_id, session_id, started_at) IN \
            (SELECT organization_id, session_id, started_at FROM presence_sessions \
             WHERE started_at < $1 AND seen_at < $1 ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        "DELETE FROM activity_rollups WHERE (organization_id, bucket, user_id) IN \
            (SELECT organization_id, bucket, user_id FROM activity_rollups WHERE bucket < $1 \
             ORDER BY bucket LIMIT $2)",
        "DELETE FROM activity_pages WHERE (organization_id, bucket, page, user_id) IN \
            (SELECT organization_id, bucket, page, user_id FROM activity_pages WHERE bucket < $1 \
             ORDER BY bucket LIMIT $2)",
    ];
    let mut dropped = 0;
    for statement in statements {
        let done = sqlx::query(statement).bind(timestamp(before)).bind(rows_at_once());
        dropped += done.execute(&mut *connection).await?.rows_affected();
    }
    Ok(dropped)
}

fn rows_at_once() -> i64 {
    i64::try_from(BATCH_ROWS).unwrap_or(i64::MAX)
}
