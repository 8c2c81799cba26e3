//! Erasing: who it is about is hidden and marked, then what is stored goes, some of it at a time; what is in archives is
//! noted as still to be done.

use model::{UserId, Wall};
use persistence::{OpenErasure, StoreError};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};
use uuid::Uuid;

use crate::{
    audit, changes, clock, database::TO_BE_SCRUBBED, error::store_error, occupancies, operations, rollups,
    settings,
};

/// Rows of one table that go in one transaction: others wait to write meanwhile.
const ROWS_AT_ONCE: i64 = 5_000;

/// Hidden and marked until they choose otherwise. The greatest number is later than every note.
const HIDE: &str = "INSERT INTO presence_settings (user_id, visibility, show_activity, show_current_page, \
        appear_offline, updated_at, erased_at) VALUES (?1, 'nobody', 0, 0, 0, ?2, 9223372036854775807) \
    ON CONFLICT (user_id) DO UPDATE SET visibility = 'nobody', show_activity = 0, show_current_page = 0, \
        appear_offline = 0, custom_status = NULL, custom_status_emoji = NULL, updated_at = excluded.updated_at, \
        erased_at = excluded.erased_at";
const OPEN: &str = "INSERT INTO presence_erasures (user_id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
/// What there can be much of, up to an instant: what is added up after what it is made from.
const MUCH: [&str; 4] = [
    "DELETE FROM presence_activity_logs WHERE (timestamp, id) IN \
         (SELECT timestamp, id FROM presence_activity_logs WHERE user_id = ?1 AND timestamp <= ?2 LIMIT ?3)",
    "DELETE FROM presence_sessions WHERE (organization_id, session_id, started_at) IN \
         (SELECT organization_id, session_id, started_at FROM presence_sessions \
          WHERE user_id = ?1 AND started_at <= ?2 LIMIT ?3)",
    "DELETE FROM activity_rollups WHERE (organization_id, bucket, user_id) IN \
         (SELECT organization_id, bucket, user_id FROM activity_rollups \
          WHERE user_id = ?1 AND bucket <= ?2 LIMIT ?3)",
    "DELETE FROM activity_pages WHERE (organization_id, bucket, page, user_id) IN \
         (SELECT organization_id, bucket, page, user_id FROM activity_pages \
          WHERE user_id = ?1 AND bucket <= ?2 LIMIT ?3)",
];
const LITTLE: [&str; 2] = [
    "DELETE FROM user_last_seen WHERE user_id = ?1 AND last_seen_at <= ?2",
    "DELETE FROM operation_results WHERE user_id = ?1 AND at <= ?2",
];

/// What is to go: all of a person up to an instant.
#[derive(Clone, Copy)]
pub(crate) struct Remains {
    pub(super) user: UserId,
    pub(super) until: Wall,
    /// The name that the audit has for them from now on.
    pub(super) pseudonym: Uuid,
}

impl Remains {
    pub(crate) fn of(user: UserId, until: Wall) -> Self {
        Self { user, until, pseudonym: Uuid::new_v4() }
    }

    /// Removes some of what there is much of; whether there may be more.
    pub(super) async fn remove_some(self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        for sql in MUCH {
            let statement = sqlx::query(sql).bind(self.user.0.hyphenated());
            let statement = statement.bind(self.until.0).bind(ROWS_AT_ONCE);
            let gone = statement.execute(&mut *connection).await.map_err(store_error)?.rows_affected();
            if gone >= ROWS_AT_ONCE.unsigned_abs() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what there is little of.
    pub(super) async fn remove_rest(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for sql in LITTLE {
            let statement = sqlx::query(sql).bind(self.user.0.hyphenated()).bind(self.until.0);
            statement.execute(&mut *connection).await.map_err(store_error)?;
        }
        occupancies::erase(connection, self.user, self.pseudonym, self.until).await?;
        operations::forget(connection, self.user, self.pseudonym, self.until).await?;
        audit::forget(connection, self.user, self.pseudonym, self.until).await
    }
}

/// Hides and marks a user of the directory, so that nothing is written of them any more, and opens the erasure.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    (remains, at): (Remains, Wall),
) -> Result<(), StoreError> {
    settings::require_user(connection, remains.user).await?;
    for sql in [HIDE, OPEN] {
        let statement = sqlx::query(sql).bind(remains.user.0.hyphenated()).bind(at.0);
        statement.execute(&mut *connection).await.map_err(store_error)?;
    }
    audit::erased(connection, at, remains.pseudonym).await
}

/// Erasures that are still to be carried out in the archives, oldest first.
pub(super) async fn open(connection: &mut SqliteConnection) -> Result<Vec<OpenErasure>, StoreError> {
    let sql = "SELECT user_id, at FROM presence_erasures ORDER BY at, user_id";
    let rows: Vec<(Hyphenated, i64)> =
        sqlx::query_as(sql).fetch_all(connection).await.map_err(store_error)?;
    Ok(rows.into_iter().map(|(user, at)| OpenErasure { user: UserId(user.into()), at: Wall(at) }).collect())
}

/// What may be left from before an erasure; `None`: nothing, because somebody else has the id since.
pub(super) async fn left(
    connection: &mut SqliteConnection,
    erasure: OpenErasure,
) -> Result<Option<Remains>, StoreError> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM users WHERE id = ?1) \
                   OR EXISTS (SELECT 1 FROM presence_settings WHERE user_id = ?1 AND erased_at IS NOT NULL)";
    let query = sqlx::query_scalar(sql).bind(erasure.user.0.hyphenated());
    let same: bool = query.fetch_one(connection).await.map_err(store_error)?;
    Ok(same.then(|| Remains::of(erasure.user, erasure.at)))
}

/// The totals in which something of what is left may be, and something later: they are made anew.
pub(super) async fn queue_totals(
    connection: &mut SqliteConnection,
    Remains { user, until, .. }: Remains,
) -> Result<(), StoreError> {
    let sql = "SELECT max(seen_at) FROM presence_sessions WHERE user_id = ?1 AND started_at <= ?2";
    let query = sqlx::query_scalar(sql).bind(user.0.hyphenated()).bind(until.0);
    let seen: Option<i64> = query.fetch_one(&mut *connection).await.map_err(store_error)?;
    let end = Wall(seen.unwrap_or(until.0).max(until.0).saturating_add(1));
    rollups::enqueue(connection, rollups::buckets(until, end)).await.map(|_| ())
}

/// Forgets whose erasure it was, and the names of those who are gone; and notes that the file is to be written anew.
pub(super) async fn close(connection: &mut SqliteConnection, erasure: OpenErasure) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM presence_erasures WHERE user_id = ?1 AND at = ?2")
        .bind(erasure.user.0.hyphenated())
        .bind(erasure.at.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let now = clock::now(connection).await?;
    changes::forget_the_gone(connection, now).await?;
    sqlx::query(TO_BE_SCRUBBED).execute(connection).await.map(|_| ()).map_err(store_error)
}
