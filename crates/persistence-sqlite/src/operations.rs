//! What durable operations came to, kept under the names that clients gave them.

use model::{UserId, Wall};
use persistence::{OPERATION_KEPT_MS, OperationId, StoreError};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::store_error;

/// A durable operation that is being done.
pub(crate) struct Operation {
    /// Whose. Names of different users never meet.
    pub(crate) user: UserId,
    /// Its name, where the client gave one; without one nothing is told again or remembered.
    pub(crate) name: Option<OperationId>,
    /// What is asked for, word for word.
    pub(crate) request: String,
    pub(crate) at: Wall,
}

impl Operation {
    /// The result, where it was done before and has not expired.
    ///
    /// # Errors
    /// [`StoreError::OperationConflict`].
    pub(crate) async fn replay(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<String>, StoreError> {
        let Some(name) = self.name else { return Ok(None) };
        let done: Option<(String, String)> = sqlx::query_as(
            "SELECT body_json, result_json FROM operation_results \
             WHERE user_id = ?1 AND operation_id = ?2 AND at > ?3",
        )
        .bind(self.user.0.hyphenated())
        .bind(name.0.hyphenated())
        .bind(self.at.0.saturating_sub(OPERATION_KEPT_MS))
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
        match done {
            Some((asked, _)) if asked != self.request => Err(StoreError::OperationConflict),
            done => Ok(done.map(|(_, result)| result)),
        }
    }

    /// Writes down what it came to.
    pub(crate) async fn remember(
        &self,
        connection: &mut SqliteConnection,
        result_json: String,
    ) -> Result<(), StoreError> {
        let Some(name) = self.name else { return Ok(()) };
        sqlx::query(
            "INSERT OR REPLACE INTO operation_results (user_id, operation_id, body_json, result_json, at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(self.user.0.hyphenated())
        .bind(name.0.hyphenated())
        .bind(&self.request)
        .bind(result_json)
        .bind(self.at.0)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
    }
}

/// Drops results that nobody may ask for any more; returns how many.
pub(crate) async fn expire(connection: &mut SqliteConnection, now: Wall) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM operation_results WHERE at <= ?1")
        .bind(now.0.saturating_sub(OPERATION_KEPT_MS))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(store_error)
}

/// Puts a pseudonym in the place of a user who goes in what others did with them, up to an instant.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    user: UserId,
    pseudonym: Uuid,
    until: Wall,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE operation_results SET body_json = replace(body_json, ?1, ?2), \
             result_json = replace(result_json, ?1, ?2) \
         WHERE user_id <> ?1 AND at <= ?3 AND (instr(body_json, ?1) OR instr(result_json, ?1))",
    )
    .bind(user.0.hyphenated())
    .bind(pseudonym.hyphenated())
    .bind(until.0)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}
