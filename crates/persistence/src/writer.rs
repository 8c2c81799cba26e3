//! The write-behind writer of last-seen: taken at once, written a few seconds later, in batches.
//!
//! Whoever notes never waits and never fails. Per user only the newest note waits, so that a database that is
//! away for hours costs one note a user. `kill -9` loses what was noted since the last flush; a shutdown nothing.

mod pending;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{Wall, limits};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval_at},
};

use crate::{LastSeen, Store, StoreError};
use pending::{Noted, Pending};

/// Attempts to write what is left at a shutdown, while the store is not available.
const SHUTDOWN_ATTEMPTS: u32 = 3;
/// Between two of those attempts.
const SHUTDOWN_PAUSE: Duration = Duration::from_secs(1);

/// The rhythm of a writer.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Between two flushes.
    pub flush_interval: Duration,
    /// Waiting users at which a flush does not wait for the interval.
    pub flush_users: usize,
    /// Rows of one transaction.
    pub batch_rows: usize,
    /// Users that may wait; a note of one more is dropped and counted.
    pub pending_users: usize,
    /// Between two sweeps of expired operations.
    pub sweep_interval: Duration,
    /// The clock that says which operations have expired.
    pub wall: fn() -> Wall,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(5),
            flush_users: 1_000,
            batch_rows: 1_000,
            pending_users: limits::LAST_SEEN_PENDING_USERS,
            sweep_interval: Duration::from_secs(60 * 60),
            wall: system_wall,
        }
    }
}

fn system_wall() -> Wall {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// What a writer has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Notes taken, those merged into a waiting one included.
    pub noted: u64,
    /// Notes merged with the waiting one of their user.
    pub coalesced: u64,
    /// Notes dropped because too many users were waiting, or the writer was shut down.
    pub dropped: u64,
    /// Rows given to the store and taken by it.
    pub written: u64,
    /// Batches that the store did not take. Each was kept and tried again.
    pub failed_batches: u64,
    /// Results of operations that expired.
    pub expired_operations: u64,
    /// Users that wait now.
    pub pending: u64,
}

#[derive(Default)]
struct Counters {
    noted: AtomicU64,
    coalesced: AtomicU64,
    dropped: AtomicU64,
    written: AtomicU64,
    failed_batches: AtomicU64,
    expired_operations: AtomicU64,
}

struct Shared {
    pending: Mutex<Pending>,
    counters: Counters,
    flush_users: usize,
    full: Notify,
    closing: Notify,
}

impl Shared {
    /// The lock is held for one map operation, or for taking one batch; never across an await.
    fn pending<T>(&self, act: impl FnOnce(&mut Pending) -> T) -> T {
        act(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, noted: Noted) {
        let Counters { coalesced, dropped, .. } = &self.counters;
        match noted {
            Noted::Waits => {}
            Noted::Merged => _ = coalesced.fetch_add(1, Relaxed),
            Noted::Dropped => _ = dropped.fetch_add(1, Relaxed),
        }
    }

    fn stats(&self) -> WriterStats {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let counters = &self.counters;
        WriterStats {
            noted: read(&counters.noted),
            coalesced: read(&counters.coalesced),
            dropped: read(&counters.dropped),
            written: read(&counters.written),
            failed_batches: read(&counters.failed_batches),
            expired_operations: read(&counters.expired_operations),
            pending: self.pending(|pending| pending.len()) as u64,
        }
    }
}

/// Takes notes for a [`LastSeenWriter`]. Cheap to clone.
#[derive(Clone)]
pub struct LastSeenHandle {
    shared: Arc<Shared>,
}

impl LastSeenHandle {
    /// Takes a note to be written within the flush interval. Never waits and never fails: past
    /// [`WriterOptions::pending_users`], and after a shutdown, the note is dropped and counted.
    pub fn note(&self, note: LastSeen) {
        let (noted, waiting) = self.shared.pending(|pending| (pending.note(note), pending.len()));
        self.shared.counters.noted.fetch_add(1, Relaxed);
        self.shared.count(noted);
        if waiting >= self.shared.flush_users {
            self.shared.full.notify_one();
        }
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        self.shared.stats()
    }
}

/// The writer's task. Dropping it without [`LastSeenWriter::shutdown`] lets the task flush and end by itself.
pub struct LastSeenWriter {
    shared: Arc<Shared>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl LastSeenWriter {
    /// Starts the task in the current runtime.
    #[must_use]
    pub fn start(store: Arc<dyn Store>, options: WriterOptions) -> Self {
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending::new(options.pending_users)),
            counters: Counters::default(),
            flush_users: options.flush_users.max(1),
            full: Notify::new(),
            closing: Notify::new(),
        });
        let task = tokio::spawn(Task { shared: shared.clone(), store, options }.run());
        Self { shared, task: tokio::sync::Mutex::new(Some(task)) }
    }

    /// A handle for those who note.
    #[must_use]
    pub fn handle(&self) -> LastSeenHandle {
        LastSeenHandle { shared: self.shared.clone() }
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        self.shared.stats()
    }

    /// Writes all that waits and ends the task; later notes are dropped. Tries three times, a second apart, where
    /// the store is not available: `pending` of the answer is what was lost then.
    pub async fn shutdown(&self) -> WriterStats {
        self.shared.closing.notify_one();
        let mut task = self.task.lock().await;
        if let Some(running) = task.as_mut() {
            if let Err(error) = running.await {
                tracing::error!(%error, "the last-seen writer broke off");
            }
            *task = None;
        }
        self.shared.stats()
    }
}

impl Drop for LastSeenWriter {
    fn drop(&mut self) {
        self.shared.closing.notify_one();
    }
}

struct Task {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    options: WriterOptions,
}

impl Task {
    async fn run(self) {
        let mut flush = every(self.options.flush_interval);
        let mut sweep = every(self.options.sweep_interval);
        // A store that has just failed is asked again at the next tick, not at the next note.
        let mut healthy = true;
        loop {
            tokio::select! {
                biased;
                () = self.shared.closing.notified() => break,
                _ = sweep.tick() => self.sweep().await,
                _ = flush.tick() => healthy = self.flush().await.is_ok(),
                () = self.shared.full.notified(), if healthy => healthy = self.flush().await.is_ok(),
            }
        }
        self.finish().await;
    }

    /// Writes what waits, batch by batch; stops at the first one that the store does not take.
    async fn flush(&self) -> Result<(), StoreError> {
        loop {
            let batch = self.shared.pending(|pending| pending.take(self.options.batch_rows.max(1)));
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.store.write_last_seen(&batch).await {
                self.keep(batch, &error);
                return Err(error);
            }
            self.shared.counters.written.fetch_add(batch.len() as u64, Relaxed);
        }
    }

    fn keep(&self, batch: Vec<LastSeen>, error: &StoreError) {
        tracing::warn!(%error, rows = batch.len(), "last-seen could not be written; it is kept and tried again");
        self.shared.counters.failed_batches.fetch_add(1, Relaxed);
        for note in batch {
            let noted = self.shared.pending(|pending| pending.put_back(note));
            self.shared.count(noted);
        }
    }

    async fn sweep(&self) {
        match self.store.expire_operations((self.options.wall)()).await {
            Ok(expired) => _ = self.shared.counters.expired_operations.fetch_add(expired, Relaxed),
            Err(error) => {
                tracing::warn!(%error, "expired operations could not be dropped; tried again later")
            }
        }
    }

    async fn finish(&self) {
        self.shared.pending(Pending::close);
        for attempt in 1..=SHUTDOWN_ATTEMPTS {
            match self.flush().await {
                Err(error) if error.is_retryable() && attempt < SHUTDOWN_ATTEMPTS => {
                    tokio::time::sleep(SHUTDOWN_PAUSE).await;
                }
                Err(_) => break,
                Ok(()) => return,
            }
        }
        let users = self.shared.pending(|pending| pending.len());
        tracing::error!(
            users,
            "last-seen of these users is lost: the store did not take it before the shutdown"
        );
    }
}

/// Ticks one interval from now, and late rather than twice after a slow write.
fn every(period: Duration) -> Interval {
    let mut interval = interval_at(tokio::time::Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

#[cfg(test)]
mod tests;
