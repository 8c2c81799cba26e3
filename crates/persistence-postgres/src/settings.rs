//! Settings: read, patched, written and audited in one transaction, once per operation.

use model::{Settings, UserId, Wall};
use persistence::{
    Actor, OPERATION_KEPT_MS, OperationId, SettingsChange, StoreError,
    stored::{StoredSettings, read_settings, write_request, write_settings, write_word},
};
use sqlx::PgConnection;

use crate::{
    error::Failure,
    facts::{SettingsRow, timestamp, unreadable},
};

/// Rows dropped in one transaction, well within a statement's time.
const DROPPED_AT_ONCE: i64 = 5_000;

/// A change under the name that makes it happen once.
pub(crate) struct Named {
    pub(crate) change: SettingsChange,
    pub(crate) operation: OperationId,
    /// The settings of users without a row.
    pub(crate) defaults: Settings,
}

/// What is there before the change.
#[derive(sqlx::FromRow)]
struct Before {
    #[sqlx(flatten)]
    settings: SettingsRow,
    /// What was asked under the operation's name, and answered.
    asked: Option<String>,
    answered: Option<String>,
}

/// Changes settings, or finds that the operation was done before.
pub(crate) async fn change(connection: &mut PgConnection, named: &Named) -> Result<Settings, Failure> {
    let Named { change, defaults, .. } = named;
    take_turn(connection, change.user).await?;
    let before = read(connection, named).await?.ok_or(StoreError::UnknownUser)?;
    if let (Some(asked), Some(answered)) = (before.asked, before.answered) {
        let same = asked == write_request(&change.patch)?;
        return if same { Ok(read_settings(&answered)?) } else { Err(StoreError::OperationConflict.into()) };
    }
    let (stored, before) = in_force(change.user, before.settings, defaults);
    let after = if change.belated {
        before.narrowed(&change.patch)
    } else {
        change.patch.apply(&before).map_err(StoreError::from)?
    };
    // The first choice is written even where it equals the default, which an installation may change later; and over
    // what cannot be read, so that it can be.
    let changes = stored.as_ref() != Some(&after);
    write(connection, named, changes, &before, &after).await?;
    Ok(after)
}

/// The settings that are stored, as far as they can be read, and those that hold.
fn in_force(user: UserId, row: SettingsRow, defaults: &Settings) -> (Option<Settings>, Settings) {
    match row.settings() {
        Ok(stored) => (stored.clone(), stored.unwrap_or_else(|| defaults.clone())),
        Err(error) => {
            tracing::warn!(%user, %error, "these settings cannot be read, and are replaced");
            (None, unreadable())
        }
    }
}

/// Changes of one user are made one after another. There may be no row yet to lock, so it is a number: one that tells
/// those who see all locks nothing of the user.
pub(crate) async fn take_turn(connection: &mut PgConnection, user: UserId) -> Result<(), Failure> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(('x' || encode(substr(\
             sha256(uuid_send(lock_salt) || uuid_send($1)), 1, 8), 'hex'))::bit(64)::bigint) \
         FROM presence_installation",
    )
    .bind(user.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// `None` where there is no such user.
async fn read(connection: &mut PgConnection, named: &Named) -> Result<Option<Before>, Failure> {
    let forgotten = Wall(named.change.at.0.saturating_sub(OPERATION_KEPT_MS));
    let before = sqlx::query_as(
        "SELECT s.visibility, s.show_activity, s.show_current_page, s.appear_offline, s.custom_status, \
         s.custom_status_emoji, o.body_json::text AS asked, o.result_json::text AS answered \
         FROM users LEFT JOIN presence_settings AS s ON s.user_id = users.id \
         LEFT JOIN operation_results AS o \
         ON o.user_id = users.id AND o.operation_id = $2 AND o.at > $3 \
         WHERE users.id = $1",
    )
    .bind(named.change.user.0)
    .bind(named.operation.0)
    .bind(timestamp(forgotten))
    .fetch_optional(connection)
    .await?;
    Ok(before)
}

/// The settings and their audit where something `changes`, and the operation's result in any case.
async fn write(
    connection: &mut PgConnection,
    named: &Named,
    changes: bool,
    before: &Settings,
    after: &Settings,
) -> Result<(), Failure> {
    let (change, row) = (&named.change, StoredSettings::from(after));
    sqlx::query(
        "WITH setting AS (\
             INSERT INTO presence_settings (user_id, visibility, show_activity, show_current_page, \
                 appear_offline, custom_status, custom_status_emoji, updated_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9 \
             ON CONFLICT (user_id) DO UPDATE SET visibility = excluded.visibility, \
                 show_activity = excluded.show_activity, show_current_page = excluded.show_current_page, \
                 appear_offline = excluded.appear_offline, custom_status = excluded.custom_status, \
                 custom_status_emoji = excluded.custom_status_emoji, updated_at = excluded.updated_at\
         ), entry AS (\
             INSERT INTO presence_audit (at, kind, actor, subject, before_json, after_json) \
             SELECT $8, 'settings', $10, $1, $11::jsonb, $12::jsonb WHERE $9\
         ) \
         INSERT INTO operation_results (user_id, operation_id, body_json, result_json, at) \
         VALUES ($1, $13, $14, $12::jsonb, $8) \
         ON CONFLICT (user_id, operation_id) DO UPDATE SET body_json = excluded.body_json, \
             result_json = excluded.result_json, at = excluded.at",
    )
    .bind(change.user.0)
    .bind(write_word(&row.visibility)?)
    .bind(row.show_activity)
    .bind(row.show_current_page)
    .bind(row.appear_offline)
    .bind(row.custom_status)
    .bind(row.custom_emoji)
    .bind(timestamp(change.at))
    .bind(changes)
    .bind(Actor::from(change.principal()).to_string())
    .bind(write_settings(before)?)
    .bind(write_settings(after)?)
    .bind(named.operation.0)
    .bind(write_request(&change.patch)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Drops some of the results that nobody may ask for any more: how many, and whether there may be more of them.
pub(crate) async fn expire_operations(
    connection: &mut PgConnection,
    now: Wall,
) -> Result<(u64, bool), Failure> {
    let dropped = sqlx::query(
        "DELETE FROM operation_results WHERE (user_id, operation_id) IN \
         (SELECT user_id, operation_id FROM operation_results WHERE at <= $1 ORDER BY at LIMIT $2)",
    )
    .bind(timestamp(Wall(now.0.saturating_sub(OPERATION_KEPT_MS))))
    .bind(DROPPED_AT_ONCE)
    .execute(connection)
    .await?
    .rows_affected();
    Ok((dropped, dropped >= DROPPED_AT_ONCE.unsigned_abs()))
}
