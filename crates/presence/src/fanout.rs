//! Who has to look again.
//!
//! Marking follows the audience of the subject: for somebody whom only their weddings may see, the views of a
//! ten-thousand-member organization are not visited one by one.

use std::collections::BTreeSet;

use model::{ChannelId, ConnectionId, EntryId, Outgoing, UserId, Visibility};
use policy::Sight;

use crate::{
    Presence,
    project::Projection,
    table::{EntryKey, UserKey},
    view::{ViewKey, Waits},
};

/// Views of a channel up to which all are looked at before they are marked: what they take fits a processor's cache.
const LOOK_AHEAD: usize = 64;

/// Whose views have to look again.
enum Audience {
    Nobody,
    All,
    /// Those of the viewers who may see the subject.
    Seeing,
    Views(Vec<ViewKey>),
}

impl Presence {
    /// The key of an entry that was ever named.
    fn entry_key(&self, entry: EntryId) -> Option<EntryKey> {
        match entry {
            EntryId::Person(user) => self.users.key(&user).map(EntryKey::from),
            EntryId::Account(account) => self.accounts.key(&account).map(EntryKey::from),
        }
    }

    /// Visits the views on a channel. `visit` opens and drops none.
    fn each_view(&mut self, channel: ChannelId, mut visit: impl FnMut(&mut Self, UserKey, ViewKey)) {
        let Some(place) = self.channels.get_mut(&channel) else { return };
        let viewers = std::mem::take(&mut place.viewers);
        for (viewer, view) in viewers.iter() {
            visit(self, viewer, view);
        }
        if let Some(place) = self.channels.get_mut(&channel) {
            place.viewers = viewers;
        }
    }

    /// The entry may have changed for anybody who looks at the channel.
    pub(crate) fn mark_all_views(&mut self, channel: ChannelId, entry: EntryId) {
        if let Some(entry) = self.entry_key(entry) {
            self.each_view(channel, |this, _, view| this.mark(view, entry));
        }
    }

    /// The entry may have changed for those viewers of the channel whom it concerns.
    pub(crate) fn mark_views_of_those(
        &mut self,
        channel: ChannelId,
        entry: EntryId,
        concerns: impl Fn(&Self, UserKey) -> bool,
    ) {
        let Some(entry) = self.entry_key(entry) else { return };
        self.each_view(channel, |this, viewer, view| {
            if concerns(this, viewer) {
                this.mark(view, entry);
            }
        });
    }

    /// The entry is not in the channel any more.
    pub(crate) fn mark_departed(&mut self, channel: ChannelId, entry: EntryId) {
        let Some(entry) = self.entry_key(entry) else { return };
        self.each_view(channel, |this, _, view| {
            this.mark(view, entry);
            if let Some(view) = this.views.get_mut(view) {
                view.tidy(|other| other != entry);
            }
        });
    }

    /// A user's own views have to look at the user again.
    pub(crate) fn mark_own_views(&mut self, channel: ChannelId, user: UserId) {
        let Some(key) = self.users.key(&user) else { return };
        let Some(place) = self.channels.get(&channel) else { return };
        let views: Vec<_> = place.viewers.of(key).collect();
        views.into_iter().for_each(|view| self.mark(view, key.into()));
    }

    /// A user's public record changed: those who may see it have to look again. Who may not, was not shown it.
    pub(crate) fn mark_audience(&mut self, channel: ChannelId, subject: UserId) {
        let Some(key) = self.users.key(&subject) else { return };
        let entry = key.into();
        match self.audience(channel, subject) {
            Audience::Nobody => {}
            Audience::All => {
                self.look_ahead(channel, entry);
                self.each_view(channel, |this, _, view| this.mark(view, entry));
            }
            Audience::Seeing => self.each_view(channel, |this, viewer, view| {
                if this.projection().sight(viewer, key) == Sight::Public {
                    this.mark(view, entry);
                }
            }),
            Audience::Views(views) => views.into_iter().for_each(|view| self.mark(view, entry)),
        }
    }

    /// The views of a small room are about to be compared one after the other, and each lies somewhere else in memory.
    /// A look at all of them lets the processor fetch them at once. In a crowd most only take a mark.
    fn look_ahead(&self, channel: ChannelId, entry: EntryKey) {
        let Some(place) = self.channels.get(&channel).filter(|place| place.viewers.len() <= LOOK_AHEAD)
        else {
            return;
        };
        let waiting = place.viewers.iter().filter(|(_, view)| self.look_at(*view, entry));
        std::hint::black_box(waiting.count());
    }

    fn look_at(&self, key: ViewKey, entry: EntryKey) -> bool {
        let Some(view) = self.views.get(key) else { return false };
        let connection = view.connection.and_then(|id| self.connections.get(&id));
        view.has(entry) ^ connection.is_some_and(|connection| connection.busy)
    }

    fn audience(&self, channel: ChannelId, subject: UserId) -> Audience {
        let Some(settings) = self.users.get(&subject).and_then(|user| user.settings()) else {
            return Audience::Nobody;
        };
        match (settings.visibility, channel) {
            (Visibility::Nobody, _) => Audience::Nobody,
            (Visibility::Everyone, _)
            | (Visibility::Team, ChannelId::Organization(_))
            | (Visibility::Contacts, ChannelId::Wedding(_)) => Audience::All,
            (Visibility::Contacts, _) => self.collaborators(channel, subject),
            (Visibility::Team, _) => Audience::Seeing,
        }
    }

    /// The views of those who share a wedding with `subject`: through the weddings where that is the shorter way.
    fn collaborators(&self, channel: ChannelId, subject: UserId) -> Audience {
        let Some(place) = self.channels.get(&channel) else { return Audience::Nobody };
        let facts = self.users.get(&subject).and_then(|user| user.facts());
        let weddings = facts.into_iter().flat_map(|facts| &facts.weddings);
        let shared: Vec<_> =
            weddings.filter_map(|wedding| self.channels.get(&ChannelId::Wedding(*wedding))).collect();
        if shared.iter().map(|wedding| wedding.people.len()).sum::<usize>() > place.viewers.len() {
            return Audience::Seeing;
        }
        let people: BTreeSet<_> = shared.iter().flat_map(|wedding| wedding.people.values()).collect();
        Audience::Views(people.into_iter().flat_map(|user| place.viewers.of(*user)).collect())
    }

    pub(crate) fn projection(&self) -> Projection<'_> {
        Projection {
            users: &self.users,
            accounts: &self.accounts,
            channels: &self.channels,
            leaks: self.leaks,
        }
    }

    fn mark(&mut self, key: ViewKey, entry: EntryKey) {
        let Some(view) = self.views.get_mut(key) else { return };
        view.mark(entry);
        // A view that waits already looks at everything when its time has come.
        if view.waits == Waits::Not {
            self.want_turn(key);
        }
    }

    /// Everything that a user's views show may have changed.
    pub(crate) fn mark_views_of(&mut self, user: UserId) {
        for key in self.views_of(user) {
            let Some(view) = self.views.get_mut(key) else { continue };
            if let Some(place) = self.channels.at(view.place.channel) {
                view.mark_all(place.entries(view.place.interest));
            }
            self.want_turn(key);
        }
    }

    /// All views of a user.
    pub(crate) fn views_of(&self, user: UserId) -> Vec<ViewKey> {
        let sessions = self.users.get(&user).into_iter().flat_map(|user| &user.sessions);
        sessions.filter_map(|id| self.sessions.get(id)).flat_map(|session| session.views.clone()).collect()
    }

    /// The view would like to send, as soon as it and its connection may.
    pub(crate) fn want_turn(&mut self, key: ViewKey) {
        let Some(view) = self.views.get_mut(key).filter(|view| view.waits == Waits::Not) else { return };
        let Some(id) = view.connection else { return };
        if let Some(connection) = self.connections.get_mut(&id) {
            view.waits = Waits::Turn;
            connection.ready.push((view.place.subscription, key));
            connection.queue(id, &mut self.pumped);
        }
    }

    /// Says something to a connection, in its turn.
    pub(crate) fn say(&mut self, id: ConnectionId, frame: Outgoing) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.control.push_back(frame);
            connection.queue(id, &mut self.pumped);
        }
    }

    #[cfg(feature = "seeded-leaks")]
    pub(crate) fn forget_in_views(&mut self, channel: ChannelId, entry: EntryId) {
        let Some(entry) = self.entry_key(entry) else { return };
        self.each_view(channel, |this, _, view| {
            if let Some(view) = this.views.get_mut(view) {
                view.forget(entry);
            }
        });
    }

    #[cfg(not(feature = "seeded-leaks"))]
    #[expect(clippy::unused_self, reason = "the same call in both builds")]
    pub(crate) fn forget_in_views(&self, _: ChannelId, _: EntryId) {}
}
