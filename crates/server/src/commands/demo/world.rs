//! The sample world: a directory document that `directory import` takes too, and what its people have chosen.

use std::collections::BTreeMap;

use model::{
    ChannelId, Device, DirectoryChange, SettingsPatch, Status, SupplierType, TrackRequest, UserId, Visibility,
};
use persistence::import::{self, ImportError};

use super::super::{CommandError, watch::names::Names};

/// The directory of the sample world.
const DOCUMENT: &str = include_str!("world.json");
/// Through whose eyes the demonstration is shown unless it is told otherwise.
const COORDINATOR: &str = "Marta Keller";

/// Who has chosen something else than [`Choice::Contacts`].
const CHOICES: &[(&str, Choice)] = &[
    ("Marta Keller", Choice::Page),
    ("Lea Brandt", Choice::Everyone),
    ("Ines Carvalho", Choice::Page),
    ("Milo Petrov", Choice::Page),
    ("Bea Costa", Choice::Page),
    ("Mia Hoffmann", Choice::Quiet),
    ("Priya Nair", Choice::Quiet),
    ("Jonas Weber", Choice::Team),
    ("Nora Lindqvist", Choice::Everyone),
    ("Paul Adeyemi", Choice::Team),
    ("Sofia Marin", Choice::Team),
    ("Ravi Menon", Choice::Team),
    ("Kenji Mori", Choice::Nobody),
    ("Dario Conti", Choice::AppearsOffline),
];

/// What a person lets others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Collaborators, without the page: as everybody begins.
    Contacts,
    /// Collaborators, with the page.
    Page,
    /// Collaborators, without activity.
    Quiet,
    /// Everybody, with the page.
    Everyone,
    /// Colleagues.
    Team,
    /// Nobody.
    Nobody,
    /// Signed out for everybody else.
    AppearsOffline,
}

impl Choice {
    /// The settings that it is.
    pub(super) fn patch(self) -> SettingsPatch {
        let visibility = match self {
            Self::Everyone => Visibility::Everyone,
            Self::Team => Visibility::Team,
            Self::Nobody => Visibility::Nobody,
            Self::Contacts | Self::Page | Self::Quiet | Self::AppearsOffline => Visibility::Contacts,
        };
        SettingsPatch {
            visibility: Some(visibility),
            show_activity: Some(self != Self::Quiet),
            show_current_page: Some(matches!(self, Self::Page | Self::Everyone)),
            appear_offline: Some(self == Self::AppearsOffline),
            ..SettingsPatch::default()
        }
    }

    /// In words, where it keeps people from being seen.
    pub(super) fn hides(self) -> Option<&'static str> {
        match self {
            Self::Team => Some("is seen by colleagues only"),
            Self::Nobody => Some("lets nobody see them"),
            Self::AppearsOffline => Some("appears offline"),
            Self::Contacts | Self::Page | Self::Quiet | Self::Everyone => None,
        }
    }
}

/// One of the people.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) name: String,
    /// What they do: a supplier type, `couple`, or a role.
    pub(super) part: String,
    /// Weddings and organizations.
    pub(super) channels: Vec<ChannelId>,
    pub(super) choice: Choice,
}

impl Person {
    /// What they announce when they come.
    pub(super) fn first_track(&self) -> TrackRequest {
        TrackRequest { device: Some(Device::Desktop), ..TrackRequest::of(Status::Online) }
    }
}

/// The sample world.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) changes: Vec<DirectoryChange>,
    pub(super) names: Names,
    /// In the order of the document.
    pub(super) people: Vec<Person>,
}

/// The directory of the sample world.
pub(in crate::commands) fn changes() -> Result<Vec<DirectoryChange>, ImportError> {
    import::parse(DOCUMENT)
}

impl World {
    pub(super) fn sample() -> Result<Self, ImportError> {
        let changes = changes()?;
        let mut names = Names::default();
        names.learn(&changes);
        let roles = Roles::of(&changes);
        let people = changes.iter().filter_map(|change| match change {
            DirectoryChange::PutUser { id, display_name, .. } => Some(roles.person(*id, display_name)),
            _ => None,
        });
        Ok(Self { people: people.collect(), names, changes })
    }

    /// The person of that name, id or beginning of a name; without one, the coordinator.
    pub(super) fn person(&self, named: Option<&str>) -> Result<&Person, CommandError> {
        let wanted = named.unwrap_or(COORDINATOR).trim().to_lowercase();
        let is_named =
            |person: &&Person| person.name.to_lowercase() == wanted || person.id.to_string() == wanted;
        let begins = |person: &&Person| person.name.to_lowercase().starts_with(&wanted);
        let mut people = self.people.iter();
        people.find(is_named).or_else(|| self.people.iter().find(begins)).ok_or_else(|| {
            CommandError::NoSuchPerson {
                people: self.people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", "),
            }
        })
    }
}

/// Who does what, and where.
#[derive(Default)]
struct Roles {
    parts: BTreeMap<UserId, String>,
    channels: BTreeMap<UserId, Vec<ChannelId>>,
}

impl Roles {
    fn of(changes: &[DirectoryChange]) -> Self {
        let mut roles = Self::default();
        for change in changes {
            match change {
                DirectoryChange::PutMember { organization, user, role } => {
                    let role = format!("{role:?}").to_lowercase();
                    roles.join(*user, ChannelId::Organization(*organization), role);
                }
                DirectoryChange::PutCollaboration { wedding, supplier, client, supplier_type } => {
                    roles.join(*supplier, ChannelId::Wedding(*wedding), SupplierType::clone(supplier_type));
                    roles.join(*client, ChannelId::Wedding(*wedding), "couple".to_owned());
                }
                _ => {}
            }
        }
        roles
    }

    /// What they do at a wedding says more than a role in an organization: weddings come last.
    fn join(&mut self, user: UserId, channel: ChannelId, part: String) {
        self.parts.insert(user, part);
        let channels = self.channels.entry(user).or_default();
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }

    fn person(&self, id: UserId, name: &str) -> Person {
        let choice = CHOICES.iter().find(|(chooser, _)| *chooser == name);
        Person {
            id,
            name: name.to_owned(),
            part: self.parts.get(&id).cloned().unwrap_or_default(),
            channels: self.channels.get(&id).cloned().unwrap_or_default(),
            choice: choice.map_or(Choice::Contacts, |(_, choice)| *choice),
        }
    }
}
