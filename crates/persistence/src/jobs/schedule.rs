//! The jobs of a hub by themselves, each in its rhythm, one after the other.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::{JobError, JobName, Report, Runner};

/// Within this long after a start each job is asked for; whether it is due, the store knows. At random, so that hubs that
/// start together do not ask together.
const FIRST_WITHIN: Duration = Duration::from_secs(60);
/// How soon, at the latest, a job is asked for again that somebody else had or that failed.
const AGAIN_WITHIN: Duration = Duration::from_secs(10 * 60);
/// How soon a job is asked for again that this hub cannot do.
const ELSEWHERE: Duration = Duration::from_secs(60 * 60);

impl Runner {
    /// Does each job in its rhythm, until [`Runner::stop`]. A job that fails is written into the log, and tried again.
    pub async fn schedule(self: Arc<Self>) {
        let periodic = JobName::ALL.iter().filter_map(|job| Some((*job, job.period()?)));
        let mut plan: Vec<_> = periodic
            .map(|(job, period)| (Instant::now() + some_of(period.min(FIRST_WITHIN)), job, period))
            .collect();
        while let Some(next) = plan.iter_mut().min_by_key(|(due, ..)| *due) {
            let (due, job, period) = next;
            if self.stopping.run_until_cancelled(sleep_until(*due)).await.is_none() {
                return;
            }
            let wait = self.turn_of(*job, *period).await;
            *due = Instant::now() + wait;
        }
    }

    /// Does a job if it is due; when to ask again.
    async fn turn_of(&self, job: JobName, period: Duration) -> Duration {
        let now = (self.options.wall)();
        // A little less than the period: done at one tick, it is due at the next.
        match self.run_if_due(&job.into(), now, period * 3 / 4).await {
            Ok(Some(report)) => {
                tell(job, &report);
                period
            }
            Ok(None) => (period / 4).min(AGAIN_WITHIN),
            Err(JobError::Stopped(_)) => period,
            Err(error) => {
                tracing::warn!(job = job.name(), %error, "a job was not done; it is tried again");
                let elsewhere = matches!(error, JobError::Elsewhere { .. });
                if elsewhere { ELSEWHERE } else { period.min(AGAIN_WITHIN) }
            }
        }
    }
}

fn tell(job: JobName, report: &Report) {
    if report.is_complete() {
        tracing::debug!(job = job.name(), %report, "a job is done");
    } else {
        tracing::warn!(job = job.name(), %report, "a job could not do all it had to");
    }
}

/// A random part of a time.
fn some_of(time: Duration) -> Duration {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    let parts = 1 << 20;
    time * ((high ^ low) % parts) as u32 / parts as u32
}
