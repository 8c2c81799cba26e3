//! The writer asks for no names.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, UserId};

use super::{Fake, not_asked};
use crate::{NamedPerson, Names, Place, Places, StoreError};

#[async_trait]
impl Names for Fake {
    async fn places(&self, _: UserId, _: usize) -> Result<Option<Places>, StoreError> {
        not_asked()
    }
    async fn people_in(&self, _: Place, _: Option<UserId>, _: usize) -> Result<Vec<NamedPerson>, StoreError> {
        not_asked()
    }
    async fn accounts_in(&self, _: OrganizationId, _: usize) -> Result<Vec<(AccountId, String)>, StoreError> {
        not_asked()
    }
}
