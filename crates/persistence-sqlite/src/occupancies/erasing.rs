//! What is left of holds and codes when a person is erased: nothing but entries under a pseudonym.

use model::{ClockOutReason, Hold, UserId, Wall};
use persistence::StoreError;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    entries::{DIRECTORY, HoldEntry},
    holds,
};
use crate::{clock, error::store_error};

const CODES: [&str; 2] = [
    "DELETE FROM access_codes WHERE user_id = ?1 AND created_at <= ?2",
    "UPDATE access_codes SET created_by = NULL WHERE created_by = ?1 AND created_at <= ?2",
];

/// Ends the person's holds and removes their codes, up to an instant. The entries never have their id: those are as new as
/// this, and the rest of the erasure looks at older ones.
pub(crate) async fn erase(
    connection: &mut SqliteConnection,
    user: UserId,
    pseudonym: Uuid,
    until: Wall,
) -> Result<(), StoreError> {
    let at = clock::now(connection).await?;
    let reason = ClockOutReason::Removed;
    for held in holds::of_user(connection, user, until).await? {
        holds::release(connection, held.hold, reason).await?;
        let hold = Hold { user: UserId(pseudonym), ..held.hold };
        let (before, event) = (Some(hold), reason.name());
        HoldEntry { at, actor: DIRECTORY, event, before, hold, text: None }.write(connection).await?;
    }
    for sql in CODES {
        let statement = sqlx::query(sql).bind(user.0.hyphenated()).bind(until.0);
        statement.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}
