//! Reports that were made lately, and how many are made at once.

use std::{future::Future, sync::Arc, time::Duration};

use model::{ErrorCode, OrganizationId, RequestError};
use persistence::{AnalyticsQuery, StoreError, analytics::Report};
use tokio::{sync::Semaphore, time::Instant};

use super::shared::Shared;
use crate::{config::Config, failure, telemetry::UnderWay};

/// Reports that are kept. 256 x at most about 100 KiB = 25 MiB; most are under 10 KiB.
const REPORTS_KEPT: usize = 256;
/// Organizations of which it is known who is active. 1,024 x about 100 B = 100 KiB.
const COUNTS_KEPT: usize = 1_024;
/// How old the number of those who are active may be.
const COUNT_LASTS: Duration = Duration::from_secs(15);
/// When to come back where too many reports are being made, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// The reports of a hub, and those that are being made.
pub(crate) struct Reports {
    reports: Shared<AnalyticsQuery, Arc<Report>>,
    counts: Shared<OrganizationId, u64>,
    /// For reports that are being made or wait for it.
    places: Arc<Semaphore>,
    /// Of those, the ones that the database works on: it has time left for others.
    turns: Arc<Semaphore>,
}

impl Reports {
    /// As configured.
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        // The embedded database has two readers, and one of them follows the changes.
        let turns = config.store.database_url().map_or(1, |_| (config.store.connections as usize / 4).max(1));
        Self::with(limits.analytics_at_once, turns, Duration::from_secs(limits.analytics_cache_s))
    }

    fn with(places: usize, turns: usize, lasts: Duration) -> Self {
        Self {
            reports: Shared::new(lasts, REPORTS_KEPT),
            counts: Shared::new(COUNT_LASTS, COUNTS_KEPT),
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// A report that is there, or is being made; else what `work` makes.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] with the time to wait, where as many are being made as may be; and those of the store.
    pub(super) async fn report(
        &self,
        query: AnalyticsQuery,
        work: impl Future<Output = Result<Report, StoreError>> + Send + 'static,
    ) -> Result<Arc<Report>, RequestError> {
        let begin = || {
            let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
            let turns = self.turns.clone();
            Ok(async move {
                let (_place, _under_way) = (place, UnderWay::begin("presence_hub_reports_under_way"));
                let began = Instant::now();
                // Nobody closes them.
                let _turn = turns.acquire().await;
                let report = told(work.await).map(Arc::new);
                metrics::histogram!("presence_hub_report_seconds").record(began.elapsed());
                report
            })
        };
        self.reports.get(query, begin).await
    }

    /// How many are active now: as it was at most 15 s ago, or what `work` finds.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn active_now(
        &self,
        of: OrganizationId,
        work: impl Future<Output = Result<u64, StoreError>> + Send + 'static,
    ) -> Result<u64, RequestError> {
        self.counts.get(of, || Ok(async move { told(work.await) })).await
    }

    /// Forgets all that was made: somebody is to be in no report any more.
    pub(crate) fn forget(&self) {
        self.reports.forget();
        self.counts.forget();
    }
}

fn told<T>(done: Result<T, StoreError>) -> Result<T, RequestError> {
    done.map_err(|error| failure::of_operation(&error.into()))
}

fn busy() -> RequestError {
    let error = RequestError::new(ErrorCode::Unavailable, "too many reports are being made");
    RequestError { retry_after_ms: Some(RETRY_AFTER_MS), ..error }
}

#[cfg(test)]
mod tests;
