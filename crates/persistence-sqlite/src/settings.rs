//! Settings: read, patched, written and audited in one transaction, once per operation.

use model::{Settings, UserId, Wall};
use persistence::{
    OPERATION_KEPT_MS, OperationId, SettingsChange, StoreError,
    stored::{StoredSettings, read_settings, write_json, write_request, write_settings, write_word},
};
use sqlx::SqliteConnection;

use crate::{audit, error::store_error, facts};

/// Changes settings, or finds that the operation was done before.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    defaults: &Settings,
) -> Result<Settings, StoreError> {
    require_user(connection, change.user).await?;
    let stored = chosen(connection, change.user).await?;
    let before = stored.as_ref().unwrap_or(defaults);
    if let Some(operation) = change.operation
        && let Some(result) = replay(connection, change, operation).await?
    {
        return Ok(result);
    }
    let after = if change.belated { before.narrowed(&change.patch) } else { change.patch.apply(before)? };
    // The first choice is written even where it equals the default, which an installation may change later.
    if stored.as_ref() != Some(&after) {
        write(connection, change, &after).await?;
        audit::settings_changed(connection, change, before, &after).await?;
    }
    if let Some(operation) = change.operation {
        remember(connection, change, operation, &after).await?;
    }
    Ok(after)
}

/// # Errors
/// [`StoreError::UnknownUser`].
pub(crate) async fn require_user(connection: &mut SqliteConnection, user: UserId) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM users WHERE id = ?1")
        .bind(user.0.hyphenated())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    found.map(|_| ()).ok_or(StoreError::UnknownUser)
}

/// What the user chose, if they ever did.
async fn chosen(connection: &mut SqliteConnection, user: UserId) -> Result<Option<Settings>, StoreError> {
    let settings = facts::chosen_settings(connection, &write_json(&[user])?).await?;
    Ok(settings.into_iter().next().map(|(_, chosen)| chosen.settings))
}

async fn write(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    after: &Settings,
) -> Result<(), StoreError> {
    let row = StoredSettings::from(after);
    sqlx::query(
        "INSERT INTO presence_settings (user_id, visibility, show_activity, show_current_page, \
         appear_offline, custom_status, custom_status_emoji, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (user_id) DO UPDATE SET visibility = excluded.visibility, \
             show_activity = excluded.show_activity, show_current_page = excluded.show_current_page, \
             appear_offline = excluded.appear_offline, custom_status = excluded.custom_status, \
             custom_status_emoji = excluded.custom_status_emoji, updated_at = excluded.updated_at",
    )
    .bind(change.user.0.hyphenated())
    .bind(write_word(&row.visibility)?)
    .bind(row.show_activity)
    .bind(row.show_current_page)
    .bind(row.appear_offline)
    .bind(row.custom_status)
    .bind(row.custom_emoji)
    .bind(change.at.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// The result of the operation, where it was done before and has not expired.
async fn replay(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    operation: OperationId,
) -> Result<Option<Settings>, StoreError> {
    let done: Option<(String, String)> = sqlx::query_as(
        "SELECT body_json, result_json FROM operation_results \
         WHERE user_id = ?1 AND operation_id = ?2 AND at > ?3",
    )
    .bind(change.user.0.hyphenated())
    .bind(operation.0.hyphenated())
    .bind(change.at.0.saturating_sub(OPERATION_KEPT_MS))
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    match done {
        None => Ok(None),
        Some((asked, result)) if asked == write_request(&change.patch)? => read_settings(&result).map(Some),
        Some(_) => Err(StoreError::OperationConflict),
    }
}

async fn remember(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    operation: OperationId,
    result: &Settings,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO operation_results (user_id, operation_id, body_json, result_json, at) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(change.user.0.hyphenated())
    .bind(operation.0.hyphenated())
    .bind(write_request(&change.patch)?)
    .bind(write_settings(result)?)
    .bind(change.at.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Drops results that nobody may ask for any more; returns how many.
pub(crate) async fn expire_operations(
    connection: &mut SqliteConnection,
    now: Wall,
) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM operation_results WHERE at <= ?1")
        .bind(now.0.saturating_sub(OPERATION_KEPT_MS))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(store_error)
}
