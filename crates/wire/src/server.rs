//! What the hub says to a client, as a client reads it.

use model::{
    CloseCode, EndReason, ErrorCode, Kept, Limits, Outgoing, RequestError, RequestId, ResumeOutcome,
    SessionId, Settings, SubscribedChannel, SubscriptionId, UserId, ViewFrame, WelcomeFrame, limits,
};
use serde::{Deserialize, Serialize};

use crate::{ClockedIn, ClockedOut, shape};

/// One frame from the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "t", rename_all = "camelCase")]
pub enum ServerFrame {
    /// The answer to a hello.
    Welcome(Box<Welcome>),
    /// The answer to a subscribe request.
    Subscribed(Subscribed),
    /// A `snapshot` or a `diff` of a view. Its bytes are made by the splice, never by serde.
    #[serde(skip_serializing)]
    View(ViewFrame),
    /// A subscription ended without being asked to.
    Ended(Ended),
    /// A request was done.
    Ack(Ack),
    /// A request was not done.
    Error(Failure),
    /// The user's settings as they are now.
    Settings(SettingsNow),
    /// Are you there?
    Heartbeat,
    /// The token ends soon.
    Expiring(Expiring),
    /// A view may be old, or is fresh again.
    Stale(Stale),
    /// To an extension: the hold as it is now.
    ClockedIn(Box<ClockedIn>),
    /// To an extension: the hold is over.
    ClockedOut(ClockedOut),
    /// The connection is about to be closed.
    Closing(Closing),
    /// A kind that this version does not know: to be passed over. Never sent.
    #[serde(skip_serializing)]
    Unknown,
}

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// Who the token says the client is.
    pub user: UserId,
    /// The session, to be named when coming back.
    pub session: SessionId,
    /// What became of the request to resume; `None` where none was made.
    #[serde(default, with = "shape::resume", skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeOutcome>,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u64,
    /// Milliseconds within which a heartbeat wants its answer.
    pub heartbeat_timeout_ms: u64,
    /// Milliseconds for which a session can be resumed after a cut.
    pub resume_ms: u64,
    /// What the client must keep to.
    pub limits: Announced,
    /// The user's settings.
    #[serde(with = "shape::settings")]
    pub settings: Settings,
}

/// The limits that a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// Bytes of one message to the hub.
    pub message_bytes: usize,
    /// Subscriptions of one session.
    pub subscriptions: usize,
}

impl From<&Limits> for Announced {
    fn from(limits: &Limits) -> Self {
        Self { message_bytes: limits::INBOUND_BYTES, subscriptions: limits.subscriptions_per_session }
    }
}

/// The answer to a subscribe request, channel by channel in the order asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscribed {
    /// The request.
    pub re: RequestId,
    /// One outcome a channel.
    #[serde(with = "shape::outcomes")]
    pub channels: Vec<SubscribedChannel>,
}

/// A subscription ended without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The subscription.
    #[serde(rename = "sub")]
    pub subscription: SubscriptionId,
    /// Why; a reason that a later version adds reads as [`EndReason::UnknownChannel`].
    #[serde(deserialize_with = "shape::end_reason")]
    pub reason: EndReason,
}

/// A request was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// The request.
    pub re: RequestId,
    /// `false`: in force, but not yet in the database, which is out of reach.
    #[serde(default = "shape::yes", skip_serializing_if = "shape::is_yes")]
    pub durable: bool,
}

/// A request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The request; `None` where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// Why; a code that a later version adds reads as [`ErrorCode::Internal`].
    #[serde(deserialize_with = "shape::error_code")]
    pub code: ErrorCode,
    /// A sentence for the developer who reads it.
    pub message: String,
    /// Milliseconds to wait before asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The user's settings as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsNow {
    /// The settings.
    #[serde(with = "shape::settings")]
    pub settings: Settings,
}

/// Settings as a part of something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SettingsBody(#[serde(serialize_with = "shape::settings::serialize")] pub Settings);

/// The token ends soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiring {
    /// Milliseconds left.
    pub in_ms: u64,
}

/// A view may be old, or is fresh again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stale {
    /// The subscription; `None`: all of the connection.
    #[serde(default, rename = "sub", skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Whether it is stale now.
    pub stale: bool,
}

/// Sent right before the close frame: why, and when to come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// Why; a code that a later version adds reads as [`CloseCode::InternalError`], and the number in the close
    /// frame says its range.
    #[serde(deserialize_with = "shape::close_code")]
    pub code: CloseCode,
    /// A sentence for the developer who reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Milliseconds to wait before coming back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconnect_after_ms: Option<u64>,
}

impl Closing {
    /// A close without more words.
    #[must_use]
    pub fn new(code: CloseCode) -> Self {
        Self { code, message: None, reconnect_after_ms: None }
    }
}

impl ServerFrame {
    /// Every kind, as `t` names it.
    pub const KINDS: &[&str] = &[
        "welcome",
        "subscribed",
        "snapshot",
        "diff",
        "ended",
        "ack",
        "error",
        "settings",
        "heartbeat",
        "expiring",
        "stale",
        "clockedIn",
        "clockedOut",
        "closing",
    ];

    /// What the heart said, as a client will read it; a welcome tells the limits too.
    #[must_use]
    pub fn new(outgoing: Outgoing, limits: &Limits) -> Self {
        match outgoing {
            Outgoing::Welcome(frame) => Self::Welcome(Box::new(Welcome::new(frame, limits))),
            Outgoing::Subscribed { re, channels } => Self::Subscribed(Subscribed { re, channels }),
            Outgoing::View(view) => Self::View(view),
            Outgoing::Ended { subscription, reason } => Self::Ended(Ended { subscription, reason }),
            Outgoing::Ack { re, kept } => Self::Ack(Ack { re, durable: kept == Kept::Durably }),
            Outgoing::Error { re, error } => Self::Error(Failure::new(re, error)),
            Outgoing::Settings(settings) => Self::Settings(SettingsNow { settings }),
            Outgoing::Heartbeat => Self::Heartbeat,
            Outgoing::TokenExpiring { in_ms } => Self::Expiring(Expiring { in_ms }),
            Outgoing::Stale { subscription, stale } => Self::Stale(Stale { subscription, stale }),
        }
    }
}

impl Welcome {
    fn new(frame: WelcomeFrame, limits: &Limits) -> Self {
        let WelcomeFrame { user, session, resume, heartbeat_ms, heartbeat_timeout_ms, resume_ms, settings } =
            frame;
        let limits = Announced::from(limits);
        Self { user, session, resume, heartbeat_ms, heartbeat_timeout_ms, resume_ms, limits, settings }
    }
}

impl Failure {
    /// The error answer to a request.
    #[must_use]
    pub fn new(re: Option<RequestId>, error: RequestError) -> Self {
        let RequestError { code, message, retry_after_ms } = error;
        Self { re, code, message, retry_after_ms }
    }
}
