//! The writer knows no codes and no holds; they are there because every store has them.

use std::time::Duration;

use async_trait::async_trait;
use model::{AccountId, Hold, OrganizationId, UserId};

use super::{Fake, not_asked};
use crate::{
    AccessCode, ClockIn, ClockedIn, Ended, ForceClear, Minted, NewCode, Occupancies, OperationId, Revocation,
    Sign, StoreError, TokenKey,
};

#[async_trait]
impl Occupancies for Fake {
    async fn token_key(&self) -> Result<TokenKey, StoreError> {
        not_asked()
    }
    async fn mint_code(&self, _: NewCode) -> Result<Minted, StoreError> {
        not_asked()
    }
    async fn access_codes(&self, _: UserId, _: OrganizationId) -> Result<Vec<AccessCode>, StoreError> {
        not_asked()
    }
    async fn revoke_code(&self, _: Revocation) -> Result<Option<Ended>, StoreError> {
        not_asked()
    }
    async fn clock_in(&self, _: ClockIn) -> Result<ClockedIn, StoreError> {
        not_asked()
    }
    async fn change_account(
        &self,
        _: Hold,
        _: AccountId,
        _: Option<OperationId>,
    ) -> Result<ClockedIn, StoreError> {
        not_asked()
    }
    async fn clock_out(&self, _: Hold, _: Option<OperationId>) -> Result<Ended, StoreError> {
        not_asked()
    }
    async fn force_clear(&self, _: ForceClear) -> Result<Ended, StoreError> {
        not_asked()
    }
    async fn find_hold(&self, _: Hold) -> Result<ClockedIn, StoreError> {
        not_asked()
    }
    async fn write_signs(&self, _: &[Sign], _: Duration, _: Duration) -> Result<Vec<Hold>, StoreError> {
        not_asked()
    }
    async fn mark_stale(&self, _: Duration) -> Result<u64, StoreError> {
        not_asked()
    }
}
