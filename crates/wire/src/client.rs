//! What a client says to the hub.

use std::fmt;

use model::{
    ActivityRequest, RequestId, ResumeRequest, SettingsPatch, SubscribeRequest, SubscriptionId, TrackRequest,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ChangeAccount, ClockInRequest, ClockOut};

/// One frame from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "t", rename_all = "camelCase")]
pub enum ClientFrame {
    /// The first frame of a connection.
    Hello(Hello),
    /// Wants to see channels.
    Subscribe(Subscribe),
    /// Wants to see a channel no more.
    Unsubscribe(Unsubscribe),
    /// Announces the session's state, whole.
    Track(TrackFrame),
    /// The session is present no more; the connection and its subscriptions go on.
    Untrack(Request),
    /// Tells what was done, for the organizations that keep a log.
    Activity(ActivityFrame),
    /// The session ends at once, without grace.
    SignOut(Request),
    /// Changes the user's settings.
    SetSettings(SetSettings),
    /// Gives the connection a newer token of the same person.
    Refresh(Refresh),
    /// An extension's: ends the hold of an account.
    ClockOut(ClockOut),
    /// An extension's: moves to another account.
    ChangeAccount(ChangeAccount),
    /// An extension's: asks for a newer token of the same hold.
    Renew(Request),
    /// Asks for an acknowledgement: a round trip.
    Ping(Request),
    /// The answer to the hub's heartbeat.
    Heartbeat,
}

/// The first frame of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hello {
    /// Left out where it came with the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The session to come back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeRequest>,
    /// The state to announce at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<TrackRequest>,
    /// An extension's, and then alone: no token, no session to come back to, nothing to announce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_in: Option<ClockInRequest>,
}

/// Wants to see channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscribe {
    /// The request.
    pub id: RequestId,
    /// The channels, and what to see of each.
    pub channels: Vec<SubscribeRequest>,
}

/// Wants to see a channel no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unsubscribe {
    /// The request.
    pub id: RequestId,
    /// The subscription to end.
    pub subscription: SubscriptionId,
}

/// Announces the session's state, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrackFrame {
    /// The request.
    pub id: RequestId,
    /// The state.
    pub track: TrackRequest,
}

/// Tells what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityFrame {
    /// The request.
    pub id: RequestId,
    /// What. It names no session: it is that of the connection.
    pub activity: ActivityRequest,
}

/// A request that says nothing but its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The request.
    pub id: RequestId,
}

/// Changes the user's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSettings {
    /// The request.
    pub id: RequestId,
    /// What changes.
    pub settings: SettingsPatch,
    /// Names the operation, so that asking again after a cut does it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<Uuid>,
}

/// Gives the connection a newer token of the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refresh {
    /// The request.
    pub id: RequestId,
    /// The token.
    pub token: Token,
}

/// A secret on its way to the hub. `Debug` does not show it, so that no log line can.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for whoever verifies it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl ClientFrame {
    /// Every kind, as `t` names it.
    pub const KINDS: &[&str] = &[
        "hello",
        "subscribe",
        "unsubscribe",
        "track",
        "untrack",
        "activity",
        "signOut",
        "setSettings",
        "refresh",
        "clockOut",
        "changeAccount",
        "renew",
        "ping",
        "heartbeat",
    ];

    /// The kind, as `t` names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Subscribe(_) => "subscribe",
            Self::Unsubscribe(_) => "unsubscribe",
            Self::Track(_) => "track",
            Self::Untrack(_) => "untrack",
            Self::Activity(_) => "activity",
            Self::SignOut(_) => "signOut",
            Self::SetSettings(_) => "setSettings",
            Self::Refresh(_) => "refresh",
            Self::ClockOut(_) => "clockOut",
            Self::ChangeAccount(_) => "changeAccount",
            Self::Renew(_) => "renew",
            Self::Ping(_) => "ping",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// The request's id; `None` for the two kinds that are answered by no `re`.
    #[must_use]
    pub fn id(&self) -> Option<RequestId> {
        match self {
            Self::Hello(_) | Self::Heartbeat => None,
            Self::Subscribe(frame) => Some(frame.id),
            Self::Unsubscribe(frame) => Some(frame.id),
            Self::Track(frame) => Some(frame.id),
            Self::Activity(frame) => Some(frame.id),
            Self::SetSettings(frame) => Some(frame.id),
            Self::Refresh(frame) => Some(frame.id),
            Self::ClockOut(frame) => Some(frame.id),
            Self::ChangeAccount(frame) => Some(frame.id),
            Self::Untrack(frame) | Self::SignOut(frame) | Self::Renew(frame) | Self::Ping(frame) => {
                Some(frame.id)
            }
        }
    }
}
