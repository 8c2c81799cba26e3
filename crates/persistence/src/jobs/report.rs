//! What a job has done: as JSON for programs, as a line for people. Nobody is named in it.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A week that was archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ArchivedWeek {
    /// Its Monday.
    pub week: String,
    /// Rows that were in the database.
    pub rows: u64,
    /// Rows that are in its file now; more, where there was one already.
    pub in_file: u64,
}

/// A week that is still where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftWeek {
    /// Its Monday.
    pub week: String,
    /// Why.
    pub reason: String,
}

/// A week that was brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RestoredWeek {
    /// Its Monday.
    pub week: String,
    /// Rows that were not in the log, and are now.
    pub written: u64,
    /// Rows of whom or what is gone since.
    pub passed_over: u64,
}

/// What a job has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = JobReport))]
#[serde(tag = "job", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names of the fields are the documentation that operators see, too")]
pub enum Report {
    /// Sessions whose hub is gone were ended.
    StalePresence { ended: u64 },
    /// Sessions that were over were ended, and totals that are too old dropped.
    DeadSessions { ended: u64, dropped: u64 },
    /// Room was made in the activity log.
    Partitions { made: u64 },
    /// Old weeks of the activity log were moved into files. The id is that of the folder: other folders are not the archive.
    #[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
    Archive { archive_id: Uuid, weeks: Vec<ArchivedWeek>, left: Vec<LeftWeek> },
    /// What has expired was dropped.
    #[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
    Expire { operation_results: u64, access_codes: u64 },
    /// What was written was added up.
    Rollups { quarters: u64 },
    /// People were erased from archives.
    Erasures { erasures: u64, files: u64, removed: u64, changed: u64 },
    /// Everything was added up anew.
    RebuildRollups { marked: u64, quarters: u64 },
    /// Archived weeks were brought back.
    RestoreArchive { weeks: Vec<RestoredWeek> },
}

impl Report {
    /// Whether all was done that was to be done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !matches!(self, Self::Archive { left, .. } if !left.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StalePresence { ended } => write!(f, "{ended} sessions ended whose hub is gone"),
            Self::DeadSessions { ended, dropped } => {
                write!(
                    f,
                    "{ended} lost sessions ended, {dropped} sessions and totals older than 400 days dropped"
                )
            }
            Self::Partitions { made: 0 } => f.write_str("there is room for four weeks"),
            Self::Partitions { made } => write!(f, "room made for {made} more weeks"),
            Self::Archive { weeks, left, .. } => write_archived(f, weeks, left),
            Self::Expire { operation_results, access_codes } => {
                write!(f, "{operation_results} results of operations and {access_codes} access codes dropped")
            }
            Self::Rollups { quarters } => write!(f, "{quarters} quarters of an hour added up"),
            Self::Erasures { erasures: 0, .. } => f.write_str("nobody to erase"),
            Self::Erasures { erasures, files, removed, changed } => write!(
                f,
                "{erasures} erasures: {removed} rows removed and {changed} changed, in {files} files of the archive"
            ),
            Self::RebuildRollups { marked, quarters } => {
                write!(f, "{marked} quarters of an hour marked, {quarters} added up")
            }
            Self::RestoreArchive { weeks } if weeks.is_empty() => f.write_str("no week is archived"),
            Self::RestoreArchive { weeks } => write_restored(f, weeks),
        }
    }
}

fn write_archived(f: &mut fmt::Formatter<'_>, weeks: &[ArchivedWeek], left: &[LeftWeek]) -> fmt::Result {
    match (weeks, left) {
        ([], []) => f.write_str("no week is old enough")?,
        ([], _) => f.write_str("no week archived")?,
        _ => f.write_str("archived: ")?,
    }
    let week = |it: &ArchivedWeek| format!("{} ({} rows, {} in its file)", it.week, it.rows, it.in_file);
    f.write_str(&weeks.iter().map(week).collect::<Vec<_>>().join(", "))?;
    left.iter().try_for_each(|it| write!(f, "; LEFT: {}: {}", it.week, it.reason))
}

fn write_restored(f: &mut fmt::Formatter<'_>, weeks: &[RestoredWeek]) -> fmt::Result {
    let week = |it: &RestoredWeek| {
        format!("{} ({} rows written, {} passed over)", it.week, it.written, it.passed_over)
    };
    write!(f, "restored: {}", weeks.iter().map(week).collect::<Vec<_>>().join(", "))
}
