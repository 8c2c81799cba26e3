//! Accounts and who holds them. Where occupancy is decided is not known here: it arrives, and is shown.

use std::sync::Arc;

use model::{
    AccountFacts, AccountId, ChannelId, EntryId, Occupancy, OrganizationId, Role, SharedRecord, UserId,
};
use policy::AccountForms;

use crate::{Presence, channel::Channel, leak::Leak, people::User};

/// One account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) facts: Option<AccountFacts>,
    occupancy: Option<Occupancy>,
    /// The records made of the occupancy; `None`: the account is free.
    forms: Option<AccountForms<Arc<SharedRecord>>>,
    /// Whom they were made for.
    formed_for: Option<UserId>,
}

/// Who has to look again at an account.
#[derive(Clone, Copy)]
enum Concerned {
    Everybody,
    /// To other members it is what it was: held. A board of thousands may be seen by thousands.
    Administrators {
        and: [Option<UserId>; 2],
    },
}

impl Account {
    /// The record for `viewer`, whose role in an organization `role` tells.
    pub(crate) fn form(
        &self,
        viewer: UserId,
        role: impl FnOnce(OrganizationId) -> Option<Role>,
    ) -> Option<&Arc<SharedRecord>> {
        let role = role(self.facts.as_ref()?.organization);
        policy::account_form(self.forms.as_ref()?, viewer, role, self.occupancy.as_ref()?.user)
    }

    fn channels(&self, account: AccountId) -> Vec<ChannelId> {
        let organization = self.facts.as_ref().map(|facts| ChannelId::Organization(facts.organization));
        organization.into_iter().chain([ChannelId::Account(account)]).collect()
    }
}

impl Presence {
    pub(crate) fn change_account(&mut self, id: AccountId, facts: Option<AccountFacts>) {
        if facts.is_some() && self.accounts.get(&id).is_some_and(|account| account.facts == facts) {
            return;
        }
        let key = self.accounts.key_or_new(id);
        let account = self.accounts.row(id);
        let before = account.channels(id);
        let gone = facts.is_none();
        account.facts = facts;
        let after = if gone { Vec::new() } else { account.channels(id) };
        for channel in before.iter().filter(|channel| !after.contains(channel)) {
            self.channels.row(*channel).accounts.remove(&id);
        }
        for channel in &after {
            self.channels.row(*channel).accounts.insert(id, key);
        }
        if gone {
            self.free(id);
            self.accounts.remove(&id);
        }
        for channel in before.into_iter().filter(|channel| !after.contains(channel)) {
            self.mark_departed(channel, EntryId::Account(id));
            self.drop_if_empty(channel);
        }
        for channel in after {
            self.mark_all_views(channel, EntryId::Account(id));
        }
        self.end_views_without_right(ChannelId::Account(id));
    }

    pub(crate) fn change_occupancy(&mut self, id: AccountId, occupancy: Option<Occupancy>) {
        // Told again in every slow round, of all accounts.
        if self.accounts.get(&id).and_then(|account| account.occupancy.as_ref()) == occupancy.as_ref() {
            return;
        }
        self.free(id);
        if let Some(occupancy) = occupancy {
            self.users.row(occupancy.user).holds.insert(id);
            self.accounts.row(id).occupancy = Some(occupancy);
        }
        self.refresh_account(id);
        let forgotten = |account: &Account| account.facts.is_none() && account.occupancy.is_none();
        if self.accounts.get(&id).is_some_and(forgotten) {
            self.accounts.remove(&id);
        }
    }

    fn free(&mut self, id: AccountId) {
        let holder = self.accounts.get_mut(&id).and_then(|account| account.occupancy.take());
        let Some(holder) = holder.map(|occupancy| occupancy.user) else { return };
        if let Some(user) = self.users.get_mut(&holder) {
            user.holds.remove(&id);
        }
        self.forget_user_if_unknown(holder);
    }

    /// Makes the records anew, keeping those whose value is the same, and lets all who look compare.
    pub(crate) fn refresh_account(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let forms = account.occupancy.as_ref().map(|occupancy| {
            let name = self.users.get(&occupancy.user).and_then(User::facts);
            policy::account_forms(id, occupancy, name.map_or("", |facts| &facts.display_name))
        });
        let before = account.forms.take();
        let was_told = before.as_ref().map(|forms| forms.occupied.clone());
        account.forms = forms.map(|new| {
            let (named, own, occupied) = match before {
                Some(AccountForms { named, own, occupied }) => (Some(named), Some(own), Some(occupied)),
                None => (None, None, None),
            };
            AccountForms {
                named: SharedRecord::renew(named, new.named),
                own: SharedRecord::renew(own, new.own),
                occupied: SharedRecord::renew(occupied, new.occupied),
            }
        });
        let holder = account.occupancy.as_ref().map(|occupancy| occupancy.user);
        let and = [std::mem::replace(&mut account.formed_for, holder), holder];
        let is_told = account.forms.as_ref().map(|forms| &forms.occupied);
        let concerned = match was_told.as_ref() == is_told {
            true => Concerned::Administrators { and },
            false => Concerned::Everybody,
        };
        for channel in account.channels(id) {
            self.mark_concerned(channel, id, concerned);
            if self.leaks.has(Leak::SwapUpdatesOccupied) {
                self.mark_all_views(channel, EntryId::Account(id));
                self.forget_in_views(channel, EntryId::Account(id));
            }
        }
    }

    fn mark_concerned(&mut self, channel: ChannelId, id: AccountId, concerned: Concerned) {
        let entry = EntryId::Account(id);
        let Concerned::Administrators { and } = concerned else { return self.mark_all_views(channel, entry) };
        let facts = self.accounts.get(&id).and_then(|account| account.facts.as_ref());
        let Some(organization) = facts.map(|facts| facts.organization) else { return };
        let and = and.map(|user| self.users.key(&user?));
        self.mark_views_of_those(channel, entry, |this, viewer| {
            let role = this.users.at(viewer).and_then(|user| user.facts()?.organizations.get(&organization));
            role.is_some_and(|role| role.administers()) || and.contains(&Some(viewer))
        });
    }

    pub(crate) fn drop_if_empty(&mut self, channel: ChannelId) {
        if self.channels.get(&channel).is_some_and(Channel::is_empty) {
            self.channels.remove(&channel);
        }
    }
}
