//! Who may do what in an organization, as the directory says at this commit.

use model::{AccountId, OrganizationId, Role, UserId};
use persistence::{StoreError, stored::read_word};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::error::store_error;

/// # Errors
/// [`StoreError::Forbidden`] to a mere member; and to who is disabled or not in the organization that there is no such
/// thing as they ask for.
pub(super) async fn require_office(
    connection: &mut SqliteConnection,
    by: UserId,
    organization: OrganizationId,
    no_such_thing: StoreError,
) -> Result<(), StoreError> {
    let role: Option<String> = sqlx::query_scalar(
        "SELECT role FROM user_organizations JOIN users ON users.id = user_id \
         WHERE user_id = ?1 AND organization_id = ?2 AND NOT disabled",
    )
    .bind(by.0.hyphenated())
    .bind(organization.0.hyphenated())
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    match role.map(read_word).transpose()? {
        Some(Role::Owner | Role::Admin) => Ok(()),
        Some(Role::Member) => Err(StoreError::Forbidden),
        None => Err(no_such_thing),
    }
}

/// # Errors
/// [`StoreError::UnknownUser`].
pub(super) async fn require_member(
    connection: &mut SqliteConnection,
    user: UserId,
    organization: OrganizationId,
) -> Result<(), StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM user_organizations WHERE user_id = ?1 AND organization_id = ?2")
            .bind(user.0.hyphenated())
            .bind(organization.0.hyphenated())
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
    found.map(|_| ()).ok_or(StoreError::UnknownUser)
}

/// Whose account it is.
///
/// # Errors
/// [`StoreError::UnknownAccount`].
pub(super) async fn organization_of(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<OrganizationId, StoreError> {
    let query = sqlx::query_scalar("SELECT organization_id FROM accounts WHERE id = ?1");
    let found: Option<Hyphenated> =
        query.bind(account.0.hyphenated()).fetch_optional(connection).await.map_err(store_error)?;
    found.map(|id| OrganizationId(id.into())).ok_or(StoreError::UnknownAccount)
}
