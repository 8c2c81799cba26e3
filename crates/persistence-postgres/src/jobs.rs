//! Who does which job, by the database's clock.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use persistence::{Holder, JobRecord, Jobs, LEASE_MS, StoreError};
use sqlx::PgConnection;

use crate::{PostgresStore, database::Terms, error::Failure};

/// A job that is asked for or given back.
struct Claim {
    name: String,
    holder: Holder,
    every_ms: i64,
}

#[async_trait]
impl Jobs for PostgresStore {
    async fn take_job(&self, name: &str, holder: Holder, every_ms: i64) -> Result<bool, StoreError> {
        let claim = Claim { name: name.to_owned(), holder, every_ms };
        let work = self
            .database
            .write(Terms::default(), claim, |connection, claim| Box::pin(take(connection, claim)));
        work.await
    }

    async fn leave_job(&self, name: &str, holder: Holder, report: &str) -> Result<(), StoreError> {
        let left = (name.to_owned(), holder, report.to_owned());
        let work = self.database.write(Terms::default(), left, |connection, (name, holder, report)| {
            Box::pin(leave(connection, name, *holder, report))
        });
        work.await
    }

    async fn give_up_job(&self, name: &str, holder: Holder) -> Result<(), StoreError> {
        let given_up = (name.to_owned(), holder);
        let work = self.database.write(Terms::default(), given_up, |connection, (name, holder)| {
            Box::pin(give_up(connection, name, *holder))
        });
        work.await
    }

    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.database.read((), |connection, ()| Box::pin(records(connection))).await
    }
}

/// The row's lock may be waited for, so the time is asked for when it is needed, and not when the transaction began.
///
/// A clock that was set back ends a lease, and makes a job due: waiting until it is as late again could take years.
async fn take(connection: &mut PgConnection, claim: &Claim) -> Result<bool, Failure> {
    let taken = sqlx::query(
        "INSERT INTO presence_jobs AS job (name, holder, held_until) \
         VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond') \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
             held_until = clock_timestamp() + $3 * interval '1 millisecond' \
         WHERE job.holder = excluded.holder \
            OR coalesce(job.held_until <= clock_timestamp() \
                   OR job.held_until > clock_timestamp() + $3 * interval '1 millisecond', true) \
               AND coalesce(job.finished_at <= clock_timestamp() - $4 * interval '1 millisecond' \
                   OR job.finished_at > clock_timestamp(), true)",
    )
    .bind(&claim.name)
    .bind(claim.holder)
    .bind(LEASE_MS)
    .bind(claim.every_ms)
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

async fn leave(
    connection: &mut PgConnection,
    name: &str,
    holder: Holder,
    report: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "UPDATE presence_jobs SET holder = NULL, held_until = NULL, finished_at = clock_timestamp(), report = $3 \
         WHERE name = $1 AND holder = $2",
    )
    .bind(name)
    .bind(holder)
    .bind(report)
    .execute(connection)
    .await?;
    Ok(())
}

async fn give_up(connection: &mut PgConnection, name: &str, holder: Holder) -> Result<(), Failure> {
    sqlx::query("UPDATE presence_jobs SET holder = NULL, held_until = NULL WHERE name = $1 AND holder = $2")
        .bind(name)
        .bind(holder)
        .execute(connection)
        .await?;
    Ok(())
}

async fn records(connection: &mut PgConnection) -> Result<Vec<JobRecord>, Failure> {
    let rows: Vec<(String, Option<DateTime<Utc>>, Option<String>)> =
        sqlx::query_as("SELECT name, finished_at, report FROM presence_jobs ORDER BY name COLLATE \"C\"")
            .fetch_all(connection)
            .await?;
    let record = |(name, finished, report): (_, Option<DateTime<Utc>>, _)| JobRecord {
        name,
        finished: finished.map(|at| at.timestamp_millis()),
        report,
    };
    Ok(rows.into_iter().map(record).collect())
}
