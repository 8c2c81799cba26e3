//! Stretches of sessions: as long as the last sign of life says, and which quarters of an hour that touches.

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::{DateTime, Utc};
use persistence::{StoreError, Stretch, StretchId, Written, stored::write_word};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Counts, hold_off_erasures, weeks};
use crate::{error::Failure, facts::timestamp};

/// A batch, column by column, as the statement takes it. No stretch is in it twice, and all hubs write in the same order.
pub(super) struct Columns {
    organizations: Vec<Uuid>,
    sessions: Vec<Uuid>,
    starts: Vec<DateTime<Utc>>,
    users: Vec<Uuid>,
    seen: Vec<DateTime<Utc>>,
    ended: Vec<bool>,
    devices: Vec<Option<String>>,
}

impl Columns {
    /// # Errors
    /// [`StoreError::Corrupt`], which no note causes.
    pub(super) fn of(batch: &[Stretch]) -> Result<Self, StoreError> {
        let merged = merged(batch);
        let notes = || merged.values();
        Ok(Self {
            organizations: notes().map(|note| note.id.organization.0).collect(),
            sessions: notes().map(|note| note.id.session.0).collect(),
            starts: notes().map(|note| timestamp(note.id.started)).collect(),
            users: notes().map(|note| note.user.0).collect(),
            seen: notes().map(|note| timestamp(note.seen)).collect(),
            ended: notes().map(|note| note.ended).collect(),
            devices: notes()
                .map(|note| note.device.as_ref().map(write_word).transpose())
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The newest note of each stretch. An end is never taken back.
fn merged(batch: &[Stretch]) -> BTreeMap<StretchId, Stretch> {
    let mut merged: BTreeMap<StretchId, Stretch> = BTreeMap::new();
    for note in batch {
        match merged.entry(note.id) {
            Entry::Vacant(place) => _ = place.insert(note.clone()),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let ended = known.ended || note.ended;
                if note.seen >= known.seen {
                    *known = note.clone();
                }
                known.ended = ended;
            }
        }
    }
    merged
}

/// Writes stretches of users and organizations that are there, and notes the quarters since the last sign of life that
/// is known; all of them where the stretch is new or its device another one. Of one that is older than rollups are
/// nothing is known any more.
///
/// No index is asked for `IS NOT DISTINCT FROM`: by the start alone, all that began in one instant would be read for
/// each of them.
pub(super) async fn write(connection: &mut PgConnection, batch: &Columns) -> Result<Written, Failure> {
    hold_off_erasures(connection).await?;
    let counts: Counts = sqlx::query_as(concat!(
        "WITH ",
        weeks!(),
        ", fit AS MATERIALIZED (\
             SELECT note.*, known.seen_at AS was, known.device_type IS DISTINCT FROM note.device AS other \
             FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::timestamptz[], \
                 $6::boolean[], $7::text[]) \
                 AS note (organization_id, session_id, started, user_id, seen, ended, device) \
             JOIN users ON users.id = note.user_id \
             JOIN organizations ON organizations.id = note.organization_id \
             LEFT JOIN presence_settings AS s ON s.user_id = note.user_id \
             LEFT JOIN presence_sessions AS known ON known.organization_id = note.organization_id \
                 AND known.session_id = note.session_id AND known.started_at IS NOT DISTINCT FROM note.started \
             WHERE note.started >= coalesce(users.created_at, '-infinity') \
               AND note.started > coalesce(s.erased_at, '-infinity') \
               AND note.seen >= note.started AND note.started > note.seen - interval '400 days' \
               AND coalesce(known.user_id = note.user_id, true) \
               AND date_bin('7 days', note.seen, '2001-01-01Z') IN (SELECT start FROM week)\
         ), put AS (\
             INSERT INTO presence_sessions AS known (organization_id, session_id, started_at, user_id, seen_at, \
                 ended, device_type) \
             SELECT organization_id, session_id, started, user_id, seen, ended, device FROM fit \
             ORDER BY organization_id, session_id, started \
             ON CONFLICT (organization_id, session_id, started_at) DO UPDATE SET \
                 seen_at = greatest(known.seen_at, excluded.seen_at), ended = known.ended OR excluded.ended, \
                 device_type = CASE WHEN excluded.seen_at >= known.seen_at THEN excluded.device_type \
                     ELSE known.device_type END \
             WHERE known.user_id = excluded.user_id AND (excluded.seen_at > known.seen_at \
                 OR excluded.ended AND NOT known.ended OR excluded.seen_at = known.seen_at \
                     AND excluded.device_type IS DISTINCT FROM known.device_type) \
             RETURNING 1\
         ), noted AS (\
             INSERT INTO presence_rollup_queue (bucket) \
             SELECT DISTINCT bucket FROM fit, generate_series(\
                 date_bin('15 minutes', CASE WHEN other THEN started ELSE coalesce(was, started) END, \
                     '2001-01-01Z'), seen, interval '15 minutes') AS bucket \
             WHERE was IS NULL OR seen > was OR other\
         ) SELECT (SELECT count(*) FROM fit) AS fit, (SELECT count(*) FROM put) AS put"
    ))
    .bind(&batch.organizations)
    .bind(&batch.sessions)
    .bind(&batch.starts)
    .bind(&batch.users)
    .bind(&batch.seen)
    .bind(&batch.ended)
    .bind(&batch.devices)
    .fetch_one(connection)
    .await?;
    Ok(counts.of(batch.organizations.len()))
}
