//! Why somebody is seen or not, as far as whoever asks may know.

use model::{
    ChannelId, OrganizationId, Settings, UserId, Visibility,
    why::{Choice, Rule, Shared, Why},
};
use policy::Sight;

use crate::{Presence, people::User};

/// Who wants to know why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The platform's back-end: it may know all of it.
    Service,
    /// The subject, who may know all of it as well; somebody who administers an organization that both are in, who may
    /// know relations and no choice; anybody else, who may know nothing.
    User(UserId),
}

/// What an asker may know.
#[derive(Clone, Copy)]
enum Scope {
    All,
    /// What an administrator knows anyway: the channels that are theirs too.
    Relations {
        of: UserId,
    },
}

impl Presence {
    /// Why the viewer sees the subject, or does not; `None`: it is not for the asker to know, or there is no such subject.
    /// A viewer who does not exist is one to whom the subject is not related.
    #[must_use]
    pub fn why(&self, asker: Asker, subject: UserId, viewer: UserId) -> Option<Why> {
        let of_subject = self.users.get(&subject).filter(|user| user.facts().is_some())?;
        let scope = self.scope(asker, subject, viewer)?;
        let nobody = || Settings { visibility: Visibility::Nobody, ..Settings::default() };
        let settings = of_subject.settings().cloned().unwrap_or_else(nobody);
        let shared = self.shared_in(scope, of_subject, viewer);
        let (organizations, weddings): (Vec<_>, Vec<_>) =
            shared.into_iter().partition(|shared| matches!(shared.channel, ChannelId::Organization(_)));
        let rules = vec![
            Rule::SameUser { holds: subject == viewer },
            Rule::OrganizationMember { holds: !organizations.is_empty(), channels: organizations },
            Rule::WeddingCollaborator { holds: !weddings.is_empty(), channels: weddings },
            Rule::Visibility { choice: scope.choice(settings.visibility) },
            Rule::AppearOffline { choice: scope.choice(settings.appear_offline) },
            Rule::ShowActivity { choice: scope.choice(settings.show_activity) },
            Rule::ShowCurrentPage { choice: scope.choice(settings.show_current_page) },
        ];
        let visible = match scope {
            Scope::All => Some(self.is_visible(subject, viewer)),
            Scope::Relations { .. } => None,
        };
        Some(Why { subject, viewer, rules, visible })
    }

    fn scope(&self, asker: Asker, subject: UserId, viewer: UserId) -> Option<Scope> {
        match asker {
            Asker::Service => Some(Scope::All),
            Asker::User(user) if user == subject => Some(Scope::All),
            Asker::User(of) => {
                let roles = &self.users.get(&of).filter(|user| user.is_admitted())?.facts()?.organizations;
                let has = |user: &UserId, id: &OrganizationId| {
                    let facts = self.users.get(user).and_then(User::facts);
                    facts.is_some_and(|facts| facts.organizations.contains_key(id))
                };
                let mut administered = roles.iter().filter(|(_, role)| role.administers());
                let both = administered.any(|(id, _)| has(&subject, id) && has(&viewer, id));
                both.then_some(Scope::Relations { of })
            }
        }
    }

    fn shared_in(&self, scope: Scope, subject: &User, viewer: UserId) -> Vec<Shared> {
        let of_viewer = self.users.get(&viewer);
        let channels = of_viewer.map(User::channels).unwrap_or_default();
        let role = |user: Option<&User>, channel| match channel {
            ChannelId::Organization(id) => user?.facts()?.organizations.get(&id).copied(),
            ChannelId::Wedding(_) | ChannelId::Account(_) => None,
        };
        let mut shared = subject.channels();
        shared.retain(|channel| channels.contains(channel) && self.knows_of(scope, *channel));
        let shared = shared.into_iter().map(|channel| Shared {
            channel,
            subject_role: role(Some(subject), channel),
            viewer_role: role(of_viewer, channel),
        });
        shared.collect()
    }

    fn knows_of(&self, scope: Scope, channel: ChannelId) -> bool {
        match scope {
            Scope::All => true,
            Scope::Relations { of } => self.may_subscribe(of, channel),
        }
    }

    fn is_visible(&self, subject: UserId, viewer: UserId) -> bool {
        let sight = match self.users.key(&viewer).zip(self.users.key(&subject)) {
            Some((viewer, subject)) => self.projection().sight(viewer, subject),
            None => policy::sight(|_| false, self.users.get(&subject).and_then(User::settings)),
        };
        sight != Sight::Hidden
    }
}

impl Scope {
    fn choice<T>(self, choice: T) -> Choice<T> {
        match self {
            Self::All => Choice::Told(choice),
            Self::Relations { .. } => Choice::Own,
        }
    }
}
