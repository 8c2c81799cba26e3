//! Which database, by configuration: Postgres where a URL is given, else the embedded one.

use std::sync::Arc;

use model::Settings;
use persistence::{Backlog, BacklogError, Spool, SpoolError, Store};
use persistence_postgres::{PostgresOptions, PostgresStore};
use persistence_sqlite::{OpenMode, SqliteOptions, SqliteStore};

use crate::config::{self, Config};

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded database cannot be used.
    #[error(transparent)]
    Sqlite(#[from] persistence_sqlite::OpenError),
    /// Postgres cannot be used.
    #[error(transparent)]
    Postgres(#[from] persistence_postgres::OpenError),
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The backlog cannot be used.
    #[error(transparent)]
    Backlog(#[from] BacklogError),
}

impl OpenError {
    /// Whether a running hub owns the database, which can then be asked.
    pub(crate) fn is_owned(&self) -> bool {
        matches!(self, Self::Sqlite(persistence_sqlite::OpenError::Locked { .. }))
    }
}

/// Opens the store of a configuration.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Store>, OpenError> {
    let default_settings = Settings { visibility: config.presence.default_visibility, ..Settings::default() };
    let config = &config.store;
    match config.database_url() {
        Some(url) => {
            let options = PostgresOptions {
                connections: config.connections,
                default_settings,
                ..PostgresOptions::new(url.expose())
            };
            Ok(Arc::new(PostgresStore::open(options).await?))
        }
        None => Ok(Arc::new(open_sqlite(config, default_settings).await?)),
    }
}

/// Opens the embedded database of a configuration.
pub(crate) async fn open_sqlite(
    config: &config::Store,
    default_settings: Settings,
) -> Result<SqliteStore, OpenError> {
    let path = &config.sqlite_path;
    let options = SqliteOptions { default_settings, ..SqliteOptions::new(path, OpenMode::CreateIfMissing) };
    let store = SqliteStore::open_with(options).await?;
    if store.was_created() {
        tracing::warn!(path = %path.display(), "there was no database at this path; a new one was created");
    }
    Ok(store)
}

/// Opens the spool of a configuration.
pub(crate) fn open_spool(config: &config::Store) -> Result<Spool, OpenError> {
    Ok(Spool::open(config.spool_directory())?)
}

/// Opens the backlog of a configuration, beside the spool.
pub(crate) fn open_backlog(config: &config::Store) -> Result<Backlog, OpenError> {
    let max_bytes = config.backlog_mb.saturating_mul(1_000_000);
    Ok(Backlog::open(config.spool_directory().join("backlog"), max_bytes)?)
}
