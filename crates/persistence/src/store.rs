//! What a store does, in the words of the domain. Knows no database.

use std::fmt;

use async_trait::async_trait;
use model::{
    CleanText, DirectoryChange, OrganizationId, Settings, SettingsPatch, TextError, UserId, Wall, WeddingId,
    limits,
};
use uuid::Uuid;

use crate::{
    Analytics, Archive, Behind, Jobs, Names, Occupancies, Person, Truth, Upkeep, audited::AuditEntry,
};

/// How long the result of an operation is kept, in milliseconds: 24 h.
pub const OPERATION_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// The name a client gave to a durable operation; doing it again under that name does nothing more.
/// Names of different users never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub Uuid);

/// A change of one user's settings, by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsChange {
    /// Whose settings.
    pub user: UserId,
    /// Whether the platform's back-end asked for it, as that user.
    pub by_back_end: bool,
    /// What changes.
    pub patch: SettingsPatch,
    /// The operation's name, where the client gave one.
    pub operation: Option<OperationId>,
    /// When it is done.
    pub at: Wall,
    /// Whether it only hides: such a change is made even where the store is too busy for others.
    pub tightens: bool,
    /// Whether it has been in force for a while without being stored, so that others may have been made since: then only
    /// what it hides is stored, and what is hidden by now stays so.
    pub belated: bool,
}

/// Who changed the directory; written into the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A back-end with the service token.
    Service,
    /// An operator with a file.
    Import,
    /// A user.
    User(UserId),
    /// A back-end with the service token, as this user.
    As(UserId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Import => f.write_str("import"),
            Self::User(user) => write!(f, "user:{user}"),
            Self::As(user) => write!(f, "user:{user}/service"),
        }
    }
}

/// A user who asks for a change, by their own token or through the platform's back-end, which acts as them: the rights
/// are the user's, the audit tells the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user: UserId,
    /// Whether it is the back-end that asks.
    pub by_back_end: bool,
}

impl From<UserId> for Principal {
    fn from(user: UserId) -> Self {
        Self { user, by_back_end: false }
    }
}

impl From<Principal> for Actor {
    fn from(Principal { user, by_back_end }: Principal) -> Self {
        if by_back_end { Self::As(user) } else { Self::User(user) }
    }
}

impl SettingsChange {
    /// Who asked for it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal { user: self.user, by_back_end: self.by_back_end }
    }
}

/// One change in a user's history of settings. For that user alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsEntry {
    /// When.
    pub at: Wall,
    /// In force before.
    pub before: Settings,
    /// In force after.
    pub after: Settings,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is out of reach, busy, read-only, full or closed. Asking again later may help. Whether a
    /// write was done is open only where its commit was under way; an [`OperationId`] settles that.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operation's name was used by this user within 24 h with another body.
    #[error("this operation id was already used with another body")]
    OperationConflict,
    /// The directory has no such user.
    #[error("the directory has no such user")]
    UnknownUser,
    /// There is no such organization for whoever asks.
    #[error("there is no such organization")]
    UnknownOrganization,
    /// There is no such account for whoever asks.
    #[error("there is no such account")]
    UnknownAccount,
    /// There is no such access code for whoever asks.
    #[error("there is no such access code")]
    UnknownCode,
    /// Only owners and admins of the organization may do this.
    #[error("only owners and admins of the organization may do this")]
    Forbidden,
    /// The access code is not good: wrong, used up, expired or revoked. Which of them is not told.
    #[error("this access code is not valid")]
    InvalidCode,
    /// Somebody else holds the account.
    #[error("somebody else is clocked in to this account")]
    Occupied,
    /// That hold is over, or never was.
    #[error("this account is not held by that clock-in any more")]
    NotHeld,
    /// The member has [`limits::ACCESS_CODES_OF_A_MEMBER`] codes that are good.
    #[error(
        "a member has at most {} access codes that are good; revoke one first",
        limits::ACCESS_CODES_OF_A_MEMBER
    )]
    TooManyCodes,
    /// A text of the settings is too long. Nothing was changed.
    #[error(transparent)]
    Text(#[from] TextError),
    /// One of several changes is not possible; none of them was made.
    #[error("change {index} (the first one is 0): {reason}")]
    Invalid {
        /// Which change, counted from 0.
        index: usize,
        /// Why.
        reason: InvalidReason,
    },
    /// More changes at once than [`limits::DIRECTORY_CHANGES`]. None was made.
    #[error("{count} changes at once; at most {} are done in one transaction", limits::DIRECTORY_CHANGES)]
    TooManyChanges {
        /// How many there were.
        count: usize,
    },
    /// A rule of the database that is not the hub's: a constraint or a privilege of tables that the platform made.
    /// Nothing was changed; asking again does not help.
    #[error("the database refuses this: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be right: a damaged file, or rows that no hub wrote. Asking again does not help.
    #[error("the store is corrupt: {0}")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether asking again later may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Why a change of the directory is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// It names a user that is not there.
    #[error("there is no user {0}")]
    UnknownUser(UserId),
    /// It names an organization that is not there.
    #[error("there is no organization {0}")]
    UnknownOrganization(OrganizationId),
    /// It names a wedding that is not there.
    #[error("there is no wedding {0}")]
    UnknownWedding(WeddingId),
    /// A text is too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Nothing is left of a text that has to be there, once it is cleaned.
    #[error("{field} is empty")]
    Empty {
        /// The field as the protocol names it.
        field: &'static str,
    },
}

/// Cleans a name of the directory: NFC, no control characters, at most [`limits::NAME_CHARS`] characters.
///
/// # Errors
/// [`InvalidReason`] where it is too long or nothing is left of it.
pub fn clean_name(raw: &str, field: &'static str) -> Result<CleanText, InvalidReason> {
    CleanText::parse(raw, field, limits::NAME_CHARS)?.ok_or(InvalidReason::Empty { field })
}

/// A place where settings, the directory and last-seen are kept.
///
/// Every write is one transaction: committed with its audit row when the call returns, or not at all. A caller
/// that goes away in the middle cancels nothing: the write is finished or undone, never half done.
#[async_trait]
pub trait Store: Truth + Names + Occupancies + Behind + Jobs + Upkeep + Archive + Person + Analytics {
    /// Changes a user's settings, and returns what they came to. A change that changes nothing leaves no entry in the
    /// history. An operation done before, within [`OPERATION_KEPT_MS`] and with the same patch, is not done again: its
    /// result is what it was then, whatever is in force now.
    ///
    /// # Errors
    /// [`StoreError::UnknownUser`], [`StoreError::Text`], [`StoreError::OperationConflict`], and where the store
    /// is not to be had.
    async fn change_settings(&self, change: SettingsChange) -> Result<Settings, StoreError>;

    /// Makes all `changes` in their order, or none. Putting replaces; removing what is not there does nothing.
    /// With a user go memberships, collaborations, settings, last-seen and operations; the audit keeps a random
    /// pseudonym. Whoever is created again under that id is a new user.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the first impossible change; [`StoreError::TooManyChanges`]; and where the
    /// store is not to be had.
    async fn change_directory(
        &self,
        changes: Vec<DirectoryChange>,
        at: Wall,
        actor: Actor,
    ) -> Result<(), StoreError>;

    /// The changes of a user's settings, oldest first, at most the newest [`limits::HISTORY_ENTRIES`].
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn settings_history(&self, user: UserId) -> Result<Vec<SettingsEntry>, StoreError>;

    /// What the audit says of an organization, the newest first, of that instant and before: its holds, its access codes,
    /// and changes of the directory that mention it.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn audit(
        &self,
        organization: OrganizationId,
        until: Wall,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// Whether the store can be read and written now.
    ///
    /// # Errors
    /// Why not.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Waits for what is under way, then closes. Every later call is [`StoreError::Unavailable`].
    async fn close(&self);
}
