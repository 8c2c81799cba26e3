//! What one viewer may see of one entry, now. The only place where records meet viewers.

use std::{collections::BTreeMap, sync::Arc};

use model::{AccountId, ChannelId, EntryId, Interest, PeopleInterest, SharedRecord, UserId};
use policy::Sight;

use crate::{
    accounts::Account,
    channel::Channel,
    leak::{Leak, Leaks},
    people::User,
};

/// The truth, read only, while views take their turns.
#[derive(Clone, Copy)]
pub(crate) struct Projection<'a> {
    pub(crate) users: &'a BTreeMap<UserId, User>,
    pub(crate) accounts: &'a BTreeMap<AccountId, Account>,
    pub(crate) channels: &'a BTreeMap<ChannelId, Channel>,
    pub(crate) leaks: Leaks,
}

impl<'a> Projection<'a> {
    /// What `viewer` may see of `entry` in `channel`; `None`: nothing, as if it were not there.
    pub(crate) fn of(
        &self,
        viewer: UserId,
        channel: ChannelId,
        interest: Interest,
        entry: EntryId,
    ) -> Option<&'a Arc<SharedRecord>> {
        match entry {
            EntryId::Person(subject) => self.person(viewer, channel, interest.people, subject),
            EntryId::Account(account) => interest.accounts.then(|| self.account(viewer, channel, account))?,
        }
    }

    fn person(
        &self,
        viewer: UserId,
        channel: ChannelId,
        interest: PeopleInterest,
        subject: UserId,
    ) -> Option<&'a Arc<SharedRecord>> {
        let member = self.channels.get(&channel)?.people.get(&subject)?;
        let user = self.users.get(&subject)?;
        let record = match self.sight(viewer, subject) {
            Sight::Own => member.own.as_ref(),
            Sight::Public => member.public.as_ref(),
            Sight::Hidden => return None,
        };
        let leaky = self.leaks.has(Leak::HiddenListedOffline) && member.own.is_some();
        match interest {
            PeopleInterest::None => None,
            PeopleInterest::Present if leaky => record.or(user.offline.as_ref()),
            PeopleInterest::Present => record,
            PeopleInterest::Roster => record.or(user.offline.as_ref()),
        }
    }

    fn account(
        &self,
        viewer: UserId,
        channel: ChannelId,
        account: AccountId,
    ) -> Option<&'a Arc<SharedRecord>> {
        if !self.channels.get(&channel)?.accounts.contains(&account) {
            return None;
        }
        let role = |organization| self.users.get(&viewer)?.facts()?.organizations.get(&organization).copied();
        self.accounts.get(&account)?.form(viewer, role)
    }

    /// Which form of the subject the viewer gets.
    pub(crate) fn sight(&self, viewer: UserId, subject: UserId) -> Sight {
        let facts = |id| self.users.get(&id).and_then(User::facts);
        match (facts(viewer), facts(subject)) {
            (Some(viewer_facts), Some(subject_facts)) => policy::sight(
                policy::relations((viewer, viewer_facts), (subject, subject_facts)),
                subject_facts.settings.as_ref(),
            ),
            _ => Sight::Hidden,
        }
    }
}
