//! Names for ids: of the sample world, and of a directory document. The protocol carries no names of people.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use model::{AccountId, ChannelId, DirectoryChange, EntryId, OrganizationId, UserId};
use persistence::import;

use super::{super::demo::world, CommandError, text::safe};

/// Names for ids.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct Names {
    users: BTreeMap<UserId, String>,
    accounts: BTreeMap<AccountId, String>,
    channels: BTreeMap<ChannelId, String>,
    parts: BTreeMap<(ChannelId, UserId), String>,
    desks: BTreeSet<(OrganizationId, AccountId)>,
}

/// The names of the sample world, and of the directory document in `file`.
pub(super) fn known(file: Option<&Path>) -> Result<Names, CommandError> {
    let mut names = Names::default();
    names.learn(&world::changes()?);
    if let Some(file) = file {
        let document = std::fs::read_to_string(file)
            .map_err(|source| CommandError::Read { path: file.display().to_string(), source })?;
        names.learn(&import::parse(&document)?);
    }
    Ok(names)
}

impl Names {
    /// Learns the names in a directory.
    pub(in crate::commands) fn learn(&mut self, changes: &[DirectoryChange]) {
        for change in changes {
            match change {
                DirectoryChange::PutUser { id, display_name, .. } => {
                    self.users.insert(*id, safe(display_name));
                }
                DirectoryChange::PutOrganization { id, name, .. } => {
                    self.channels.insert(ChannelId::Organization(*id), safe(name));
                }
                DirectoryChange::PutWedding { id, name } => {
                    self.channels.insert(ChannelId::Wedding(*id), safe(name));
                }
                DirectoryChange::PutAccount { id, name, organization } => {
                    self.desks.insert((*organization, *id));
                    self.accounts.insert(*id, safe(name));
                    self.channels.insert(ChannelId::Account(*id), safe(name));
                }
                DirectoryChange::PutCollaboration { wedding, supplier, client, supplier_type } => {
                    let wedding = ChannelId::Wedding(*wedding);
                    self.parts.insert((wedding, *supplier), safe(supplier_type));
                    self.parts.insert((wedding, *client), "couple".to_owned());
                }
                DirectoryChange::PutMember { organization, user, role } => {
                    let part = format!("{role:?}").to_lowercase();
                    self.parts.insert((ChannelId::Organization(*organization), *user), part);
                }
                _ => {}
            }
        }
    }

    /// The name of a person; the beginning of the id where none is known.
    pub(in crate::commands) fn user(&self, id: UserId) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| short(&id))
    }

    /// The name of a channel.
    pub(in crate::commands) fn channel(&self, id: ChannelId) -> String {
        self.channels.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// The accounts of a channel that are known: an organization's, or the one that it is.
    pub(in crate::commands) fn accounts_of(&self, channel: ChannelId) -> impl Iterator<Item = AccountId> {
        let is_of = move |(organization, account): &&(OrganizationId, AccountId)| match channel {
            ChannelId::Organization(id) => id == *organization,
            ChannelId::Account(id) => id == *account,
            ChannelId::Wedding(_) => false,
        };
        self.desks.iter().filter(is_of).map(|(_, account)| *account)
    }

    /// The name of an entry.
    pub(super) fn entry(&self, id: EntryId) -> String {
        match id {
            EntryId::Person(user) => self.user(user),
            EntryId::Account(account) => {
                self.accounts.get(&account).cloned().unwrap_or_else(|| short(&account))
            }
        }
    }

    /// What a person does in a channel; empty where nothing is known.
    pub(super) fn part(&self, channel: ChannelId, id: EntryId) -> &str {
        match id {
            EntryId::Person(user) => self.parts.get(&(channel, user)).map_or("", String::as_str),
            EntryId::Account(_) => "account",
        }
    }
}

fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}
