//! A job that is ours for the time being: taken, kept, left.

use std::{pin::pin, time::Duration};

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{JobError, JobName, Report};
use crate::{Holder, Jobs, LEASE_MS, StoreError, stored};

/// How often a job is kept while one long step goes on: twice before somebody else would get it.
const KEEP_INTERVAL: Duration = Duration::from_millis(LEASE_MS as u64 / 3);
/// How much longer a step may go on when the hub ends. Most take less.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// A job that is ours until [`Lease::leave`], or until nothing is heard of us.
pub(super) struct Lease<'a> {
    jobs: &'a dyn Jobs,
    stop: &'a CancellationToken,
    pub(super) name: JobName,
    holder: Holder,
}

impl<'a> Lease<'a> {
    /// Takes a job that was not done within `every`; `None`: it was, or somebody else has it.
    pub(super) async fn take(
        jobs: &'a dyn Jobs,
        name: JobName,
        every: Duration,
        stop: &'a CancellationToken,
    ) -> Result<Option<Self>, StoreError> {
        let holder = Uuid::new_v4();
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let taken = jobs.take_job(name.name(), holder, every_ms).await?;
        Ok(taken.then_some(Self { jobs, stop, name, holder }))
    }

    /// Said before each step: it is still ours, and is to go on.
    pub(super) async fn keep(&self) -> Result<(), JobError> {
        if self.stop.is_cancelled() {
            return Err(JobError::Stopped(self.name));
        }
        match self.jobs.take_job(self.name.name(), self.holder, 0).await? {
            true => Ok(()),
            false => Err(JobError::Lost(self.name)),
        }
    }

    /// Does a step of the store, and keeps the job before it and meanwhile. One that is broken off may be made again, and
    /// may be at work for a while yet.
    pub(super) async fn step<T>(
        &self,
        step: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, JobError> {
        self.keep().await?;
        Ok(self.kept(step).await??)
    }

    /// Does a step of its own length away from the runtime's threads, and keeps the job meanwhile. Where it is lost, the
    /// step ends by itself, later: what it works on it has to hold on to.
    pub(super) async fn blocking<T, E>(
        &self,
        step: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, JobError>
    where
        T: Send + 'static,
        E: Send + 'static,
        JobError: From<E>,
    {
        Ok(self.kept(tokio::task::spawn_blocking(step)).await?.map_err(JobError::Broken)??)
    }

    /// What a step comes to, as long as the job is ours and goes on.
    async fn kept<T>(&self, step: impl Future<Output = T>) -> Result<T, JobError> {
        let mut step = pin!(step);
        tokio::select! {
            biased;
            done = &mut step => return Ok(done),
            lost = self.lost() => return Err(lost),
            () = self.stop.cancelled() => {}
        }
        timeout(END_PATIENCE, step).await.map_err(|_| JobError::Stopped(self.name))
    }

    /// Keeps the job until it is lost. A store that is busy with the step itself, or away, is asked again.
    async fn lost(&self) -> JobError {
        loop {
            sleep(KEEP_INTERVAL).await;
            match self.keep().await {
                Ok(()) | Err(JobError::Store(_) | JobError::Stopped(_)) => {}
                Err(lost) => return lost,
            }
        }
    }

    /// It is done.
    pub(super) async fn leave(&self, report: &Report) -> Result<(), StoreError> {
        self.jobs.leave_job(self.name.name(), self.holder, &stored::write_json(report)?).await
    }

    /// It failed: whoever comes next may have it at once. Where the store cannot be told, it is free when nothing was heard
    /// of us for long enough.
    pub(super) async fn give_up(&self) {
        if let Err(error) = self.jobs.give_up_job(self.name.name(), self.holder).await {
            tracing::debug!(job = self.name.name(), %error, "a job that failed could not be given back");
        }
    }
}
