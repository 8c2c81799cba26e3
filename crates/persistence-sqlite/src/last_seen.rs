//! Last-seen in batches: one statement for all rows, never backwards, never for those who are gone.

use persistence::{LastSeen, StoreError, stored};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::error::store_error;

/// The batch as the statement takes it: rows of user, time, page, device.
pub(crate) fn rows(batch: &[LastSeen]) -> Result<String, StoreError> {
    let row = |note: &LastSeen| -> Value {
        let page = note.page.as_ref().map(|page| page.as_str());
        json!([note.user, note.at.0, page, note.device])
    };
    stored::write_json(&batch.iter().map(row).collect::<Vec<_>>())
}

/// Writes the rows of users that exist and are not younger than their note.
pub(crate) async fn write(connection: &mut SqliteConnection, rows: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO user_last_seen (user_id, last_seen_at, last_page, last_device, updated_at) \
         SELECT users.id, note.value ->> 1, note.value ->> 2, note.value ->> 3, \
                CAST(unixepoch('subsec') * 1000 AS INTEGER) \
         FROM json_each(?1) AS note JOIN users ON users.id = note.value ->> 0 \
         WHERE note.value ->> 1 >= users.created_at \
         ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, \
             last_page = excluded.last_page, last_device = excluded.last_device, \
             updated_at = excluded.updated_at \
         WHERE excluded.last_seen_at >= user_last_seen.last_seen_at",
    )
    .bind(rows)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
