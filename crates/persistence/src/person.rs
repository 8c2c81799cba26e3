//! All that is stored about one person: read it out, erase it.

use async_trait::async_trait;
use model::{UserId, Wall};

use crate::StoreError;

/// The parts of an export, in their order. Each has the rows of one table that are of, or about, that person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportPart {
    /// What the directory says of them: one row.
    User,
    /// `user_organizations`.
    Memberships,
    /// `wedding_collaborations`, as supplier or client.
    Collaborations,
    /// `presence_settings`.
    Settings,
    /// `user_last_seen`.
    LastSeen,
    /// `presence_activity_logs`, without what is archived.
    Activity,
    /// Stretches of sessions.
    Sessions,
    /// Rollups of activity.
    Rollups,
    /// Rollups of pages.
    Pages,
    /// `account_presence`.
    Occupancy,
    /// `access_codes` for them, without the hash.
    AccessCodes,
    /// `operation_results`.
    Operations,
    /// `presence_audit`: their settings, and what they did or what was done to them, without the ids of others.
    Audit,
}

impl ExportPart {
    /// All of them, in order.
    pub const ALL: &[Self] = &[
        Self::User,
        Self::Memberships,
        Self::Collaborations,
        Self::Settings,
        Self::LastSeen,
        Self::Activity,
        Self::Sessions,
        Self::Rollups,
        Self::Pages,
        Self::Occupancy,
        Self::AccessCodes,
        Self::Operations,
        Self::Audit,
    ];

    /// The key in the exported document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Memberships => "memberships",
            Self::Collaborations => "collaborations",
            Self::Settings => "settings",
            Self::LastSeen => "lastSeen",
            Self::Activity => "activity",
            Self::Sessions => "sessions",
            Self::Rollups => "rollups",
            Self::Pages => "pages",
            Self::Occupancy => "occupancy",
            Self::AccessCodes => "accessCodes",
            Self::Operations => "operations",
            Self::Audit => "audit",
        }
    }
}

/// Rows of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// One JSON object each, with the columns' names as keys.
    pub rows: Vec<String>,
    /// Where the next page begins; `None`: this was the last one. Only the store that made it reads it.
    pub next: Option<String>,
}

/// Rows of one page of an export. 1,000 x about 500 B = 0.5 MB.
pub const EXPORT_ROWS: usize = 1_000;

/// One erasure whose archives may still hold something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenErasure {
    /// Whose.
    pub user: UserId,
    /// When.
    pub at: Wall,
}

/// What is stored about one person.
#[async_trait]
pub trait Person: Send + Sync + 'static {
    /// At most [`EXPORT_ROWS`] rows of one part, after where the page before ended. Nobody else's rows, and of rows
    /// that name others, not who the others are.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn export_page(
        &self,
        user: UserId,
        part: ExportPart,
        after: Option<String>,
    ) -> Result<ExportPage, StoreError>;

    /// Erases all that is stored about a person, as removing them from the directory would, but for what the directory
    /// says: settings, last-seen, activity, sessions, rollups, occupancy, access codes and results of operations go;
    /// the audit keeps a random pseudonym, and a row of its own for the erasure. What stays is that they are hidden: a row
    /// of settings with visibility `nobody` and `show_activity` off, in which the person is marked as erased
    /// ([`model::UserFacts::erased`]). Until somebody changes the visibility to another one, through the hub or by SQL,
    /// nothing at all is written of them, by no hub; after that nothing that was noted before it.
    ///
    /// First, in one transaction, they are hidden and marked, and an erasure is opened (see [`Person::open_erasures`]), as
    /// removing a user from the directory opens one; then the rest goes. Broken off, it is finished by being asked again,
    /// or by [`Person::close_erasure`].
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`], and where the store is not to be had.
    async fn erase(&self, user: UserId, at: Wall) -> Result<(), StoreError>;

    /// Erasures whose archives may still hold something, oldest first.
    ///
    /// # Errors
    /// As [`Person::export_page`].
    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError>;

    /// No archive holds anything any more of what this erasure erased. The store looks once more for rows of that person
    /// from before it, removes them, and forgets whose it was.
    ///
    /// # Errors
    /// As [`Person::export_page`].
    async fn close_erasure(&self, erasure: OpenErasure) -> Result<(), StoreError>;
}
