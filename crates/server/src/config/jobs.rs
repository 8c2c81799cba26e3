//! The section `[jobs]`.

use std::{path::PathBuf, time::SystemTime};

use model::Wall;
use persistence::JobOptions;
use serde::{Deserialize, Serialize};

use super::Config;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What keeps the database in order.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// The folder of the archive; empty: see [`Config::archive_folder`].
    pub archive_path: PathBuf,
    /// Days after which activity is archived.
    pub archive_after_days: u32,
    /// Days for which a restored week stays in the database.
    pub restored_for_days: u32,
}

impl Config {
    /// The folder of the archive.
    #[must_use]
    pub fn archive_folder(&self) -> PathBuf {
        match self.jobs.archive_path.as_os_str().is_empty() {
            true => self.store.beside("archive"),
            false => self.jobs.archive_path.clone(),
        }
    }

    /// How the jobs are done, by the system's clock.
    #[must_use]
    pub fn job_options(&self) -> JobOptions {
        JobOptions {
            archive: self.archive_folder(),
            archive_after_ms: i64::from(self.jobs.archive_after_days) * DAY_MS,
            restored_for_ms: i64::from(self.jobs.restored_for_days) * DAY_MS,
            wall: system_wall,
        }
    }
}

fn system_wall() -> Wall {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
