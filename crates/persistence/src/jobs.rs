//! The jobs that keep a store in order: what there are, how each is named, and when it is due.
//!
//! A job is a row of steps, each of which may be made again: whoever is killed in the middle is followed by somebody who
//! begins anew. One hub at a time does a job, by a lease of the store ([`crate::Jobs`]).

mod archiving;
mod arguments;
mod cleaning;
mod lease;
mod report;
mod restoring;
mod runner;
mod schedule;
mod totals;

#[cfg(test)]
mod tests;

use std::time::Duration;

use model::Wall;
use uuid::Uuid;

use crate::{ArchiveError, StoreError, Week};

pub use arguments::ArgumentError;
pub use report::{ArchivedWeek, LeftWeek, Report, RestoredWeek};
pub use runner::{JobOptions, JobStatus, Runner};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The jobs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobName {
    /// Ends sessions whose hub is gone.
    StalePresence,
    /// Drops totals that are too old.
    DeadSessions,
    /// Makes room in the activity log.
    Partitions,
    /// Moves old weeks of the activity log into files.
    Archive,
    /// Drops what has expired.
    Expire,
    /// Adds up what was written.
    Rollups,
    /// Erases people from archives.
    Erasures,
    /// Adds up everything anew.
    RebuildRollups,
    /// Brings archived weeks back.
    RestoreArchive,
}

impl JobName {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::StalePresence,
        Self::DeadSessions,
        Self::Partitions,
        Self::Archive,
        Self::Expire,
        Self::Rollups,
        Self::Erasures,
        Self::RebuildRollups,
        Self::RestoreArchive,
    ];

    /// The job of a name; `None`: there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|job| job.name() == name)
    }

    /// Its name, as the store and an operator say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StalePresence => "stale-presence",
            Self::DeadSessions => "dead-sessions",
            Self::Partitions => "partitions",
            Self::Archive => "archive",
            Self::Expire => "expire",
            Self::Rollups => "rollups",
            Self::Erasures => "erasures",
            Self::RebuildRollups => "rebuild-rollups",
            Self::RestoreArchive => "restore-archive",
        }
    }

    /// What it does, for an operator.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::StalePresence => "ends sessions in the log whose hub was killed",
            Self::DeadSessions => "drops sessions and totals older than 400 days, ends what is still lost",
            Self::Partitions => "makes room in the activity log for the next four weeks",
            Self::Archive => "moves old weeks of the activity log into files [adopt]",
            Self::Expire => "drops results of operations, access codes and old changes",
            Self::Rollups => "adds up what was written, for analytics",
            Self::Erasures => "removes people who were erased from the archive",
            Self::RebuildRollups => "adds up everything anew from the log [FROM] [UNTIL]",
            Self::RestoreArchive => "brings archived weeks back into the log [WEEK...]",
        }
    }

    /// How often it is done; `None`: by hand only.
    #[must_use]
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::StalePresence => Some(5 * MINUTE),
            Self::DeadSessions | Self::Partitions | Self::Expire => Some(HOUR),
            Self::Archive => Some(DAY),
            Self::Rollups | Self::Erasures => Some(MINUTE),
            Self::RebuildRollups | Self::RestoreArchive => None,
        }
    }
}

/// A job, and what exactly it is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// See [`JobName::StalePresence`].
    StalePresence,
    /// See [`JobName::DeadSessions`].
    DeadSessions,
    /// See [`JobName::Partitions`].
    Partitions,
    /// See [`JobName::Archive`].
    Archive {
        /// Whether the folder of this hub becomes the archive, where another one was before.
        adopt: bool,
    },
    /// See [`JobName::Expire`].
    Expire,
    /// See [`JobName::Rollups`].
    Rollups,
    /// See [`JobName::Erasures`].
    Erasures,
    /// See [`JobName::RebuildRollups`].
    RebuildRollups {
        /// From when; `None`: all there is.
        from: Option<Wall>,
        /// Until when; `None`: now.
        until: Option<Wall>,
    },
    /// See [`JobName::RestoreArchive`].
    RestoreArchive {
        /// Which; none: all that are archived.
        weeks: Vec<Week>,
    },
}

impl Job {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> JobName {
        match self {
            Self::StalePresence => JobName::StalePresence,
            Self::DeadSessions => JobName::DeadSessions,
            Self::Partitions => JobName::Partitions,
            Self::Archive { .. } => JobName::Archive,
            Self::Expire => JobName::Expire,
            Self::Rollups => JobName::Rollups,
            Self::Erasures => JobName::Erasures,
            Self::RebuildRollups { .. } => JobName::RebuildRollups,
            Self::RestoreArchive { .. } => JobName::RestoreArchive,
        }
    }
}

impl From<JobName> for Job {
    /// The job as it is done by itself.
    fn from(name: JobName) -> Self {
        match name {
            JobName::StalePresence => Self::StalePresence,
            JobName::DeadSessions => Self::DeadSessions,
            JobName::Partitions => Self::Partitions,
            JobName::Archive => Self::Archive { adopt: false },
            JobName::Expire => Self::Expire,
            JobName::Rollups => Self::Rollups,
            JobName::Erasures => Self::Erasures,
            JobName::RebuildRollups => Self::RebuildRollups { from: None, until: None },
            JobName::RestoreArchive => Self::RestoreArchive { weeks: Vec::new() },
        }
    }
}

/// Why a job was not done, or not to its end. Done again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Somebody else does it.
    #[error(
        "another hub or command does {} at the moment; who was killed while doing it has it for another minute",
        .0.name()
    )]
    Taken(JobName),
    /// This hub does another one, and one at a time.
    #[error("this hub is busy with another job; try again in a while")]
    Busy,
    /// It was not heard of for too long, and somebody else may do it by now.
    #[error("{} was given to somebody else in the middle", .0.name())]
    Lost(JobName),
    /// The hub ends.
    #[error("{} was stopped in the middle, because the hub ends", .0.name())]
    Stopped(JobName),
    /// The archive of this database is in another folder.
    #[error(
        "the archive of this database is another folder than {path} (jobs.archive_path): that one has the id {archive}. \
         Let all hubs have it, or, if it is gone for good, say: presence-hub jobs run archive adopt"
    )]
    Elsewhere {
        /// The folder of this hub.
        path: String,
        /// The id of the archive.
        archive: Uuid,
    },
    /// There is no archive of a week.
    #[error("the week {week} is not archived; there are: {known}")]
    NotArchived {
        /// The week.
        week: Week,
        /// Those that are.
        known: String,
    },
    /// Files of the archive that could not be cleaned; all others were.
    #[error("people who were erased may still be in: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotCleaned(Vec<ArchiveError>),
    /// The archive cannot be read or written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store is not to be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A step panicked, which no step does.
    #[error("a step broke off")]
    Broken(#[source] tokio::task::JoinError),
}
