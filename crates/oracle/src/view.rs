//! What one viewer may see of one channel of the world, rule by rule as the domain has them.

use std::collections::BTreeMap;

use model::{
    AccountFacts, AccountId, AccountRecord, ChannelId, EntryId, Holder, Occupancy, PeopleInterest,
    PersonRecord, PersonState, Record, Role, SessionId, Settings, Status, Track, UserFacts, UserId,
    Visibility,
};

use crate::session::Session;
use crate::world::World;
use crate::{Truth, Watch};

impl World {
    /// What a viewer may see of a channel; `None`: the channel is unknown to them.
    #[must_use]
    pub fn view(&self, watch: Watch) -> Truth {
        let Watch { viewer, channel, interest } = watch;
        let facts = self.users.get(&viewer).filter(|facts| !facts.disabled)?;
        if !self.may_subscribe(facts, channel) {
            return None;
        }
        let people = self.users.keys().filter_map(|s| self.person(viewer, *s, channel, interest.people));
        let mut entries: BTreeMap<EntryId, Record> =
            people.map(|person| (EntryId::Person(person.user_id), Record::Person(person))).collect();
        if interest.accounts {
            let accounts =
                self.accounts.keys().filter_map(|account| self.account_in(viewer, *account, channel));
            entries.extend(
                accounts.map(|account| (EntryId::Account(account.account_id), Record::Account(account))),
            );
        }
        Some(entries)
    }

    /// The people whom a viewer may see who asks once: those of a channel as they are there, or all people as they are
    /// wherever both are. `None`: the channel is unknown to them, or they are to the world.
    #[must_use]
    pub fn people(&self, viewer: UserId, channel: Option<ChannelId>) -> Option<Vec<PersonRecord>> {
        let facts = self.users.get(&viewer).filter(|facts| !facts.disabled)?;
        if channel.is_some_and(|channel| !self.may_subscribe(facts, channel)) {
            return None;
        }
        let subjects = self.users.keys();
        Some(subjects.filter_map(|subject| self.person_asked_for(viewer, *subject, channel)).collect())
    }

    fn person_asked_for(
        &self,
        viewer: UserId,
        subject: UserId,
        channel: Option<ChannelId>,
    ) -> Option<PersonRecord> {
        let Some(channel) = channel else {
            let (of_viewer, of_subject) = (self.users.get(&viewer)?, self.users.get(&subject)?);
            let meet = |channel| takes_part(of_viewer, channel) && takes_part(of_subject, channel);
            return self.person_where(viewer, subject, |track| {
                track.scope.as_ref().is_none_or(|scope| viewer == subject || scope.iter().copied().any(meet))
            });
        };
        self.person(viewer, subject, channel, PeopleInterest::Roster)
    }

    fn may_subscribe(&self, viewer: &UserFacts, channel: ChannelId) -> bool {
        match channel {
            ChannelId::Wedding(_) | ChannelId::Organization(_) => takes_part(viewer, channel),
            ChannelId::Account(account) => self
                .accounts
                .get(&account)
                .is_some_and(|facts| viewer.organizations.contains_key(&facts.organization)),
        }
    }

    fn person(
        &self,
        viewer: UserId,
        subject: UserId,
        channel: ChannelId,
        interest: PeopleInterest,
    ) -> Option<PersonRecord> {
        if !takes_part(self.users.get(&subject)?, channel) {
            return None;
        }
        let person = self.person_where(viewer, subject, |track| track.covers(channel))?;
        let is_here = matches!(person.state, PersonState::Present { .. });
        match interest {
            PeopleInterest::None => None,
            PeopleInterest::Present => is_here.then_some(person),
            PeopleInterest::Roster => Some(person),
        }
    }

    /// A person as the sessions with these tracks make them.
    fn person_where(
        &self,
        viewer: UserId,
        subject: UserId,
        exists: impl Fn(&Track) -> bool,
    ) -> Option<PersonRecord> {
        let facts = self.users.get(&subject)?;
        if viewer != subject && !self.sees(self.users.get(&viewer)?, facts) {
            return None;
        }
        let present = if viewer == subject {
            self.present_to_self(subject, facts, exists)
        } else {
            self.present_to_others(subject, facts, exists)
        };
        let offline = PersonState::Offline { last_seen: facts.last_seen.map(|seen| seen.minute()) };
        Some(PersonRecord { user_id: subject, state: present.unwrap_or(offline) })
    }

    /// The visibility table. Relations are a set; the one that grants sight need not be the channel's.
    fn sees(&self, viewer: &UserFacts, subject: &UserFacts) -> bool {
        let colleagues = viewer.organizations.keys().any(|org| subject.organizations.contains_key(org));
        let collaborators = viewer.weddings.iter().any(|wedding| subject.weddings.contains(wedding));
        match subject.settings.as_ref().map(|settings| settings.visibility) {
            // What was never loaded is hidden.
            None => false,
            Some(Visibility::Everyone) => true,
            Some(Visibility::Team) => colleagues,
            Some(Visibility::Contacts) => collaborators,
            Some(Visibility::Nobody) => false,
        }
    }

    /// One's own truth: all sessions, all fields.
    fn present_to_self(
        &self,
        user: UserId,
        facts: &UserFacts,
        exists: impl Fn(&Track) -> bool,
    ) -> Option<PersonState> {
        let sessions: Vec<_> = self.counting(user, exists).collect();
        merge(&sessions, facts.settings.as_ref())
    }

    /// Whoever appears offline is signed out for others, and so are the sessions that ended for them then.
    fn present_to_others(
        &self,
        user: UserId,
        facts: &UserFacts,
        exists: impl Fn(&Track) -> bool,
    ) -> Option<PersonState> {
        let settings = facts.settings.as_ref().filter(|settings| !settings.appear_offline)?;
        let sessions: Vec<_> =
            self.counting(user, exists).filter(|counted| !counted.session.flagged).collect();
        Some(without_unshown(merge(&sessions, Some(settings))?, settings))
    }

    /// The sessions of `user` that exist where they are looked at.
    fn counting(&self, user: UserId, exists: impl Fn(&Track) -> bool) -> impl Iterator<Item = Counted<'_>> {
        self.sessions.iter().filter(move |(_, session)| session.user == user).filter_map(
            move |(id, session)| {
                let track = session.track.as_ref().filter(|track| exists(track))?;
                Some(Counted { id: *id, session, track })
            },
        )
    }

    fn account_in(&self, viewer: UserId, account: AccountId, channel: ChannelId) -> Option<AccountRecord> {
        let facts = self.accounts.get(&account)?;
        let listed = match channel {
            ChannelId::Organization(organization) => facts.organization == organization,
            ChannelId::Account(only) => account == only,
            ChannelId::Wedding(_) => false,
        };
        let occupancy = self.occupancies.get(&account).filter(|_| listed)?;
        let holder = self.holder(viewer, facts, occupancy)?;
        Some(AccountRecord { account_id: account, holder })
    }

    /// By role: who administers the organization reads the name, the holder that it is their own, the rest one
    /// fact.
    fn holder(&self, viewer: UserId, account: &AccountFacts, occupancy: &Occupancy) -> Option<Holder> {
        let role = *self.users.get(&viewer)?.organizations.get(&account.organization)?;
        let since = occupancy.since.minute();
        Some(match role {
            Role::Owner | Role::Admin => Holder::Named {
                user_id: occupancy.user,
                display_name: self
                    .users
                    .get(&occupancy.user)
                    .map_or_else(String::new, |u| u.display_name.clone()),
                since,
                stale_since: occupancy.stale_since.map(|seen| seen.minute()),
            },
            Role::Member if occupancy.user == viewer => Holder::Own { since },
            Role::Member => Holder::Occupied,
        })
    }
}

/// A session that counts in a channel, with its track.
struct Counted<'a> {
    id: SessionId,
    session: &'a Session,
    track: &'a Track,
}

/// Whether a user is among the people of a channel. An account has none.
fn takes_part(facts: &UserFacts, channel: ChannelId) -> bool {
    match channel {
        ChannelId::Wedding(wedding) => facts.weddings.contains(&wedding),
        ChannelId::Organization(organization) => facts.organizations.contains_key(&organization),
        ChannelId::Account(_) => false,
    }
}

/// One person, however many sessions; `None` without any.
fn merge(sessions: &[Counted<'_>], settings: Option<&Settings>) -> Option<PersonState> {
    let active_last = sessions.iter().max_by_key(|counted| (counted.session.active_at, counted.id))?.track;
    let custom_status = settings.and_then(|settings| settings.custom_status.clone());
    let custom_emoji = settings.and_then(|settings| settings.custom_emoji.clone());
    Some(PersonState::Present {
        status: merged_status(sessions)?,
        page: active_last.page.clone(),
        is_typing: active_last.is_typing,
        device: active_last.device,
        custom_status: active_last.custom_status.clone().or(custom_status),
        custom_emoji: active_last.custom_emoji.clone().or(custom_emoji),
    })
}

/// Any `busy` wins, else the most active.
fn merged_status(sessions: &[Counted<'_>]) -> Option<Status> {
    let order = [Status::Busy, Status::Online, Status::Idle, Status::Away];
    order.into_iter().find(|status| sessions.iter().any(|counted| counted.track.status == *status))
}

/// What is left of a present state for others when the subject's choice of fields is applied.
fn without_unshown(state: PersonState, settings: &Settings) -> PersonState {
    let PersonState::Present { mut status, mut page, mut is_typing, mut device, custom_status, custom_emoji } =
        state
    else {
        return state;
    };
    if !settings.show_current_page {
        page = None;
    }
    if !settings.show_activity {
        is_typing = false;
        device = None;
        if status == Status::Idle {
            status = Status::Online;
        }
    }
    PersonState::Present { status, page, is_typing, device, custom_status, custom_emoji }
}
