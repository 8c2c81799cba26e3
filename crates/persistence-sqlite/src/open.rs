//! Opening: a file that is missing, unusable, foreign, damaged or too new is refused with its reason; a new one is
//! made only where that was asked for, and appears at its path whole or not at all.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use model::Settings;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    OpenError,
    database::{Database, Opened},
    place::{Lock, Place},
};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// `PRES` in the file's header: this database is one of ours.
const APPLICATION_ID: i64 = 0x5052_4553;
/// Readers beside the one writer: one who follows the changes, and now and then a history.
const READERS: u32 = 2;

/// What to do where there is no database yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Refuse.
    ExistingOnly,
    /// Make one, readable by its owner alone.
    CreateIfMissing,
}

/// Which file to open, and how.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file.
    pub path: PathBuf,
    /// What to do where it does not exist.
    pub mode: OpenMode,
    /// The settings of users without a row.
    pub default_settings: Settings,
    /// How long to wait for another program that writes, and for the writer's turn.
    pub busy_timeout: Duration,
}

impl SqliteOptions {
    /// With the default settings and 5 s of patience.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, mode: OpenMode) -> Self {
        let default_settings = Settings::default();
        Self { path: path.into(), mode, default_settings, busy_timeout: Duration::from_secs(5) }
    }
}

/// The newest schema that this build knows.
#[must_use]
pub fn latest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Opens, creates where that was asked for, checks and migrates.
pub(crate) async fn open(options: &SqliteOptions) -> Result<Database, OpenError> {
    let place = Place::resolve(&options.path)?;
    let may_create = options.mode == OpenMode::CreateIfMissing;
    if !place.is_there()? && !may_create {
        return Err(OpenError::Missing { path: options.path.clone() });
    }
    let lock = Lock::take(&place)?;
    let created = !place.is_there()?;
    if created {
        create(&place, options).await?;
    }
    place.check_writable()?;
    let found = inspect(&place, options).await?;
    let writer = pool(1, options).connect_with(writing(place.path(), options)).await;
    let writer = writer.map_err(|error| database_error(&place, error))?;
    MIGRATIONS.run(&writer).await.map_err(|error| migration_error(&place, error))?;
    let readers = pool(READERS, options).connect_lazy_with(reading(place.path(), options));
    let identity = place.identity().map_err(|error| io_error(&place, error))?;
    let (schema_found, lock) = ((!created).then_some(found), Mutex::new(Some(lock)));
    Ok(Database::new(Opened { writer, readers, place, identity, schema_found, lock }))
}

/// Builds the database under another name, so that a half-made one never lies at the path.
async fn create(place: &Place, options: &SqliteOptions) -> Result<(), OpenError> {
    let wal = place.beside("-wal");
    if wal.try_exists().map_err(|error| io_error(place, error))? {
        return Err(OpenError::LeftoverWal { path: place.path().to_owned() });
    }
    let new = place.start_new()?;
    let mut connection = plain(new.path(), options).connect().await.map_err(|e| database_error(place, e))?;
    let claim = sqlx::query("PRAGMA application_id = 1347568979").execute(&mut connection).await;
    claim.map_err(|error| database_error(place, error))?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| migration_error(place, error))?;
    connection.close().await.map_err(|error| database_error(place, error))?;
    place.finish_new(&new).map_err(|error| io_error(place, error))
}

/// Looks at a file before anything is written to it; returns its schema.
async fn inspect(place: &Place, options: &SqliteOptions) -> Result<i64, OpenError> {
    let failed = |error| database_error(place, error);
    let path = || place.path().to_owned();
    let mut connection = plain(place.path(), options).connect().await.map_err(failed)?;
    let application: i64 = scalar(&mut connection, "PRAGMA application_id").await.map_err(failed)?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let migrated: i64 = scalar(&mut connection, tables).await.map_err(failed)?;
    if application != APPLICATION_ID || migrated == 0 {
        return Err(OpenError::Foreign { path: path() });
    }
    let detail: String = scalar(&mut connection, "PRAGMA quick_check(1)").await.map_err(failed)?;
    if detail != "ok" {
        return Err(OpenError::Corrupt { path: path(), detail });
    }
    let versions = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
    let found: i64 = scalar(&mut connection, versions).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    let known = latest_schema();
    if found > known { Err(OpenError::NewerSchema { path: path(), found, known }) } else { Ok(found) }
}

async fn scalar<T>(connection: &mut SqliteConnection, sql: &'static str) -> Result<T, sqlx::Error>
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// A connection that changes nothing by being opened.
fn plain(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.busy_timeout)
}

/// What is deleted is overwritten: whoever was erased is not to be found in the bytes of the file.
fn writing(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    plain(path, options).journal_mode(SqliteJournalMode::Wal).pragma("secure_delete", "ON")
}

fn reading(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    plain(path, options).pragma("query_only", "ON")
}

/// Connections to a file need neither tests nor renewal.
fn pool(connections: u32, options: &SqliteOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.busy_timeout)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

fn database_error(place: &Place, error: sqlx::Error) -> OpenError {
    OpenError::from_sqlx(place.path().to_owned(), error)
}

fn migration_error(place: &Place, error: sqlx::migrate::MigrateError) -> OpenError {
    OpenError::from_migration(place.path().to_owned(), error)
}

fn io_error(place: &Place, source: std::io::Error) -> OpenError {
    OpenError::Io { path: place.path().to_owned(), source }
}

#[cfg(test)]
mod tests;
