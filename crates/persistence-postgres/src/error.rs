//! What can go wrong, from Postgres' codes to words for an operator and for a caller.

use persistence::{StoreError, stored::corrupt};
use sqlx::migrate::MigrateError;

use crate::Address;

/// Why a database was not opened or not migrated. Each message names the database, never the password, and says what
/// to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error(
        "the database URL cannot be read: {reason}; it looks like postgres://user:password@host:5432/database"
    )]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing answers there, or not in time.
    #[error(
        "cannot reach the {address}: {reason}; is the server running, and does a firewall let the hub through?"
    )]
    Unreachable {
        /// The database.
        address: Address,
        /// Why.
        reason: String,
    },
    /// The server does not take the password.
    #[error("wrong password for the {address}; check the password in the database URL")]
    Password {
        /// The database.
        address: Address,
    },
    /// The server has no such database.
    #[error("there is no {address}; create it, or correct the name in the database URL")]
    NoDatabase {
        /// The database.
        address: Address,
    },
    /// The server does not let this role in.
    #[error(
        "may not connect to the {address}: {reason}; check the role, its CONNECT privilege and pg_hba.conf"
    )]
    MayNotConnect {
        /// The database.
        address: Address,
        /// In the server's words.
        reason: String,
    },
    /// The server lacks what row security needs.
    #[error("the {address} is Postgres {version}; presence-hub needs 15 or newer")]
    ServerTooOld {
        /// The database.
        address: Address,
        /// The server's major version.
        version: u32,
    },
    /// There is no schema of ours yet.
    #[error(
        "the {address} is not migrated; run `presence-hub migrate` as the role that is to own its tables"
    )]
    NotMigrated {
        /// The database.
        address: Address,
    },
    /// An older hub migrated it.
    #[error("the {address} has schema {found}, this presence-hub needs {known}; run `presence-hub migrate`")]
    OlderSchema {
        /// The database.
        address: Address,
        /// The database's schema.
        found: i64,
        /// The schema of this build.
        known: i64,
    },
    /// A newer hub migrated it.
    #[error(
        "the {address} has schema {found}, this presence-hub knows schemas up to {known}; run the newer one"
    )]
    NewerSchema {
        /// The database.
        address: Address,
        /// The database's schema.
        found: i64,
        /// The newest schema of this build.
        known: i64,
    },
    /// A migration was begun and not finished.
    #[error(
        "migration {version} of the {address} is half applied; restore a backup, or finish it by hand and mark it \
         in presence_migrations"
    )]
    HalfApplied {
        /// The database.
        address: Address,
        /// Which migration.
        version: i64,
    },
    /// A migration was applied with another text.
    #[error(
        "migration {version} of the {address} is not the one that this presence-hub knows: its text has changed \
         since it was applied; run the presence-hub that applied it"
    )]
    ChangedMigration {
        /// The database.
        address: Address,
        /// Which migration.
        version: i64,
    },
    /// A migration could not be applied; nothing of it was.
    #[error("the {address} could not be migrated, and nothing of migration {version} was done: {reason}")]
    Migration {
        /// The database.
        address: Address,
        /// Which migration.
        version: i64,
        /// In the server's words.
        reason: String,
    },
    /// The role may see and change what row security hides from others.
    #[error(
        "the {address} would not be protected: the role \"{role}\" {right}; let the hub log in as a role of its own \
         that has no such right"
    )]
    TooMighty {
        /// The database.
        address: Address,
        /// The role, or one that it can become.
        role: String,
        /// What it can do, such as `is a superuser`.
        right: String,
    },
    /// The role lacks the hub's rights.
    #[error(
        "the role \"{role}\" does not have the hub's rights in the {address}; type, as its administrator: GRANT \
         presence_hub TO \"{role}\""
    )]
    NotAMember {
        /// The database.
        address: Address,
        /// The role.
        role: String,
    },
    /// A table of ours does not protect its rows.
    #[error(
        "row security is not forced on the table {table} of the {address}; type, as its owner: ALTER TABLE {table} \
         ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    )]
    Unprotected {
        /// The database.
        address: Address,
        /// The table.
        table: String,
    },
    /// Who holds an account would be sent to those who may not know.
    #[error(
        "account_presence of the {address} is in the publication \"{publication}\", which would send each occupant's \
         id to every subscriber; type: {remedy}"
    )]
    Published {
        /// The database.
        address: Address,
        /// The publication.
        publication: String,
        /// What takes it out.
        remedy: String,
    },
    /// A trigger of ours is missing or switched off.
    #[error(
        "the trigger {trigger} on the table {table} of the {address} is missing or switched off, so changes of it would \
         be shown late; type, as its owner: {remedy} (or run the `presence-hub migrate` of a newer presence-hub)"
    )]
    Unwatched {
        /// The database.
        address: Address,
        /// The table.
        table: String,
        /// The trigger.
        trigger: String,
        /// What makes it fire.
        remedy: String,
    },
    /// The hub and the database would decide otherwise about users who chose nothing.
    #[error(
        "users without settings are seen by \"{configured}\" where the configuration is asked, and by \"{stored}\" \
         where the {address} is; configure the same visibility, or type, as the owner of its tables: {remedy}"
    )]
    DefaultVisibility {
        /// The database.
        address: Address,
        /// What the hub is configured with.
        configured: String,
        /// What the database has; `nobody` where it has nothing.
        stored: String,
        /// What makes the database follow the configuration.
        remedy: String,
    },
    /// Anything else from the server.
    #[error("the {address} could not be opened: {source}")]
    Database {
        /// The database.
        address: Address,
        /// Why.
        source: sqlx::Error,
    },
}

impl OpenError {
    pub(crate) fn from_migration(address: &Address, known: i64, error: MigrateError) -> Self {
        let address = address.clone();
        match error {
            MigrateError::VersionMissing(found) => Self::NewerSchema { address, found, known },
            MigrateError::VersionMismatch(version) => Self::ChangedMigration { address, version },
            MigrateError::Dirty(version) => Self::HalfApplied { address, version },
            MigrateError::ExecuteMigration(error, version) => {
                Self::Migration { address, version, reason: told(&error) }
            }
            MigrateError::Execute(source) => Self::Database { address, source },
            other => Self::Migration { address, version: known, reason: other.to_string() },
        }
    }
}

/// What the server said, with its advice where it gave one.
fn told(error: &sqlx::Error) -> String {
    let Some(error) = error.as_database_error() else { return error.to_string() };
    let hint = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|error| error.hint());
    match hint {
        Some(hint) => format!("{} ({hint})", error.message()),
        None => error.message().to_owned(),
    }
}

/// Why one try of a unit of work came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer is known: asking again changes nothing.
    Store(StoreError),
    /// The database, or the way to it.
    Database(sqlx::Error),
    /// Somebody who takes no turn changed what was just read.
    Overtaken,
    /// The deadline passed.
    Late,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Whether the same unit of work may succeed at once: the connection was lost, another transaction was in the way,
    /// or took away what this one had just found.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => true,
            Self::Database(error) if is_without_partition(error) => true,
            Self::Database(error) => code(error).is_some_and(|code| {
                code.starts_with("08")
                    || matches!(
                        code.as_str(),
                        SERIALIZATION
                            | DEADLOCK
                            | LOCKED
                            | MISSING_KEY
                            | ADMIN_SHUTDOWN
                            | CRASH_SHUTDOWN
                            | STARTING
                    )
            }),
            Self::Overtaken => true,
            Self::Store(_) | Self::Late => false,
        }
    }

    /// Of a write that had found its place free: a row that is there by now is somebody's who was faster.
    pub(crate) fn of_a_race(error: sqlx::Error) -> Self {
        if code(&error).as_deref() == Some(NOT_UNIQUE) { Self::Overtaken } else { error.into() }
    }

    /// Whether a lock was waited for in vain.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Self::Database(error) if code(error).as_deref() == Some(LOCKED))
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => store_error(error),
            Self::Overtaken => unavailable("others were faster, again and again"),
            Self::Late => unavailable("no answer from the database in time"),
        }
    }
}

const SERIALIZATION: &str = "40001";
const DEADLOCK: &str = "40P01";
const LOCKED: &str = "55P03";
const MISSING_KEY: &str = "23503";
const CHECK: &str = "23514";
const NOT_UNIQUE: &str = "23505";
const ADMIN_SHUTDOWN: &str = "57P01";
const CRASH_SHUTDOWN: &str = "57P02";
const STARTING: &str = "57P03";
const DAMAGED_DATA: &str = "XX001";
const DAMAGED_INDEX: &str = "XX002";

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether a row had no partition to go to. Statements write only where they see one: it was attached when the statement
/// had locked its tables already, and the next one finds it.
fn is_without_partition(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    let is_a_check = error.code().is_some_and(|code| code == CHECK);
    is_a_check && error.constraint().is_none() && error.table() == Some("presence_activity_logs")
}

/// What an error means to a caller: later (the default), or never.
fn store_error(error: sqlx::Error) -> StoreError {
    if is_without_partition(&error) {
        return unavailable(error);
    }
    let code = code(&error).unwrap_or_default();
    match (code.get(..2), code.as_str()) {
        (_, DAMAGED_DATA | DAMAGED_INDEX) => corrupt(error),
        // Data that does not fit, constraints, names and privileges, CHECK OPTION, RAISE of a trigger.
        (Some("22" | "23" | "42" | "44" | "P0" | "0A"), _) => StoreError::Refused(error.into()),
        _ if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => corrupt(error),
        _ => unavailable(error),
    }
}

pub(crate) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(source.into())
}
