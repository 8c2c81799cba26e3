//! The activity log's old weeks: taken out of the database, and back into it.

mod file;
mod folder;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use model::Wall;
use uuid::Uuid;

use crate::StoreError;

pub use file::{FileReader, FileWriter, Merge, Row, Sum};
pub use folder::ArchiveFolder;

/// Why a file of the archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Another process works on it.
    #[error("another presence-hub works on the archive {}; try again when it is done", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A file ends early, has other bits than were written, or was not written by a hub.
    #[error("{} is damaged: {reason}; bring back a copy of it, or move it away", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store gave a row that does not belong into a file, or not at this place.
    #[error("{} cannot take a row of the database: {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with the row.
        reason: String,
    },
    /// What is read back is not what was written.
    #[error("{} had {written} rows written to it and reads back {read}", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// Rows written.
        written: u64,
        /// Rows read.
        read: u64,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ArchiveError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Milliseconds of a week, and so of one archive.
pub const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// The first Monday after the epoch began, 1970-01-05, from which weeks count. UTC.
const FIRST_MONDAY_MS: i64 = 4 * 24 * 60 * 60 * 1_000;

/// A week of the activity log, from Monday, in UTC. Named by its first day: `2026-11-16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(i64);

impl Week {
    /// The week that an instant is in.
    #[must_use]
    pub fn of(at: Wall) -> Self {
        Self((at.0 - FIRST_MONDAY_MS).div_euclid(WEEK_MS))
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Wall {
        Wall(FIRST_MONDAY_MS + self.0 * WEEK_MS)
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(self) -> Wall {
        Wall(self.start().0 + WEEK_MS)
    }

    /// The week of a name; `None`: no Monday has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let day = chrono::NaiveDate::parse_from_str(name, "%Y-%m-%d").ok()?;
        let week = Self::of(Wall(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()));
        (week.to_string() == name).then_some(week)
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = chrono::DateTime::from_timestamp_millis(self.start().0).unwrap_or_default();
        write!(f, "{}", day.format("%Y-%m-%d"))
    }
}

/// Rows of the activity log as a store writes them into an archive: one JSON object each, complete, with at least
/// `id`, `user_id` and `timestamp`. Only the kind of store that wrote them reads them back.
pub type ArchivedRows = Vec<String>;

/// The weeks of a store's activity log.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Weeks of the log that lie wholly before `before`, oldest first, without those that were restored after
    /// `restored_before`, by the hub's clock.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn old_weeks(&self, before: Wall, restored_before: Wall) -> Result<Vec<Week>, StoreError>;

    /// Takes a week out of the log: it is neither written nor read any more, but by [`Archive::week_rows`]. Done before,
    /// it changes nothing.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn set_week_aside(&self, week: Week) -> Result<(), StoreError>;

    /// Rows of a week that was set aside, or of one in the log, by their `id`, after this one, at most `limit`.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn week_rows(
        &self,
        week: Week,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<ArchivedRows, StoreError>;

    /// Drops a week that was set aside, if it has exactly `rows` rows; whether it did. A week that is not there has none.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn drop_week(&self, week: Week, rows: u64) -> Result<bool, StoreError>;

    /// Takes a week back into the log, with place for its rows, and notes that it was restored `at`. Until
    /// [`Archive::end_restoration`] its quarters of an hour are not rolled up, and wait for it: half of a week's rows would
    /// make wrong totals of right ones.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn restore_week(&self, week: Week, at: Wall) -> Result<(), StoreError>;

    /// All rows of a restored week are back.
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`].
    async fn end_restoration(&self, week: Week) -> Result<(), StoreError>;

    /// Puts rows back that [`Archive::week_rows`] gave, each once, as they were. Rows of users and organizations that are
    /// gone since, or of users who were erased after the row, are passed over. At most [`crate::BATCH_ROWS`].
    ///
    /// # Errors
    /// As [`crate::Jobs::take_job`]; [`StoreError::Corrupt`] where a row is none.
    async fn restore_rows(&self, week: Week, rows: &[String]) -> Result<crate::Written, StoreError>;
}
