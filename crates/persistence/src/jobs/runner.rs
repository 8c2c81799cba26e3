//! Who does the jobs of one hub, one at a time.

use std::{path::PathBuf, sync::Arc, time::Duration};

use model::Wall;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Job, JobError, JobName, Report, archiving::Archiving, cleaning::Cleaning, lease::Lease,
    restoring::Restoring, totals::Totals,
};
use crate::{ArchiveFolder, JobRecord, Store, StoreError};

/// How long a job that is asked for waits until the one before it is done, and until whoever else does it has done it.
const TURN_PATIENCE: Duration = Duration::from_secs(5);

/// How often is asked whether somebody else has done it.
const TURN_PAUSE: Duration = Duration::from_millis(100);

/// How the jobs of an installation are done.
#[derive(Clone, Debug)]
pub struct JobOptions {
    /// The folder of the archive. All hubs of one database have the same.
    pub archive: PathBuf,
    /// Milliseconds after which a week of the activity log is archived.
    pub archive_after_ms: i64,
    /// Milliseconds for which a restored week stays in the log.
    pub restored_for_ms: i64,
    /// The clock.
    pub wall: fn() -> Wall,
}

/// A job, and how it went last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// Seconds between two runs; `None`: by hand only.
    pub every_s: Option<u64>,
    /// When it was done last, in milliseconds since the epoch, by the store's clock.
    pub finished: Option<i64>,
    /// What it said then.
    pub report: Option<Report>,
}

/// Does the jobs of one hub, or of one command.
pub struct Runner {
    store: Arc<dyn Store>,
    pub(super) options: JobOptions,
    turn: Mutex<()>,
    pub(super) stopping: CancellationToken,
}

impl Runner {
    /// A runner on a store. It does nothing before it is told to.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, options: JobOptions) -> Self {
        Self { store, options, turn: Mutex::default(), stopping: CancellationToken::new() }
    }

    /// Does a job now, however recently it was done. It waits up to five seconds for its turn: most jobs are over at once.
    ///
    /// # Errors
    /// [`JobError`]; what was done until then stays done, and the job may be begun again.
    pub async fn run(&self, job: &Job, now: Wall) -> Result<Report, JobError> {
        let until = Instant::now() + TURN_PATIENCE;
        let _turn = timeout_at(until, self.turn.lock()).await.map_err(|_| JobError::Busy)?;
        loop {
            if let Some(report) = self.attempt(job, now, Duration::ZERO).await? {
                return Ok(report);
            }
            if Instant::now() >= until {
                return Err(JobError::Taken(job.name()));
            }
            sleep(TURN_PAUSE).await;
        }
    }

    /// Does a job, where it was not done within `every` and nobody else does it.
    pub(super) async fn run_if_due(
        &self,
        job: &Job,
        now: Wall,
        every: Duration,
    ) -> Result<Option<Report>, JobError> {
        let _turn = self.turn.lock().await;
        self.attempt(job, now, every).await
    }

    /// The jobs there are, and how they went.
    ///
    /// # Errors
    /// Where the store is not to be had.
    pub async fn list(&self) -> Result<Vec<JobStatus>, StoreError> {
        let records = self.store.jobs().await?;
        let of = |job: &JobName| status(*job, records.iter().find(|record| record.name == job.name()));
        Ok(JobName::ALL.iter().map(of).collect())
    }

    /// Ends the job under way between two of its steps, and begins no other. Returns when nothing is done any more.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let _turn = self.turn.lock().await;
    }

    async fn attempt(&self, job: &Job, now: Wall, every: Duration) -> Result<Option<Report>, JobError> {
        let name = job.name();
        if self.stopping.is_cancelled() {
            return Err(JobError::Stopped(name));
        }
        let archive = self.known_archive(job).await?;
        let Some(lease) = Lease::take(&*self.store, name, every, &self.stopping).await? else {
            return Ok(None);
        };
        let started = Instant::now();
        let done = self.work(job, &lease, now, archive).await;
        note(name, started.elapsed(), done.is_ok());
        match done {
            Ok(report) => lease.leave(&report).await.map(|()| Some(report)).map_err(JobError::Store),
            Err(error) => {
                lease.give_up().await;
                Err(error)
            }
        }
    }

    async fn work(
        &self,
        job: &Job,
        lease: &Lease<'_>,
        now: Wall,
        archive: Option<Uuid>,
    ) -> Result<Report, JobError> {
        let store = &*self.store;
        let totals = Totals { store, lease, now };
        match job {
            Job::StalePresence => totals.stale_presence().await,
            Job::DeadSessions => totals.dead_sessions().await,
            Job::Partitions => totals.partitions().await,
            Job::Expire => totals.expire().await,
            Job::Rollups => totals.rollups().await,
            Job::RebuildRollups { from, until } => totals.rebuild_rollups(*from, *until).await,
            Job::Archive { .. } => {
                let folder = self.folder(lease).await?;
                Archiving { store, lease, folder, options: &self.options, now }.archive(archive).await
            }
            Job::RestoreArchive { weeks } => {
                let folder = self.folder(lease).await?;
                Restoring { store, lease, folder, now }.restore(weeks).await
            }
            Job::Erasures => Cleaning { store, lease, archive: &self.options.archive }.clean().await,
        }
    }

    async fn folder(&self, lease: &Lease<'_>) -> Result<Arc<ArchiveFolder>, JobError> {
        let path = self.options.archive.clone();
        lease.blocking(move || ArchiveFolder::open(&path).map(Arc::new)).await
    }

    /// The id of the archive, where the job has to do with it and there is one. Asked before the job is taken, so that a hub with
    /// another folder does not keep it from the hub that can do it.
    async fn known_archive(&self, job: &Job) -> Result<Option<Uuid>, JobError> {
        if !matches!(job, Job::Archive { adopt: false } | Job::Erasures | Job::RestoreArchive { .. }) {
            return Ok(None);
        }
        let known = archive_id(&self.store.jobs().await?);
        match known {
            Some(archive) if ArchiveFolder::id_of(&self.options.archive)? != known => {
                let path = self.options.archive.display().to_string();
                Err(JobError::Elsewhere { path, archive })
            }
            known => Ok(known),
        }
    }
}

/// The folder that is the archive, by the last report of the job that writes it.
fn archive_id(records: &[JobRecord]) -> Option<Uuid> {
    let record = records.iter().find(|record| record.name == JobName::Archive.name())?;
    // Read leniently: a later version may report more.
    let report: Value = serde_json::from_str(record.report.as_deref()?).ok()?;
    report.get("archiveId")?.as_str()?.parse().ok()
}

fn status(job: JobName, record: Option<&JobRecord>) -> JobStatus {
    let report = record.and_then(|record| record.report.as_deref());
    JobStatus {
        name: job.name().to_owned(),
        about: job.about().to_owned(),
        every_s: job.period().map(|period| period.as_secs()),
        finished: record.and_then(|record| record.finished),
        report: report.and_then(|json| serde_json::from_str(json).ok()),
    }
}

fn note(job: JobName, took: Duration, is_done: bool) {
    metrics::counter!("presence_hub_job_runs_total", "name" => job.name()).increment(1);
    // Counted from nought, so that a rise is seen.
    metrics::counter!("presence_hub_job_failures_total", "name" => job.name()).increment(u64::from(!is_done));
    metrics::histogram!("presence_hub_job_seconds", "name" => job.name()).record(took);
}
