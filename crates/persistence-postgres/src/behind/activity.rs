//! Rows of the activity log, and which quarters of an hour they are in.

use chrono::{DateTime, Utc};
use persistence::{
    ActivityRow, StoreError, Written,
    stored::{write_json, write_word},
};
use sqlx::{Executor, PgConnection, error::DatabaseError};
use uuid::Uuid;

use super::{Counts, hold_off_erasures, weeks};
use crate::{error::Failure, facts::timestamp};

/// A batch, column by column, as the statement takes it; in the order of the log's key, as all hubs write.
pub(super) struct Columns {
    ids: Vec<Uuid>,
    organizations: Vec<Uuid>,
    users: Vec<Uuid>,
    kinds: Vec<&'static str>,
    pages: Vec<Option<String>>,
    times: Vec<DateTime<Utc>>,
    devices: Vec<Option<String>>,
    sessions: Vec<Option<Uuid>>,
    metadata: Vec<Option<String>>,
}

impl Columns {
    /// # Errors
    /// [`StoreError::Corrupt`], which no row causes.
    pub(super) fn of(batch: &[ActivityRow]) -> Result<Self, StoreError> {
        let mut rows: Vec<&ActivityRow> = batch.iter().collect();
        rows.sort_unstable_by_key(|row| (row.at, row.id));
        let rows = || rows.iter();
        Ok(Self {
            ids: rows().map(|row| row.id).collect(),
            organizations: rows().map(|row| row.organization.0).collect(),
            users: rows().map(|row| row.user.0).collect(),
            kinds: rows().map(|row| row.kind.name()).collect(),
            pages: rows().map(|row| row.page.as_ref().map(|page| page.as_str().to_owned())).collect(),
            times: rows().map(|row| timestamp(row.at)).collect(),
            devices: rows()
                .map(|row| row.device.as_ref().map(write_word).transpose())
                .collect::<Result<_, _>>()?,
            sessions: rows().map(|row| row.session.map(|session| session.0)).collect(),
            metadata: rows().map(|row| metadata(row)).collect::<Result<_, _>>()?,
        })
    }
}

fn metadata(row: &ActivityRow) -> Result<Option<String>, StoreError> {
    if row.metadata.is_empty() { Ok(None) } else { write_json(&row.metadata).map(Some) }
}

/// Writes what is not there yet, of users and organizations that are there, and notes the quarters.
///
/// A batch is nearly always new, and to look each row up before it is written costs a fifth of all: that is done only
/// for a batch of which a row was there.
pub(super) async fn write(connection: &mut PgConnection, batch: &Columns) -> Result<Written, Failure> {
    hold_off_erasures(connection).await?;
    connection.execute("SAVEPOINT batch").await?;
    match put(connection, NEW, batch).await {
        Err(error) if is_repeated(&error) => {
            connection.execute("ROLLBACK TO SAVEPOINT batch").await?;
            Ok(put(connection, REPEATED, batch).await?)
        }
        written => Ok(written?),
    }
}

fn is_repeated(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

async fn put(
    connection: &mut PgConnection,
    statement: &'static str,
    batch: &Columns,
) -> Result<Written, sqlx::Error> {
    let counts: Counts = sqlx::query_as(statement)
        .bind(&batch.ids)
        .bind(&batch.organizations)
        .bind(&batch.users)
        .bind(&batch.kinds)
        .bind(&batch.pages)
        .bind(&batch.times)
        .bind(&batch.devices)
        .bind(&batch.sessions)
        .bind(&batch.metadata)
        .fetch_one(connection)
        .await?;
    Ok(counts.of(batch.ids.len()))
}

/// People are looked up row by row, because few are in a batch twice; organizations are few, and looked up once. What is
/// `IS TRUE` is asked of a hash table, whatever a plan for any batch thinks of its size.
macro_rules! statement {
    ($conflict:literal) => {
        concat!(
            "WITH ",
            weeks!(),
            ", fit AS MATERIALIZED (\
                 SELECT note.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], \
                     $6::timestamptz[], $7::text[], $8::uuid[], $9::text[]) \
                     AS note (id, organization_id, user_id, kind, page, at, device, session_id, metadata) \
                 JOIN users ON users.id = note.user_id \
                 LEFT JOIN presence_settings AS s ON s.user_id = note.user_id \
                 WHERE note.at >= coalesce(users.created_at, '-infinity') \
                   AND note.at > coalesce(s.erased_at, '-infinity') \
                   AND (note.organization_id IN (\
                       SELECT known.id FROM (SELECT DISTINCT id FROM unnest($2) AS named (id)) AS named \
                       JOIN organizations AS known ON known.id = named.id)) IS TRUE \
                   AND (date_bin('7 days', note.at, '2001-01-01Z') IN (SELECT start FROM week)) IS TRUE\
             ), put AS (\
                 INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, page_viewed, \
                     \"timestamp\", device_type, session_id, metadata) \
                 SELECT id, organization_id, user_id, kind, page, at, device, session_id, metadata::jsonb \
                 FROM fit ",
            $conflict,
            " RETURNING \"timestamp\"\
             ), noted AS (\
                 INSERT INTO presence_rollup_queue (bucket) \
                 SELECT DISTINCT date_bin('15 minutes', \"timestamp\", '2001-01-01Z') FROM put\
             ) SELECT (SELECT count(*) FROM fit) AS fit, (SELECT count(*) FROM put) AS put"
        )
    };
}

const NEW: &str = statement!("");
const REPEATED: &str = statement!("ON CONFLICT DO NOTHING");
