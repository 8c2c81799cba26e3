//! Where an extension is, and what a listener has to be told of it. Level-triggered: what the listener knows is compared
//! with what is so now, so that one that lags is told the last state of all and no step on the way.

use std::time::Duration;

use model::{ClockOutReason, Hold, Minute, RequestError};
use tokio::sync::watch;
use wire::{ClockedIn, Token};

use crate::Closed;

/// An account that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The hold.
    pub hold: Hold,
    /// Since when.
    pub since: Minute,
    /// The token of the hold: with it the extension comes back, here or in another process.
    pub token: Token,
    /// What owners and admins of the organization see of the assistant meanwhile: to be shown to the assistant.
    pub admins_see: Vec<String>,
}

impl From<&ClockedIn> for Held {
    fn from(frame: &ClockedIn) -> Self {
        let ClockedIn { user, organization, account_id, epoch, since, .. } = *frame;
        let hold = Hold { user, organization, account: account_id, epoch };
        Self { hold, since, token: frame.token.clone(), admins_see: frame.admins_see.clone() }
    }
}

/// Where an extension is, as far as it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionState {
    /// Not in an account yet: it tries.
    Entering,
    /// Connected, and in the account.
    In(Held),
    /// Not connected: it tries again after `wait`.
    Lost {
        /// What it holds, as it was told last; the hub keeps it. `None`: nothing was held yet.
        held: Option<Held>,
        /// How long it waits.
        wait: Duration,
        /// Why.
        cause: String,
    },
    /// It will not try again.
    Out(Leaving),
}

/// Why an extension will not come back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Leaving {
    /// The hold is over; `None`: it is not known why.
    #[error("clocked out: {}", .0.map_or("nobody knows why", ClockOutReason::name))]
    ClockedOut(Option<ClockOutReason>),
    /// The hub did not let it in. What was held before, if anything, is held still.
    #[error("the hub refused: {} ({})", .0.message, .0.code.name())]
    Refused(RequestError),
    /// The hub closed the connection with a code that says so. What was held is held still.
    #[error("closed by the hub: {0}")]
    ByHub(Closed),
    /// It was closed here. What was held is held still.
    #[error("closed by this client")]
    Closed,
    /// The handshake will never succeed.
    #[error("cannot connect: {0}")]
    Handshake(String),
}

impl ExtensionState {
    /// The account that is held, as it was told last.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        match self {
            Self::In(held) | Self::Lost { held: Some(held), .. } => Some(held),
            Self::Entering | Self::Lost { held: None, .. } | Self::Out(_) => None,
        }
    }
}

/// Something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionEvent {
    /// In an account now.
    ClockedIn(Held),
    /// In another account now, or clocked in anew.
    Moved {
        /// What was held before.
        from: Hold,
        /// What is held now.
        held: Held,
    },
    /// The same hold, with a newer token.
    Renewed(Held),
    /// The connection is lost, or was not made. Whatever was held is held still.
    Lost {
        /// How long until the next attempt.
        wait: Duration,
        /// Why.
        cause: String,
    },
    /// Connected again, as if nothing had been.
    Back(Held),
    /// The last event: it will not try again.
    Out(Leaving),
}

/// What is new to somebody who knows `told`.
fn news(told: &ExtensionState, held_before: Option<&Held>, now: &ExtensionState) -> Option<ExtensionEvent> {
    if told == now {
        return None;
    }
    match now {
        ExtensionState::Entering => None,
        ExtensionState::Lost { wait, cause, .. } => {
            Some(ExtensionEvent::Lost { wait: *wait, cause: cause.clone() })
        }
        ExtensionState::Out(leaving) => Some(ExtensionEvent::Out(leaving.clone())),
        ExtensionState::In(held) => Some(match held_before {
            None => ExtensionEvent::ClockedIn(held.clone()),
            Some(before) if before.hold != held.hold => {
                ExtensionEvent::Moved { from: before.hold, held: held.clone() }
            }
            Some(_) if matches!(told, ExtensionState::In(_)) => ExtensionEvent::Renewed(held.clone()),
            Some(_) => ExtensionEvent::Back(held.clone()),
        }),
    }
}

/// What is new, for one listener.
#[derive(Debug)]
pub struct ExtensionEvents {
    state: watch::Receiver<ExtensionState>,
    told: ExtensionState,
    /// The last hold that the listener was told of.
    held: Option<Held>,
}

impl ExtensionEvents {
    pub(super) fn new(state: watch::Receiver<ExtensionState>) -> Self {
        Self { state, told: ExtensionState::Entering, held: None }
    }

    /// The next event; `None` behind [`ExtensionEvent::Out`]. Safe to cancel.
    pub async fn next(&mut self) -> Option<ExtensionEvent> {
        loop {
            let now = self.state.borrow_and_update().clone();
            let event = news(&self.told, self.held.as_ref(), &now);
            if let ExtensionState::In(held) = &now {
                self.held = Some(held.clone());
            }
            self.told = now;
            if event.is_some() {
                return event;
            }
            if matches!(self.told, ExtensionState::Out(_)) || self.state.changed().await.is_err() {
                return None;
            }
        }
    }
}
