//! What a viewer asks for.

use serde::{Deserialize, Serialize};

use crate::{ChannelId, SessionId, SubscriptionId};

/// Which people of a channel a subscriber wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeopleInterest {
    /// None.
    None,
    /// Who is here.
    Present,
    /// Who is here, and who is not with their last-seen.
    Roster,
}

/// Which entries of a channel a subscriber wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interest {
    /// People.
    pub people: PeopleInterest,
    /// The occupancy of accounts.
    pub accounts: bool,
}

/// One channel of a subscribe request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscribeRequest {
    /// The channel.
    pub channel: ChannelId,
    /// Left out: who is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleInterest>,
    /// Left out: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<bool>,
}

impl SubscribeRequest {
    /// Who is here and which accounts are held.
    #[must_use]
    pub fn of(channel: ChannelId) -> Self {
        Self { channel, people: None, accounts: None }
    }

    /// With the offline members too.
    #[must_use]
    pub fn roster(channel: ChannelId) -> Self {
        Self { channel, people: Some(PeopleInterest::Roster), accounts: None }
    }

    /// The request with its defaults filled in.
    #[must_use]
    pub fn interest(&self) -> Interest {
        Interest {
            people: self.people.unwrap_or(PeopleInterest::Present),
            accounts: self.accounts.unwrap_or(true),
        }
    }
}

/// Where a client stands in a subscription: the last sequence number it applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResumePoint {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The last sequence number applied; 0 before the first frame.
    pub sequence: u32,
}

/// A client that comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResumeRequest {
    /// The session of the last welcome.
    pub session: SessionId,
    /// The subscriptions to go on with; others of the session are dropped.
    #[serde(default)]
    pub subscriptions: Vec<ResumePoint>,
}

#[cfg(test)]
mod tests;
