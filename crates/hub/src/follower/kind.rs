//! The two kinds of facts that are followed. What is done with them is the same.

use std::collections::BTreeSet;

use model::{AccountFacts, AccountId, UserFacts, UserId};
use persistence::{Pick, Store, StoreError};
use presence::Input;

use super::Follower;
use crate::veil::Veils;

/// What was read, sorted by id.
type Page<Id, Facts> = Result<Vec<(Id, Facts)>, StoreError>;

/// One kind of facts: where they are read, and how they are shown.
pub(super) trait Kind {
    type Id: Copy + Ord + Send + Sync;
    type Facts: Send;

    fn read(
        store: &dyn Store,
        pick: Pick<Self::Id>,
    ) -> impl Future<Output = Page<Self::Id, Self::Facts>> + Send;

    /// Of whom the heart was told.
    fn told(follower: &mut Follower) -> &mut BTreeSet<Self::Id>;

    fn input(id: Self::Id, facts: Option<Self::Facts>, veils: &Veils) -> Input;

    /// Whether what waits to be written of them is not to be: told before the facts are shown.
    fn note_gone(_: Self::Id, _: Option<&Self::Facts>, _: &mut Follower) {}
}

pub(super) struct Users;

impl Kind for Users {
    type Id = UserId;
    type Facts = UserFacts;

    async fn read(store: &dyn Store, pick: Pick<UserId>) -> Page<UserId, UserFacts> {
        store.users(pick).await
    }

    fn told(follower: &mut Follower) -> &mut BTreeSet<UserId> {
        &mut follower.users
    }

    fn input(user: UserId, mut facts: Option<UserFacts>, veils: &Veils) -> Input {
        if let Some(facts) = &mut facts {
            facts.settings = facts.settings.take().map(|settings| veils.over(user, settings));
        }
        Input::Facts { user, facts }
    }

    fn note_gone(user: UserId, facts: Option<&UserFacts>, follower: &mut Follower) {
        let gone = match facts {
            None => follower.users.contains(&user),
            Some(facts) if facts.erased => follower.erased.insert(user),
            Some(_) => false,
        };
        if !facts.is_some_and(|facts| facts.erased) {
            follower.erased.remove(&user);
        }
        if gone {
            follower.gone.insert(user);
        }
    }
}

pub(super) struct Accounts;

impl Kind for Accounts {
    type Id = AccountId;
    type Facts = AccountFacts;

    async fn read(store: &dyn Store, pick: Pick<AccountId>) -> Page<AccountId, AccountFacts> {
        store.accounts(pick).await
    }

    fn told(follower: &mut Follower) -> &mut BTreeSet<AccountId> {
        &mut follower.accounts
    }

    fn input(account: AccountId, facts: Option<AccountFacts>, _: &Veils) -> Input {
        Input::Account { account, facts }
    }
}
