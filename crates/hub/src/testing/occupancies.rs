//! Codes and holds go over the line too: what only reads by the line for reading, the rest by the one for writing.

use std::time::Duration;

use async_trait::async_trait;
use model::{AccountId, Hold, OrganizationId, UserId};
use persistence::{
    AccessCode, ClockIn, ClockedIn, Ended, ForceClear, Minted, NewCode, Occupancies, OperationId, Revocation,
    Sign, StoreError, TokenKey,
};

use super::Line;

#[async_trait]
impl Occupancies for Line {
    async fn token_key(&self) -> Result<TokenKey, StoreError> {
        Self::may(&self.reads)?;
        self.store.token_key().await
    }

    async fn mint_code(&self, code: NewCode) -> Result<Minted, StoreError> {
        Self::may(&self.writes)?;
        self.store.mint_code(code).await
    }

    async fn access_codes(
        &self,
        by: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<AccessCode>, StoreError> {
        Self::may(&self.reads)?;
        self.store.access_codes(by, organization).await
    }

    async fn revoke_code(&self, revocation: Revocation) -> Result<Option<Ended>, StoreError> {
        Self::may(&self.writes)?;
        self.store.revoke_code(revocation).await
    }

    async fn clock_in(&self, clock_in: ClockIn) -> Result<ClockedIn, StoreError> {
        Self::may(&self.writes)?;
        self.store.clock_in(clock_in).await
    }

    async fn change_account(
        &self,
        hold: Hold,
        to: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, StoreError> {
        Self::may(&self.writes)?;
        self.store.change_account(hold, to, operation).await
    }

    async fn clock_out(&self, hold: Hold, operation: Option<OperationId>) -> Result<Ended, StoreError> {
        Self::may(&self.writes)?;
        self.store.clock_out(hold, operation).await
    }

    async fn force_clear(&self, clear: ForceClear) -> Result<Ended, StoreError> {
        Self::may(&self.writes)?;
        self.store.force_clear(clear).await
    }

    async fn find_hold(&self, hold: Hold) -> Result<ClockedIn, StoreError> {
        Self::may(&self.reads)?;
        self.store.find_hold(hold).await
    }

    async fn write_signs(
        &self,
        signs: &[Sign],
        stale_after: Duration,
        inactive_after: Duration,
    ) -> Result<Vec<Hold>, StoreError> {
        Self::may(&self.writes)?;
        self.store.write_signs(signs, stale_after, inactive_after).await
    }

    async fn mark_stale(&self, stale_after: Duration) -> Result<u64, StoreError> {
        Self::may(&self.writes)?;
        self.store.mark_stale(stale_after).await
    }
}
