//! How much there is of everything: for the operator, and for the tests that hold it against the limits.

use model::{ChannelId, SessionId, SubscriptionId};

use crate::{Presence, input::Census};

/// What could grow, one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Deadlines.
    pub timers: usize,
    /// Frames that wait in the longest queue of a connection, views excepted.
    pub control_max: usize,
    /// Views that want a turn, in the longest list of a connection.
    pub ready_max: usize,
    /// Views of the session that has most.
    pub views_max: usize,
    /// Every view.
    pub views: Vec<ViewSizes>,
}

/// What one view keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewSizes {
    /// Whose view it is.
    pub session: SessionId,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// Its channel.
    pub channel: ChannelId,
    /// People and accounts of the channel.
    pub entries: usize,
    /// Entries that the client has.
    pub shown: usize,
    /// Entries to be looked at. At most `entries + shown`.
    pub dirty: usize,
    /// Entries in frames that the client has not confirmed. At most a heartbeat's worth of frames.
    pub recent: usize,
}

impl Presence {
    /// How much there is of everything, for the operator.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            users: self.users.len(),
            accounts: self.accounts.len(),
            channels: self.channels.len(),
            connections: self.connections.len(),
            sessions: self.sessions.len(),
            views: self.views.len(),
        }
    }

    /// What could grow, to hold it against the limits. Walks over everything: not for a live hub.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let connections = || self.connections.values();
        Sizes {
            timers: self.timers.len(),
            control_max: connections().map(|connection| connection.control.len()).max().unwrap_or(0),
            ready_max: connections().map(|connection| connection.ready.len()).max().unwrap_or(0),
            views_max: self.sessions.values().map(|session| session.views.len()).max().unwrap_or(0),
            views: self.view_sizes(),
        }
    }

    fn view_sizes(&self) -> Vec<ViewSizes> {
        let views = self.views.values().map(|view| {
            let channel = self.channels.at(view.place.channel);
            let (shown, dirty, recent) = view.sizes();
            ViewSizes {
                session: view.place.session,
                subscription: view.place.subscription,
                channel: self.channels.id(view.place.channel),
                entries: channel.map_or(0, |channel| channel.people.len() + channel.accounts.len()),
                shown,
                dirty,
                recent,
            }
        });
        views.collect()
    }
}
