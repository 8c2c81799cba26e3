//! The audit: who changed what, in the transaction of the change. What is left of it when a person is erased is the
//! database's own business: a trigger puts a pseudonym in their place, however they were deleted.

use chrono::{DateTime, Utc};
use model::{OrganizationId, Wall};
use persistence::{
    SettingsEntry, StoreError,
    audited::{AuditEntry, Homes},
    stored,
};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Failure;

/// One transaction of directory changes; `false` where the audit has this operation already: it was done before.
///
/// Two that are done at the same time meet here, and the second waits until the first is committed or undone. Holds that
/// end with these changes are audited with the same actor.
pub(crate) async fn directory_changed(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    actor: &str,
    operation: Uuid,
    changes_json: &str,
) -> Result<bool, Failure> {
    let written = sqlx::query(
        "INSERT INTO presence_audit (at, kind, actor, operation, after_json) \
         VALUES ($1, 'directory', set_config('presence.actor', $2, true), $3, $4::jsonb) \
         ON CONFLICT (operation) DO NOTHING",
    )
    .bind(at)
    .bind(actor)
    .bind(operation)
    .bind(changes_json)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// What is told to an organization, the newest first.
pub(crate) async fn of_organization(
    connection: &mut PgConnection,
    organization: OrganizationId,
    until: DateTime<Utc>,
    most: usize,
) -> Result<Vec<AuditEntry>, Failure> {
    let rows: Vec<(DateTime<Utc>, String, String, Value)> = sqlx::query_as(
        "(SELECT at, kind, actor, after_json, id FROM presence_audit \
             WHERE organization_id = $1 AND at <= $2 ORDER BY at DESC, id DESC LIMIT $3) \
         UNION ALL \
         (SELECT at, kind, actor, after_json, id FROM presence_audit \
             WHERE kind = 'directory' AND mentions @> ARRAY[$1] AND at <= $2 ORDER BY at DESC, id DESC LIMIT $3) \
         ORDER BY at DESC, id DESC LIMIT $3",
    )
    .bind(organization.0)
    .bind(until)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let entry = |(at, kind, actor, after): (DateTime<Utc>, String, String, Value)| AuditEntry {
        at: Wall(at.timestamp_millis()),
        kind,
        actor,
        after,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Where those belong who are about to be removed.
pub(crate) async fn homes(connection: &mut PgConnection, removed: &[Uuid]) -> Result<Homes, Failure> {
    let mut homes = Homes::new();
    if removed.is_empty() {
        return Ok(homes);
    }
    let found: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT id, organization_id FROM accounts WHERE id = ANY($1) \
         UNION ALL SELECT user_id, organization_id FROM user_organizations WHERE user_id = ANY($1)",
    )
    .bind(removed)
    .fetch_all(connection)
    .await?;
    for (id, organization) in found {
        homes.entry(id).or_default().push(OrganizationId(organization));
    }
    Ok(homes)
}

/// The newest `limit` changes of settings of the user as whom this is asked, oldest first. The function names nobody
/// else's: it takes no user.
pub(crate) async fn settings_history(
    connection: &mut PgConnection,
    limit: usize,
) -> Result<Vec<SettingsEntry>, Failure> {
    let rows: Vec<(DateTime<Utc>, String, String)> = sqlx::query_as(
        "SELECT at, before_json::text, after_json::text FROM presence_settings_history($1) ORDER BY nth DESC",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(entry).collect::<Result<_, StoreError>>()?)
}

fn entry((at, before, after): (DateTime<Utc>, String, String)) -> Result<SettingsEntry, StoreError> {
    let (before, after) = (stored::read_settings(&before)?, stored::read_settings(&after)?);
    Ok(SettingsEntry { at: Wall(at.timestamp_millis()), before, after })
}
