//! A client that stays: it comes back by itself, goes on where it was, and keeps what it was asked to keep.

use std::{sync::Arc, time::Duration};

use model::{
    ActivityRequest, ChannelId, EntryId, ErrorCode, Record, RequestError, Settings, SettingsPatch,
    SubscribeOutcome, SubscribeRequest, TrackRequest, UserId,
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::timeout,
};
use uuid::Uuid;

use crate::{
    Closed, Connection, Event, Options, Phase, Replica,
    driver::{Driver, Order},
    ledger::{Answer, Ask, Reply},
    shared::Shared,
};

/// Orders that wait for the task.
const ORDERS: usize = 16;

/// Why a request was not done, as far as the client knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailed {
    /// The hub said no.
    #[error("the hub refused: {} ({})", .0.message, .0.code.name())]
    Refused(RequestError),
    /// No answer in time. It may still be done: what is wanted stays wanted.
    #[error("no answer in time")]
    Timeout,
    /// The client has ended.
    #[error("the client has ended: {0}")]
    Ended(Ending),
}

/// Why a client will not come back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    /// It signed out.
    #[error("signed out")]
    SignedOut,
    /// It was closed here.
    #[error("closed by this client")]
    Closed,
    /// The hub closed the connection with a code that says so.
    #[error("closed by the hub: {0}")]
    ByHub(Closed),
    /// The hub does not take the token, and there is no other.
    #[error("the token is not taken: {0}")]
    Token(String),
    /// The handshake will never succeed.
    #[error("cannot connect: {0}")]
    Handshake(String),
}

/// A list at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How far it can be relied on.
    pub phase: Phase,
    /// The entries, sorted by id.
    pub entries: std::collections::BTreeMap<EntryId, Record>,
}

/// A handle on a client. Cheap to clone; when the last one is dropped, the connection is closed as if it was lost,
/// and the session waits for somebody who comes back.
///
/// ```no_run
/// use client::{Client, Event, Options};
/// use model::{Status, SubscribeRequest, TrackRequest};
///
/// # async fn look(token: wire::Token, wedding: model::ChannelId) -> Result<(), client::RequestFailed> {
/// let options = Options::new("ws://127.0.0.1:8080/ws", token)
///     .track(TrackRequest::of(Status::Online))
///     .channel(SubscribeRequest::of(wedding));
/// let (client, mut events) = Client::start(options);
/// client.track(TrackRequest::of(Status::Busy)).await?;
/// while let Some(event) = events.next().await {
///     if let Event::Channel(event) = event {
///         for change in event.changes {
///             println!("{:?}: {:?} -> {:?}", change.id, change.before, change.now);
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    orders: mpsc::Sender<Order>,
    close: Arc<Notify>,
    shared: Arc<Shared>,
    request_timeout: Duration,
}

impl Client {
    /// Starts a client: one task, which connects and comes back until it is told to end.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn start(options: Options) -> (Self, Events) {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let shared = Arc::new(Shared::new());
        let events = Events { changed: shared.subscribe(), shared: shared.clone() };
        let request_timeout = options.request_timeout;
        let close = Arc::new(Notify::new());
        tokio::spawn(Driver::new(options, shared.clone(), inbox, close.clone()).run());
        (Self { orders, close, shared, request_timeout }, events)
    }

    /// Announces a state, whole. Returns when the hub has it, or a newer one. If the hub says that it is too soon,
    /// the newest state is sent when it is time.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn track(&self, track: TrackRequest) -> Result<(), RequestFailed> {
        self.order(|reply| Order::Track(track, reply)).await.map(drop)
    }

    /// Announces nothing any more; lists are still followed.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn untrack(&self) -> Result<(), RequestFailed> {
        self.ask(Ask::Untrack).await.map(drop)
    }

    /// Tells what was done, for the organizations that keep a log. Returns when the hub has it; where the connection
    /// was cut meanwhile, it is told again, and may be logged twice.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn activity(&self, activity: ActivityRequest) -> Result<(), RequestFailed> {
        self.ask(Ask::Activity(activity)).await.map(drop)
    }

    /// Follows a channel, on this connection and all later ones. To follow it in another way, ask again.
    ///
    /// # Errors
    /// [`RequestFailed::Refused`] for a channel that is not there for this viewer, or is one too many.
    pub async fn subscribe(&self, channel: SubscribeRequest) -> Result<(), RequestFailed> {
        let outcomes = self.subscribe_all(vec![channel]).await?;
        let refused = outcomes.into_iter().find_map(|(_, outcome)| outcome.err());
        refused
            .map_or(Ok(()), |code| Err(RequestFailed::Refused(RequestError::new(code, not_subscribed(code)))))
    }

    /// Follows several channels; tells what became of each, in the order asked.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn subscribe_all(
        &self,
        channels: Vec<SubscribeRequest>,
    ) -> Result<Vec<(ChannelId, SubscribeOutcome)>, RequestFailed> {
        match self.ask(Ask::Subscribe(channels)).await? {
            Answer::Subscribed(channels) => {
                Ok(channels.into_iter().map(|one| (one.channel, one.outcome)).collect())
            }
            Answer::Done => Ok(Vec::new()),
        }
    }

    /// Follows a channel no more.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn unsubscribe(&self, channel: ChannelId) -> Result<(), RequestFailed> {
        self.order(|reply| Order::Unsubscribe(channel, reply)).await.map(drop)
    }

    /// Changes the user's settings. Returns when the change is durable; asked again after a cut, it is done once.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn set_settings(&self, settings: SettingsPatch) -> Result<(), RequestFailed> {
        self.ask(Ask::SetSettings(settings, Uuid::new_v4())).await.map(drop)
    }

    /// A round trip: what the hub had to say before it has been applied here when this returns.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn ping(&self) -> Result<(), RequestFailed> {
        self.ask(Ask::Ping).await.map(drop)
    }

    /// Ends the session at once, for all who see it, and the client with it.
    ///
    /// # Errors
    /// [`RequestFailed`].
    pub async fn sign_out(&self) -> Result<(), RequestFailed> {
        self.ask(Ask::SignOut).await.map(drop)
    }

    /// Ends the client. The session waits for its client as after a lost connection; to end it, sign out.
    pub async fn close(&self) {
        let mut changed = self.shared.subscribe();
        self.close.notify_one();
        while !matches!(self.connection(), Connection::Ended(_)) && changed.changed().await.is_ok() {}
    }

    /// Drops the connection without a word, as a network does that fails, and comes back after `pause`: for tests
    /// and simulations. Returns when the connection is dropped; without one, nothing happens.
    pub async fn cut(&self, pause: Duration) {
        let (done, wait) = oneshot::channel();
        if self.orders.send(Order::Cut(pause, done)).await.is_ok() {
            // Dropped unanswered only when the client has ended, which is as good as cut.
            let _ = wait.await;
        }
    }

    /// Whether the client is connected.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.shared.connection()
    }

    /// Who the hub says the client is; `None` before the first welcome.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.shared.read(Replica::user)
    }

    /// The user's settings; `None` before the first welcome.
    #[must_use]
    pub fn settings(&self) -> Option<Settings> {
        self.shared.read(|replica| replica.settings().cloned())
    }

    /// The list of a channel as it is known here now; `None`: it is not followed, or not yet.
    #[must_use]
    pub fn snapshot(&self, channel: ChannelId) -> Option<Snapshot> {
        self.shared.read(|replica| {
            let (phase, list) = (replica.phase(channel)?, replica.list(channel)?);
            Some(Snapshot { phase, entries: list.entries().clone() })
        })
    }

    /// Looks at everything the hub has told. Be quick: the connection waits meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&Replica) -> R) -> R {
        self.shared.read(look)
    }

    /// Waits until `holds`. Returns whether it does: not, when the client ended before.
    pub async fn until(&self, mut holds: impl FnMut(&Replica) -> bool) -> bool {
        let mut changed = self.shared.subscribe();
        loop {
            changed.mark_unchanged();
            if self.shared.read(&mut holds) {
                return true;
            }
            if matches!(self.connection(), Connection::Ended(_)) || changed.changed().await.is_err() {
                return false;
            }
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, RequestFailed> {
        self.order(|reply| Order::Ask(ask, reply)).await
    }

    async fn order(&self, order: impl FnOnce(Reply) -> Order) -> Result<Answer, RequestFailed> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.orders.send(order(reply)).await.map_err(|_| self.ended())?;
            answer.await.map_err(|_| self.ended())?
        };
        timeout(self.request_timeout, asked).await.unwrap_or(Err(RequestFailed::Timeout))
    }

    fn ended(&self) -> RequestFailed {
        match self.connection() {
            Connection::Ended(ending) => RequestFailed::Ended(ending),
            _ => RequestFailed::Ended(Ending::Closed),
        }
    }
}

fn not_subscribed(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::UnknownChannel => "nothing by that name for this viewer",
        ErrorCode::ChannelLimit => "more subscriptions than a session may have",
        _ => "the channel cannot be followed",
    }
}

/// What is new, for one listener. A listener that lags gets the last state, not each step on the way.
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
    changed: watch::Receiver<()>,
}

impl Events {
    /// The next event; `None` when the client has ended and everything was told. Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            self.changed.mark_unchanged();
            let has_ended = matches!(self.shared.connection(), Connection::Ended(_));
            if let Some(event) = self.shared.next_event() {
                return Some(event);
            }
            if has_ended || self.changed.changed().await.is_err() {
                return None;
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.stop_listening();
    }
}

#[cfg(test)]
mod tests;
