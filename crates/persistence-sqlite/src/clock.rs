//! The store's clock: the one of the machine that owns the file.

use model::Wall;
use persistence::StoreError;
use sqlx::SqliteConnection;

use crate::error::store_error;

/// The instant that it is.
pub(crate) async fn now(connection: &mut SqliteConnection) -> Result<Wall, StoreError> {
    let sql = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    sqlx::query_scalar(sql).fetch_one(connection).await.map(Wall).map_err(store_error)
}

/// An instant in RFC 3339, in UTC with milliseconds; `None`: it is out of the calendar.
pub(crate) async fn utc(connection: &mut SqliteConnection, at: Wall) -> Result<Option<String>, StoreError> {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000.0, 'unixepoch')";
    sqlx::query_scalar(sql).bind(at.0).fetch_one(connection).await.map_err(store_error)
}
