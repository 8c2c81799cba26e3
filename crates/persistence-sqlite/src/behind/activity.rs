//! The activity log: each row once, by its id.

use model::{ActivityType, Device, Metadata, OrganizationId, SessionId, UserId, Wall};
use persistence::{ActivityRow, StoreError, Written, stored::write_json};
use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Admission, Candidate, passed_over};
use crate::{error::store_error, rollups};

impl Candidate for ActivityRow {
    fn user(&self) -> UserId {
        self.user
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.organization)
    }

    fn at(&self) -> Wall {
        self.at
    }
}

/// A row as batches, archives and exports write it down, but for the time, which is in milliseconds here.
#[derive(Serialize)]
struct Form<'a> {
    id: Uuid,
    organization_id: OrganizationId,
    user_id: UserId,
    activity_type: ActivityType,
    page_viewed: Option<&'a str>,
    timestamp: i64,
    device_type: Option<Device>,
    session_id: Option<SessionId>,
    metadata: &'a Metadata,
}

impl<'a> From<&'a ActivityRow> for Form<'a> {
    fn from(row: &'a ActivityRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization,
            user_id: row.user,
            activity_type: row.kind,
            page_viewed: row.page.as_ref().map(|page| page.as_str()),
            timestamp: row.at.0,
            device_type: row.device,
            session_id: row.session,
            metadata: &row.metadata,
        }
    }
}

/// SQL for a row of the log in the form that [`insert`] takes.
macro_rules! written_down {
    () => {
        "json_object('id', id, 'organization_id', organization_id, 'user_id', user_id, \
         'activity_type', activity_type, 'page_viewed', page_viewed, 'timestamp', timestamp, \
         'device_type', device_type, 'session_id', session_id, 'metadata', json(metadata))"
    };
}
pub(crate) use written_down;

/// Writes what may be written.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    batch: Vec<ActivityRow>,
) -> Result<Written, StoreError> {
    let admission = Admission::of(connection, &batch).await?;
    let admitted: Vec<_> = batch.iter().filter(|row| admission.admits(*row)).collect();
    let rows = write_json(&admitted.iter().map(|row| Form::from(*row)).collect::<Vec<_>>())?;
    let written = insert(connection, &rows).await?;
    if written > 0 {
        rollups::enqueue(connection, admitted.iter().map(|row| rollups::bucket(row.at))).await?;
    }
    Ok(Written { written, passed_over: passed_over(batch.len(), admitted.len()) })
}

/// Puts rows, an array of them, into the log, where they are not there yet; how many.
pub(crate) async fn insert(connection: &mut SqliteConnection, rows: &str) -> Result<u64, StoreError> {
    sqlx::query(
        "INSERT INTO presence_activity_logs (timestamp, id, organization_id, user_id, activity_type, \
             page_viewed, device_type, session_id, metadata) \
         SELECT value ->> 'timestamp', value ->> 'id', value ->> 'organization_id', value ->> 'user_id', \
             value ->> 'activity_type', value ->> 'page_viewed', value ->> 'device_type', \
             value ->> 'session_id', value -> 'metadata' \
         FROM json_each(?1) WHERE true ON CONFLICT (timestamp, id) DO NOTHING",
    )
    .bind(rows)
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .map_err(store_error)
}
