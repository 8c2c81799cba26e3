//! The open file and its units of work: each one a transaction in a task of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use persistence::{
    StoreError,
    pool::{PoolWait, note_unit},
};
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tracing::Instrument;

use crate::{
    error::{store_error, unavailable},
    place::{Identity, Lock, Place},
};

/// A unit of work under way on a connection.
pub(crate) type Unit<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// The file's own number says whether bytes of erased persons may be left in it: part of a transaction, without a table.
pub(crate) const TO_BE_SCRUBBED: &str = "PRAGMA user_version = 1";
const SCRUBBED: &str = "PRAGMA user_version = 0";
pub(crate) const IS_TO_BE_SCRUBBED: &str = "PRAGMA user_version";

/// An open database.
#[derive(Clone)]
pub(crate) struct Database {
    inner: Arc<Opened>,
}

/// What opening a file yields.
pub(crate) struct Opened {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) place: Place,
    pub(crate) identity: Identity,
    /// The schema before this build's migrations; `None`: the file was made.
    pub(crate) schema_found: Option<i64>,
    /// Behind the pools: they are dropped first.
    pub(crate) lock: Mutex<Option<Lock>>,
}

impl Database {
    pub(crate) fn new(opened: Opened) -> Self {
        Self { inner: Arc::new(opened) }
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
            let done = transact((&inner.writer, "writer"), "BEGIN IMMEDIATE", work).await?;
            inner.check_writable()?;
            Ok(done)
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
            inner.check_file()?;
            transact((&inner.readers, "readers"), "BEGIN", work).await
        })
        .await
    }

    /// Brings the WAL home and empties it: it still has the pages as they were before something was deleted. Left for
    /// the next time where a reader is in the way.
    pub(crate) async fn empty_wal(&self) -> Result<(), StoreError> {
        self.outside(&["PRAGMA wal_checkpoint(TRUNCATE)"]).await
    }

    /// Writes the whole file anew, without what pages still hold of rows that were moved and deleted since, and notes
    /// that it was done. Others wait to write meanwhile: about a second for 100 MB.
    pub(crate) async fn scrub(&self) -> Result<(), StoreError> {
        self.outside(&["VACUUM", SCRUBBED]).await
    }

    /// Statements that no transaction can hold, one after the other, before anybody else writes.
    async fn outside(&self, statements: &'static [&'static str]) -> Result<(), StoreError> {
        let inner = self.inner.clone();
        uncancelled(async move {
            let mut connection = inner.writer.acquire().await.map_err(store_error)?;
            for sql in statements {
                sqlx::raw_sql(*sql).execute(&mut *connection).await.map_err(store_error)?;
            }
            Ok(())
        })
        .await
    }

    /// Whether the file can be read and written. A full disk shows in the writes themselves.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
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

impl Opened {
    /// What a file says that has no name any more is not the truth.
    fn check_file(&self) -> Result<Identity, StoreError> {
        match self.place.identity() {
            Ok(now) if now.is_same_file(&self.identity) => Ok(now),
            Ok(_) => Err(unavailable("the database file was replaced by another one")),
            Err(error) => Err(unavailable(format!("the database file is gone: {error}"))),
        }
    }

    /// A write into a file that has no name any more must not be acknowledged.
    fn check_writable(&self) -> Result<(), StoreError> {
        if self.check_file()?.read_only {
            return Err(unavailable("the database file was made read-only"));
        }
        Ok(())
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(connection).await.map(|_| ()).map_err(store_error)
}

/// One transaction on a connection of the pool; the connection goes back only where it is known to be out of it.
///
/// SQLite itself rolls back when the disk is full or fails. The driver does not notice, counts the transaction as
/// open for good, and would refuse every later one on that connection.
async fn transact<T, W>(
    (pool, name): (&SqlitePool, &'static str),
    begin: &'static str,
    work: W,
) -> Result<T, StoreError>
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T>,
{
    let wait = PoolWait::begin(name);
    let taken = pool.acquire().await;
    wait.end(pool.size(), pool.num_idle());
    let mut connection = taken.map_err(store_error)?;
    let (done, sound) = attempt(&mut connection, begin, work).await;
    if !sound && let Err(error) = connection.close().await {
        tracing::warn!(%error, "a broken database connection could not be closed in order");
    }
    done
}

/// The outcome, and whether the connection is out of the transaction.
async fn attempt<T, W>(
    connection: &mut SqliteConnection,
    begin: &'static str,
    work: W,
) -> (Result<T, StoreError>, bool)
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> Unit<'c, T>,
{
    let mut transaction = match connection.begin_with(begin).await {
        Ok(transaction) => transaction,
        Err(error) => return (Err(store_error(error)), false),
    };
    match work(&mut transaction).await {
        Ok(done) => match transaction.commit().await {
            Ok(()) => (Ok(done), true),
            Err(error) => (Err(store_error(error)), false),
        },
        Err(error) => (Err(error), transaction.rollback().await.is_ok()),
    }
}

/// Runs to its end in a task of its own: a caller that is dropped cancels nothing.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let began = Instant::now();
    let done = tokio::spawn(work.in_current_span()).await;
    let done = done.unwrap_or_else(|broken| Err(unavailable(broken)));
    note_unit(began, &done);
    done
}
