//! Who works in which account: access codes, the clock-ins made with them, and how they end.
//!
//! At most one assistant in an account, at most one account of an assistant in an organization. Every call is one
//! transaction with its entry in the audit, committed when it returns. Times are the store's, so that hubs whose clocks
//! differ agree on who is lost.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use model::{AccessCodeId, AccountId, CleanText, Hold, OrganizationId, UserId, Wall};

use crate::{OperationId, Principal, StoreError};

/// What is stored of an access code: SHA-256 of its text. The text has 100 random bits, so that no salt is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeHash(pub [u8; 32]);

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(…)")
    }
}

/// The key with which the hubs of one store sign the tokens of extensions. Random, made with the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenKey(pub [u8; 32]);

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// An access code to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// Its random name.
    pub id: AccessCodeId,
    /// Its hash.
    pub hash: CodeHash,
    /// Where it is good.
    pub organization: OrganizationId,
    /// Whose it is: a member.
    pub user: UserId,
    /// An owner or admin.
    pub by: Principal,
    /// How long it is good.
    pub lasts: Duration,
    /// How many clock-ins and moves it is good for; `None`: any number.
    pub max_uses: Option<u32>,
    /// The operation's name, where the client gave one. Compared is what was asked for: all but `id` and `hash`.
    pub operation: Option<OperationId>,
}

/// What an owner or admin may know of an access code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessCode {
    /// Its name.
    pub id: AccessCodeId,
    /// Where it is good.
    pub organization: OrganizationId,
    /// Whose it is.
    pub user: UserId,
    /// When it was made.
    pub created_at: Wall,
    /// When it ends.
    pub expires_at: Wall,
    /// When it was revoked.
    pub revoked_at: Option<Wall>,
    /// How many clock-ins and moves it is good for; `None`: any number.
    pub max_uses: Option<u32>,
    /// How many were made with it.
    pub uses: u32,
}

/// An access code that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// The code, as it is now.
    pub code: AccessCode,
    /// Whether it was made by an earlier call under the same name: the text of this call is then worth nothing, and
    /// the earlier one was shown once.
    pub again: bool,
}

/// An access code to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// An owner or admin.
    pub by: Principal,
    /// The code.
    pub code: AccessCodeId,
    /// Whether its assistant is clocked out of the organization, whichever code they came with.
    pub clock_out: bool,
    /// The operation's name, where the client gave one.
    pub operation: Option<OperationId>,
}

/// A clock-in with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockIn {
    /// The code.
    pub code: CodeHash,
    /// Where to.
    pub account: AccountId,
    /// The operation's name, where the client gave one.
    pub operation: Option<OperationId>,
}

/// Where an assistant is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockedIn {
    /// The hold.
    pub hold: Hold,
    /// Since when.
    pub since: Wall,
    /// What the assistant held before and holds no more; of the same organization.
    pub left: Option<AccountId>,
    /// Whether this call made the hold. Else it was there, or was made by an earlier call under the same name.
    pub new: bool,
}

/// A hold that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub hold: Hold,
    /// Whether this call ended it. Else it was ended by an earlier call under the same name.
    pub new: bool,
}

/// A hold to be ended by an owner or admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForceClear {
    /// An owner or admin of the account's organization.
    pub by: Principal,
    /// The account.
    pub account: AccountId,
    /// Whose hold is meant; `None`: whoever's it is.
    pub holder: Option<UserId>,
    /// Why, for the audit.
    pub reason: Option<CleanText>,
    /// The operation's name, where the client gave one.
    pub operation: Option<OperationId>,
}

/// A sign of life of an extension. Ages instead of times: the store has its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Whose.
    pub hold: Hold,
    /// How long ago the extension was heard of last.
    pub heard: Duration,
    /// How long ago something was done last; `None`: nothing since the sign before.
    pub active: Option<Duration>,
}

/// Access codes and occupancy.
///
/// An `operation` that was done before, within [`crate::OPERATION_KEPT_MS`] and with the same body, is not done again:
/// its result is what it was then. Names of different users never meet; a clock-in is its assistant's. Who may not have a
/// code made or clock in any more is refused as if there were no such result, which would let them see or come in again.
#[async_trait]
pub trait Occupancies: Send + Sync + 'static {
    /// The key with which tokens of extensions are signed, the same for every hub of this store.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn token_key(&self) -> Result<TokenKey, StoreError>;

    /// Makes an access code.
    ///
    /// # Errors
    /// [`StoreError::UnknownOrganization`] (also to who is not in it), [`StoreError::Forbidden`],
    /// [`StoreError::UnknownUser`] where `user` is no member, or the code that was made under this name is gone,
    /// [`StoreError::TooManyCodes`], [`StoreError::OperationConflict`], and where the store is not to be had.
    async fn mint_code(&self, code: NewCode) -> Result<Minted, StoreError>;

    /// The codes of an organization that are kept, newest first, at most [`model::limits::ACCESS_CODES_LISTED`].
    ///
    /// # Errors
    /// [`StoreError::UnknownOrganization`], [`StoreError::Forbidden`], and where the store is not to be had.
    async fn access_codes(
        &self,
        by: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<AccessCode>, StoreError>;

    /// Ends an access code, and the hold of its assistant where that is asked for: which hold it was. A code that is
    /// revoked already stays so.
    ///
    /// # Errors
    /// [`StoreError::UnknownCode`] (also to who is not in its organization), [`StoreError::Forbidden`],
    /// [`StoreError::OperationConflict`], and where the store is not to be had.
    async fn revoke_code(&self, revocation: Revocation) -> Result<Option<Ended>, StoreError>;

    /// Clocks an assistant in to an account, or moves them there from the account of the organization that they hold:
    /// then a reader sees either the one or the other. For the account they hold nothing changes, and no use is
    /// counted; this works with a code that is used up as long as it is the one they came with.
    ///
    /// # Errors
    /// [`StoreError::InvalidCode`] for every code that is not good, first of all and in the same way: unknown, used
    /// up, expired, revoked, or of somebody who is disabled or no member any more. So also where it was done before under
    /// this name, but for a code that is used up by now. Then
    /// [`StoreError::UnknownAccount`] where the code's organization has no such account,
    /// [`StoreError::Occupied`] where somebody else holds it, [`StoreError::OperationConflict`]; and where the store
    /// is not to be had. Nothing was changed, and no use counted.
    async fn clock_in(&self, clock_in: ClockIn) -> Result<ClockedIn, StoreError>;

    /// Moves an assistant from the hold they have to another account, with no use of the code counted.
    ///
    /// # Errors
    /// [`StoreError::NotHeld`] first; [`StoreError::InvalidCode`] where the code they came with is revoked or
    /// expired; the others as [`Occupancies::clock_in`].
    async fn change_account(
        &self,
        hold: Hold,
        to: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, StoreError>;

    /// Ends a hold by its assistant's wish.
    ///
    /// # Errors
    /// [`StoreError::NotHeld`], [`StoreError::OperationConflict`], and where the store is not to be had.
    async fn clock_out(&self, hold: Hold, operation: Option<OperationId>) -> Result<Ended, StoreError>;

    /// Ends whatever hold of an account there is: which it was.
    ///
    /// # Errors
    /// [`StoreError::UnknownAccount`] (also to who is not in its organization), [`StoreError::Forbidden`],
    /// [`StoreError::NotHeld`] where nobody holds it, or somebody else than was meant,
    /// [`StoreError::OperationConflict`], and where the store is not to be had.
    async fn force_clear(&self, clear: ForceClear) -> Result<Ended, StoreError>;

    /// Whether a hold lasts, and since when. No sign of life.
    ///
    /// # Errors
    /// [`StoreError::NotHeld`] (also where its assistant is disabled), and where the store is not to be had.
    async fn find_hold(&self, hold: Hold) -> Result<ClockedIn, StoreError>;

    /// Writes signs of life; those of holds that are over are passed over. Times never go back. A hold that is stale,
    /// and was heard of less than `stale_after` ago, is so no more, and its inactivity is counted from now. Then ends
    /// those of `signs` in which nothing was done for `inactive_after`: these are returned.
    ///
    /// At most [`model::limits::SIGNS_AT_ONCE`].
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn write_signs(
        &self,
        signs: &[Sign],
        stale_after: Duration,
        inactive_after: Duration,
    ) -> Result<Vec<Hold>, StoreError>;

    /// Marks the holds stale that were not heard of for `stale_after`: how many. They last. Where they are many, it is done
    /// in several transactions.
    ///
    /// # Errors
    /// Where the store is not to be had; some may be marked then.
    async fn mark_stale(&self, stale_after: Duration) -> Result<u64, StoreError>;
}
