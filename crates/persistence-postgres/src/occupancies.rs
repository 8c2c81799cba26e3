//! Access codes and who works in which account. Every call is one transaction of its own.
//!
//! Calls of one organization that decide who holds what take turns, by a lock that they take before they read anything:
//! the statement after it sees what was committed meanwhile. Signs of life take none. The entries of the audit, epochs
//! and how holds ended are the database's own business: triggers write them, whoever wrote.

mod clock_in;
mod codes;
mod endings;
mod operation;
mod signs;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use model::{AccountId, Hold, OrganizationId, UserId};
use persistence::{
    AccessCode, ClockIn, ClockedIn, Ended, ForceClear, Minted, NewCode, Occupancies, OperationId, Revocation,
    Sign, StoreError, TokenKey, stored::corrupt,
};
use sqlx::{PgConnection, postgres::types::PgInterval};

use crate::{PostgresStore, database::Terms, error::Failure, facts::wall};
pub(crate) use endings::{TIME_OF_A_SWEEP, end_unfounded};
use operation::Operation;

/// Waits for the turn of an organization, which ends with the transaction. `$1` and on are the statement's own.
macro_rules! turn {
    ($organization:literal) => {
        concat!("pg_advisory_xact_lock(presence_lock_key('presence_occupancy:' || ", $organization, "))")
    };
}
pub(crate) use turn;

#[async_trait]
impl Occupancies for PostgresStore {
    async fn token_key(&self) -> Result<TokenKey, StoreError> {
        self.database.read((), |connection, ()| Box::pin(token_key(connection))).await
    }

    async fn mint_code(&self, code: NewCode) -> Result<Minted, StoreError> {
        let operation = Operation::new(code.operation, code.request()?);
        let work =
            self.database.write(Terms::default(), (code, operation), |connection, (code, operation)| {
                Box::pin(codes::mint(connection, code, operation))
            });
        work.await
    }

    async fn access_codes(
        &self,
        by: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<AccessCode>, StoreError> {
        let input = (by, organization);
        let work = self.database.write(Terms::default(), input, |connection, (by, organization)| {
            Box::pin(codes::list(connection, *by, *organization))
        });
        work.await
    }

    async fn revoke_code(&self, revocation: Revocation) -> Result<Option<Ended>, StoreError> {
        let operation = Operation::new(revocation.operation, revocation.request()?);
        let input = (revocation, operation);
        let work = self.database.write(Terms::default(), input, |connection, (revocation, operation)| {
            Box::pin(codes::revoke(connection, revocation, operation))
        });
        work.await
    }

    async fn clock_in(&self, clock_in: ClockIn) -> Result<ClockedIn, StoreError> {
        let operation = Operation::new(clock_in.operation, clock_in.request()?);
        let input = (clock_in, operation);
        let work = self.database.write(Terms::default(), input, |connection, (clock_in, operation)| {
            Box::pin(clock_in::clock_in(connection, clock_in, operation))
        });
        work.await
    }

    async fn change_account(
        &self,
        hold: Hold,
        to: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, StoreError> {
        let operation = Operation::of_move(operation, hold, to)?;
        let input = (hold, to, operation);
        let work = self.database.write(Terms::default(), input, |connection, (hold, to, operation)| {
            Box::pin(clock_in::change_account(connection, *hold, *to, operation))
        });
        work.await
    }

    async fn clock_out(&self, hold: Hold, operation: Option<OperationId>) -> Result<Ended, StoreError> {
        let operation = Operation::of_clock_out(operation, hold)?;
        let work =
            self.database.write(Terms::default(), (hold, operation), |connection, (hold, operation)| {
                Box::pin(endings::clock_out(connection, *hold, operation))
            });
        work.await
    }

    async fn force_clear(&self, clear: ForceClear) -> Result<Ended, StoreError> {
        let operation = Operation::new(clear.operation, clear.request()?);
        let work =
            self.database.write(Terms::default(), (clear, operation), |connection, (clear, operation)| {
                Box::pin(endings::force_clear(connection, clear, operation))
            });
        work.await
    }

    async fn find_hold(&self, hold: Hold) -> Result<ClockedIn, StoreError> {
        self.database.read(hold, |connection, hold| Box::pin(find_hold(connection, *hold))).await
    }

    async fn write_signs(
        &self,
        signs: &[Sign],
        stale_after: Duration,
        inactive_after: Duration,
    ) -> Result<Vec<Hold>, StoreError> {
        let columns = signs::Columns::of(signs, stale_after, inactive_after);
        let work = self.database.write(Terms::default(), columns, |connection, columns| {
            Box::pin(signs::write(connection, columns))
        });
        work.await
    }

    async fn mark_stale(&self, stale_after: Duration) -> Result<u64, StoreError> {
        let marked = self.until_no_more(Terms::default(), stale_after, |connection, stale_after| {
            Box::pin(signs::mark_stale(connection, *stale_after))
        });
        marked.await
    }
}

async fn token_key(connection: &mut PgConnection) -> Result<TokenKey, Failure> {
    let key: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT token_key FROM presence_installation").fetch_optional(connection).await?;
    let key = key.and_then(|key| key.try_into().ok()).map(TokenKey);
    Ok(key.ok_or_else(|| corrupt("presence_installation has no key of 32 bytes"))?)
}

async fn find_hold(connection: &mut PgConnection, hold: Hold) -> Result<ClockedIn, Failure> {
    let since: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT o.clocked_in_at FROM account_presence AS o \
         JOIN users AS u ON u.id = o.user_id AND u.disabled IS NOT TRUE \
         WHERE o.account_id = $1 AND o.organization_id = $2 AND o.user_id = $3 AND o.epoch = $4",
    )
    .bind(hold.account.0)
    .bind(hold.organization.0)
    .bind(hold.user.0)
    .bind(stored_epoch(hold.epoch))
    .fetch_optional(connection)
    .await?;
    let since = since.ok_or(StoreError::NotHeld)?;
    Ok(ClockedIn { hold, since: wall(since), left: None, new: false })
}

/// An epoch as the database has it. One that it has no place for is nobody's: no hold has the greatest one.
fn stored_epoch(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}

/// A time span as the database takes it. What is longer than a life is as long as a life.
fn interval(span: Duration) -> PgInterval {
    const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);
    let microseconds = i64::try_from(span.min(CENTURY).as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
