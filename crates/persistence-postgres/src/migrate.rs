//! The schema: brought to what this build knows by one command, and by nothing else.

use std::{sync::LazyLock, time::Duration};

use sqlx::{
    PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::sleep;

use crate::{OpenError, address::Target};

/// What was done is written into a table of our own: the platform may use the same tool in the same schema.
pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    migrator.dangerous_set_table_name("presence_migrations");
    migrator
});

/// How long a migration waits for a table that the platform is using. Whoever comes after it waits as long.
const LOCK_PATIENCE_MS: u32 = 5_000;
/// Attempts to get that table, and the turn of another migration.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema that was found; `None`: there was none.
    pub found: Option<i64>,
    /// The schema that the database has now.
    pub now: i64,
}

/// The newest schema that this build knows.
#[must_use]
pub fn latest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Brings the database to [`latest_schema`], as the role of the URL, which owns what it makes. Each migration is done
/// whole or not at all, and two at once are done one after the other.
///
/// # Errors
/// [`OpenError`] says why not. What could not be done left nothing behind.
pub async fn migrate(url: &str) -> Result<Migrated, OpenError> {
    let target = Target::parse(url)?;
    let options = target.options.clone().options([("lock_timeout", LOCK_PATIENCE_MS)]);
    let mut attempt = 1;
    loop {
        match migrate_once(&target, &options).await? {
            Ok(migrated) => return Ok(migrated),
            Err(error) if attempt < ATTEMPTS && is_locked(&error) => {
                tracing::warn!(attempt, "the migration waits for a table that somebody holds");
            }
            Err(error) => return Err(OpenError::from_migration(&target.address, latest_schema(), error)),
        }
        attempt += 1;
        sleep(PAUSE).await;
    }
}

/// On a connection of its own: one that is dropped lets go of the lock against other migrations.
async fn migrate_once(
    target: &Target,
    options: &PgConnectOptions,
) -> Result<Result<Migrated, MigrateError>, OpenError> {
    let mut connection = target.connect(options, CONNECT_PATIENCE).await?;
    let found = schema(&mut connection).await.map_err(|error| target.failed(error))?;
    let done = MIGRATIONS.run_direct(None, &mut connection, false).await;
    Ok(done.map(|()| Migrated { found, now: latest_schema() }))
}

/// The database's schema; `None` where there is none.
async fn schema(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let table = "SELECT to_regclass('public.presence_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(table).fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM presence_migrations WHERE success")
        .fetch_one(connection)
        .await
}

fn is_locked(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("55P03")
}
