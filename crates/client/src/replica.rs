//! What the hub has told this client: lists, settings, where each subscription stands. No I/O and no clock; a frame
//! goes in, what it changed comes out.
//!
//! Every view frame is checked before it is applied: its number must be the next one, a join must be of an entry
//! not listed, an update or a leave of a listed one. A frame that fails is not applied at all, and its list is
//! marked [`Phase::Stale`] until a new snapshot replaces it.

mod list;

use std::collections::BTreeMap;

use model::{
    ChannelId, EntryId, ErrorCode, Phase as FramePhase, Record, ResumeOutcome, ResumePoint, ResumeRequest,
    SessionId, Settings, SubscribedChannel, SubscriptionId, UserId, ViewFrame,
};
use wire::{Closing, ServerFrame, Stale, Welcome};

pub use list::{List, Phase};

/// All that the hub has told a client.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    welcome: Option<Welcome>,
    /// `None`: before the first welcome, or left to somebody else.
    session: Option<SessionId>,
    settings: Option<Settings>,
    closing: Option<Closing>,
    lists: BTreeMap<ChannelId, List>,
    channels: BTreeMap<SubscriptionId, ChannelId>,
    stale: bool,
}

/// What a frame came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing that is kept here: answers, heartbeats, warnings, unknown kinds.
    Nothing,
    /// The hub said welcome. These channels have to be subscribed to again.
    Welcomed {
        /// Whether the session goes on.
        resumed: bool,
        /// Channels whose subscription is gone.
        lost: Vec<ChannelId>,
    },
    /// A subscribe request was answered.
    Subscribed(Vec<SubscribedChannel>),
    /// A list changed.
    Changed(Changed),
    /// A subscription ended without being asked to.
    Ended(ChannelId),
    /// The user's settings are others.
    Settings,
    /// Lists may be old, or are fresh again: one, or all.
    Staleness(Option<ChannelId>),
    /// The connection is about to be closed.
    Closing,
}

/// What a view frame changed in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The channel.
    pub channel: ChannelId,
    /// The entries touched, each with what it was before; `None`: it was not listed.
    pub before: Vec<(EntryId, Option<Record>)>,
    /// Whether the frame completed a snapshot.
    pub completed: bool,
}

/// A view frame that does not follow from what came before it. It was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} in {channel:?}")]
pub struct Fault {
    /// The channel; `None`: the frame is of no subscription known here.
    pub channel: Option<ChannelId>,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with a view frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// No such subscription.
    #[error("{0:?} is no subscription of this session")]
    UnknownSubscription(SubscriptionId),
    /// A number that is not the next one.
    #[error("frame {got} where {expected} had to come")]
    Gap {
        /// The number that had to come.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// A join of an entry that is listed.
    #[error("a join of {0:?}, which is listed")]
    Join(EntryId),
    /// An update of an entry that is not listed.
    #[error("an update of {0:?}, which is not listed")]
    Update(EntryId),
    /// A leave of an entry that is not listed.
    #[error("a leave of {0:?}, which is not listed")]
    Leave(EntryId),
    /// A snapshot after the view was complete, or a diff before it was.
    #[error("a snapshot frame after the snapshot, or a diff before it was complete")]
    Phase,
}

impl Replica {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one frame.
    ///
    /// # Errors
    /// [`Fault`]: the frame does not follow from what came before. Subscribe to its channel again.
    pub fn apply(&mut self, frame: &ServerFrame) -> Result<Applied, Fault> {
        Ok(match frame {
            ServerFrame::Welcome(welcome) => self.welcomed(welcome),
            ServerFrame::Subscribed(subscribed) => self.subscribed(&subscribed.channels),
            ServerFrame::View(view) => return self.view(view).map(Applied::Changed),
            ServerFrame::Ended(ended) => self.ended(ended.subscription),
            ServerFrame::Settings(now) => {
                self.settings = Some(now.settings.clone());
                Applied::Settings
            }
            ServerFrame::Stale(stale) => self.staleness(*stale),
            ServerFrame::Closing(closing) => {
                self.closing = Some(closing.clone());
                Applied::Closing
            }
            ServerFrame::Ack(_)
            | ServerFrame::Error(_)
            | ServerFrame::Heartbeat
            | ServerFrame::Expiring(_)
            | ServerFrame::ClockedIn(_)
            | ServerFrame::ClockedOut(_)
            | ServerFrame::Unknown => Applied::Nothing,
        })
    }

    /// The connection is gone: what is listed may be old until a welcome says that it goes on.
    pub fn disconnected(&mut self) {
        self.stale = true;
    }

    /// The session goes on elsewhere: a next hello resumes nothing.
    pub fn leave_session(&mut self) {
        self.session = None;
    }

    /// What to say in a hello to go on where this client stands; `None`: it never was welcome.
    #[must_use]
    pub fn resume(&self) -> Option<ResumeRequest> {
        let session = self.session()?;
        let point = |(subscription, channel): (&SubscriptionId, &ChannelId)| {
            let sequence = self.lists.get(channel)?.sequence();
            Some(ResumePoint { subscription: *subscription, sequence })
        };
        Some(ResumeRequest { session, subscriptions: self.channels.iter().filter_map(point).collect() })
    }

    /// Forgets a channel that is followed no more.
    pub fn forget(&mut self, channel: ChannelId) {
        self.lists.remove(&channel);
        self.channels.retain(|_, of| *of != channel);
    }

    /// Who the hub says this client is.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.welcome.as_ref().map(|welcome| welcome.user)
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The last welcome.
    #[must_use]
    pub fn welcome(&self) -> Option<&Welcome> {
        self.welcome.as_ref()
    }

    /// The user's settings.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// What the hub said before it closed the last connection.
    #[must_use]
    pub fn closing(&self) -> Option<&Closing> {
        self.closing.as_ref()
    }

    /// The subscription to a channel.
    #[must_use]
    pub fn subscription(&self, channel: ChannelId) -> Option<SubscriptionId> {
        self.channels.iter().find(|(_, of)| **of == channel).map(|(subscription, _)| *subscription)
    }

    /// The channel of a subscription.
    #[must_use]
    pub fn channel(&self, subscription: SubscriptionId) -> Option<ChannelId> {
        self.channels.get(&subscription).copied()
    }

    /// The list of a channel that is followed.
    #[must_use]
    pub fn list(&self, channel: ChannelId) -> Option<&List> {
        self.lists.get(&channel)
    }

    /// All lists.
    pub fn lists(&self) -> impl Iterator<Item = (ChannelId, &List)> {
        self.lists.iter().map(|(channel, list)| (*channel, list))
    }

    /// How far the list of a channel can be relied on; `None`: it is not followed.
    #[must_use]
    pub fn phase(&self, channel: ChannelId) -> Option<Phase> {
        let phase = self.list(channel)?.phase();
        Some(if self.stale && phase != Phase::CatchingUp { Phase::Stale } else { phase })
    }

    fn welcomed(&mut self, welcome: &Welcome) -> Applied {
        let lost = match &welcome.resume {
            Some(ResumeOutcome::Resumed(outcomes)) => self.resumed(outcomes),
            Some(ResumeOutcome::NotResumed(_)) | None => self.lose_all(),
        };
        for channel in &lost {
            self.lists.entry(*channel).or_default().stale = true;
        }
        self.stale = false;
        self.closing = None;
        self.settings = Some(welcome.settings.clone());
        self.session = Some(welcome.session);
        self.welcome = Some(welcome.clone());
        Applied::Welcomed { resumed: matches!(welcome.resume, Some(ResumeOutcome::Resumed(_))), lost }
    }

    /// Where the hub stands differently the view starts anew; what is not there any more has to be asked for again.
    fn resumed(&mut self, outcomes: &[(SubscriptionId, Result<(), model::NotResumed>)]) -> Vec<ChannelId> {
        let mut lost = Vec::new();
        for (subscription, outcome) in outcomes {
            let Some(channel) = self.channels.get(subscription).copied() else { continue };
            match outcome {
                Ok(()) => self.lists.entry(channel).or_default().resumed(),
                Err(model::NotResumed::Sequence) => self.lists.entry(channel).or_default().restart(),
                Err(_) => lost.push(channel),
            }
        }
        // A hub that names fewer than it was asked for goes on with fewer.
        let named = |id: &SubscriptionId| outcomes.iter().any(|(named, _)| named == id);
        lost.extend(self.channels.iter().filter(|(id, _)| !named(id)).map(|(_, channel)| *channel));
        self.channels.retain(|_, channel| !lost.contains(channel));
        lost
    }

    fn lose_all(&mut self) -> Vec<ChannelId> {
        std::mem::take(&mut self.channels).into_values().collect()
    }

    fn subscribed(&mut self, channels: &[SubscribedChannel]) -> Applied {
        for SubscribedChannel { channel, outcome } in channels {
            match outcome {
                Ok(subscription) => self.open(*channel, *subscription),
                Err(code) => self.refuse(*channel, *code),
            }
        }
        Applied::Subscribed(channels.to_vec())
    }

    /// A list that was there before is shown until the new snapshot is complete.
    fn open(&mut self, channel: ChannelId, subscription: SubscriptionId) {
        self.channels.retain(|_, of| *of != channel);
        self.channels.insert(subscription, channel);
        self.lists.entry(channel).or_default().restart();
    }

    /// A second subscription that is refused because it is one too many leaves the first as it is.
    fn refuse(&mut self, channel: ChannelId, code: ErrorCode) {
        if code == ErrorCode::UnknownChannel {
            self.forget(channel);
        }
    }

    fn ended(&mut self, subscription: SubscriptionId) -> Applied {
        match self.channels.remove(&subscription) {
            Some(channel) => {
                self.lists.remove(&channel);
                Applied::Ended(channel)
            }
            None => Applied::Nothing,
        }
    }

    fn staleness(&mut self, stale: Stale) -> Applied {
        let Some(subscription) = stale.subscription else {
            self.lists.values_mut().for_each(|list| list.stale = stale.stale);
            return Applied::Staleness(None);
        };
        let Some(channel) = self.channels.get(&subscription).copied() else { return Applied::Nothing };
        if let Some(list) = self.lists.get_mut(&channel) {
            list.stale = stale.stale;
        }
        Applied::Staleness(Some(channel))
    }

    fn view(&mut self, frame: &ViewFrame) -> Result<Changed, Fault> {
        let channel = self.channels.get(&frame.subscription).copied();
        let Some((channel, list)) = channel.and_then(|id| Some((id, self.lists.get_mut(&id)?))) else {
            let kind = FaultKind::UnknownSubscription(frame.subscription);
            return Err(Fault { channel: None, kind });
        };
        let before = list.apply(frame).map_err(|kind| Fault { channel: Some(channel), kind })?;
        let completed = matches!(frame.phase, FramePhase::Snapshot { more: false });
        Ok(Changed { channel, before, completed })
    }
}

#[cfg(test)]
mod tests;
