//! What waits for a database that is away, on the hub's own disk: activity in segments, the newest last-seen and
//! stretches, and the marks of what had to be dropped.
//!
//! Knows no store and no rhythm: the writer says what to keep and when, and takes it out once it is written. Every row
//! has an id or replaces an older one, so that whatever is read twice after a crash does no harm.

mod aside;
mod disk;
mod files;
mod forget;
mod gaps;
mod latest;
mod line;
mod loss;
mod segment;
mod shelf;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use disk::{Appended, Disk, Figures, Refused};
pub(crate) use latest::Newest;
pub(crate) use loss::Loss;
pub(crate) use shelf::Page;

/// Why there is no backlog, or why it did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BacklogError {
    /// Another process has it.
    #[error("the backlog {} is in use by another presence-hub; give each hub a directory of its own", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// It holds as many bytes as it may, and what could be dropped was dropped.
    #[error("the backlog {} is full: {max_bytes} bytes wait for the database, as many as may", path.display())]
    Full {
        /// The directory.
        path: PathBuf,
        /// How many may.
        max_bytes: u64,
    },
    /// The file system refused.
    #[error("the backlog {} cannot be used: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The writer was shut down.
    #[error("the writer was shut down; ask again when the hub runs")]
    Closed,
}

impl BacklogError {
    /// The same error, for one more who waits for the same.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Locked { path } => Self::Locked { path: path.clone() },
            Self::Full { path, max_bytes } => Self::Full { path: path.clone(), max_bytes: *max_bytes },
            Self::Io { path, source } => {
                Self::Io { path: path.clone(), source: io::Error::new(source.kind(), source.to_string()) }
            }
            Self::Closed => Self::Closed,
        }
    }
}

/// A directory for what waits. One writer has it at a time; it is let go when the writer's task is over.
pub struct Backlog {
    disk: Arc<Mutex<Disk>>,
    directory: PathBuf,
}

impl Backlog {
    /// Opens the directory, making it where it is not there, and reads what the hub before left in it: a last line
    /// that broke off is cut, files of other names are left alone. Reads all files once, so it takes a while for
    /// many; it blocks the calling thread.
    ///
    /// `max_bytes` bounds all files together. For 100,000 users at once, 256 MiB leave most of it to activity.
    ///
    /// # Errors
    /// [`BacklogError::Locked`] and [`BacklogError::Io`]: without a backlog no hub should start.
    pub fn open(directory: impl Into<PathBuf>, max_bytes: u64) -> Result<Self, BacklogError> {
        let directory = directory.into();
        let disk = Disk::open(directory.clone(), max_bytes)?;
        Ok(Self { disk: Arc::new(Mutex::new(disk)), directory })
    }

    /// For the moment before the task begins, when nobody else has it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Disks may take their time: not on a thread of the runtime.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Disk) -> T + Send + 'static,
    ) -> Result<T, BacklogError> {
        let disk = self.disk.clone();
        let work = move || act(&mut disk.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.map_err(|broken| BacklogError::Io {
            path: self.directory.clone(),
            source: io::Error::other(broken),
        })
    }
}

#[cfg(test)]
mod tests;
