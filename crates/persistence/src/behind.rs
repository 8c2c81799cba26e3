//! What may lag: last-seen, activity and the time of sessions, as they are handed to a store in batches.

use async_trait::async_trait;
use model::{ActivityType, CleanText, Device, Metadata, OrganizationId, SessionId, UserId, Wall};
use uuid::Uuid;

use crate::StoreError;

/// Rows of one batch, and so of one statement.
pub const BATCH_ROWS: usize = 1_000;

/// When a user was last seen, and where. Replaces the one before it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// Who.
    pub user: UserId,
    /// When.
    pub at: Wall,
    /// On which page.
    pub page: Option<CleanText>,
    /// With which device.
    pub device: Option<Device>,
    /// What was done last, of what may be logged.
    pub activity: Option<ActivityType>,
    /// Whole minutes since the session began; 0 where nothing may be logged.
    pub session_minutes: u32,
}

/// One row of an organization's activity log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    /// Random, made when the activity was accepted: written twice, it is there once.
    pub id: Uuid,
    /// Whose log.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// What.
    pub kind: ActivityType,
    /// On which page.
    pub page: Option<CleanText>,
    /// When it was accepted.
    pub at: Wall,
    /// With which device.
    pub device: Option<Device>,
    /// In which session.
    pub session: Option<SessionId>,
    /// What else is said.
    pub metadata: Metadata,
}

/// What names a stretch of a session: the same session may be hidden in between, and begins anew then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StretchId {
    /// Whose log.
    pub organization: OrganizationId,
    /// The session.
    pub session: SessionId,
    /// When it began to count.
    pub started: Wall,
}

/// A stretch of a session that may be logged, as far as it is known. A later note of the same stretch replaces an earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which.
    pub id: StretchId,
    /// Whose session.
    pub user: UserId,
    /// The last sign of life. Never goes back.
    pub seen: Wall,
    /// Whether it is over, at `seen`. Never taken back.
    pub ended: bool,
    /// With which device.
    pub device: Option<Device>,
}

/// Activity that was accepted and had to be dropped: the mark it leaves, so that nobody takes the gap for silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Random: written twice, it is there once.
    pub id: Uuid,
    /// The first that was dropped.
    pub from: Wall,
    /// The last.
    pub until: Wall,
    /// How many rows.
    pub rows: u64,
    /// Why: `full`, `corrupt`, `refused`.
    pub reason: GapReason,
}

/// Why rows are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapReason {
    /// Memory and disk were full during an outage.
    Full,
    /// The hub's own file was damaged.
    Corrupt,
    /// The database will never take them.
    Refused,
}

/// What became of a batch that a store took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that are there now and were not before, or are newer now.
    pub written: u64,
    /// Rows passed over for good: of somebody unknown or erased since, or of a time that has no place in the log.
    pub passed_over: u64,
}

/// A place for what may lag. Every call is one transaction, and may be made again with the same rows: nothing is
/// doubled, and nothing goes back. At most [`BATCH_ROWS`] rows a call.
///
/// No call writes anything about a person that was noted before that person was erased, and an erasure waits for the
/// calls under way: what it removes does not come back.
#[async_trait]
pub trait Behind: Send + Sync + 'static {
    /// Writes last-seen, never backwards. Users that are not in the directory are passed over, and so are notes
    /// older than their user, or than the user's erasure.
    ///
    /// # Errors
    /// Where the store is not to be had; nothing was written then. [`StoreError::Refused`]: a row that the database
    /// will never take is among them.
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<Written, StoreError>;

    /// Writes activity, and notes which quarters of an hour are to be rolled up again. Rows are passed over of users
    /// and organizations that are not in the directory, as for [`Behind::write_last_seen`], and of a time for which
    /// the log has no place: archived, or too far ahead.
    ///
    /// # Errors
    /// As [`Behind::write_last_seen`].
    async fn write_activity(&self, batch: &[ActivityRow]) -> Result<Written, StoreError>;

    /// Writes stretches of sessions, and notes which quarters of an hour are to be rolled up again. Passed over as for
    /// [`Behind::write_activity`].
    ///
    /// # Errors
    /// As [`Behind::write_last_seen`].
    async fn write_stretches(&self, batch: &[Stretch]) -> Result<Written, StoreError>;

    /// Marks what is missing.
    ///
    /// # Errors
    /// As [`Behind::write_last_seen`].
    async fn write_gap(&self, gap: &Gap) -> Result<(), StoreError>;
}
