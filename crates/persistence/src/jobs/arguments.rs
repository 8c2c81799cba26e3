//! A job as an operator names it.

use chrono::{DateTime, NaiveDate, NaiveTime};
use model::Wall;

use super::{Job, JobName};
use crate::Week;

/// Why there is no such job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// No job has this name.
    #[error("there is no job {name:?}; there are: {names}", names = names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// It takes no such argument.
    #[error("{} does not take {argument:?}: {wanted}", job.name())]
    Argument {
        /// The job.
        job: JobName,
        /// What was given.
        argument: String,
        /// What it takes.
        wanted: &'static str,
    },
}

fn names() -> String {
    JobName::ALL.iter().map(|job| job.name()).collect::<Vec<_>>().join(", ")
}

impl Job {
    /// The job of a name and its arguments.
    ///
    /// # Errors
    /// [`ArgumentError`] says what there is.
    pub fn parse(name: &str, arguments: &[String]) -> Result<Self, ArgumentError> {
        let unknown = || ArgumentError::Unknown { name: name.chars().take(40).collect() };
        let job = JobName::named(name).ok_or_else(unknown)?;
        let wrong = |argument: &str, wanted| {
            let argument = argument.chars().take(40).collect();
            ArgumentError::Argument { job, argument, wanted }
        };
        let instant = |text: &String| {
            parse_instant(text).ok_or_else(|| {
                wrong(
                    text,
                    "at most two days (2026-11-16) or instants (2026-11-16T10:00:00Z), FROM and UNTIL",
                )
            })
        };
        match (job, arguments) {
            (JobName::RestoreArchive, weeks) => {
                let week = |name: &String| {
                    Week::named(name).ok_or_else(|| wrong(name, "weeks, each by its Monday: 2026-11-16"))
                };
                Ok(Self::RestoreArchive { weeks: weeks.iter().map(week).collect::<Result<_, _>>()? })
            }
            (_, []) => Ok(job.into()),
            (JobName::Archive, [adopt]) if adopt == "adopt" => Ok(Self::Archive { adopt: true }),
            (JobName::Archive, [other, ..]) => Err(wrong(other, "at most the word adopt")),
            (JobName::RebuildRollups, [from]) => {
                Ok(Self::RebuildRollups { from: Some(instant(from)?), until: None })
            }
            (JobName::RebuildRollups, [from, until]) => {
                Ok(Self::RebuildRollups { from: Some(instant(from)?), until: Some(instant(until)?) })
            }
            (JobName::RebuildRollups, [.., last]) => Err(wrong(last, "at most FROM and UNTIL")),
            (_, [first, ..]) => Err(wrong(first, "nothing")),
        }
    }
}

/// A day, which begins at midnight UTC, or an instant.
fn parse_instant(text: &str) -> Option<Wall> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Wall(instant.timestamp_millis()));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(Wall(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()))
}
