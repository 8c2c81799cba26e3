//! Settings: read, patched, written and audited in one transaction, once per operation.

use model::{Settings, UserId};
use persistence::{
    SettingsChange, StoreError,
    stored::{StoredSettings, read_settings, write_json, write_request, write_settings, write_word},
};
use sqlx::SqliteConnection;

use crate::{audit, error::store_error, facts, operations::Operation};

/// Changes settings, or finds that the operation was done before.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    change: &SettingsChange,
    defaults: &Settings,
) -> Result<Settings, StoreError> {
    require_user(connection, change.user).await?;
    let stored = chosen(connection, change.user).await?;
    let before = stored.as_ref().unwrap_or(defaults);
    let operation = Operation {
        user: change.user,
        name: change.operation,
        request: write_request(&change.patch)?,
        at: change.at,
    };
    if let Some(result) = operation.replay(connection).await? {
        return read_settings(&result);
    }
    let after = if change.belated { before.narrowed(&change.patch) } else { change.patch.apply(before)? };
    // The first choice is written even where it equals the default, which an installation may change later.
    if stored.as_ref() != Some(&after) {
        write(connection, change, &after).await?;
        audit::settings_changed(connection, change, before, &after).await?;
    }
    operation.remember(connection, write_settings(&after)?).await?;
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
