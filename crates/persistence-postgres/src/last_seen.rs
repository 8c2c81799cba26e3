//! Last-seen in batches: one statement for all rows, never backwards, never for those who are gone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use model::UserId;
use persistence::{LastSeen, StoreError, stored::write_word};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{error::Failure, facts::timestamp};

/// A batch, column by column, as the statement takes it. Nobody is in it twice, and all hubs write in the same order:
/// none waits for another one that waits for it.
pub(crate) struct Columns {
    users: Vec<Uuid>,
    times: Vec<DateTime<Utc>>,
    pages: Vec<Option<String>>,
    devices: Vec<Option<String>>,
}

/// The batch with the newest note of each user.
///
/// # Errors
/// [`StoreError::Corrupt`], which no note causes.
pub(crate) fn columns(batch: &[LastSeen]) -> Result<Columns, StoreError> {
    let mut newest: BTreeMap<UserId, &LastSeen> = BTreeMap::new();
    for note in batch {
        let known = newest.entry(note.user).or_insert(note);
        if note.at >= known.at {
            *known = note;
        }
    }
    let notes = || newest.values();
    Ok(Columns {
        users: notes().map(|note| note.user.0).collect(),
        times: notes().map(|note| timestamp(note.at)).collect(),
        pages: notes().map(|note| note.page.as_ref().map(|page| page.as_str().to_owned())).collect(),
        devices: notes()
            .map(|note| note.device.as_ref().map(write_word).transpose())
            .collect::<Result<_, _>>()?,
    })
}

/// Writes the rows of users that exist and are not younger than their note. Viewers may know the minute alone.
pub(crate) async fn write(connection: &mut PgConnection, batch: &Columns) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO user_last_seen (user_id, last_seen_at, seen_at, last_page, last_device, updated_at) \
         SELECT users.id, date_trunc('minute', note.at, 'UTC'), note.at, note.page, note.device, now() \
         FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS note (id, at, page, device) \
         JOIN users ON users.id = note.id \
         WHERE note.at >= coalesce(users.created_at, '-infinity') \
         ORDER BY users.id \
         ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, \
             seen_at = excluded.seen_at, last_page = excluded.last_page, last_device = excluded.last_device, \
             updated_at = excluded.updated_at \
         WHERE excluded.seen_at >= user_last_seen.seen_at",
    )
    .bind(&batch.users)
    .bind(&batch.times)
    .bind(&batch.pages)
    .bind(&batch.devices)
    .execute(connection)
    .await?;
    Ok(())
}
