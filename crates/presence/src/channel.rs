//! A channel: what it lists and who looks at it.

use std::collections::BTreeMap;

use model::{AccountId, EntryId, Interest, PeopleInterest, UserId};

use crate::{
    table::{AccountKey, EntryKey, UserKey},
    view::ViewKey,
};

/// What a channel lists and who looks at it.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    /// Everybody who belongs to the channel, here or not.
    pub(crate) people: BTreeMap<UserId, UserKey>,
    /// The accounts it lists, held or not.
    pub(crate) accounts: BTreeMap<AccountId, AccountKey>,
    /// The views on it.
    pub(crate) viewers: Viewers,
}

impl Channel {
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.accounts.is_empty() && self.viewers.is_empty()
    }

    /// Whether the entry belongs to the channel.
    pub(crate) fn lists(&self, entry: EntryId) -> bool {
        match entry {
            EntryId::Person(user) => self.people.contains_key(&user),
            EntryId::Account(account) => self.accounts.contains_key(&account),
        }
    }

    /// Every entry that a view with this interest could ever show, in the order of their ids.
    pub(crate) fn entries(&self, interest: Interest) -> impl Iterator<Item = EntryKey> {
        let people = (interest.people != PeopleInterest::None).then_some(&self.people);
        let accounts = interest.accounts.then_some(&self.accounts);
        let people = people.into_iter().flat_map(|people| people.values().copied().map(EntryKey::from));
        people.chain(accounts.into_iter().flat_map(|accounts| accounts.values().copied().map(EntryKey::from)))
    }
}

/// Views with their viewers, together where the viewer is the same. Marked one after the other, so they lie so.
#[derive(Debug, Default)]
pub(crate) struct Viewers(Vec<(UserKey, ViewKey)>);

impl Viewers {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (UserKey, ViewKey)> {
        self.0.iter().copied()
    }

    /// The views of one viewer.
    pub(crate) fn of(&self, viewer: UserKey) -> impl Iterator<Item = ViewKey> {
        let first = self.0.partition_point(|(other, _)| *other < viewer);
        self.0[first..].iter().take_while(move |(other, _)| *other == viewer).map(|(_, view)| *view)
    }

    pub(crate) fn insert(&mut self, viewer: UserKey, view: ViewKey) {
        let at = self.0.partition_point(|other| *other < (viewer, view));
        self.0.insert(at, (viewer, view));
    }

    pub(crate) fn remove(&mut self, viewer: UserKey, view: ViewKey) {
        if let Ok(at) = self.0.binary_search(&(viewer, view)) {
            self.0.remove(at);
        }
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }
}
