//! A channel: what it lists and who looks at it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{AccountId, EntryId, Interest, PeopleInterest, SessionId, SharedRecord, SubscriptionId, UserId};

/// A view, by the session that owns it.
pub(crate) type ViewId = (SessionId, SubscriptionId);

/// What a channel lists and who looks at it.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    /// Everybody who belongs to the channel, here or not.
    pub(crate) people: BTreeMap<UserId, Member>,
    /// The accounts it lists, held or not.
    pub(crate) accounts: BTreeSet<AccountId>,
    /// The views on it, by viewer.
    pub(crate) viewers: BTreeMap<UserId, BTreeSet<ViewId>>,
}

/// One person in one channel: the records made of them, shared by all who get the same.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// For those who may see them; `None`: not here.
    pub(crate) public: Option<Arc<SharedRecord>>,
    /// For themself; differs from `public` by hidden fields, and while they appear offline.
    pub(crate) own: Option<Arc<SharedRecord>>,
}

impl Channel {
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.accounts.is_empty() && self.viewers.is_empty()
    }

    /// Whether the entry belongs to the channel.
    pub(crate) fn lists(&self, entry: EntryId) -> bool {
        match entry {
            EntryId::Person(user) => self.people.contains_key(&user),
            EntryId::Account(account) => self.accounts.contains(&account),
        }
    }

    /// Every entry that a view with this interest could ever show.
    pub(crate) fn entries(&self, interest: Interest) -> impl Iterator<Item = EntryId> {
        let people = (interest.people != PeopleInterest::None).then_some(&self.people);
        let accounts = interest.accounts.then_some(&self.accounts);
        let people = people.into_iter().flat_map(|people| people.keys().copied().map(EntryId::Person));
        people.chain(accounts.into_iter().flatten().copied().map(EntryId::Account))
    }

    pub(crate) fn remove_view(&mut self, viewer: UserId, view: ViewId) {
        if let Some(views) = self.viewers.get_mut(&viewer) {
            views.remove(&view);
            if views.is_empty() {
                self.viewers.remove(&viewer);
            }
        }
    }
}
