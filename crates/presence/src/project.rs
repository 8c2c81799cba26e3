//! What one viewer may see of one entry, now. The only place where records meet viewers.

use std::sync::Arc;

use model::{AccountId, ChannelId, EntryId, OrganizationId, PeopleInterest, Relation, SharedRecord, UserId};
use policy::Sight;

use crate::{
    Presence,
    accounts::Account,
    channel::Channel,
    leak::{Leak, Leaks},
    people::User,
    table::{AccountKey, ChannelKey, Entry, EntryKey, Table, UserKey},
    view::{Place, Sights},
};

pub(crate) type Users = Table<UserId, UserKey, User>;
pub(crate) type Accounts = Table<AccountId, AccountKey, Account>;
pub(crate) type Channels = Table<ChannelId, ChannelKey, Channel>;

/// The truth, read only, while views take their turns.
#[derive(Clone, Copy)]
pub(crate) struct Projection<'a> {
    pub(crate) users: &'a Users,
    pub(crate) accounts: &'a Accounts,
    pub(crate) channels: &'a Channels,
    pub(crate) leaks: Leaks,
}

impl<'a> Sights<'a> for Projection<'a> {
    fn id(&self, entry: EntryKey) -> EntryId {
        match entry.entry() {
            Entry::Person(user) => EntryId::Person(self.users.id(user)),
            Entry::Account(account) => EntryId::Account(self.accounts.id(account)),
        }
    }

    /// What the viewer may see of `entry`; `None`: nothing, as if it were not there.
    fn record(&self, place: &Place, entry: EntryKey) -> Option<&'a Arc<SharedRecord>> {
        match entry.entry() {
            Entry::Person(subject) => self.person(place, subject),
            Entry::Account(account) => place.interest.accounts.then(|| self.account(place, account))?,
        }
    }
}

impl<'a> Projection<'a> {
    fn person(&self, place: &Place, subject: UserKey) -> Option<&'a Arc<SharedRecord>> {
        let user = self.users.at(subject)?;
        let member = user.member(place.channel)?;
        let record = match self.sight_in(place, subject, user) {
            Sight::Own => member.own.as_ref(),
            Sight::Public => member.public.as_ref(),
            Sight::Hidden => return None,
        };
        let leaky = self.leaks.has(Leak::HiddenListedOffline) && member.own.is_some();
        match place.interest.people {
            PeopleInterest::None => None,
            PeopleInterest::Present if leaky => record.or(user.offline.as_ref()),
            PeopleInterest::Present => record,
            PeopleInterest::Roster => record.or(user.offline.as_ref()),
        }
    }

    fn account(&self, place: &Place, account: AccountKey) -> Option<&'a Arc<SharedRecord>> {
        if !self.channels.at(place.channel)?.accounts.contains_key(&self.accounts.id(account)) {
            return None;
        }
        let viewer = self.users.at(place.viewer);
        let role = |organization| viewer?.facts()?.organizations.get(&organization).copied();
        self.accounts.at(account)?.form(self.users.id(place.viewer), role)
    }

    /// How many are here, seen or not: what a viewer must not learn.
    pub(crate) fn present_in(&self, channel: ChannelKey) -> usize {
        let people = self.channels.at(channel).into_iter().flat_map(|channel| channel.people.values());
        let members = people.filter_map(|user| self.users.at(*user)?.member(channel));
        members.filter(|member| member.own.is_some()).count()
    }

    /// Which form of somebody whom the channel lists its viewer gets. How they are related is mostly known by the channel,
    /// so that nothing of the viewer has to be looked at.
    fn sight_in(&self, place: &Place, subject: UserKey, of_subject: &User) -> Sight {
        let known = |relation| match relation {
            Relation::SameUser => place.viewer == subject,
            other if place.related == Some(other) => true,
            other => self.relates(other, place.viewer, subject),
        };
        policy::sight(known, of_subject.settings())
    }

    // For each entry of a list: without the word it is a call of its own since others ask it too, 6 % of a snapshot.
    #[inline]
    fn relates(&self, relation: Relation, viewer: UserKey, subject: UserKey) -> bool {
        let facts = |key| Some((self.users.id(key), self.users.at(key)?.facts()?));
        let both = facts(viewer).zip(facts(subject));
        both.is_some_and(|(viewer, subject)| policy::relates(relation, viewer, subject))
    }

    /// Which form of the subject the viewer gets.
    pub(crate) fn sight(&self, viewer: UserKey, subject: UserKey) -> Sight {
        let settings = self.users.at(subject).and_then(User::settings);
        policy::sight(|relation| self.relates(relation, viewer, subject), settings)
    }
}

impl Presence {
    /// The records of an organization's occupied accounts that the viewer may see, sorted by id; `None`: to the viewer
    /// there is no such organization.
    #[must_use]
    pub fn accounts_of(
        &self,
        viewer: UserId,
        organization: OrganizationId,
    ) -> Option<Vec<Arc<SharedRecord>>> {
        let user = self.users.get(&viewer).filter(|user| user.is_admitted())?;
        let role = *user.facts()?.organizations.get(&organization)?;
        let listed = self.channels.get(&ChannelId::Organization(organization));
        let accounts = listed.into_iter().flat_map(|channel| channel.accounts.values());
        let shown = accounts.filter_map(|key| self.accounts.at(*key)?.form(viewer, |_| Some(role)));
        Some(shown.cloned().collect())
    }
}
