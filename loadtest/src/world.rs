//! The people of a load test, where they belong, and who may see whom.
//!
//! Written from the rules of privacy and not from the hub's code, so that it can judge the hub. It knows no frame
//! and no socket. Everybody is in at most one organization and, where weddings share nobody, takes part in at most one;
//! all are runs of consecutive numbers: that is all that the scenarios need, and makes a lookup one subtraction.

pub(crate) mod agency;

use std::ops::Range;

use model::{ChannelId, OrganizationId, UserId, WeddingId};
use serde_json::{Value, json};
use uuid::Uuid;

/// The number of a person, which stands in the last digits of their id.
pub(crate) type Person = u32;

const USERS: u128 = 1 << 100;
const WEDDINGS: u128 = 1 << 101;
const ORGANIZATIONS: u128 = 1 << 102;
/// In no wedding, or in no organization.
const NOWHERE: u32 = u32::MAX;

/// Who sees a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Everyone,
    Team,
    Contacts,
    Nobody,
}

impl Visibility {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Team => "team",
            Self::Contacts => "contacts",
            Self::Nobody => "nobody",
        }
    }
}

/// What a person has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) visibility: Visibility,
    pub(crate) appear_offline: bool,
    pub(crate) show_activity: bool,
    pub(crate) show_current_page: bool,
}

impl Choice {
    /// What holds for a person who has chosen nothing.
    pub(crate) const NONE: Self = Self {
        visibility: Visibility::Contacts,
        appear_offline: false,
        show_activity: true,
        show_current_page: false,
    };

    /// Seen by whom `visibility` names, with the other settings as they are for everybody.
    pub(crate) fn of(visibility: Visibility) -> Self {
        Self { visibility, ..Self::NONE }
    }

    /// As the hub's REST has it.
    pub(crate) fn settings(self) -> Value {
        json!({
            "visibility": self.visibility.name(),
            "appearOffline": self.appear_offline,
            "showActivity": self.show_activity,
            "showCurrentPage": self.show_current_page,
        })
    }
}

/// A channel of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Wedding(u32),
    Organization(u32),
}

impl Channel {
    /// Something to sort channels by.
    pub(crate) fn key(self) -> (u8, u32) {
        match self {
            Self::Wedding(n) => (0, n),
            Self::Organization(n) => (1, n),
        }
    }
}

/// People, weddings, organizations and choices.
#[derive(Clone, Debug)]
pub(crate) struct World {
    choices: Vec<Choice>,
    /// By person, the weddings they take part in.
    weddings_of: Vec<Range<u32>>,
    organization_of: Vec<u32>,
    weddings: Vec<Range<Person>>,
    organizations: Vec<Range<Person>>,
    /// By organization, whether it keeps a log of activity.
    logs: Vec<bool>,
    /// Members who administer their organizations.
    admins: Range<Person>,
    /// By person, whether their part in a wedding was taken from them.
    outside: Vec<bool>,
}

impl World {
    /// `people` who belong nowhere and have chosen nothing.
    pub(crate) fn new(people: u32) -> Self {
        Self {
            choices: vec![Choice::NONE; people as usize],
            weddings_of: vec![0..0; people as usize],
            organization_of: vec![NOWHERE; people as usize],
            weddings: Vec::new(),
            organizations: Vec::new(),
            logs: Vec::new(),
            admins: 0..0,
            outside: vec![false; people as usize],
        }
    }

    /// Puts `people` into weddings of `size`; a last one of a single person does not come about.
    pub(crate) fn with_weddings(self, people: Range<Person>, size: u32) -> Self {
        self.with_weddings_that_share(people, size, 0)
    }

    /// The same, where the last `shared` of each wedding are the first of the next one as well.
    pub(crate) fn with_weddings_that_share(mut self, people: Range<Person>, size: u32, shared: u32) -> Self {
        for first in people.clone().step_by((size.max(1) - shared) as usize) {
            let wedding = first..first.saturating_add(size).min(people.end);
            if wedding.len() <= shared.max(1) as usize {
                continue;
            }
            let number = self.weddings.len() as u32;
            for weddings in &mut self.weddings_of[indices(&wedding)] {
                let first = if weddings.end == 0 { number } else { weddings.start };
                *weddings = first..number + 1;
            }
            self.weddings.push(wedding);
        }
        self
    }

    /// Puts `people` into organizations of `size`.
    pub(crate) fn with_organizations(mut self, people: Range<Person>, size: u32) -> Self {
        for organization in runs(people, size) {
            let number = self.organizations.len() as u32;
            self.organization_of[indices(&organization)].fill(number);
            self.organizations.push(organization);
            self.logs.push(false);
        }
        self
    }

    /// Lets the organizations that `people` have been put into keep a log of activity.
    pub(crate) fn with_logs(mut self, people: Range<Person>) -> Self {
        for number in self.organization_of[indices(&people)].iter().filter(|number| **number != NOWHERE) {
            self.logs[*number as usize] = true;
        }
        self
    }

    /// Lets people administer their organizations, and nobody else.
    pub(crate) fn with_admins(self, admins: Range<Person>) -> Self {
        Self { admins, ..self }
    }

    /// Lets everybody choose.
    pub(crate) fn with_choices(mut self, choose: impl FnMut(Person) -> Choice) -> Self {
        self.choices = (0..self.people()).map(choose).collect();
        self
    }

    /// Lets somebody choose otherwise.
    pub(crate) fn choose(&mut self, person: Person, choice: Choice) {
        self.choices[person as usize] = choice;
    }

    /// Takes somebody's part in their weddings from them, or gives it back.
    pub(crate) fn put_outside(&mut self, person: Person, outside: bool) {
        self.outside[person as usize] = outside;
    }

    /// Whether somebody's part in their weddings was taken from them.
    pub(crate) fn is_outside(&self, person: Person) -> bool {
        self.outside[person as usize]
    }

    /// How many people there are.
    pub(crate) fn people(&self) -> u32 {
        self.choices.len() as u32
    }

    /// What somebody has chosen.
    pub(crate) fn choice(&self, person: Person) -> Choice {
        self.choices[person as usize]
    }

    /// The wedding somebody takes part in; of several the first.
    pub(crate) fn wedding_of(&self, person: Person) -> Option<Channel> {
        self.weddings_of(person).next()
    }

    /// The weddings somebody takes part in.
    pub(crate) fn weddings_of(&self, person: Person) -> impl Iterator<Item = Channel> + use<> {
        self.weddings_of[person as usize].clone().map(Channel::Wedding)
    }

    /// The organization somebody is in.
    pub(crate) fn organization_of(&self, person: Person) -> Option<Channel> {
        Some(self.organization_of[person as usize]).filter(|n| *n != NOWHERE).map(Channel::Organization)
    }

    /// The entries that a channel can have.
    pub(crate) fn entries(&self, channel: Channel) -> Range<Person> {
        match channel {
            Channel::Wedding(n) => self.weddings[n as usize].clone(),
            Channel::Organization(n) => self.organizations[n as usize].clone(),
        }
    }

    /// Whether `viewer` may see that `subject` is here.
    pub(crate) fn sees(&self, viewer: Person, subject: Person) -> bool {
        self.knows(viewer, subject) && (viewer == subject || !self.choice(subject).appear_offline)
    }

    /// Whether `viewer` is shown `subject` in a channel of both.
    pub(crate) fn shows(&self, viewer: Person, subject: Person) -> bool {
        !self.is_outside(subject) && self.sees(viewer, subject)
    }

    /// Whether they take part in one wedding.
    fn meet(&self, one: Person, other: Person) -> bool {
        let weddings = |person| &self.weddings_of[person as usize];
        let (one_s, other_s) = (weddings(one), weddings(other));
        let share = one_s.start.max(other_s.start) < one_s.end.min(other_s.end);
        share && !self.is_outside(one) && !self.is_outside(other)
    }

    /// Whether there is such a person as `subject` for `viewer`, here or not.
    pub(crate) fn knows(&self, viewer: Person, subject: Person) -> bool {
        viewer == subject
            || match self.choice(subject).visibility {
                Visibility::Everyone => true,
                Visibility::Team => share(&self.organization_of, viewer, subject),
                Visibility::Contacts => self.meet(viewer, subject),
                Visibility::Nobody => false,
            }
    }

    /// The settings of everybody whose choice differs from what holds without one.
    pub(crate) fn settings(&self) -> Vec<(UserId, Value)> {
        let chosen = (0..).zip(&self.choices).filter(|(_, choice)| **choice != Choice::NONE);
        chosen.map(|(person, choice)| (user(person), choice.settings())).collect()
    }

    /// The document that `directory import` reads.
    pub(crate) fn document(&self) -> Value {
        let users = (0..self.people()).map(|n| json!({ "id": user(n), "displayName": format!("Guest {n}") }));
        let organizations = self.organizations.iter().zip(&self.logs);
        let organizations =
            (0..).zip(organizations).map(|(n, (people, logs))| self.organization(n, people, *logs));
        let weddings = (0..).zip(&self.weddings).map(|(n, people)| wedding(n, people));
        json!({
            "users": users.collect::<Vec<_>>(),
            "organizations": organizations.collect::<Vec<_>>(),
            "weddings": weddings.collect::<Vec<_>>(),
        })
    }

    fn organization(&self, number: u32, people: &Range<Person>, logs: bool) -> Value {
        let role = |n| if self.admins.contains(&n) { "admin" } else { "member" };
        let members = people.clone().map(|n| json!({ "user": user(n), "role": role(n) }));
        json!({
            "id": uuid_of(Channel::Organization(number)),
            "name": format!("Agency {number}"),
            "plan": if logs { "enterprise" } else { "standard" },
            "members": members.collect::<Vec<_>>(),
        })
    }
}

fn runs(people: Range<Person>, size: u32) -> impl Iterator<Item = Range<Person>> {
    let end = people.end;
    people.step_by(size.max(1) as usize).map(move |first| first..first.saturating_add(size).min(end))
}

fn indices(people: &Range<Person>) -> Range<usize> {
    people.start as usize..people.end as usize
}

fn share(groups: &[u32], one: Person, other: Person) -> bool {
    let group = groups[one as usize];
    group != NOWHERE && group == groups[other as usize]
}

/// One client, whom all the others supply.
fn wedding(number: u32, people: &Range<Person>) -> Value {
    let client = user(people.start);
    let collaborations = (people.start + 1..people.end)
        .map(|n| json!({ "supplier": user(n), "client": client, "supplierType": "photographer" }));
    json!({
        "id": uuid_of(Channel::Wedding(number)),
        "name": format!("Wedding {number}"),
        "collaborations": collaborations.collect::<Vec<_>>(),
    })
}

/// The id of a person.
pub(crate) fn user(person: Person) -> UserId {
    UserId(Uuid::from_u128(USERS + u128::from(person)))
}

/// The person of an id, if it is one of ours.
pub(crate) fn person(user: UserId) -> Option<Person> {
    user.0.as_u128().checked_sub(USERS).and_then(|number| u32::try_from(number).ok())
}

/// The person of an id as text, if it is one of ours.
pub(crate) fn person_named(id: &str) -> Option<Person> {
    person(UserId(id.parse().ok()?))
}

/// The id of a wedding or an organization without what it is.
pub(crate) fn uuid_of(channel: Channel) -> Uuid {
    match channel {
        Channel::Wedding(n) => Uuid::from_u128(WEDDINGS + u128::from(n)),
        Channel::Organization(n) => Uuid::from_u128(ORGANIZATIONS + u128::from(n)),
    }
}

/// The id of a channel.
pub(crate) fn channel_id(channel: Channel) -> ChannelId {
    let id = uuid_of(channel);
    match channel {
        Channel::Wedding(_) => ChannelId::Wedding(WeddingId(id)),
        Channel::Organization(_) => ChannelId::Organization(OrganizationId(id)),
    }
}

#[cfg(test)]
mod tests;
