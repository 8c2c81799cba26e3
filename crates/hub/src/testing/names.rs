//! Names over the line.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, UserId};
use persistence::{NamedPerson, Names, Place, Places, StoreError};

use super::Line;

#[async_trait]
impl Names for Line {
    async fn places(&self, user: UserId, most: usize) -> Result<Option<Places>, StoreError> {
        Self::may(&self.reads)?;
        self.store.places(user, most).await
    }

    async fn people_in(
        &self,
        place: Place,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<NamedPerson>, StoreError> {
        Self::may(&self.reads)?;
        self.store.people_in(place, after, most).await
    }

    async fn accounts_in(
        &self,
        organization: OrganizationId,
        most: usize,
    ) -> Result<Vec<(AccountId, String)>, StoreError> {
        Self::may(&self.reads)?;
        self.store.accounts_in(organization, most).await
    }
}
