//! Users: what the directory says of them, and the records made of their sessions.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use model::{
    AccountId, ActivityType, ChannelId, EntryId, Mono, Record, SessionId, Settings, SharedRecord, Track,
    UserFacts, UserId, Wall,
};
use policy::PersonForm;

use crate::{Presence, leak::Leak, merge::merge, table::ChannelKey};

/// One person in one channel: the records made of them, shared by all who get the same.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// For those who may see them; `None`: not here.
    pub(crate) public: Option<Arc<SharedRecord>>,
    /// For themself; differs from `public` by hidden fields, and while they appear offline.
    pub(crate) own: Option<Arc<SharedRecord>>,
}

/// One user.
#[derive(Debug, Default)]
pub(crate) struct User {
    facts: Option<UserFacts>,
    /// The channels that list the user, in the order of their keys, with what is made of the user in each.
    members: Vec<(ChannelKey, Member)>,
    /// The record for those who may see the user while the user is not here.
    pub(crate) offline: Option<Arc<SharedRecord>>,
    pub(crate) sessions: BTreeSet<SessionId>,
    pub(crate) holds: BTreeSet<AccountId>,
    /// When the writer was told last that the user is alive.
    pub(crate) noted_at: Option<Mono>,
    /// What was logged of the user last.
    pub(crate) last_activity: Option<ActivityType>,
}

impl User {
    /// What the directory says; `None`: no such user.
    pub(crate) fn facts(&self) -> Option<&UserFacts> {
        self.facts.as_ref()
    }

    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.facts.as_ref()?.settings.as_ref()
    }

    /// Whether the user may have connections.
    pub(crate) fn is_admitted(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| !facts.disabled)
    }

    /// Whether nobody else sees the user. What was never loaded is hidden.
    pub(crate) fn is_hidden(&self) -> bool {
        self.settings().is_none_or(Settings::hidden)
    }

    pub(crate) fn appears_offline(&self) -> bool {
        self.settings().is_some_and(|settings| settings.appear_offline)
    }

    /// Whether these facts say nothing new, but for when the user was last seen.
    pub(crate) fn knows(&self, said: Option<&UserFacts>) -> bool {
        let (Some(known), Some(said)) = (&self.facts, said) else { return false };
        known.display_name == said.display_name
            && known.disabled == said.disabled
            && known.organizations == said.organizations
            && known.enterprise == said.enterprise
            && known.erased == said.erased
            && known.weddings == said.weddings
            && (said.settings.is_none() || known.settings == said.settings)
    }

    /// Replaces the facts. Settings and last-seen that are known are not lost to a reload that has none.
    pub(crate) fn set_facts(&mut self, id: UserId, facts: Option<UserFacts>) {
        let before = self.facts.take();
        self.facts = facts.map(|mut facts| {
            if let Some(before) = before {
                facts.settings = facts.settings.or(before.settings);
                // Of one who was erased, nothing is known from before.
                facts.last_seen = match facts.erased {
                    true => facts.last_seen,
                    false => facts.last_seen.max(before.last_seen),
                };
            }
            facts
        });
        self.renew_offline(id);
    }

    pub(crate) fn set_settings(&mut self, settings: Settings) {
        if let Some(facts) = &mut self.facts {
            facts.settings = Some(settings);
        }
    }

    /// Moves last-seen on, never back.
    pub(crate) fn seen(&mut self, id: UserId, at: Wall) {
        if let Some(facts) = &mut self.facts {
            facts.last_seen = facts.last_seen.max(Some(at));
            self.renew_offline(id);
        }
    }

    fn renew_offline(&mut self, id: UserId) {
        self.offline = self
            .facts
            .as_ref()
            .map(|facts| SharedRecord::renew(self.offline.take(), policy::offline(id, facts.last_seen)));
    }

    /// Whether these facts say that all about the user was erased, and those known do not.
    pub(crate) fn is_erased_by(&self, said: &UserFacts) -> bool {
        said.erased && self.facts.as_ref().is_some_and(|known| !known.erased)
    }

    /// What was kept of the user's acts is forgotten.
    pub(crate) fn forget_acts(&mut self) {
        (self.noted_at, self.last_activity) = (None, None);
        if let Some(facts) = &mut self.facts {
            facts.last_seen = None;
        }
    }

    /// The user in a channel; `None`: it does not list them.
    pub(crate) fn member(&self, channel: ChannelKey) -> Option<&Member> {
        let at = self.members.binary_search_by_key(&channel, |(key, _)| *key).ok()?;
        Some(&self.members[at].1)
    }

    fn member_mut(&mut self, channel: ChannelKey) -> Option<&mut Member> {
        let at = self.members.binary_search_by_key(&channel, |(key, _)| *key).ok()?;
        Some(&mut self.members[at].1)
    }

    /// The channel lists the user from now on.
    pub(crate) fn enter(&mut self, channel: ChannelKey) {
        if let Err(at) = self.members.binary_search_by_key(&channel, |(key, _)| *key) {
            self.members.insert(at, (channel, Member::default()));
        }
    }

    /// The channel lists the user no more.
    pub(crate) fn leave(&mut self, channel: ChannelKey) {
        self.members.retain(|(key, _)| *key != channel);
    }

    /// The channels that list the user.
    pub(crate) fn channels(&self) -> Vec<ChannelId> {
        let Some(facts) = &self.facts else { return Vec::new() };
        let weddings = facts.weddings.iter().copied().map(ChannelId::Wedding);
        weddings.chain(facts.organizations.keys().copied().map(ChannelId::Organization)).collect()
    }
}

impl Presence {
    /// Makes the records of a user anew in all channels, and marks them for those who may see the difference.
    pub(crate) fn refresh_user(&mut self, id: UserId) {
        let Some(user) = self.users.get(&id) else { return };
        for channel in user.channels() {
            self.refresh_member(channel, id);
        }
    }

    fn refresh_member(&mut self, channel: ChannelId, id: UserId) {
        let own = self.form(id, PersonForm::Own, |track| track.covers(channel));
        let public = self.form(id, PersonForm::Public, |track| track.covers(channel));
        let leaks = self.leaks.has(Leak::RedactedFieldUpdates);
        let Some(key) = self.channels.key(&channel) else { return };
        let Some(member) = self.users.get_mut(&id).and_then(|user| user.member_mut(key)) else { return };
        let own_changed = replace(&mut member.own, own, &member.public);
        let public_changed = replace(&mut member.public, public, &member.own);
        if own_changed {
            self.mark_own_views(channel, id);
        }
        if public_changed {
            self.mark_audience(channel, id);
        }
        if own_changed && leaks {
            self.mark_all_views(channel, EntryId::Person(id));
            self.forget_in_views(channel, EntryId::Person(id));
        }
    }

    /// The record of a user who is here; `None` where nothing is announced that counts.
    pub(crate) fn form(
        &self,
        id: UserId,
        form: PersonForm,
        is_here: impl Fn(&Track) -> bool,
    ) -> Option<Record> {
        let user = self.users.get(&id)?;
        let hidden = user.settings().is_none() || user.appears_offline();
        let typing_leaks = self.leaks.has(Leak::TypingWhileHidden);
        let sessions = user.sessions.iter().filter_map(|id| {
            let session = self.sessions.get(id)?;
            let tracked = session.tracked.as_ref().filter(|tracked| is_here(&tracked.track))?;
            let leaky = typing_leaks && tracked.track.is_typing;
            let counts = form == PersonForm::Own || !(hidden || session.signed_out) || leaky;
            counts.then_some((*id, tracked))
        });
        let merged = merge(sessions)?;
        let mut settings = user.settings().map_or_else(Cow::default, Cow::Borrowed);
        if self.leaks.has(Leak::IdleWithoutActivity) && merged.status == model::Status::Idle {
            settings.to_mut().show_activity = true;
        }
        Some(policy::present(form, id, merged, &settings))
    }
}

/// Puts the new record in place, `like` itself where it has the same value: it is encoded once for both. Tells whether its value
/// differs.
fn replace(
    slot: &mut Option<Arc<SharedRecord>>,
    record: Option<Record>,
    like: &Option<Arc<SharedRecord>>,
) -> bool {
    if slot.as_ref().map(|old| old.record()) == record.as_ref() {
        return false;
    }
    *slot = record.map(|record| SharedRecord::renew(like.clone(), record));
    true
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_the_same_for_oneself_and_for_others_is_one_record() {
        let user = UserId(Uuid::from_u128(1));
        let record = |minute: i64| Some(policy::offline(user, Some(Wall(minute * 60_000))));
        let (mut own, mut public) = (None, None);
        assert!(replace(&mut own, record(1), &public) && replace(&mut public, record(1), &own));
        assert!(Arc::ptr_eq(own.as_ref().unwrap(), public.as_ref().unwrap()));
        assert!(!replace(&mut public, record(1), &own));
        assert!(replace(&mut own, record(2), &public));
        assert!(own != public && !replace(&mut public, record(1), &own));
        assert!(replace(&mut public, record(2), &own));
        assert!(Arc::ptr_eq(own.as_ref().unwrap(), public.as_ref().unwrap()));
        assert!(replace(&mut public, None, &own) && public.is_none());
    }
}
