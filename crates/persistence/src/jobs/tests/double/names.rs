//! No job asks for names.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, UserId};

use super::Double;
use crate::{NamedPerson, Names, Place, Places, StoreError};

#[async_trait]
impl Names for Double {
    async fn places(&self, _: UserId, _: usize) -> Result<Option<Places>, StoreError> {
        unreachable!("no job asks for names")
    }
    async fn people_in(&self, _: Place, _: Option<UserId>, _: usize) -> Result<Vec<NamedPerson>, StoreError> {
        unreachable!("no job asks for names")
    }
    async fn accounts_in(&self, _: OrganizationId, _: usize) -> Result<Vec<(AccountId, String)>, StoreError> {
        unreachable!("no job asks for names")
    }
}
