//! The audit: who changed what, in the transaction of the change; and what is left of it when a person is erased.

use model::{OrganizationId, Settings, UserId, Wall};
use persistence::{
    Actor, SettingsChange, SettingsEntry, StoreError,
    audited::{AuditEntry, Homes},
    stored,
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};
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
    .bind(Actor::from(change.principal()).to_string())
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

/// What is told to an organization, the newest first. Changes of the directory have no index: all of them are read.
pub(crate) async fn of_organization(
    connection: &mut SqliteConnection,
    organization: OrganizationId,
    until: Wall,
    most: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT at, kind, actor, after_json FROM presence_audit \
         WHERE at <= ?2 AND (organization_id = ?1 OR kind = 'directory' AND instr(after_json, ?1)) \
         ORDER BY at DESC, id DESC LIMIT ?3",
    )
    .bind(organization.to_string())
    .bind(until.0)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let entry = |(at, kind, actor, after): (i64, String, String, String)| {
        let after = serde_json::from_str(&after).map_err(stored::corrupt)?;
        Ok(AuditEntry { at: Wall(at), kind, actor, after })
    };
    rows.into_iter().map(entry).collect()
}

/// Where those belong who are about to be removed.
pub(crate) async fn homes(connection: &mut SqliteConnection, removed: &[Uuid]) -> Result<Homes, StoreError> {
    let mut homes = Homes::new();
    if removed.is_empty() {
        return Ok(homes);
    }
    let found: Vec<(Hyphenated, Hyphenated)> = sqlx::query_as(
        "WITH gone (id) AS (SELECT value FROM json_each(?1)) \
         SELECT id, organization_id FROM gone JOIN accounts USING (id) \
         UNION ALL SELECT user_id, organization_id FROM gone JOIN user_organizations ON user_id = gone.id",
    )
    .bind(stored::write_json(&removed)?)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    for (id, organization) in found {
        homes.entry(id.into_uuid()).or_default().push(OrganizationId(organization.into_uuid()));
    }
    Ok(homes)
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
