//! What is true now, and what has changed since: all that is ever shown comes from here, whoever wrote it.

use async_trait::async_trait;
use model::{AccountId, AccountState, UserFacts, UserId};

use crate::StoreError;

/// Users, or accounts, whose facts are read at once.
pub const PAGE: usize = 1_000;

/// A place in the changes of one store. Only that store can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Whose facts to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick<Id> {
    /// At most so many, in the order of their ids, after this one; `None`: from the first.
    Next(Option<Id>, usize),
    /// These, as far as they exist. At most [`PAGE`].
    These(Vec<Id>),
}

/// What changed after a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Where the next changes begin.
    pub cursor: Cursor,
    /// Users whose facts may be others now, or who are gone. Sorted, nobody twice.
    pub users: Vec<UserId>,
    /// Accounts whose facts may be others now, or that are gone. Sorted, none twice.
    pub accounts: Vec<AccountId>,
    /// All of those that are there, as of the very instant of `cursor`: who moved from one to another in between is in
    /// one of them. Sorted.
    pub account_states: Vec<(AccountId, AccountState)>,
    /// Whether more may have changed than is listed: everything is to be read again.
    pub all: bool,
}

/// Why a store wakes whoever follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something has changed.
    Changed,
    /// It could not listen for a while. Changes are still found by asking, but everything is to be read again, to be
    /// sure of it.
    Deaf,
}

/// The facts of a store, and their changes.
///
/// A change is committed before it is found here, and every committed change is found exactly by the first
/// [`Truth::changes`] that begins after its commit: also one that another program made, and one that began before
/// others but was committed after them.
#[async_trait]
pub trait Truth: Send + Sync + 'static {
    /// Where changes stand now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn cursor(&self) -> Result<Cursor, StoreError>;

    /// What changed after `since`. A store may forget changes after an hour, or where there are very many: to a cursor
    /// from before it says [`Changes::all`], and lists none. So it does of more than two pages of accounts. Any number of followers may ask.
    ///
    /// # Errors
    /// As [`Truth::cursor`].
    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError>;

    /// The facts of users, sorted by id, all as of one instant. Users without a row of settings have the
    /// installation's default.
    ///
    /// # Errors
    /// As [`Truth::cursor`].
    async fn users(&self, pick: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError>;

    /// The facts of accounts and who holds them, sorted by id, all as of one instant.
    ///
    /// # Errors
    /// As [`Truth::cursor`].
    async fn accounts(&self, pick: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError>;

    /// Returns when there is something to ask for before the next regular time. Dropped and called again, it misses
    /// nothing. A store that nobody else writes to never returns: its hub knows when it wrote.
    async fn woken(&self) -> Wake {
        std::future::pending().await
    }
}
