//! The store over one SQLite file.

use std::path::Path;

use async_trait::async_trait;
use model::{
    AccountId, AccountState, DirectoryChange, OrganizationId, Settings, UserFacts, UserId, Wall, limits,
};
use persistence::{
    Actor, Changes, Cursor, Pick, SettingsChange, SettingsEntry, Store, StoreError, Truth,
    audited::AuditEntry,
};
use sqlx::SqliteConnection;

use crate::{
    OpenError, OpenMode, SqliteOptions, audit, changes,
    database::{Database, Unit},
    directory,
    error::store_error,
    facts, open, settings,
};

/// The embedded store. Cheap to clone; all clones are one open file, closed by the first [`Store::close`].
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) database: Database,
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

    /// Takes what is noted of users from `since` on, also of those whom the directory knows for less long: for a
    /// demonstration whose people have a past.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub async fn know_users_since(&self, since: Wall) -> Result<(), StoreError> {
        let known = "UPDATE users SET created_at = min(created_at, ?1)";
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(known).bind(since.0).execute(connection).await.map(drop).map_err(store_error)
            })
        })
        .await
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

    /// See [`Database::write`].
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T> + Send + 'static,
    {
        self.database.write(work).await
    }

    /// See [`Database::read`].
    pub(crate) async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T> + Send + 'static,
    {
        self.database.read(work).await
    }
}

#[async_trait]
impl Truth for SqliteStore {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        self.database.read(|connection| Box::pin(changes::cursor(connection))).await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let since = since.clone();
        let work = self
            .database
            .read(move |connection| Box::pin(async move { changes::since(connection, &since).await }));
        work.await
    }

    async fn users(&self, pick: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        let defaults = self.default_settings.clone();
        let work = self
            .database
            .read(move |connection| Box::pin(async move { facts::users(connection, pick, &defaults).await }));
        work.await
    }

    async fn accounts(&self, pick: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
        self.database.read(move |connection| Box::pin(facts::accounts(connection, pick))).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn change_settings(&self, change: SettingsChange) -> Result<Settings, StoreError> {
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
    ) -> Result<(), StoreError> {
        directory::check_count(&changes)?;
        let work = self.database.write(move |connection| {
            Box::pin(async move { directory::change(connection, &changes, (at, actor)).await })
        });
        work.await
    }

    async fn audit(
        &self,
        organization: OrganizationId,
        until: Wall,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let entries = self
            .database
            .read(move |connection| Box::pin(audit::of_organization(connection, organization, until, most)));
        entries.await
    }

    async fn settings_history(&self, user: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        let history = self.database.read(move |connection| {
            Box::pin(audit::settings_history(connection, user, limits::HISTORY_ENTRIES))
        });
        history.await
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
