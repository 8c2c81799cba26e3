//! Nobody does jobs over the line; they are there because every store has them.

use async_trait::async_trait;
use model::Wall;
use persistence::{
    Archive, ArchivedRows, Expired, Holder, JobRecord, Jobs, RolledUp, StoreError, Upkeep, Week, Written,
};
use uuid::Uuid;

use super::Line;

#[async_trait]
impl Jobs for Line {
    async fn take_job(&self, name: &str, holder: Holder, every_ms: i64) -> Result<bool, StoreError> {
        self.store.take_job(name, holder, every_ms).await
    }

    async fn leave_job(&self, name: &str, holder: Holder, report: &str) -> Result<(), StoreError> {
        self.store.leave_job(name, holder, report).await
    }

    async fn give_up_job(&self, name: &str, holder: Holder) -> Result<(), StoreError> {
        self.store.give_up_job(name, holder).await
    }

    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.store.jobs().await
    }
}

#[async_trait]
impl Upkeep for Line {
    async fn expire(&self, now: Wall) -> Result<Expired, StoreError> {
        self.store.expire(now).await
    }

    async fn make_room(&self) -> Result<u64, StoreError> {
        self.store.make_room().await
    }

    async fn end_lost_stretches(&self, seen_before: Wall) -> Result<u64, StoreError> {
        self.store.end_lost_stretches(seen_before).await
    }

    async fn drop_old_totals(&self, before: Wall) -> Result<u64, StoreError> {
        self.store.drop_old_totals(before).await
    }

    async fn roll_up(&self, buckets: usize) -> Result<RolledUp, StoreError> {
        self.store.roll_up(buckets).await
    }

    async fn mark_for_rollup(&self, from: Wall, until: Wall) -> Result<u64, StoreError> {
        self.store.mark_for_rollup(from, until).await
    }
}

#[async_trait]
impl Archive for Line {
    async fn old_weeks(&self, before: Wall, restored_before: Wall) -> Result<Vec<Week>, StoreError> {
        self.store.old_weeks(before, restored_before).await
    }

    async fn set_week_aside(&self, week: Week) -> Result<(), StoreError> {
        self.store.set_week_aside(week).await
    }

    async fn week_rows(
        &self,
        week: Week,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<ArchivedRows, StoreError> {
        self.store.week_rows(week, after, limit).await
    }

    async fn drop_week(&self, week: Week, rows: u64) -> Result<bool, StoreError> {
        self.store.drop_week(week, rows).await
    }

    async fn restore_week(&self, week: Week, at: Wall) -> Result<(), StoreError> {
        self.store.restore_week(week, at).await
    }

    async fn end_restoration(&self, week: Week) -> Result<(), StoreError> {
        self.store.end_restoration(week).await
    }

    async fn restore_rows(&self, week: Week, rows: &[String]) -> Result<Written, StoreError> {
        self.store.restore_rows(week, rows).await
    }
}
