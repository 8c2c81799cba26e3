//! The jobs that have nothing to do with files: sessions, totals, room, and what expires.

use model::Wall;

use super::{JobError, Report, lease::Lease};
use crate::Upkeep;

const MINUTE_MS: i64 = 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A session gives a sign of life every 20 s; after this long its hub is gone.
const LOST_MS: i64 = 5 * MINUTE_MS;
const LOST_FOR_LONG_MS: i64 = 60 * MINUTE_MS;
/// How long totals are kept: a year and a month, so that a month can be compared with the one a year before.
const TOTALS_KEPT_MS: i64 = 400 * DAY_MS;
/// Quarters of an hour of one step.
const SLICE: usize = 64;
/// Clocks differ: what another hub wrote may be of a little later than now.
const CLOCKS_MS: i64 = 60 * MINUTE_MS;

/// Steps on a store, under a lease.
pub(super) struct Totals<'a> {
    pub(super) store: &'a dyn Upkeep,
    pub(super) lease: &'a Lease<'a>,
    pub(super) now: Wall,
}

impl Totals<'_> {
    pub(super) async fn stale_presence(&self) -> Result<Report, JobError> {
        Ok(Report::StalePresence { ended: self.end_lost(LOST_MS).await? })
    }

    pub(super) async fn dead_sessions(&self) -> Result<Report, JobError> {
        let ended = self.end_lost(LOST_FOR_LONG_MS).await?;
        let before = Wall(self.now.0 - TOTALS_KEPT_MS);
        let mut dropped = 0;
        loop {
            match self.lease.step(self.store.drop_old_totals(before)).await? {
                0 => return Ok(Report::DeadSessions { ended, dropped }),
                some => dropped += some,
            }
        }
    }

    pub(super) async fn partitions(&self) -> Result<Report, JobError> {
        Ok(Report::Partitions { made: self.lease.step(self.store.make_room()).await? })
    }

    pub(super) async fn expire(&self) -> Result<Report, JobError> {
        let expired = self.lease.step(self.store.expire(self.now)).await?;
        let (operation_results, access_codes) = (expired.operation_results, expired.access_codes);
        Ok(Report::Expire { operation_results, access_codes })
    }

    pub(super) async fn rollups(&self) -> Result<Report, JobError> {
        Ok(Report::Rollups { quarters: self.roll_up().await? })
    }

    pub(super) async fn rebuild_rollups(
        &self,
        from: Option<Wall>,
        until: Option<Wall>,
    ) -> Result<Report, JobError> {
        let from = from.unwrap_or(Wall(0));
        let until = until.unwrap_or(Wall(self.now.0 + CLOCKS_MS));
        let marked = self.lease.step(self.store.mark_for_rollup(from, until)).await?;
        Ok(Report::RebuildRollups { marked, quarters: self.roll_up().await? })
    }

    /// Until nothing more waits; how many quarters of an hour.
    pub(super) async fn roll_up(&self) -> Result<u64, JobError> {
        let mut quarters = 0;
        loop {
            let done = self.lease.step(self.store.roll_up(SLICE)).await?;
            quarters += done.buckets;
            if !done.more {
                return Ok(quarters);
            }
        }
    }

    async fn end_lost(&self, lost_ms: i64) -> Result<u64, JobError> {
        let mut ended = 0;
        loop {
            match self.lease.step(self.store.end_lost_stretches(Wall(self.now.0 - lost_ms))).await? {
                0 => return Ok(ended),
                some => ended += some,
            }
        }
    }
}
