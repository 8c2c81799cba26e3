//! Last-seen: never backwards, never for those who are gone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::{ActivityType, UserId};
use persistence::{LastSeen, StoreError, Written, stored::write_word};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Counts, hold_off_erasures};
use crate::{error::Failure, facts::timestamp};

/// A batch, column by column, as the statement takes it. Nobody is in it twice, and all hubs write in the same order:
/// none waits for another one that waits for it.
pub(super) struct Columns {
    users: Vec<Uuid>,
    times: Vec<DateTime<Utc>>,
    pages: Vec<Option<String>>,
    devices: Vec<Option<String>>,
    activities: Vec<Option<&'static str>>,
    minutes: Vec<i32>,
}

impl Columns {
    /// The batch with the newest note of each user.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], which no note causes.
    pub(super) fn of(batch: &[LastSeen]) -> Result<Self, StoreError> {
        let mut newest: BTreeMap<UserId, &LastSeen> = BTreeMap::new();
        for note in batch {
            let known = newest.entry(note.user).or_insert(note);
            if note.at >= known.at {
                *known = note;
            }
        }
        let notes = || newest.values();
        Ok(Self {
            users: notes().map(|note| note.user.0).collect(),
            times: notes().map(|note| timestamp(note.at)).collect(),
            pages: notes().map(|note| note.page.as_ref().map(|page| page.as_str().to_owned())).collect(),
            devices: notes()
                .map(|note| note.device.as_ref().map(write_word).transpose())
                .collect::<Result<_, _>>()?,
            activities: notes().map(|note| note.activity.map(ActivityType::name)).collect(),
            minutes: notes().map(|note| i32::try_from(note.session_minutes).unwrap_or(i32::MAX)).collect(),
        })
    }
}

/// Writes the rows of users that exist and are not younger than their note. Viewers may know the minute alone.
pub(super) async fn write(connection: &mut PgConnection, batch: &Columns) -> Result<Written, Failure> {
    hold_off_erasures(connection).await?;
    let counts: Counts = sqlx::query_as(
        "WITH fit AS MATERIALIZED (\
             SELECT note.* \
             FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::int[]) \
                 AS note (id, at, page, device, activity, minutes) \
             JOIN users ON users.id = note.id \
             LEFT JOIN presence_settings AS s ON s.user_id = note.id \
             WHERE note.at >= coalesce(users.created_at, '-infinity') \
               AND note.at > coalesce(s.erased_at, '-infinity')\
         ), put AS (\
             INSERT INTO user_last_seen AS known (user_id, last_seen_at, seen_at, last_page, last_device, \
                 last_activity_type, session_duration_minutes, updated_at) \
             SELECT id, date_trunc('minute', at, 'UTC'), at, page, device, activity, minutes, now() \
             FROM fit ORDER BY id \
             ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, \
                 seen_at = excluded.seen_at, last_page = excluded.last_page, \
                 last_device = excluded.last_device, last_activity_type = excluded.last_activity_type, \
                 session_duration_minutes = excluded.session_duration_minutes, \
                 updated_at = excluded.updated_at \
             WHERE excluded.seen_at > known.seen_at OR (excluded.seen_at = known.seen_at AND \
                 (excluded.last_page, excluded.last_device, excluded.last_activity_type, \
                     excluded.session_duration_minutes) IS DISTINCT FROM \
                 (known.last_page, known.last_device, known.last_activity_type, \
                     known.session_duration_minutes)) \
             RETURNING 1\
         ) SELECT (SELECT count(*) FROM fit) AS fit, (SELECT count(*) FROM put) AS put",
    )
    .bind(&batch.users)
    .bind(&batch.times)
    .bind(&batch.pages)
    .bind(&batch.devices)
    .bind(&batch.activities)
    .bind(&batch.minutes)
    .fetch_one(connection)
    .await?;
    Ok(counts.of(batch.users.len()))
}
