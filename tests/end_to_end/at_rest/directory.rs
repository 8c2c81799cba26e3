//! What the directory holds of one random world, beside the hub: what to change next, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, DirectoryChange, OrganizationId, Plan, Role, Settings, UserFacts, UserId,
    WeddingId,
};
use oracle::Act;

use super::script::{Cast, Dice};

/// The directory of one world.
#[derive(Default)]
pub(super) struct Directory {
    users: BTreeMap<UserId, bool>,
    members: BTreeMap<(OrganizationId, UserId), Role>,
    collaborations: BTreeSet<(WeddingId, UserId, UserId)>,
    accounts: BTreeMap<AccountId, OrganizationId>,
    /// What the oracle was told.
    told: BTreeMap<UserId, UserFacts>,
}

impl Directory {
    /// Whether a user may sign in.
    pub(super) fn admits(&self, user: UserId) -> bool {
        self.users.get(&user) == Some(&false)
    }

    pub(super) fn knows(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// With what a world begins: everybody is there, related as the dice say.
    pub(super) fn beginning(dice: &mut Dice, cast: &Cast) -> Vec<DirectoryChange> {
        let mut changes: Vec<_> = cast.users.iter().map(|id| put_user(*id, false)).collect();
        for id in &cast.organizations {
            changes.push(DirectoryChange::PutOrganization {
                id: *id,
                name: "Agency".into(),
                plan: Plan::Standard,
            });
        }
        for id in &cast.weddings {
            changes.push(DirectoryChange::PutWedding { id: *id, name: "Wedding".into() });
        }
        for _ in 0..8 {
            changes.push(put_member(dice, cast));
            changes.extend(put_collaboration(dice, &cast.users, &cast.weddings));
        }
        changes.extend(cast.accounts.iter().map(|id| put_account(dice, cast, *id)));
        changes
    }

    /// One random change that is possible.
    pub(super) fn next(&self, dice: &mut Dice, cast: &Cast) -> Option<DirectoryChange> {
        let (user, organization) = (dice.pick(&cast.users), dice.pick(&cast.organizations));
        let present: Vec<_> = self.users.keys().copied().collect();
        match dice.below(12) {
            0 => Some(put_user(user, dice.one_in(2))),
            1 | 2 => Some(put_user(user, false)),
            3 if dice.one_in(2) => Some(DirectoryChange::RemoveUser { id: user }),
            4 | 5 => Some(put_member(dice, cast)).filter(|_| present.len() == cast.users.len()),
            6 => Some(DirectoryChange::RemoveMember { organization, user }),
            7 => {
                let account = dice.pick(&cast.accounts);
                Some(put_account(dice, cast, account))
            }
            8 => Some(DirectoryChange::RemoveAccount { id: dice.pick(&cast.accounts) }),
            9 => {
                let all: Vec<_> = self.collaborations.iter().copied().collect();
                let (wedding, supplier, client) = (!all.is_empty()).then(|| dice.pick(&all))?;
                Some(DirectoryChange::RemoveCollaboration { wedding, supplier, client })
            }
            _ => put_collaboration(dice, &present, &cast.weddings),
        }
    }

    /// Takes a change, and tells what the oracle has to hear of it.
    pub(super) fn apply(&mut self, cast: &Cast, change: &DirectoryChange) -> Vec<Act> {
        let mut acts = Vec::new();
        match change {
            DirectoryChange::PutUser { id, disabled, .. } => drop(self.users.insert(*id, *disabled)),
            DirectoryChange::RemoveUser { id } => self.remove(*id),
            DirectoryChange::PutMember { organization, user, role } => {
                self.members.insert((*organization, *user), *role);
            }
            DirectoryChange::RemoveMember { organization, user } => {
                self.members.remove(&(*organization, *user));
            }
            DirectoryChange::PutCollaboration { wedding, supplier, client, .. } => {
                self.collaborations.insert((*wedding, *supplier, *client));
            }
            DirectoryChange::RemoveCollaboration { wedding, supplier, client } => {
                self.collaborations.remove(&(*wedding, *supplier, *client));
            }
            DirectoryChange::PutAccount { id, organization, name } => {
                self.accounts.insert(*id, *organization);
                let facts = Some(AccountFacts { organization: *organization, name: name.clone() });
                acts.push(Act::Account { account: *id, facts });
            }
            DirectoryChange::RemoveAccount { id } => {
                self.accounts.remove(id);
                acts.push(Act::Account { account: *id, facts: None });
            }
            _ => {}
        }
        acts.extend(cast.users.iter().filter_map(|user| self.tell(*user)));
        acts
    }

    fn remove(&mut self, user: UserId) {
        self.users.remove(&user);
        self.members.retain(|(_, member), _| *member != user);
        self.collaborations.retain(|(_, supplier, client)| *supplier != user && *client != user);
    }

    /// What is new of a user.
    fn tell(&mut self, user: UserId) -> Option<Act> {
        let facts = self.facts(user);
        if facts.as_ref() == self.told.get(&user) {
            return None;
        }
        // Who was not there before has no settings stored; who was keeps theirs.
        let settings = (!self.told.contains_key(&user)).then(Settings::default);
        match &facts {
            Some(facts) => self.told.insert(user, facts.clone()),
            None => self.told.remove(&user),
        };
        Some(Act::Facts { user, facts: facts.map(|facts| UserFacts { settings, ..facts }) })
    }

    fn facts(&self, user: UserId) -> Option<UserFacts> {
        let disabled = *self.users.get(&user)?;
        let organizations = self.members.iter().filter(|((_, member), _)| *member == user);
        let takes_part =
            |(_, supplier, client): &&(WeddingId, UserId, UserId)| *supplier == user || *client == user;
        Some(UserFacts {
            display_name: String::new(),
            disabled,
            organizations: organizations.map(|((id, _), role)| (*id, *role)).collect(),
            enterprise: Default::default(),
            erased: false,
            weddings: self.collaborations.iter().filter(takes_part).map(|(id, ..)| *id).collect(),
            settings: None,
            last_seen: None,
        })
    }
}

fn put_user(id: UserId, disabled: bool) -> DirectoryChange {
    DirectoryChange::PutUser { id, display_name: "Somebody".into(), disabled }
}

fn put_member(dice: &mut Dice, cast: &Cast) -> DirectoryChange {
    let role = dice.pick(&[Role::Owner, Role::Admin, Role::Member]);
    let (organization, user) = (dice.pick(&cast.organizations), dice.pick(&cast.users));
    DirectoryChange::PutMember { organization, user, role }
}

fn put_account(dice: &mut Dice, cast: &Cast, id: AccountId) -> DirectoryChange {
    DirectoryChange::PutAccount { id, organization: dice.pick(&cast.organizations), name: "Inbox".into() }
}

/// Between two who are there, and are two.
fn put_collaboration(dice: &mut Dice, present: &[UserId], weddings: &[WeddingId]) -> Option<DirectoryChange> {
    if present.len() < 2 {
        return None;
    }
    let (wedding, supplier, client) = (dice.pick(weddings), dice.pick(present), dice.pick(present));
    let supplier_type = "florist".into();
    (supplier != client).then_some(DirectoryChange::PutCollaboration {
        wedding,
        supplier,
        client,
        supplier_type,
    })
}
