//! What a store does to be kept in order, step by step. Each step is one transaction or may be made again, so that a
//! job that was killed in the middle is simply begun again.

use async_trait::async_trait;
use model::Wall;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::StoreError;

/// Milliseconds of the stretch of time that one row of a rollup covers: a quarter of an hour, because the clocks of all
/// time zones differ by whole quarters.
pub const BUCKET_MS: i64 = 15 * 60 * 1_000;
/// How long a job is one hub's without a word from it, in milliseconds, by the store's clock.
pub const LEASE_MS: i64 = 60_000;

/// Who does a job: a random name, made for each run.
pub type Holder = Uuid;

/// A job that was done, for whoever asks how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The job's name.
    pub name: String,
    /// When it was done last, by the store's clock.
    pub finished: Option<i64>,
    /// What it said then, as JSON.
    pub report: Option<String>,
}

/// What expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expired {
    /// Results of operations, kept for [`crate::OPERATION_KEPT_MS`].
    pub operation_results: u64,
    /// Access codes that ended more than [`CODE_KEPT_MS`] ago.
    pub access_codes: u64,
}

/// How long an access code is kept after its end, in milliseconds: 30 days, for whoever looks why it does not work.
pub const CODE_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What is rolled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledUp {
    /// Quarters of an hour.
    pub buckets: u64,
    /// Whether more wait.
    pub more: bool,
}

/// Who does which job: one hub at a time, whichever comes first.
#[async_trait]
pub trait Jobs: Send + Sync + 'static {
    /// Gives the job to `holder`, where nobody has it, or whoever had it has not been heard of for [`LEASE_MS`], and
    /// where it was not done within the last `every_ms` (0: whenever it is asked for). Asked again by the holder, it
    /// is kept for another [`LEASE_MS`]. All by the store's clock; whether it was given.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn take_job(&self, name: &str, holder: Holder, every_ms: i64) -> Result<bool, StoreError>;

    /// The holder has done the job; `report` is JSON. A holder that lost the job in the meantime changes nothing.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn leave_job(&self, name: &str, holder: Holder, report: &str) -> Result<(), StoreError>;

    /// The holder could not do the job: whoever comes next may have it at once. A holder that lost it changes nothing.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn give_up_job(&self, name: &str, holder: Holder) -> Result<(), StoreError>;

    /// How jobs went, by name.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError>;
}

/// What grows or runs out is looked after here.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Drops what expired, and forgets old changes.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn expire(&self, now: Wall) -> Result<Expired, StoreError>;

    /// Makes room in the activity log for the next four weeks; how many weeks were made.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn make_room(&self) -> Result<u64, StoreError>;

    /// Ends stretches of sessions without a sign of life since `seen_before`, at their last one: their hub was killed. At
    /// most [`crate::BATCH_ROWS`] at once; how many.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn end_lost_stretches(&self, seen_before: Wall) -> Result<u64, StoreError>;

    /// Drops stretches and rollups from before `before`. At most [`crate::BATCH_ROWS`] of each at once; how many.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn drop_old_totals(&self, before: Wall) -> Result<u64, StoreError>;

    /// Rolls up again the quarters of an hour in which something was written, at most `buckets` of them, from the raw
    /// rows. Where the raw rows of a quarter were archived, its rollup stays as it is.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn roll_up(&self, buckets: usize) -> Result<RolledUp, StoreError>;

    /// Notes that all quarters of an hour between two instants that have raw rows are to be rolled up again; how many.
    ///
    /// # Errors
    /// As [`Jobs::take_job`].
    async fn mark_for_rollup(&self, from: Wall, until: Wall) -> Result<u64, StoreError>;
}
