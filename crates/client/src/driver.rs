//! The one task of a client: it connects, speaks for its ledger, keeps the replica, and comes back.

mod stop;

use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};

use model::{ChannelId, SubscribeRequest, SubscribedChannel, TrackRequest};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use wire::{ClientFrame, Failure, Hello, ServerFrame, Token, Welcome};

use crate::{
    Comeback, Connection, Handshake, Options, RequestFailed, Socket, SocketError, TokenFuture,
    client::Ending,
    ledger::{Answer, Ask, Ledger, Reply},
    replica::{Applied, Fault},
    shared::Shared,
};
use stop::Stop;

/// What a handle tells the task.
#[derive(Debug)]
pub(crate) enum Order {
    Ask(Ask, Reply),
    Track(TrackRequest, Reply),
    Unsubscribe(ChannelId, Reply),
    Cut(Duration, oneshot::Sender<()>),
}

#[derive(Debug)]
pub(crate) struct Driver {
    options: Options,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    /// Beside the orders, which are not read while too many requests are open.
    close: Arc<Notify>,
    ledger: Ledger,
    /// What to follow, on this connection and all later ones. At most what was asked for.
    wanted: BTreeMap<ChannelId, SubscribeRequest>,
    /// Attempts in a row behind the last connection that held.
    attempt: u32,
    /// The token of the last connection, and whether it was refused.
    token: Option<Token>,
    token_refused: bool,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        shared: Arc<Shared>,
        orders: mpsc::Receiver<Order>,
        close: Arc<Notify>,
    ) -> Self {
        let wanted = options.channels.iter().map(|request| (request.channel, request.clone())).collect();
        let ledger = Ledger::new(options.track.clone());
        Self { options, shared, orders, close, ledger, wanted, attempt: 0, token: None, token_refused: false }
    }

    pub(crate) async fn run(mut self) {
        let ending = loop {
            let Err(stop) = self.live().await;
            match self.after(stop) {
                Ok((wait, cause)) => {
                    self.shared.set_connection(Connection::Waiting { wait, cause });
                    if let Err(ending) = self.rest(wait).await {
                        break ending;
                    }
                    self.shared.set_connection(Connection::Connecting);
                }
                Err(ending) => break ending,
            }
        };
        self.ledger.end(&RequestFailed::Ended(ending.clone()));
        self.shared.set_connection(Connection::Ended(ending));
    }

    /// One connection, from its token to its end.
    async fn live(&mut self) -> Result<std::convert::Infallible, Stop> {
        let mut socket = self.connect().await?;
        let since = Instant::now();
        let Err(stop) = self.serve(&mut socket).await;
        if since.elapsed() >= self.options.settled_after {
            self.attempt = 0;
        }
        if matches!(stop, Stop::Close) {
            // 1001: the session waits for a client that comes back.
            let _ = timeout(Duration::from_secs(1), socket.close(1001, "")).await;
        }
        Err(stop)
    }

    async fn connect(&mut self) -> Result<Socket, Stop> {
        let token = self.fetch_token().await?;
        let hello = Hello {
            token: Some(token),
            resume: self.shared.read(crate::Replica::resume),
            track: self.ledger.tracking.hello(),
            ..Hello::default()
        };
        let handshake = Handshake::new(&self.options.url, self.options.encoding);
        let opening = timeout(self.options.connect_timeout, open(handshake, hello));
        let (socket, welcome) = self.meanwhile(opening).await?.map_err(|_| Stop::Silent)??;
        self.take_frame(&ServerFrame::Welcome(Box::new(welcome)))?;
        Ok(socket)
    }

    async fn fetch_token(&mut self) -> Result<Token, Stop> {
        let fetching = timeout(self.options.connect_timeout, self.options.token.fetch());
        let fetched = self.meanwhile(fetching).await?;
        let token =
            fetched.unwrap_or_else(|_| Err("no token came in time".to_owned())).map_err(Stop::NoToken)?;
        if self.token_refused && self.token.as_ref() == Some(&token) {
            return Err(Stop::SameToken);
        }
        self.token_refused = false;
        self.token = Some(token.clone());
        Ok(token)
    }

    /// Waits for `what`, and takes orders meanwhile.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return Ok(done),
                () = self.close.notified() => return Err(Stop::Close),
                order = self.orders.recv(), if self.ledger.has_room() => self.take_order(order, false)?,
            }
        }
    }

    /// Waits between two attempts.
    async fn rest(&mut self, wait: Duration) -> Result<(), Ending> {
        let until = Instant::now() + wait;
        match self.meanwhile(sleep_until(until)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Ending::Closed),
        }
    }

    async fn serve(&mut self, socket: &mut Socket) -> Result<std::convert::Infallible, Stop> {
        let mut heard = Instant::now();
        let mut refresh: Option<TokenFuture> = None;
        loop {
            self.send_due(socket).await?;
            let wake = self.wake_at(heard);
            tokio::select! {
                frame = socket.receive() => {
                    heard = Instant::now();
                    let frame = frame?;
                    match &frame {
                        ServerFrame::Heartbeat => self.send(socket, &ClientFrame::Heartbeat).await?,
                        ServerFrame::Expiring(_) => refresh = Some(self.options.token.fetch()),
                        _ => self.take_frame(&frame)?,
                    }
                }
                () = self.close.notified() => return Err(Stop::Close),
                order = self.orders.recv(), if self.ledger.has_room() => self.take_order(order, true)?,
                token = fetched(&mut refresh) => {
                    refresh = None;
                    self.refresh(token);
                }
                () = sleep_until(wake) => {
                    if heard + self.silence() <= Instant::now() {
                        return Err(Stop::Silent);
                    }
                }
            }
        }
    }

    async fn send_due(&mut self, socket: &mut Socket) -> Result<(), Stop> {
        while let Some(frame) = self.ledger.next_frame(Instant::now()) {
            self.send(socket, &frame).await?;
        }
        Ok(())
    }

    /// A hub that takes nothing for as long as a dead one would be silent is as good as dead.
    async fn send(&self, socket: &mut Socket, frame: &ClientFrame) -> Result<(), Stop> {
        match timeout(self.silence(), socket.send(frame)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Stop::Silent),
        }
    }

    fn wake_at(&self, heard: Instant) -> Instant {
        let silent = heard + self.silence();
        self.ledger.next_due().map_or(silent, |due| due.min(silent))
    }

    /// How long the hub can be silent and alive: it asks for a heartbeat at least that often.
    fn silence(&self) -> Duration {
        let told_ms = self.shared.read(|replica| {
            replica.welcome().map(|welcome| welcome.heartbeat_ms.saturating_add(welcome.heartbeat_timeout_ms))
        });
        told_ms.map_or(self.options.connect_timeout, Duration::from_millis) + self.options.patience
    }

    fn refresh(&mut self, token: Result<Token, String>) {
        match token {
            Ok(token) if self.token.as_ref() == Some(&token) => {
                tracing::debug!("the token source has no newer token than the one that ends soon");
            }
            Ok(token) => {
                self.token = Some(token.clone());
                self.ledger.ask(Ask::Refresh(token), None);
            }
            Err(error) => tracing::warn!(error, "no new token; the hub will close when the old one ends"),
        }
    }

    fn take_order(&mut self, order: Option<Order>, connected: bool) -> Result<(), Stop> {
        match order {
            None => return Err(Stop::Close),
            Some(Order::Cut(pause, done)) if connected => return Err(Stop::Cut(pause, done)),
            Some(Order::Cut(_, done)) => {
                let _ = done.send(());
            }
            Some(Order::Track(track, reply)) => self.ledger.tracking.want(track, reply, Instant::now()),
            Some(Order::Unsubscribe(channel, reply)) => self.unsubscribe(channel, reply),
            Some(Order::Ask(ask, reply)) => {
                if let Ask::Subscribe(requests) = &ask {
                    let named = requests.iter().map(|request| (request.channel, request.clone()));
                    self.wanted.extend(named);
                }
                self.ledger.ask(ask, Some(reply));
            }
        }
        Ok(())
    }

    fn unsubscribe(&mut self, channel: ChannelId, reply: Reply) {
        self.wanted.remove(&channel);
        let subscription = self.shared.read(|replica| replica.subscription(channel));
        self.shared.forget(channel);
        match subscription {
            Some(subscription) => self.ledger.ask(Ask::Unsubscribe(subscription), Some(reply)),
            None => {
                let _ = reply.send(Ok(Answer::Done));
            }
        }
    }

    fn take_frame(&mut self, frame: &ServerFrame) -> Result<(), Stop> {
        match self.shared.apply(frame) {
            Ok(applied) => self.follow(applied),
            Err(fault) => self.mend(fault),
        }
        match frame {
            ServerFrame::Ack(ack) => self.ledger.acked(ack.re),
            ServerFrame::Error(failure) => return self.failed(failure),
            ServerFrame::Subscribed(subscribed) => {
                self.ledger.subscribed(subscribed.re, subscribed.channels.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// A subscribe that failed whole: channels followed before are tried again on the next connection.
    fn failed(&mut self, failure: &Failure) -> Result<(), Stop> {
        let Some(Ask::Subscribe(requests)) = self.ledger.failed(failure, Instant::now()) else {
            return Ok(());
        };
        let listed = |channel| self.shared.read(|replica| replica.list(channel).is_some());
        if requests.iter().any(|request| listed(request.channel)) {
            return Err(Stop::NotFollowed(failure.clone()));
        }
        self.wanted.retain(|channel, _| !requests.iter().any(|request| request.channel == *channel));
        Ok(())
    }

    fn follow(&mut self, applied: Applied) {
        match applied {
            Applied::Welcomed { resumed, .. } => {
                self.shared.set_connection(Connection::Connected { resumed });
                self.subscribe_missing();
            }
            Applied::Subscribed(channels) => self.settle(&channels),
            Applied::Ended(channel) => {
                self.wanted.remove(&channel);
            }
            _ => {}
        }
    }

    /// Asks for what is wanted and neither followed nor asked for.
    fn subscribe_missing(&mut self) {
        let followed = |channel| self.shared.read(|replica| replica.subscription(channel).is_some());
        let missing = self
            .wanted
            .values()
            .filter(|request| !followed(request.channel) && !self.ledger.is_subscribing(request.channel));
        let missing: Vec<_> = missing.cloned().collect();
        if !missing.is_empty() {
            self.ledger.ask(Ask::Subscribe(missing), None);
        }
    }

    /// What was refused is wanted no more; what was given, but is not wanted any more, is given back.
    fn settle(&mut self, channels: &[SubscribedChannel]) {
        for SubscribedChannel { channel, outcome } in channels {
            match outcome {
                Ok(subscription) if !self.wanted.contains_key(channel) => {
                    self.shared.forget(*channel);
                    self.ledger.ask(Ask::Unsubscribe(*subscription), None);
                }
                Ok(_) => {}
                Err(_) if self.shared.read(|replica| replica.subscription(*channel).is_some()) => {}
                Err(_) => {
                    self.wanted.remove(channel);
                }
            }
        }
    }

    /// A list that does not add up is asked for anew.
    fn mend(&mut self, fault: Fault) {
        let Some(channel) = fault.channel else {
            return tracing::debug!(%fault, "a frame of a subscription that was given up");
        };
        tracing::warn!(%fault, "a list does not add up, and is asked for anew");
        if let Some(request) = self.wanted.get(&channel)
            && !self.ledger.is_subscribing(channel)
        {
            self.ledger.ask(Ask::Subscribe(vec![request.clone()]), None);
        }
    }

    /// Whether and when to come back.
    fn after(&mut self, stop: Stop) -> Result<(Duration, String), Ending> {
        let comeback = stop.comeback();
        if comeback == Comeback::Never && self.ledger.is_signing_out() {
            self.ledger.signed_out();
        }
        if stop.is_replaced() {
            // Somebody else holds this session: coming back to it would only take turns with them.
            self.shared.leave_session();
        }
        self.ledger.disconnected();
        self.token_refused = comeback == Comeback::NewToken;
        let (wait, stop) = match stop {
            Stop::Cut(pause, done) => {
                let _ = done.send(());
                return Ok((pause, "cut by this client".to_owned()));
            }
            stop => {
                let random = uuid::Uuid::new_v4().as_u128() as u64;
                (self.options.backoff.wait_for(comeback, self.attempt, random), stop)
            }
        };
        self.attempt = self.attempt.saturating_add(1);
        wait.map(|wait| (wait, stop.to_string())).ok_or_else(|| stop.ending())
    }
}

async fn open(handshake: Handshake, hello: Hello) -> Result<(Socket, Welcome), SocketError> {
    let mut socket = handshake.open().await?;
    let welcome = socket.hello(hello).await?;
    Ok((socket, welcome))
}

/// The token that is being fetched; never ready while none is.
async fn fetched(refresh: &mut Option<TokenFuture>) -> Result<Token, String> {
    match refresh {
        Some(fetching) => fetching.await,
        None => pending().await,
    }
}
