//! The two kinds of facts that are followed. What is done with them is the same.

use std::collections::BTreeSet;

use model::{AccountId, AccountState, UserFacts, UserId};
use persistence::{Pick, Store, StoreError};
use presence::Input;

use super::Follower;
use crate::Gone;

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

    /// What else follows from it: told before it is shown.
    fn note(id: Self::Id, facts: Option<&Self::Facts>, follower: &mut Follower);

    /// Shows what was read at one instant.
    fn show(
        read: Vec<(Self::Id, Option<Self::Facts>)>,
        follower: &Follower,
    ) -> impl Future<Output = Result<(), Gone>> + Send;
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

    /// One by one: each passes the gate of the veils, and a page of people is much to show at once.
    async fn show(read: Vec<(UserId, Option<UserFacts>)>, follower: &Follower) -> Result<(), Gone> {
        for (user, mut facts) in read {
            let veils = follower.ways.gate.lock().await;
            if let Some(facts) = &mut facts {
                facts.settings = facts.settings.take().map(|settings| veils.over(user, settings));
            }
            follower.hub.send(Input::Facts { user, facts }).await?;
        }
        Ok(())
    }

    fn note(user: UserId, facts: Option<&UserFacts>, follower: &mut Follower) {
        if facts.is_some_and(|facts| facts.disabled) {
            follower.ways.extensions.show_disabled(user);
        }
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
    type Facts = AccountState;

    async fn read(store: &dyn Store, pick: Pick<AccountId>) -> Page<AccountId, AccountState> {
        store.accounts(pick).await
    }

    fn told(follower: &mut Follower) -> &mut BTreeSet<AccountId> {
        &mut follower.accounts
    }

    fn note(account: AccountId, state: Option<&AccountState>, follower: &mut Follower) {
        follower.ways.extensions.show_account(account, state);
    }

    /// All as one: whoever moved from one account to another is at no time seen in both.
    async fn show(read: Vec<(AccountId, Option<AccountState>)>, follower: &Follower) -> Result<(), Gone> {
        if read.is_empty() {
            return Ok(());
        }
        follower.hub.send(Input::Together(read.into_iter().flat_map(of_account).collect())).await
    }
}

fn of_account((account, state): (AccountId, Option<AccountState>)) -> Vec<Input> {
    let (facts, occupancy) = state.map(|state| (state.facts, state.occupancy)).unzip();
    let is_there = facts.is_some();
    let facts = Input::Account { account, facts };
    // An account that is gone is free as well.
    let occupancy = is_there.then(|| Input::Occupancy { account, occupancy: occupancy.flatten() });
    [facts].into_iter().chain(occupancy).collect()
}
