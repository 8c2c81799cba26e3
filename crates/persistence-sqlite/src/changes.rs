//! What changed, as the triggers of the tables wrote it down.

use std::collections::BTreeSet;

use model::{AccountId, UserId, Wall};
use persistence::{Changes, Cursor, PAGE, Pick, StoreError, stored::corrupt};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{error::store_error, facts};

/// How long a change is kept, in milliseconds: 1 h. The names of the removed are in it, and go with it.
const KEPT_MS: i64 = 60 * 60 * 1000;

/// Accounts whose states are read with the list, in one transaction. Above it everything is read again, page by page.
const ACCOUNTS_READ_AT_MOST: usize = 2 * PAGE;

/// Where changes stand now.
pub(crate) async fn cursor(connection: &mut SqliteConnection) -> Result<Cursor, StoreError> {
    Ok(Cursor(last(connection).await?.to_string()))
}

/// What changed after `since`. Everything, where that is too long ago, or where the file was set back to before it.
pub(crate) async fn since(connection: &mut SqliteConnection, since: &Cursor) -> Result<Changes, StoreError> {
    let since: i64 =
        since.0.parse().map_err(|_| corrupt(format!("{:?} is no cursor of this store", since.0)))?;
    let last = last(connection).await?;
    let forgotten = forgotten(connection).await?.unwrap_or(last);
    let cursor = Cursor(last.to_string());
    if since < forgotten || since > last {
        return Ok(all(cursor));
    }
    let users = "SELECT DISTINCT user_id FROM presence_changes WHERE seq > ?1 AND user_id IS NOT NULL";
    let accounts =
        "SELECT DISTINCT account_id FROM presence_changes WHERE seq > ?1 AND account_id IS NOT NULL";
    let accounts = ids(connection, accounts, since, |id| AccountId(id.into())).await?;
    if accounts.len() > ACCOUNTS_READ_AT_MOST {
        return Ok(all(cursor));
    }
    Ok(Changes {
        cursor,
        users: ids(connection, users, since, |id| UserId(id.into())).await?,
        // Of the same transaction, and so of the same instant.
        account_states: facts::accounts(connection, Pick::These(accounts.clone())).await?,
        accounts,
        all: false,
    })
}

fn all(cursor: Cursor) -> Changes {
    Changes { cursor, users: Vec::new(), accounts: Vec::new(), account_states: Vec::new(), all: true }
}

/// The number of the last change, whether it is kept or not.
async fn last(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'presence_changes'";
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(store_error)
}

/// The number before the first change that is kept; `None`: not one is kept.
async fn forgotten(connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT min(seq) - 1 FROM presence_changes";
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(store_error)
}

async fn ids<Id: Ord>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    since: i64,
    id: fn(Hyphenated) -> Id,
) -> Result<Vec<Id>, StoreError> {
    let rows = sqlx::query_scalar(sql).bind(since).fetch_all(connection).await.map_err(store_error)?;
    Ok(rows.into_iter().map(id).collect::<BTreeSet<_>>().into_iter().collect())
}

/// How long, in milliseconds, a change is kept of somebody who is gone: 1 min. Hubs read changes every second.
const GONE_KEPT_MS: i64 = 60 * 1000;

/// Drops the changes of users who are gone, but for the last ones, and those before them: whoever is that far behind reads
/// everything anew, and misses nobody.
pub(crate) async fn forget_the_gone(connection: &mut SqliteConnection, now: Wall) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM presence_changes WHERE seq <= (SELECT max(seq) FROM presence_changes \
             WHERE at <= ?1 AND user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users WHERE id = user_id))",
    )
    .bind(now.0.saturating_sub(GONE_KEPT_MS))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

/// Drops changes older than an hour. Always the oldest of them, also where the clock was set back in between: a gap
/// would hide changes.
pub(crate) async fn forget(connection: &mut SqliteConnection, now: Wall) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM presence_changes WHERE seq <= (SELECT max(seq) FROM presence_changes WHERE at <= ?1)",
    )
    .bind(now.0.saturating_sub(KEPT_MS))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}
