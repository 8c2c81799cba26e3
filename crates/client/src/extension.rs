//! The extension of a virtual assistant: it clocks in, stays in, comes back by itself, and says when and why it is out.

mod driver;
mod queue;
mod state;

use std::{sync::Arc, time::Duration};

use model::{AccountId, ActivityRequest, Encoding, ErrorCode, RequestError};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::timeout,
};
use uuid::Uuid;
use wire::Token;

use crate::Backoff;
use driver::{Driver, Order};
use queue::{Ask, Reply};

pub use state::{ExtensionEvent, ExtensionEvents, ExtensionState, Held, Leaving};

/// Orders that wait for the task.
const ORDERS: usize = 16;

/// With what an extension says hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An access code, to clock in.
    Code {
        /// The code.
        code: Token,
        /// Where to.
        account: AccountId,
    },
    /// The token of a hold that lasts.
    Token(Token),
}

/// How to be an extension.
#[derive(Clone, Debug)]
pub struct ExtensionOptions {
    /// `ws://...` or `wss://...`.
    pub url: String,
    /// The encoding; MessagePack unless set.
    pub encoding: Encoding,
    /// With what it says hello first. Later it comes back with the token that it was given.
    pub entry: Entry,
    /// How long a handshake with its hello may take.
    pub connect_timeout: Duration,
    /// How long a request may take, the time without a connection included.
    pub request_timeout: Duration,
    /// How much later than promised a heartbeat may come before the connection is taken for lost.
    pub patience: Duration,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// A connection that lasted this long was a good one: the backoff starts anew behind it.
    pub settled_after: Duration,
}

impl ExtensionOptions {
    /// Everything but these two as it usually is.
    #[must_use]
    pub fn new(url: impl Into<String>, entry: Entry) -> Self {
        Self {
            url: url.into(),
            encoding: Encoding::MessagePack,
            entry,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(15),
            patience: Duration::from_secs(5),
            backoff: Backoff::default(),
            settled_after: Duration::from_secs(10),
        }
    }
}

/// Why something was not done, as far as the extension knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionFailed {
    /// The hub said no.
    #[error("the hub refused: {} ({})", .0.message, .0.code.name())]
    Refused(RequestError),
    /// No answer in time. It may still be done: a clock-out stays wanted.
    #[error("no answer in time")]
    Timeout,
    /// The extension is out.
    #[error("the extension is out: {0}")]
    Out(Leaving),
}

/// A handle on an extension. Cheap to clone; when the last one is dropped, the connection is closed. **That is never a
/// clock-out**: the hub keeps the assistant in the account, and shows owners and admins that the extension is lost.
///
/// ```no_run
/// use client::{Entry, Extension, ExtensionEvent, ExtensionOptions};
///
/// # async fn work(code: wire::Token, account: model::AccountId) -> Result<(), client::ExtensionFailed> {
/// let options = ExtensionOptions::new("ws://127.0.0.1:8080/ws", Entry::Code { code, account });
/// let (extension, mut events) = Extension::start(options);
/// if let Some(ExtensionEvent::ClockedIn(held)) = events.next().await {
///     println!("in since {}; your admins see {:?}", held.since, held.admins_see);
/// }
/// extension.clock_out().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Extension {
    orders: mpsc::Sender<Order>,
    close: Arc<Notify>,
    state: watch::Receiver<ExtensionState>,
    request_timeout: Duration,
}

impl Extension {
    /// Starts an extension: one task, which clocks in and comes back until it is out.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn start(options: ExtensionOptions) -> (Self, ExtensionEvents) {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (sender, state) = watch::channel(ExtensionState::Entering);
        let close = Arc::new(Notify::new());
        let request_timeout = options.request_timeout;
        tokio::spawn(Driver::new(options, sender, inbox, close.clone()).run());
        let events = ExtensionEvents::new(state.clone());
        (Self { orders, close, state, request_timeout }, events)
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> ExtensionState {
        self.state.borrow().clone()
    }

    /// The account that is held, as it was told last; `None`: not yet, or not any more.
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        self.state.borrow().held().cloned()
    }

    /// Leaves the account, and ends the extension. Returns when that is committed, or the hold was over anyway.
    ///
    /// # Errors
    /// [`ExtensionFailed`].
    pub async fn clock_out(&self) -> Result<(), ExtensionFailed> {
        match self.ask(Ask::ClockOut(Uuid::new_v4())).await {
            Err(ExtensionFailed::Refused(error)) if error.code == ErrorCode::NotHeld => Ok(()),
            answered => answered.map(drop),
        }
    }

    /// Moves to another account of the organization, in one step; asked again after a cut, it is done once.
    ///
    /// # Errors
    /// [`ExtensionFailed::Refused`] where somebody else is in it or there is none: one stays where one is.
    pub async fn change_account(&self, to: AccountId) -> Result<Held, ExtensionFailed> {
        self.ask_held(Ask::ChangeAccount(to, Uuid::new_v4())).await
    }

    /// Asks for a newer token. The extension does so itself when the old one ends soon.
    ///
    /// # Errors
    /// [`ExtensionFailed`].
    pub async fn renew(&self) -> Result<Held, ExtensionFailed> {
        self.ask_held(Ask::Renew).await
    }

    /// Tells that something was done: without it, the hub clocks out after an hour.
    ///
    /// # Errors
    /// [`ExtensionFailed`].
    pub async fn activity(&self, activity: ActivityRequest) -> Result<(), ExtensionFailed> {
        self.ask(Ask::Activity(activity)).await.map(drop)
    }

    /// A round trip.
    ///
    /// # Errors
    /// [`ExtensionFailed`].
    pub async fn ping(&self) -> Result<(), ExtensionFailed> {
        self.ask(Ask::Ping).await.map(drop)
    }

    /// Ends the extension without clocking out.
    pub async fn close(&self) {
        self.close.notify_one();
        // Fails only when the task is gone, which is as good.
        let _ = self.state.clone().wait_for(|state| matches!(state, ExtensionState::Out(_))).await;
    }

    /// Drops the connection without a word, as a network does that fails, and comes back after `pause`: for tests and
    /// simulations. Returns when the connection is dropped; without one, nothing happens.
    pub async fn cut(&self, pause: Duration) {
        let (done, wait) = oneshot::channel();
        if self.orders.send(Order::Cut(pause, done)).await.is_ok() {
            // Dropped unanswered only when the extension is out, which is as good as cut.
            let _ = wait.await;
        }
    }

    async fn ask_held(&self, ask: Ask) -> Result<Held, ExtensionFailed> {
        let answered = self.ask(ask).await?;
        // An ack where a `clockedIn` had to come: what is known of the hold is what was told last.
        answered.or_else(|| self.held()).ok_or_else(|| self.out())
    }

    async fn ask(&self, ask: Ask) -> Result<Option<Held>, ExtensionFailed> {
        let (reply, answer): (Reply, _) = oneshot::channel();
        let asked = async {
            self.orders.send(Order::Ask(ask, reply)).await.map_err(|_| self.out())?;
            answer.await.map_err(|_| self.out())?
        };
        timeout(self.request_timeout, asked).await.unwrap_or(Err(ExtensionFailed::Timeout))
    }

    fn out(&self) -> ExtensionFailed {
        match self.state() {
            ExtensionState::Out(leaving) => ExtensionFailed::Out(leaving),
            _ => ExtensionFailed::Out(Leaving::Closed),
        }
    }
}

#[cfg(test)]
mod tests;
