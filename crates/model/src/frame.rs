//! What the heart says to one connection. `wire` gives it bytes; nothing here knows any.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, EntryId, RequestId, SessionId, Settings, SharedRecord, SubscriptionId, UserId};

/// How safely a change is kept that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Committed, or there was nothing to commit.
    #[default]
    Durably,
    /// In force and on the hub's own disk; the database, which is out of reach, gets it later.
    Spooled,
}

/// One thing said to one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// The answer to a hello.
    Welcome(WelcomeFrame),
    /// The answer to a subscribe request, channel by channel in the order asked.
    Subscribed {
        /// The request.
        re: RequestId,
        /// One outcome a channel.
        channels: Vec<SubscribedChannel>,
    },
    /// A change of a view.
    View(ViewFrame),
    /// A subscription ended without being asked to.
    Ended {
        /// The subscription.
        subscription: SubscriptionId,
        /// Why.
        reason: EndReason,
    },
    /// Done.
    Ack {
        /// The request.
        re: RequestId,
        /// How safely, where the request is a durable one.
        kept: Kept,
    },
    /// Not done.
    Error {
        /// The request; `None` where it could not be read.
        re: Option<RequestId>,
        /// Why.
        error: RequestError,
    },
    /// The user's settings as they are now.
    Settings(Settings),
    /// Are you there? The client's code answers with a heartbeat.
    Heartbeat,
    /// The token ends soon: send a new one.
    TokenExpiring {
        /// Milliseconds left.
        in_ms: u64,
    },
    /// The truth behind a subscription (`None`: all) is out of reach; the view may be old.
    Stale {
        /// The subscription.
        subscription: Option<SubscriptionId>,
        /// Whether it is stale now, or fresh again.
        stale: bool,
    },
}

impl Outgoing {
    /// An upper bound of the encoded size in bytes, whatever the encoding. View frames are counted by their
    /// records, as they are made.
    ///
    /// Arithmetic: a subscribed channel is `{"channel":"organization:<36>","subscription":4294967295}`, 90 bytes
    /// at most; an outcome of a resume is 70; settings are at most 1,100 (two texts, escaped); the envelope of
    /// anything is under 400.
    #[must_use]
    pub fn weight(&self) -> usize {
        400 + match self {
            Self::Subscribed { channels, .. } => 96 * channels.len(),
            Self::Welcome(welcome) => {
                1_200
                    + match &welcome.resume {
                        Some(ResumeOutcome::Resumed(outcomes)) => 80 * outcomes.len(),
                        _ => 0,
                    }
            }
            Self::Settings(_) => 1_200,
            Self::Error { error, .. } => 2 * error.message.len(),
            _ => 0,
        }
    }
}

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeFrame {
    /// Who the token says the client is.
    pub user: UserId,
    /// The session, to be named when coming back.
    pub session: SessionId,
    /// What became of the request to resume; `None` where none was made.
    pub resume: Option<ResumeOutcome>,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u64,
    /// Milliseconds within which a heartbeat wants its answer.
    pub heartbeat_timeout_ms: u64,
    /// Milliseconds for which a session can be resumed after a cut.
    pub resume_ms: u64,
    /// The user's settings.
    pub settings: Settings,
}

/// What became of a request to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResumeOutcome {
    /// The session goes on; with each subscription named, in the order named, whether it does.
    Resumed(Vec<(SubscriptionId, Result<(), NotResumed>)>),
    /// A new session was made.
    NotResumed(NotResumed),
}

/// Why something was not resumed. Depends only on the viewer's own acts, on age, or on a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotResumed {
    /// No such session of this user: too old, ended, or the hub was restarted.
    UnknownSession,
    /// No such subscription, or its channel is not there for this viewer any more.
    UnknownChannel,
    /// A sequence number never sent, or one already confirmed: the view starts anew with a snapshot.
    Sequence,
}

/// The outcome for one channel of a subscribe request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribedChannel {
    /// The channel asked for.
    pub channel: ChannelId,
    /// The subscription, or why there is none.
    pub outcome: SubscribeOutcome,
}

/// A subscription, or why there is none.
pub type SubscribeOutcome = Result<SubscriptionId, ErrorCode>;

/// Why a subscription ended without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The channel is not there for this viewer any more; the same words as if it never had been.
    UnknownChannel,
}

/// Whether a view is still catching up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A page of the view as it is; `more` pages follow.
    Snapshot {
        /// Whether more pages follow.
        more: bool,
    },
    /// The view is complete; this is what changed.
    Live,
}

/// A change of one view: apply all of it, in sequence. Within a list, entries are sorted by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewFrame {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// 1, 2, 3: one for each frame of the subscription, none without a frame.
    pub sequence: u32,
    /// Whether the view is still catching up.
    pub phase: Phase,
    /// Entries that the viewer did not see before.
    pub join: Vec<Arc<SharedRecord>>,
    /// Entries that changed, whole.
    pub update: Vec<Arc<SharedRecord>>,
    /// Entries that the viewer sees no more.
    pub leave: Vec<EntryId>,
}

/// A request that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// The stable code.
    pub code: ErrorCode,
    /// A sentence for the developer who reads it.
    pub message: String,
    /// Milliseconds to wait before asking again.
    pub retry_after_ms: Option<u64>,
}

impl RequestError {
    /// An error without a time to wait.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }
}

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $value:literal $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All codes, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $value),+ }
            }

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The code of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }
        }
    };
}

codes! {
    /// Why a request was not done. The connection goes on. On REST the number is the HTTP status.
    ErrorCode {
        /// The frame or body could not be read, or a field is unknown, missing or of the wrong type.
        Malformed = 400 "malformed",
        /// No valid token, or one of another kind than this asks for.
        Unauthorized = 401 "unauthorized",
        /// No access code that is valid here: wrong, unknown, used up, expired or revoked.
        InvalidCode = 401 "invalid_code",
        /// Only owners and admins of the organization may do this.
        Forbidden = 403 "forbidden",
        /// Nothing by that name for this viewer.
        UnknownChannel = 404 "unknown_channel",
        /// No such subscription of this session.
        UnknownSubscription = 410 "unknown_subscription",
        /// The operation id was used with another body.
        OperationConflict = 409 "operation_conflict",
        /// Somebody else is clocked in to the account.
        Occupied = 409 "occupied",
        /// That hold of the account is over, or never was.
        NotHeld = 409 "not_held",
        /// More than 16 KiB.
        TooLarge = 413 "too_large",
        /// A value past its limit.
        InvalidValue = 422 "invalid_value",
        /// More subscriptions than a session may have.
        ChannelLimit = 423 "channel_limit",
        /// Too often; wait as told.
        RateLimited = 429 "rate_limited",
        /// The hub failed; it is counted and logged.
        Internal = 500 "internal",
        /// The store is out of reach; ask again as told.
        Unavailable = 503 "unavailable",
    }
}

codes! {
    /// Why a connection is closed. The range tells a client what to do: 1xxx as RFC 6455 has them;
    /// 4000 to 4099 come back and resume at once; 4100 to 4199 come back after the delay told, or a minute;
    /// 4200 to 4299 come back only with a new token; 4300 to 4399 do not come back without a person's act.
    CloseCode {
        /// Signed out.
        Normal = 1000 "normal",
        /// A frame that breaks RFC 6455.
        ProtocolError = 1002 "protocol_error",
        /// A frame of a kind that the encoding does not use.
        UnsupportedData = 1003 "unsupported_data",
        /// Text that is not UTF-8.
        InvalidPayload = 1007 "invalid_payload",
        /// A message over 16 KiB.
        MessageTooBig = 1009 "message_too_big",
        /// The hub failed.
        InternalError = 1011 "internal_error",
        /// No answer to a heartbeat.
        HeartbeatTimeout = 4000 "heartbeat_timeout",
        /// The same session came back on another connection.
        Replaced = 4001 "replaced",
        /// The hub is being restarted.
        Restarting = 4100 "restarting",
        /// The client does not read fast enough to make any progress.
        TooSlow = 4101 "too_slow",
        /// No room for another connection.
        Overloaded = 4102 "overloaded",
        /// More sessions than a user may have.
        TooManySessions = 4103 "too_many_sessions",
        /// A message not ended, or a hello not sent, in time.
        Timeout = 4104 "timeout",
        /// The token has ended.
        TokenExpired = 4200 "token_expired",
        /// The token is not valid here.
        TokenInvalid = 4201 "token_invalid",
        /// A new token of another person.
        SubjectChanged = 4202 "subject_changed",
        /// The first message was not a hello, or a second one was.
        BadHello = 4300 "bad_hello",
        /// The user is not in the directory, or disabled.
        AccountDisabled = 4301 "account_disabled",
        /// Too many malformed frames.
        TooManyErrors = 4302 "too_many_errors",
        /// The extension's hold of its account is over.
        ClockedOut = 4303 "clocked_out",
    }
}

macro_rules! code_as_name {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| serde::de::Error::custom("unknown code"))
            }
        }
    )+};
}

code_as_name!(ErrorCode, CloseCode);

impl CloseCode {
    /// The code of that number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

#[cfg(test)]
mod tests;
