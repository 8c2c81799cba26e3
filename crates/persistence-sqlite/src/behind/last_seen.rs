//! Last-seen: of each user the newest note, never backwards.

use std::collections::BTreeMap;

use model::{OrganizationId, UserId, Wall};
use persistence::{LastSeen, StoreError, Written};
use serde_json::json;
use sqlx::SqliteConnection;

use super::{Admission, Candidate, over_rows, passed_over};

impl Candidate for LastSeen {
    fn user(&self) -> UserId {
        self.user
    }

    fn organization(&self) -> Option<OrganizationId> {
        None
    }

    fn at(&self) -> Wall {
        self.at
    }
}

/// Writes what may be written.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    batch: Vec<LastSeen>,
) -> Result<Written, StoreError> {
    let admission = Admission::of(connection, &batch).await?;
    let admitted: Vec<_> = batch.iter().filter(|note| admission.admits_restored(*note)).collect();
    let passed_over = passed_over(batch.len(), admitted.len());
    let rows: Vec<_> = newest(admitted).into_values().map(row).collect();
    let sql = "INSERT INTO user_last_seen (user_id, last_seen_at, last_page, last_device, last_activity_type, \
                   session_duration_minutes, updated_at) \
               SELECT note.value ->> 0, note.value ->> 1, note.value ->> 2, note.value ->> 3, note.value ->> 4, \
                   note.value ->> 5, CAST(unixepoch('subsec') * 1000 AS INTEGER) \
               FROM json_each(?1) AS note WHERE true \
               ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, \
                   last_page = excluded.last_page, last_device = excluded.last_device, \
                   last_activity_type = excluded.last_activity_type, \
                   session_duration_minutes = excluded.session_duration_minutes, \
                   updated_at = excluded.updated_at \
               WHERE excluded.last_seen_at >= user_last_seen.last_seen_at";
    Ok(Written { written: over_rows(connection, sql, &rows).await?, passed_over })
}

fn newest(notes: Vec<&LastSeen>) -> BTreeMap<UserId, &LastSeen> {
    let mut newest: BTreeMap<UserId, &LastSeen> = BTreeMap::new();
    for note in notes {
        let kept = newest.entry(note.user).or_insert(note);
        if note.at >= kept.at {
            *kept = note;
        }
    }
    newest
}

fn row(note: &LastSeen) -> serde_json::Value {
    let page = note.page.as_ref().map(|page| page.as_str());
    json!([note.user, note.at.0, page, note.device, note.activity, note.session_minutes])
}
