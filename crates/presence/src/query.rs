//! What is asked once, without a subscription. Decided by the same sight and made by the same forms as every view.

mod why;

use model::{ChannelId, PersonRecord, Record, SessionId, Track, UserId};
use policy::{PersonForm, Sight};

use crate::{
    Presence,
    people::User,
    session::Kind,
    table::{ChannelKey, UserKey},
};

pub use why::Asker;

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// These. Where they are is merged over the channels that they share with the viewer.
    Users(Vec<UserId>),
    /// Those of these whom the channel lists, as they are there.
    In(ChannelId, Vec<UserId>),
    /// All whom the channel lists, as they are there.
    All(ChannelId),
}

impl Presence {
    /// The subjects whom the viewer may see, sorted by id, each once; those who are not here as they were seen last.
    /// `None`: to the viewer there is no such channel, or they are not admitted.
    #[must_use]
    pub fn people_for(&self, viewer: UserId, subjects: &Subjects) -> Option<Vec<PersonRecord>> {
        let looker = self.admitted(viewer)?;
        let mut people = match subjects {
            Subjects::Users(users) => self.each(users, |subject| self.person_anywhere(looker, subject)),
            Subjects::In(channel, users) => {
                let room = self.room(viewer, *channel)?;
                self.each(users, |subject| self.person_in(room, looker, subject))
            }
            Subjects::All(channel) => {
                let room = self.room(viewer, *channel)?;
                let listed = self.channels.at(room).into_iter().flat_map(|channel| channel.people.values());
                listed.filter_map(|subject| self.person_in(room, looker, *subject)).collect()
            }
        };
        people.sort_unstable_by_key(|person| person.user_id);
        people.dedup_by_key(|person| person.user_id);
        Some(people)
    }

    /// Whether the viewer sees the subject at all, here or not. To see nobody and not to be are one answer.
    #[must_use]
    pub fn may_see(&self, viewer: UserId, subject: UserId) -> bool {
        let keys = self.admitted(viewer).zip(self.users.key(&subject));
        keys.is_some_and(|(viewer, subject)| self.person_anywhere(viewer, subject).is_some())
    }

    /// Whom of those whom the channel lists the viewer sees, here or not, sorted by id: [`Presence::may_see`] of each. `None`:
    /// to the viewer there is no such channel, or they are not admitted.
    #[must_use]
    pub fn seen_in(&self, viewer: UserId, channel: ChannelId) -> Option<Vec<UserId>> {
        let looker = self.admitted(viewer)?;
        let room = self.room(viewer, channel)?;
        let listed = self.channels.at(room).into_iter().flat_map(|channel| &channel.people);
        let seen = listed.filter(|(_, subject)| self.person_in(room, looker, **subject).is_some());
        Some(seen.map(|(id, _)| *id).collect())
    }

    /// The session that a call of the user means, by its name or, without one, the one that calls alone keep alive; and
    /// what it announces.
    #[must_use]
    pub fn session_of(&self, user: UserId, named: Option<SessionId>) -> Option<(SessionId, Option<&Track>)> {
        let own = self.users.get(&user)?.sessions.iter().filter_map(|id| Some((*id, self.sessions.get(id)?)));
        let mut meant = own.filter(|(id, session)| match named {
            Some(named) => *id == named,
            None => session.kind == Kind::Rest,
        });
        let (id, session) = meant.next()?;
        Some((id, session.tracked.as_ref().map(|tracked| &tracked.track)))
    }

    fn admitted(&self, viewer: UserId) -> Option<UserKey> {
        self.users.get(&viewer)?.is_admitted().then(|| self.users.key(&viewer))?
    }

    fn each(&self, users: &[UserId], person: impl Fn(UserKey) -> Option<PersonRecord>) -> Vec<PersonRecord> {
        users.iter().filter_map(|user| person(self.users.key(user)?)).collect()
    }

    /// A channel that is there for the viewer.
    fn room(&self, viewer: UserId, channel: ChannelId) -> Option<ChannelKey> {
        self.may_subscribe(viewer, channel).then(|| self.channels.key(&channel))?
    }

    fn person_in(&self, room: ChannelKey, viewer: UserKey, subject: UserKey) -> Option<PersonRecord> {
        let user = self.users.at(subject)?;
        let member = user.member(room)?;
        let here = match self.projection().sight(viewer, subject) {
            Sight::Own => member.own.as_ref(),
            Sight::Public => member.public.as_ref(),
            Sight::Hidden => return None,
        };
        person(here.or(user.offline.as_ref())?.record().clone())
    }

    /// A session that exists in some channels only counts where the viewer is in one of them.
    fn person_anywhere(&self, viewer: UserKey, subject: UserKey) -> Option<PersonRecord> {
        let user = self.users.at(subject)?;
        let form = match self.projection().sight(viewer, subject) {
            Sight::Own => PersonForm::Own,
            Sight::Public => PersonForm::Public,
            Sight::Hidden => return None,
        };
        let shared = self.shared_channels(viewer, user);
        let counts = |track: &Track| {
            form == PersonForm::Own
                || track.scope.is_none()
                || shared.iter().any(|channel| track.covers(*channel))
        };
        let here = self.form(self.users.id(subject), form, counts);
        person(here.or_else(|| Some(user.offline.as_ref()?.record().clone()))?)
    }

    fn shared_channels(&self, viewer: UserKey, subject: &User) -> Vec<ChannelId> {
        let of_viewer = self.users.at(viewer).map(User::channels).unwrap_or_default();
        let mut shared = subject.channels();
        shared.retain(|channel| of_viewer.contains(channel));
        shared
    }
}

fn person(record: Record) -> Option<PersonRecord> {
    match record {
        Record::Person(person) => Some(person),
        Record::Account(_) => None,
    }
}
