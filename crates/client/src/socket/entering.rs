//! The hello of an extension, and how it is refused.

use model::RequestError;
use wire::{ClientFrame, ClockedIn, ClockedOut, Failure, Hello, ServerFrame};

use super::{Closed, Socket, SocketError, unexpected};

/// Why an extension was not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotEntered {
    /// The hub said no.
    #[error("the hub refused: {} ({})", .error.message, .error.code.name())]
    Refused {
        /// Why.
        error: RequestError,
        /// How the connection ended behind it.
        closed: Closed,
    },
    /// The hold of the token is over.
    #[error("clocked out")]
    Over(ClockedOut),
    /// The connection was not made, or ended.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

impl Socket {
    /// Says hello as an extension, with a `clockIn` or an extension's token, and waits for where it is.
    ///
    /// # Errors
    /// [`NotEntered`], when the connection has ended behind the refusal.
    pub async fn enter(&mut self, hello: Hello) -> Result<ClockedIn, NotEntered> {
        self.send(&ClientFrame::Hello(hello)).await?;
        let mut refused = None;
        loop {
            match self.receive().await {
                Ok(ServerFrame::ClockedIn(clocked_in)) => return Ok(*clocked_in),
                Ok(ServerFrame::ClockedOut(clocked_out)) => return Err(NotEntered::Over(clocked_out)),
                Ok(ServerFrame::Error(failure)) => refused = Some(failure),
                Ok(ServerFrame::Closing(_) | ServerFrame::Unknown) => {}
                Ok(other) => return Err(unexpected("a clockedIn", &other).into()),
                Err(error) => return Err(not_entered(refused, error)),
            }
        }
    }
}

fn not_entered(refused: Option<Failure>, ended: SocketError) -> NotEntered {
    match (refused, ended) {
        (Some(failure), SocketError::Closed(closed)) => {
            NotEntered::Refused { error: error_of(failure), closed }
        }
        // The close was lost on the way; what was said before it holds all the same.
        (Some(failure), SocketError::Transport(_)) => {
            NotEntered::Refused { error: error_of(failure), closed: Closed::default() }
        }
        (_, error) => error.into(),
    }
}

fn error_of(failure: Failure) -> RequestError {
    let Failure { code, message, retry_after_ms, .. } = failure;
    RequestError { code, message, retry_after_ms }
}
