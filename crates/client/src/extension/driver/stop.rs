//! Why an extension stops what it is doing with a connection, and what that asks for.

use std::time::Duration;

use model::{ClockOutReason, CloseCode, ErrorCode, RequestError};
use tokio::sync::oneshot;

use crate::{Closed, Comeback, Leaving, NotEntered, SocketError};

/// Why the task stops what it is doing with a connection.
#[derive(Debug)]
pub(super) enum Stop {
    /// The connection has ended, or was not made.
    Socket(SocketError),
    /// The hub did not let it in.
    Refused(RequestError, Closed),
    /// The hold is over.
    Over(Option<ClockOutReason>),
    /// The hub has been silent for too long, or does not read.
    Silent,
    /// A handle wants the connection cut.
    Cut(Duration, oneshot::Sender<()>),
    /// A handle wants the end, or no handle is left.
    Close,
}

impl From<SocketError> for Stop {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Closed(closed) if closed.close_code() == Some(CloseCode::ClockedOut) => {
                Self::Over(None)
            }
            error => Self::Socket(error),
        }
    }
}

impl From<NotEntered> for Stop {
    fn from(not_entered: NotEntered) -> Self {
        match not_entered {
            NotEntered::Refused { error, .. } if error.code == ErrorCode::NotHeld => Self::Over(None),
            NotEntered::Refused { error, closed } => Self::Refused(error, closed),
            NotEntered::Over(clocked_out) => Self::Over(clocked_out.reason),
            NotEntered::Socket(error) => error.into(),
        }
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(error) => error.fmt(f),
            Self::Refused(error, _) => write!(f, "the hub refused: {}", error.message),
            Self::Over(_) => f.write_str("the hold is over"),
            Self::Silent => f.write_str("the hub is silent"),
            Self::Cut(..) | Self::Close => f.write_str("closed by this extension"),
        }
    }
}

impl Stop {
    /// What it asks for. There is no other token than the one that was refused.
    pub(super) fn comeback(&self) -> Comeback {
        let comeback = match self {
            Self::Socket(error) => Comeback::after(error),
            Self::Refused(error, closed) => after_refusal(error, closed),
            Self::Silent | Self::Cut(..) => Comeback::Backoff,
            Self::Over(_) | Self::Close => Comeback::Never,
        };
        if comeback == Comeback::NewToken { Comeback::Never } else { comeback }
    }

    /// Whether a move whose answer was lost is what ended the hold. Any other end is somebody's will, and not to be undone.
    pub(super) fn may_be_a_move(&self) -> bool {
        matches!(self, Self::Over(Some(ClockOutReason::Moved)))
    }

    /// What the extension tells when it does not come back.
    pub(super) fn leaving(self) -> Leaving {
        match self {
            Self::Over(reason) => Leaving::ClockedOut(reason),
            Self::Refused(error, _) => Leaving::Refused(error),
            Self::Socket(SocketError::Closed(closed)) => Leaving::ByHub(closed),
            Self::Cut(..) | Self::Close => Leaving::Closed,
            Self::Socket(_) | Self::Silent => Leaving::Handshake(self.to_string()),
        }
    }
}

/// As the close says; where that was lost, as the error does.
fn after_refusal(error: &RequestError, closed: &Closed) -> Comeback {
    if closed.close_code().is_some() || closed.code.is_some() {
        return Comeback::after(&SocketError::Closed(closed.clone()));
    }
    match (error.code, error.retry_after_ms) {
        (_, Some(ms)) => Comeback::After(Duration::from_millis(ms)),
        (ErrorCode::RateLimited | ErrorCode::Internal | ErrorCode::Unavailable, None) => Comeback::Backoff,
        _ => Comeback::Never,
    }
}
