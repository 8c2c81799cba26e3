//! Who works in which account: access codes, holds and their endings, each call one transaction.
//!
//! One writer at a time settles the races; the keys of the tables say once more what must never be.

mod clock_in;
mod codes;
mod endings;
mod entries;
mod erasing;
mod holds;
mod rights;
mod signs;

use std::time::Duration;

use async_trait::async_trait;
use model::{AccountId, Hold, OrganizationId, UserId};
use persistence::{
    AccessCode, ClockIn, ClockedIn, Ended, ForceClear, Minted, NewCode, Occupancies, OperationId, Revocation,
    Sign, StoreError, TokenKey,
    stored::{corrupt, occupancies::StoredOutcome},
};
use sqlx::SqliteConnection;

use crate::{SqliteStore, error::store_error};
pub(crate) use codes::expire as expire_codes;
pub(crate) use erasing::erase;

#[async_trait]
impl Occupancies for SqliteStore {
    async fn token_key(&self) -> Result<TokenKey, StoreError> {
        self.read(|connection| Box::pin(token_key(connection))).await
    }

    async fn mint_code(&self, code: NewCode) -> Result<Minted, StoreError> {
        self.write(move |connection| Box::pin(async move { codes::mint(connection, &code).await })).await
    }

    async fn access_codes(
        &self,
        by: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<AccessCode>, StoreError> {
        self.read(move |connection| Box::pin(codes::list(connection, by, organization))).await
    }

    async fn revoke_code(&self, revocation: Revocation) -> Result<Option<Ended>, StoreError> {
        self.write(move |connection| Box::pin(async move { codes::revoke(connection, &revocation).await }))
            .await
    }

    async fn clock_in(&self, clock_in: ClockIn) -> Result<ClockedIn, StoreError> {
        self.write(move |connection| Box::pin(async move { clock_in::clock_in(connection, &clock_in).await }))
            .await
    }

    async fn change_account(
        &self,
        hold: Hold,
        to: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, StoreError> {
        self.write(move |connection| Box::pin(clock_in::change_account(connection, hold, to, operation)))
            .await
    }

    async fn clock_out(&self, hold: Hold, operation: Option<OperationId>) -> Result<Ended, StoreError> {
        self.write(move |connection| Box::pin(endings::clock_out(connection, hold, operation))).await
    }

    async fn force_clear(&self, clear: ForceClear) -> Result<Ended, StoreError> {
        self.write(move |connection| Box::pin(async move { endings::force_clear(connection, &clear).await }))
            .await
    }

    async fn find_hold(&self, hold: Hold) -> Result<ClockedIn, StoreError> {
        self.read(move |connection| Box::pin(holds::find(connection, hold))).await
    }

    async fn write_signs(
        &self,
        signs: &[Sign],
        stale_after: Duration,
        inactive_after: Duration,
    ) -> Result<Vec<Hold>, StoreError> {
        let signs = signs.to_vec();
        let work = self.write(move |connection| {
            Box::pin(async move { signs::write(connection, &signs, stale_after, inactive_after).await })
        });
        work.await
    }

    async fn mark_stale(&self, stale_after: Duration) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let some =
                self.write(move |connection| Box::pin(signs::mark_stale(connection, stale_after))).await?;
            all += some;
            if some < signs::MARKED_AT_ONCE {
                return Ok(all);
            }
        }
    }
}

async fn token_key(connection: &mut SqliteConnection) -> Result<TokenKey, StoreError> {
    let query = sqlx::query_scalar("SELECT token_key FROM presence_installation");
    let key: Vec<u8> = query.fetch_one(connection).await.map_err(store_error)?;
    key.try_into().map(TokenKey).map_err(|_| corrupt("the token key does not have 32 bytes"))
}

/// In milliseconds, at most as many as there are instants.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A request has results of its own kind.
fn foreign(outcome: &StoredOutcome) -> StoreError {
    corrupt(format!("{outcome:?} is no result of what was asked"))
}
