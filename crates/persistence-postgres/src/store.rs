//! The store over one Postgres database.

use std::sync::Arc;

use async_trait::async_trait;
use model::{
    AccountId, AccountState, DirectoryChange, OrganizationId, Settings, UserFacts, UserId, Wall, limits,
};
use persistence::{
    Actor, Changes, Cursor, OperationId, Pick, SettingsChange, SettingsEntry, Store, StoreError, Truth, Wake,
    audited::AuditEntry,
};
use uuid::Uuid;

use crate::{
    OpenError, PostgresOptions, audit, changes,
    database::{Database, Terms},
    directory,
    facts::{self, Statements, timestamp},
    listener::Listener,
    open::{self, Opened},
    settings::{self, Named},
};

/// A store that the platform's own back-end writes to as well. Cheap to clone; all clones are one set of connections,
/// closed by the first [`Store::close`].
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) database: Database,
    listener: Arc<Listener>,
    statements: Statements,
    default_settings: Settings,
}

impl PostgresStore {
    /// Opens a database that [`migrate`](crate::migrate()) has brought to [`crate::latest_schema`]. A server that is read-only
    /// now is opened, and read.
    ///
    /// # Errors
    /// [`OpenError`] says why not, and what an operator can do.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        let Opened { database, listener, statements } = open::open(&options).await?;
        let default_settings = options.default_settings;
        Ok(Self { database, listener: Arc::new(listener), statements, default_settings })
    }
}

#[async_trait]
impl Truth for PostgresStore {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        self.database.read((), |connection, ()| Box::pin(changes::cursor(connection))).await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let work = self
            .database
            .read_snapshot(since.clone(), |connection, since| Box::pin(changes::since(connection, since)));
        work.await
    }

    async fn users(&self, pick: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        let input = (pick, self.statements.clone(), self.default_settings.clone());
        let work = self.database.read(input, |connection, (pick, statements, defaults)| {
            Box::pin(facts::users(connection, pick, statements, defaults))
        });
        work.await
    }

    async fn accounts(&self, pick: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
        self.database.read(pick, |connection, pick| Box::pin(facts::accounts(connection, pick))).await
    }

    async fn woken(&self) -> Wake {
        self.listener.woken().await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn change_settings(&self, change: SettingsChange) -> Result<Settings, StoreError> {
        let terms = Terms { reserved: change.tightens, ..Terms::default() };
        // What came without a name gets one here, so that it may be tried again.
        let operation = change.operation.unwrap_or_else(|| OperationId(Uuid::new_v4()));
        let named = Named { change, operation, defaults: self.default_settings.clone() };
        let work = self
            .database
            .write(terms, named, |connection, named| Box::pin(settings::change(connection, named)));
        work.await
    }

    async fn change_directory(
        &self,
        changes: Vec<DirectoryChange>,
        at: Wall,
        actor: Actor,
    ) -> Result<(), StoreError> {
        let request = directory::Request::new(changes, at, actor)?;
        if request.is_empty() {
            return self.probe().await;
        }
        let terms = Terms { extra: request.time(), ..Terms::default() };
        let work = self
            .database
            .write(terms, request, |connection, request| Box::pin(directory::change(connection, request)));
        work.await
    }

    async fn audit(
        &self,
        organization: OrganizationId,
        until: Wall,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let asked = (organization, timestamp(until), most);
        let work = self.database.read(asked, |connection, (organization, until, most)| {
            Box::pin(audit::of_organization(connection, *organization, *until, *most))
        });
        work.await
    }

    async fn settings_history(&self, user: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        let work = self.database.read_as(user, (), |connection, ()| {
            Box::pin(audit::settings_history(connection, limits::HISTORY_ENTRIES))
        });
        work.await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        // Touches no row, but a server refuses it where it may not write.
        let work = self.database.write(Terms::default(), (), |connection, ()| {
            Box::pin(async move {
                let nothing = "DELETE FROM operation_results WHERE false";
                sqlx::query(nothing).execute(connection).await?;
                Ok(())
            })
        });
        work.await
    }

    async fn close(&self) {
        self.listener.stop();
        self.database.close().await;
    }
}
