//! One who follows the changes of a store, as the hub does.

use model::{AccountId, AccountState, UserFacts, UserId};

use super::Shared;
use crate::{Changes, Cursor, Pick};

/// A follower with a cursor of its own.
pub(super) struct Follower {
    store: Shared,
    cursor: Cursor,
}

/// All whose facts may have changed, as they are now; `None`: gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    pub(super) users: Vec<(UserId, Option<UserFacts>)>,
    pub(super) accounts: Vec<(AccountId, Option<AccountState>)>,
}

impl Follower {
    /// Follows from now on.
    pub(super) async fn new(store: &Shared) -> Self {
        let cursor = store.cursor().await.expect("the store can be read");
        Self { store: store.clone(), cursor }
    }

    /// What changed since the last time.
    pub(super) async fn found(&mut self) -> Changes {
        let changes = self.store.changes(&self.cursor).await.expect("the store can be read");
        assert!(!changes.all, "a cursor of this very moment reaches back far enough");
        assert!(changes.users.is_sorted_by(|one, next| one < next), "{:?}", changes.users);
        assert!(changes.accounts.is_sorted_by(|one, next| one < next), "{:?}", changes.accounts);
        self.cursor = changes.cursor.clone();
        changes
    }

    /// The facts of those who were found.
    pub(super) async fn learn(&mut self) -> Learned {
        let Changes { users: changed_users, accounts: changed_accounts, .. } = self.found().await;
        let users = self.store.users(Pick::These(changed_users.clone())).await.unwrap();
        let accounts = self.store.accounts(Pick::These(changed_accounts.clone())).await.unwrap();
        Learned { users: paired(&changed_users, users), accounts: paired(&changed_accounts, accounts) }
    }
}

/// Each id with its facts. Both lists are sorted by id.
fn paired<Id: Copy + Ord, Facts>(ids: &[Id], facts: Vec<(Id, Facts)>) -> Vec<(Id, Option<Facts>)> {
    let mut facts = facts.into_iter().peekable();
    let paired =
        ids.iter().map(|id| (*id, facts.next_if(|(found, _)| found == id).map(|(_, facts)| facts))).collect();
    assert!(facts.next().is_none(), "facts of somebody who was not asked for, or not in order");
    paired
}
