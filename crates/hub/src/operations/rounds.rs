//! The rounds in which signs of life are written, the inactive are clocked out, and the lost are marked.
//!
//! Every hub does it for its own extensions, and marks whoever is lost, whichever hub had them. After a time in which a
//! hub could not write it waits before it marks anybody: those of other hubs could not be written either.

use std::{sync::Weak, time::Duration};

use model::{ClockOutReason, limits};
use persistence::{Sign, StoreError};
use tokio::time::{Instant, sleep};

use super::Parts;
use crate::OccupancyOptions;

/// Between two rounds, at most.
const ROUND: Duration = Duration::from_secs(5);
/// For how long signs must have been written before anybody is marked, at most: every hub has had its turn then.
const SETTLED: Duration = Duration::from_secs(15);

impl OccupancyOptions {
    /// Between two rounds: a dozen of them before somebody is stale.
    fn round(&self) -> Duration {
        (self.stale_after / 12).min(ROUND)
    }

    fn settled(&self) -> Duration {
        (self.stale_after / 4).min(SETTLED)
    }
}

/// Goes on as long as the operations live.
pub(crate) async fn keep(operations: Weak<Parts>, options: OccupancyOptions) {
    let mut well_since = Instant::now();
    loop {
        sleep(options.round()).await;
        let Some(operations) = operations.upgrade() else { return };
        // Without extensions of its own, a hub learns from the follower that the database is away.
        if !operations.following.is_healthy() {
            well_since = Instant::now();
        }
        let is_settled = well_since.elapsed() >= options.settled();
        if let Err(error) = operations.occupancy_round(&options, is_settled).await {
            tracing::warn!(%error, "signs of life of extensions are not written");
            well_since = Instant::now();
        }
    }
}

impl Parts {
    /// Every page of signs is tried: one that the store does not take is in nobody else's way.
    async fn occupancy_round(&self, options: &OccupancyOptions, mark: bool) -> Result<(), StoreError> {
        let mut done = Ok(());
        for signs in self.extensions.signs().chunks(limits::SIGNS_AT_ONCE) {
            done = self.write_signs(signs, options).await.and(done);
        }
        self.extensions.forget_lost(options.stale_after);
        done?;
        if mark {
            self.store.mark_stale(options.stale_after).await?;
        }
        Ok(())
    }

    /// What was ended is told by the follower, as every change.
    async fn write_signs(&self, signs: &[Sign], options: &OccupancyOptions) -> Result<(), StoreError> {
        let ended = self.store.write_signs(signs, options.stale_after, options.inactive_after).await?;
        for hold in ended {
            self.log_clock_out(hold, ClockOutReason::Inactive).await;
        }
        Ok(())
    }
}
