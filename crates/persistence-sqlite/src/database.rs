//! The open file and its units of work: each one a transaction in a task of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use persistence::StoreError;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::{
    error::{store_error, unavailable},
    place::{Identity, Lock, Place},
};

/// A unit of work under way on a connection.
pub(crate) type Unit<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// An open database.
#[derive(Clone)]
pub(crate) struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    writer: SqlitePool,
    readers: SqlitePool,
    place: Place,
    identity: Identity,
    schema_found: Option<i64>,
    // Behind the pools: they are dropped first.
    lock: Mutex<Option<Lock>>,
}

impl Database {
    pub(crate) fn new(
        writer: SqlitePool,
        readers: SqlitePool,
        place: Place,
        identity: Identity,
        schema_found: Option<i64>,
        lock: Lock,
    ) -> Self {
        let lock = Mutex::new(Some(lock));
        Self { inner: Arc::new(Inner { writer, readers, place, identity, schema_found, lock }) }
    }

    /// The schema before this build's migrations; `None`: the file was made.
    pub(crate) fn schema_found(&self) -> Option<i64> {
        self.inner.schema_found
    }

    /// Runs `work` in a write transaction and commits it, whatever becomes of the caller. An error undoes all of it.
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T> + Send + 'static,
    {
        let inner = self.inner.clone();
        uncancelled(async move {
            // Immediate: a transaction that begins by reading and then wants to write could be refused.
            let mut transaction = inner.writer.begin_with("BEGIN IMMEDIATE").await.map_err(store_error)?;
            match work(&mut transaction).await {
                Ok(done) => {
                    transaction.commit().await.map_err(store_error)?;
                    inner.check_file()?;
                    Ok(done)
                }
                Err(error) => Err(undone(transaction, error).await),
            }
        })
        .await
    }

    /// Runs `work` on one unchanging state of the database.
    pub(crate) async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T> + Send + 'static,
    {
        let inner = self.inner.clone();
        uncancelled(async move {
            let mut transaction = inner.readers.begin().await.map_err(store_error)?;
            let done = work(&mut transaction).await;
            transaction.rollback().await.map_err(store_error)?;
            done
        })
        .await
    }

    /// Whether the file can be read and written. A full disk shows in the writes themselves.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        self.inner.check_file()?;
        self.read(|connection| Box::pin(execute(connection, "SELECT 1 FROM users LIMIT 1"))).await?;
        // Touches no row, but SQLite refuses it where it may not write.
        let write = "DELETE FROM operation_results WHERE operation_id = ''";
        self.write(move |connection| Box::pin(execute(connection, write))).await
    }

    /// Waits for the units under way, brings the WAL home and lets go of the lock.
    pub(crate) async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
        self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Inner {
    /// A write into a file that has no name any more must not be acknowledged.
    fn check_file(&self) -> Result<(), StoreError> {
        match self.place.identity() {
            Ok(now) if now.read_only => Err(unavailable("the database file was made read-only")),
            Ok(now) if now.is_same_file(&self.identity) => Ok(()),
            Ok(_) => Err(unavailable("the database file was replaced by another one")),
            Err(error) => Err(unavailable(format!("the database file is gone: {error}"))),
        }
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(connection).await.map(|_| ()).map_err(store_error)
}

/// Rolls back and says why. Where even that fails, dropping the transaction does it before the next use.
async fn undone(transaction: Transaction<'static, Sqlite>, error: StoreError) -> StoreError {
    if let Err(rollback) = transaction.rollback().await {
        tracing::warn!(error = %rollback, "a transaction could not be rolled back at once");
    }
    error
}

/// Runs to its end in a task of its own: a caller that is dropped cancels nothing.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(broken) => Err(unavailable(broken)),
    }
}
