//! What can go wrong, from SQLite's codes to words for an operator and for a caller.

use std::{io, path::PathBuf};

use persistence::{StoreError, stored::corrupt};
use sqlx::migrate::MigrateError;

/// Why a database file was not opened. Each message names the file and says what to do. None of these cases
/// changes the file or makes a new one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file, and none was to be made.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// It is a directory, a device or a socket.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The database.
        path: PathBuf,
    },
    /// Its directory does not exist or cannot be used.
    #[error("the directory of {} cannot be used: {source}", path.display())]
    Directory {
        /// The database.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing can be written into its directory, where the WAL and the lock live.
    #[error(
        "the directory of {} is read-only; the database keeps its WAL and its lock beside it and has to write \
         there",
        path.display()
    )]
    ReadOnlyDirectory {
        /// The database.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the database {} is read-only; make it writable for the hub's user", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error(
        "the database {} is in use by another presence-hub ({holder}); stop that one, or send it the change \
         over REST",
        path.display()
    )]
    Locked {
        /// The database.
        path: PathBuf,
        /// Who, as far as the lock says.
        holder: String,
    },
    /// Another program is in the middle of writing it.
    #[error("another program holds the database {} for longer than the hub waits; is a tool still open?", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error(
        "the database {} is empty (0 bytes), as if it had been cut off; restore it, or remove it to start anew",
        path.display()
    )]
    Empty {
        /// The database.
        path: PathBuf,
    },
    /// The file is gone, but its WAL is there.
    #[error(
        "there is no database at {}, but its WAL is there: the database was moved or removed; bring it back, or \
         remove the WAL to start anew",
        path.display()
    )]
    LeftoverWal {
        /// The database.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} is not an SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another program.
    #[error("{} is an SQLite database, but not one of presence-hub", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged.
    #[error("the database {} is damaged ({detail}); restore it from a backup", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The first finding.
        detail: String,
    },
    /// A newer hub wrote it.
    #[error(
        "the database {} has schema {found}, this presence-hub knows schemas up to {known}; run the newer one",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The file's schema.
        found: i64,
        /// The newest schema of this build.
        known: i64,
    },
    /// A migration could not be applied.
    #[error("the database {} could not be migrated: {source}", path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// Anything else from SQLite.
    #[error("the database {} could not be opened: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Anything else from the file system.
    #[error("the database {} could not be opened: {source}", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn from_sqlx(path: PathBuf, source: sqlx::Error) -> Self {
        match primary_code(&source) {
            Some(BUSY | BUSY_TABLE) => Self::Busy { path },
            Some(READ_ONLY) => Self::ReadOnly { path },
            Some(CORRUPT) => Self::Corrupt { path, detail: source.to_string() },
            Some(NOT_A_DATABASE) => Self::NotADatabase { path },
            _ => Self::Database { path, source },
        }
    }

    pub(crate) fn from_migration(path: PathBuf, source: MigrateError) -> Self {
        match source {
            MigrateError::Execute(source) => Self::from_sqlx(path, source),
            MigrateError::ExecuteMigration(source, _) if primary_code(&source) != Some(GENERIC) => {
                Self::from_sqlx(path, source)
            }
            source => Self::Migration { path, source },
        }
    }
}

const GENERIC: u32 = 1;
const BUSY: u32 = 5;
const BUSY_TABLE: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const CONSTRAINT: u32 = 19;
const NOT_A_DATABASE: u32 = 26;

/// SQLite's primary result code: the low byte of the extended one.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// What an error means to a caller: later (the default), or never.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let damaged = matches!(primary_code(&error), Some(CORRUPT | CONSTRAINT | NOT_A_DATABASE));
    let unreadable = matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_));
    if damaged || unreadable { corrupt(error) } else { unavailable(error) }
}

pub(crate) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(source.into())
}
