//! Why the task of a client stops what it is doing with a connection, and what that asks for.

use std::time::Duration;

use model::CloseCode;
use tokio::sync::oneshot;
use wire::Failure;

use crate::{Comeback, SocketError, client::Ending};

/// Why the task stops what it is doing with a connection.
#[derive(Debug)]
pub(super) enum Stop {
    /// The connection has ended, or was not made.
    Error(SocketError),
    /// The hub has been silent for too long, or does not read.
    Silent,
    /// The hub did not let the client follow again what it followed.
    NotFollowed(Failure),
    /// Nobody could be asked for a token.
    NoToken(String),
    /// The one token that there is was refused before.
    SameToken,
    /// A handle wants the connection cut.
    Cut(Duration, oneshot::Sender<()>),
    /// A handle wants the end, or no handle is left.
    Close,
}

impl From<SocketError> for Stop {
    fn from(error: SocketError) -> Self {
        Self::Error(error)
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Silent => f.write_str("the hub is silent"),
            Self::NotFollowed(failure) => write!(f, "lists cannot be followed: {}", failure.message),
            Self::NoToken(error) => write!(f, "no token: {error}"),
            Self::SameToken => f.write_str("the hub refused this token before"),
            Self::Cut(..) | Self::Close => f.write_str("closed by this client"),
        }
    }
}

impl Stop {
    /// What it asks for.
    pub(super) fn comeback(&self) -> Comeback {
        match self {
            Self::Error(error) => Comeback::after(error),
            Self::NotFollowed(Failure { retry_after_ms: Some(ms), .. }) => {
                Comeback::After(Duration::from_millis(*ms))
            }
            Self::Silent | Self::NoToken(_) | Self::NotFollowed(_) | Self::Cut(..) => Comeback::Backoff,
            Self::SameToken | Self::Close => Comeback::Never,
        }
    }

    /// Whether somebody else holds the session now.
    pub(super) fn is_replaced(&self) -> bool {
        let Self::Error(SocketError::Closed(closed)) = self else { return false };
        closed.close_code() == Some(CloseCode::Replaced)
    }

    /// What the client tells when it does not come back.
    pub(super) fn ending(self) -> Ending {
        match self {
            Self::Close | Self::Cut(..) => Ending::Closed,
            Self::Error(SocketError::Closed(closed)) if closed.code == Some(1000) => Ending::SignedOut,
            Self::Error(SocketError::Closed(closed)) => Ending::ByHub(closed),
            Self::NoToken(_) | Self::SameToken => Ending::Token(self.to_string()),
            Self::Error(_) | Self::Silent | Self::NotFollowed(_) => Ending::Handshake(self.to_string()),
        }
    }
}
