//! The store over one SQLite file.

use std::path::Path;

use async_trait::async_trait;
use model::{DirectoryChange, Settings, UserId, Wall, limits};
use persistence::{
    Actor, DirectoryEffect, DirectorySnapshot, LastSeen, SettingsChange, SettingsEntry, SettingsOutcome,
    Store, StoreError,
};

use crate::{
    OpenError, OpenMode, SqliteOptions, audit, database::Database, directory, facts, last_seen, open,
    settings,
};

/// The embedded store. Cheap to clone; all clones are one open file, closed by the first [`Store::close`].
#[derive(Clone)]
pub struct SqliteStore {
    database: Database,
    default_settings: Settings,
}

impl SqliteStore {
    /// Opens the database at `path` and migrates it to [`crate::latest_schema`].
    ///
    /// # Errors
    /// [`OpenError`] says why not, and what an operator can do.
    pub async fn open(path: impl AsRef<Path>, mode: OpenMode) -> Result<Self, OpenError> {
        Self::open_with(SqliteOptions::new(path.as_ref(), mode)).await
    }

    /// As [`SqliteStore::open`], with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with(options: SqliteOptions) -> Result<Self, OpenError> {
        let database = open::open(&options).await?;
        Ok(Self { database, default_settings: options.default_settings })
    }

    /// Whether opening made the file.
    #[must_use]
    pub fn was_created(&self) -> bool {
        self.database.schema_found().is_none()
    }

    /// The schema that the file had before it was opened; `None`: the file was made. It has
    /// [`crate::latest_schema`] now.
    #[must_use]
    pub fn schema_found(&self) -> Option<i64> {
        self.database.schema_found()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<DirectorySnapshot, StoreError> {
        let defaults = self.default_settings.clone();
        let work = self
            .database
            .read(move |connection| Box::pin(async move { facts::snapshot(connection, &defaults).await }));
        work.await
    }

    async fn change_settings(&self, change: SettingsChange) -> Result<SettingsOutcome, StoreError> {
        let defaults = self.default_settings.clone();
        let work = self.database.write(move |connection| {
            Box::pin(async move { settings::change(connection, &change, &defaults).await })
        });
        work.await
    }

    async fn change_directory(
        &self,
        changes: Vec<DirectoryChange>,
        at: Wall,
        actor: Actor,
    ) -> Result<DirectoryEffect, StoreError> {
        directory::check_count(&changes)?;
        let defaults = self.default_settings.clone();
        let work = self.database.write(move |connection| {
            Box::pin(async move { directory::change(connection, &changes, (at, actor), &defaults).await })
        });
        work.await
    }

    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<(), StoreError> {
        let rows = last_seen::rows(batch)?;
        let work = self
            .database
            .write(move |connection| Box::pin(async move { last_seen::write(connection, &rows).await }));
        work.await
    }

    async fn settings_history(&self, user: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        let history = self.database.read(move |connection| {
            Box::pin(audit::settings_history(connection, user, limits::HISTORY_ENTRIES))
        });
        history.await
    }

    async fn expire_operations(&self, now: Wall) -> Result<u64, StoreError> {
        self.database.write(move |connection| Box::pin(settings::expire_operations(connection, now))).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.database.probe().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests;
