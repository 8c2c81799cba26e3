//! The write-behind writer: last-seen, activity and stretches of sessions are taken at once and written a few seconds
//! later, in batches.
//!
//! Whoever notes never waits and never fails. Of last-seen and of a stretch only the newest state waits. While the store
//! is away, what waits is put on the hub's own disk ([`crate::Backlog`]) in the same rhythm, and synced: `kill -9`
//! loses what was noted in the last seconds, a shutdown nothing, however long the store has been away.

mod activity;
mod batch;
mod flush;
mod pending;
mod queue;
mod spill;
mod stats;
mod task;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use model::{UserId, limits};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    ActivityRow, BATCH_ROWS, Backlog, BacklogError, LastSeen, Store, Stretch,
    backlog::{Disk, Figures},
};
use pending::{Pending, Waiting};
use stats::Counters;
pub use stats::WriterStats;
use task::Task;

/// Erasures that may wait for the task. More wait in their callers.
const FORGETS: usize = 64;

/// What may lag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Replaces an older one of its user.
    LastSeen(LastSeen),
    /// A row of its own.
    Activity(ActivityRow),
    /// Replaces an older state of the same stretch.
    Stretch(Stretch),
}

/// The rhythm of a writer, and its bounds.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Between two flushes; and between two syncs of the backlog while the store is away.
    pub flush_interval: Duration,
    /// How much longer than that a flush may take before what it has not written is put on the disk.
    pub flush_patience: Duration,
    /// Rows of a kind at which a flush does not wait for the interval.
    pub flush_rows: usize,
    /// Rows of one transaction. At most [`BATCH_ROWS`].
    pub batch_rows: usize,
    /// Users whose last-seen may wait in memory; a note of one more is dropped and counted.
    pub pending_users: usize,
    /// Stretches that may wait in memory; a note of one more is dropped and counted.
    pub pending_stretches: usize,
    /// Bytes of activity that may wait in memory. From half of it on it goes to the disk ahead of time; past it the
    /// oldest is dropped, counted and marked.
    pub pending_activity_bytes: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(5),
            flush_patience: Duration::from_millis(500),
            flush_rows: BATCH_ROWS,
            batch_rows: BATCH_ROWS,
            pending_users: limits::LAST_SEEN_PENDING_USERS,
            pending_stretches: limits::STRETCHES_PENDING,
            pending_activity_bytes: limits::ACTIVITY_PENDING_BYTES,
        }
    }
}

/// Who is to be forgotten, and who waits for it.
struct Forget {
    users: BTreeSet<UserId>,
    done: oneshot::Sender<Result<(), BacklogError>>,
}

struct Shared {
    pending: Mutex<Pending>,
    figures: Mutex<Figures>,
    counters: Counters,
    flush_rows: usize,
    /// A kind has [`WriterOptions::flush_rows`] rows.
    full: Notify,
    /// Activity has half of its bytes.
    crowded: Notify,
    closing: Notify,
    forgets: mpsc::Sender<Forget>,
}

impl Shared {
    /// The lock is held for one operation on a map, or for at most one batch of them; never across an await.
    fn pending<T>(&self, act: impl FnOnce(&mut Pending) -> T) -> T {
        act(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How it stood with the backlog when it was last used.
    fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_figures(&self, figures: Figures) {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }

    fn stats(&self) -> WriterStats {
        let waiting = self.pending(|pending| pending.waiting());
        self.counters.stats(waiting, self.figures())
    }

    fn wake(&self, waiting: Waiting) {
        if waiting.most_rows >= self.flush_rows {
            self.full.notify_one();
        }
        if waiting.crowded {
            self.crowded.notify_one();
        }
    }
}

/// Takes notes for a [`Writer`]. Cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    shared: Arc<Shared>,
}

impl WriterHandle {
    /// Takes a note to be written within the flush interval. Never waits and never fails: past the bounds of
    /// [`WriterOptions`], and after a shutdown, it is dropped and counted.
    pub fn note(&self, note: Note) {
        let (noted, waiting) = self.shared.pending(|pending| (pending.note(note), pending.waiting()));
        self.shared.counters.note(noted);
        self.shared.wake(waiting);
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        self.shared.stats()
    }

    /// Forgets what was noted of these users: returns when nothing of it is in memory, in a batch under way, or in the files
    /// of the backlog. What is noted afterwards is another matter: whoever forgets sees to it that nothing is.
    ///
    /// # Errors
    /// [`BacklogError::Io`]: it is gone from memory, but not surely from the files; ask again. [`BacklogError::Closed`]
    /// after a shutdown.
    pub async fn forget(&self, users: BTreeSet<UserId>) -> Result<(), BacklogError> {
        if users.is_empty() {
            return Ok(());
        }
        let (done, forgotten) = oneshot::channel();
        self.shared.forgets.send(Forget { users, done }).await.map_err(|_| BacklogError::Closed)?;
        forgotten.await.unwrap_or(Err(BacklogError::Closed))
    }
}

/// The writer's task. Dropping it without [`Writer::shutdown`] lets the task flush and end by itself.
pub struct Writer {
    shared: Arc<Shared>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the task in the current runtime. What the backlog holds is written before long.
    #[must_use]
    pub fn start(store: Arc<dyn Store>, backlog: Backlog, options: WriterOptions) -> Self {
        let (forgets, asked) = mpsc::channel(FORGETS);
        let (pending, figures) = resume(&mut backlog.lock(), &options);
        let shared = Arc::new(Shared {
            pending: Mutex::new(pending),
            figures: Mutex::new(figures),
            counters: Counters::default(),
            flush_rows: options.flush_rows.max(1),
            full: Notify::new(),
            crowded: Notify::new(),
            closing: Notify::new(),
            forgets,
        });
        let task = tokio::spawn(Task::new(shared.clone(), store, backlog, options).run(asked));
        Self { shared, task: tokio::sync::Mutex::new(Some(task)) }
    }

    /// A handle for those who note.
    #[must_use]
    pub fn handle(&self) -> WriterHandle {
        WriterHandle { shared: self.shared.clone() }
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        self.shared.stats()
    }

    /// Writes all that waits in memory and ends the task; later notes are dropped. Where the store does not take it, it
    /// is put on the disk instead, for the next start. `pending` of the answer is what is lost: it is 0, but where
    /// store and disk are both away.
    pub async fn shutdown(&self) -> WriterStats {
        self.shared.closing.notify_one();
        let mut task = self.task.lock().await;
        if let Some(running) = task.as_mut() {
            if let Err(error) = running.await {
                tracing::error!(%error, "the writer broke off");
            }
            *task = None;
        }
        self.shared.stats()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.closing.notify_one();
    }
}

/// What the hub before left behind waits as if it had been noted, and is on the disk already.
fn resume(disk: &mut Disk, options: &WriterOptions) -> (Pending, Figures) {
    let mut pending = Pending::new(options);
    let (last_seen, stretches) = disk.take_found();
    pending.resume(last_seen, stretches);
    (pending, disk.figures())
}

#[cfg(test)]
mod tests;
