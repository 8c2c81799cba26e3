//! The audit: who changed what, in the transaction of the change; and what is left of it when a person is erased.

use model::{Settings, UserId, Wall};
use persistence::{Actor, SettingsChange, SettingsEntry, StoreError, stored};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::store_error;

/// One change of settings, by the user and for the user.
pub(crate) async fn settings_changed(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    before: &Settings,
    after: &Settings,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presence_audit (at, kind, actor, subject, before_json, after_json) \
         VALUES (?1, 'settings', ?2, ?3, ?4, ?5)",
    )
    .bind(change.at.0)
    .bind(Actor::User(change.user).to_string())
    .bind(change.user.0.hyphenated())
    .bind(stored::write_settings(before)?)
    .bind(stored::write_settings(after)?)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// One transaction of directory changes.
pub(crate) async fn directory_changed(
    connection: &mut SqliteConnection,
    at: Wall,
    actor: &str,
    changes_json: String,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO presence_audit (at, kind, actor, after_json) VALUES (?1, 'directory', ?2, ?3)")
        .bind(at.0)
        .bind(actor)
        .bind(changes_json)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// The newest entry.
pub(crate) async fn last(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(id), 0) FROM presence_audit";
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(store_error)
}

/// Says who made the change of the directory that ended the holds of the entries after `before`.
pub(crate) async fn ended_by(
    connection: &mut SqliteConnection,
    before: i64,
    actor: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE presence_audit SET actor = ?2 WHERE id > ?1 AND kind = 'occupancy' AND actor = 'directory'",
    )
    .bind(before)
    .bind(actor)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

/// The newest `limit` changes of a user's settings, oldest first.
pub(crate) async fn settings_history(
    connection: &mut SqliteConnection,
    user: UserId,
    limit: usize,
) -> Result<Vec<SettingsEntry>, StoreError> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT at, before_json, after_json FROM presence_audit \
         WHERE subject = ?1 AND kind = 'settings' ORDER BY id DESC LIMIT ?2",
    )
    .bind(user.0.hyphenated())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.into_iter().rev().map(entry).collect()
}

fn entry((at, before, after): (i64, String, String)) -> Result<SettingsEntry, StoreError> {
    let (before, after) = (stored::read_settings(&before)?, stored::read_settings(&after)?);
    Ok(SettingsEntry { at: Wall(at), before, after })
}

/// An erasure, which names nobody.
pub(crate) async fn erased(
    connection: &mut SqliteConnection,
    at: Wall,
    pseudonym: Uuid,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO presence_audit (at, kind, actor) VALUES (?1, 'erasure', ?2)")
        .bind(at.0)
        .bind(format!("user:{pseudonym}"))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Puts a pseudonym in the place of a user who goes, up to an instant. That something was changed stays; what they chose
/// goes.
///
/// The ids in changes of the directory, holds and codes have no index: this reads those parts of the audit once.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    user: UserId,
    pseudonym: Uuid,
    until: Wall,
) -> Result<(), StoreError> {
    let own = "UPDATE presence_audit SET subject = ?2, actor = replace(actor, ?1, ?2), before_json = NULL, \
               after_json = NULL WHERE subject = ?1 AND at <= ?3";
    let others = "UPDATE presence_audit SET actor = replace(actor, ?1, ?2), \
                  before_json = replace(before_json, ?1, ?2), after_json = replace(after_json, ?1, ?2) \
                  WHERE kind IN ('directory', 'occupancy', 'access_code') AND at <= ?3 \
                      AND (instr(coalesce(after_json, ''), ?1) OR instr(coalesce(before_json, ''), ?1) \
                           OR instr(actor, ?1))";
    for sql in [own, others] {
        sqlx::query(sql)
            .bind(user.0.hyphenated())
            .bind(pseudonym.hyphenated())
            .bind(until.0)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}
