//! The one task of an extension: it enters, asks what is to be asked, and comes back.

mod stop;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};
use uuid::Uuid;
use wire::{ClientFrame, ClockInRequest, ClockedIn, ClockedOut, Failure, Hello, ServerFrame, Token};

use super::{
    Entry, ExtensionFailed, ExtensionOptions, ExtensionState, Held, Leaving,
    queue::{Ask, Queue, Reply},
};
use crate::{Comeback, Handshake, NotEntered, Socket, SocketError};
use model::{AccountId, ClockOutReason, RequestError};
use stop::Stop;

/// How long the hub's close is waited for behind the end of a hold.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a handle tells the task.
#[derive(Debug)]
pub(super) enum Order {
    Ask(Ask, Reply),
    Cut(Duration, oneshot::Sender<()>),
}

#[derive(Debug)]
pub(super) struct Driver {
    options: ExtensionOptions,
    state: watch::Sender<ExtensionState>,
    orders: mpsc::Receiver<Order>,
    /// Beside the orders, which are not read while too many requests are open.
    close: Arc<Notify>,
    queue: Queue,
    /// What is held, as it was told last.
    held: Option<Held>,
    /// Names the clock-in, so that it is made once however often it has to be asked for.
    clock_in: Uuid,
    /// Where a move whose answer was lost went to: to be found by code, because its token was lost with the answer.
    astray: Option<AccountId>,
    /// How long the hub can be silent and alive.
    silence: Duration,
    /// Attempts in a row behind the last connection that held.
    attempt: u32,
}

impl Driver {
    pub(super) fn new(
        options: ExtensionOptions,
        state: watch::Sender<ExtensionState>,
        orders: mpsc::Receiver<Order>,
        close: Arc<Notify>,
    ) -> Self {
        let silence = options.connect_timeout + options.patience;
        let (queue, clock_in) = (Queue::default(), Uuid::new_v4());
        Self { options, state, orders, close, queue, held: None, clock_in, astray: None, silence, attempt: 0 }
    }

    pub(super) async fn run(mut self) {
        let leaving = loop {
            let Err(stop) = self.live().await;
            match self.after(stop) {
                Ok((wait, cause)) => {
                    let held = self.held.clone();
                    self.state.send_replace(ExtensionState::Lost { held, wait, cause });
                    if self.meanwhile(sleep_until(Instant::now() + wait)).await.is_err() {
                        break Leaving::Closed;
                    }
                }
                Err(leaving) => break leaving,
            }
        };
        let clocked_out = matches!(leaving, Leaving::ClockedOut(_));
        self.queue.end(&ExtensionFailed::Out(leaving.clone()), clocked_out);
        self.state.send_replace(ExtensionState::Out(leaving));
    }

    /// One connection, from its hello to its end.
    async fn live(&mut self) -> Result<Infallible, Stop> {
        let opening = timeout(self.options.connect_timeout, open(self.handshake(), self.hello()));
        let (mut socket, clocked_in) = self.meanwhile(opening).await?.map_err(|_| Stop::Silent)??;
        self.entered(&clocked_in);
        let since = Instant::now();
        let Err(stop) = self.serve(&mut socket).await;
        if since.elapsed() >= self.options.settled_after {
            self.attempt = 0;
        }
        match stop {
            // 1001: the hold waits for its extension, as it does behind every close.
            Stop::Close => drop(timeout(GOODBYE, socket.close(1001, "")).await),
            Stop::Over(_) => drop(timeout(GOODBYE, until_closed(&mut socket)).await),
            _ => {}
        }
        Err(stop)
    }

    fn handshake(&self) -> Handshake {
        Handshake::new(&self.options.url, self.options.encoding)
    }

    /// By token where there is one; the code is for the first time, and for a move that went astray.
    fn hello(&self) -> Hello {
        let by_token = |token: &Token| Hello { token: Some(token.clone()), ..Hello::default() };
        match (&self.options.entry, self.astray, &self.held) {
            (Entry::Code { code, .. }, Some(to), _) => by_code(code, to, Uuid::new_v4()),
            (_, _, Some(held)) => by_token(&held.token),
            (Entry::Code { code, account }, None, None) => by_code(code, *account, self.clock_in),
            (Entry::Token(token), _, None) => by_token(token),
        }
    }

    fn entered(&mut self, clocked_in: &ClockedIn) {
        let told_ms = clocked_in.heartbeat_ms.saturating_add(clocked_in.heartbeat_timeout_ms);
        self.silence = Duration::from_millis(told_ms).saturating_add(self.options.patience);
        self.astray = None;
        let held = self.hold(clocked_in);
        self.queue.moved(&held);
    }

    fn hold(&mut self, clocked_in: &ClockedIn) -> Held {
        let held = Held::from(clocked_in);
        self.held = Some(held.clone());
        self.state.send_replace(ExtensionState::In(held.clone()));
        held
    }

    /// Waits for `what`, and takes orders meanwhile.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return Ok(done),
                () = self.close.notified() => return Err(Stop::Close),
                order = self.orders.recv(), if self.queue.has_room() => self.take_order(order, false)?,
            }
        }
    }

    async fn serve(&mut self, socket: &mut Socket) -> Result<Infallible, Stop> {
        let mut heard = Instant::now();
        loop {
            self.send_due(socket).await?;
            tokio::select! {
                frame = socket.receive() => {
                    heard = Instant::now();
                    self.take_frame(socket, frame?).await?;
                }
                () = self.close.notified() => return Err(Stop::Close),
                order = self.orders.recv(), if self.queue.has_room() => self.take_order(order, true)?,
                () = sleep_until(heard + self.silence) => return Err(Stop::Silent),
            }
        }
    }

    async fn send_due(&mut self, socket: &mut Socket) -> Result<(), Stop> {
        let frame = self.held.as_ref().and_then(|held| self.queue.next_frame(held.hold));
        match frame {
            Some(frame) => self.send(socket, &frame).await,
            None => Ok(()),
        }
    }

    /// A hub that takes nothing for as long as a dead one would be silent is as good as dead.
    async fn send(&self, socket: &mut Socket, frame: &ClientFrame) -> Result<(), Stop> {
        match timeout(self.silence, socket.send(frame)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Stop::Silent),
        }
    }

    fn take_order(&mut self, order: Option<Order>, connected: bool) -> Result<(), Stop> {
        match order {
            None => return Err(Stop::Close),
            Some(Order::Cut(pause, done)) if connected => return Err(Stop::Cut(pause, done)),
            Some(Order::Cut(_, done)) => {
                let _ = done.send(());
            }
            Some(Order::Ask(ask, reply)) => self.queue.push(ask, Some(reply)),
        }
        Ok(())
    }

    async fn take_frame(&mut self, socket: &mut Socket, frame: ServerFrame) -> Result<(), Stop> {
        match frame {
            ServerFrame::Heartbeat => self.send(socket, &ClientFrame::Heartbeat).await?,
            ServerFrame::Expiring(_) => self.queue.renew(),
            ServerFrame::ClockedIn(clocked_in) => self.clocked_in(&clocked_in),
            ServerFrame::ClockedOut(clocked_out) => self.clocked_out(clocked_out)?,
            ServerFrame::Error(failure) => self.failed(failure),
            ServerFrame::Ack(ack) => {
                if let Some(Ask::ClockOut(_)) = self.queue.answer(ack.re, Ok(None)) {
                    return Err(Stop::Over(Some(ClockOutReason::ClockedOut)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn clocked_in(&mut self, clocked_in: &ClockedIn) {
        let held = self.hold(clocked_in);
        if let Some(re) = clocked_in.re {
            self.queue.answer(re, Ok(Some(held)));
        }
    }

    /// That of an earlier hold says nothing new.
    fn clocked_out(&self, over: ClockedOut) -> Result<(), Stop> {
        let of = |held: &Held| (held.hold.account, held.hold.epoch);
        if self.held.as_ref().map(of) != Some((over.account_id, over.epoch)) {
            return Ok(());
        }
        Err(Stop::Over(over.reason))
    }

    fn failed(&mut self, failure: Failure) {
        let Failure { re, code, message, retry_after_ms } = failure;
        let error = RequestError { code, message, retry_after_ms };
        let Some(re) = re else {
            let code = code.name();
            return tracing::warn!(code, error.message, "the hub could not read a frame of this extension");
        };
        self.queue.answer(re, Err(ExtensionFailed::Refused(error)));
    }

    /// Whether and when to come back.
    fn after(&mut self, stop: Stop) -> Result<(Duration, String), Leaving> {
        let comeback = if self.goes_astray(&stop) { Comeback::AtOnce } else { stop.comeback() };
        self.queue.disconnected();
        let (wait, stop) = match stop {
            Stop::Cut(pause, done) => {
                let _ = done.send(());
                return Ok((pause, "cut by this extension".to_owned()));
            }
            stop => {
                let random = Uuid::new_v4().as_u128() as u64;
                (self.options.backoff.wait_for(comeback, self.attempt, random), stop)
            }
        };
        self.attempt = self.attempt.saturating_add(1);
        wait.map(|wait| (wait, stop.to_string())).ok_or_else(|| stop.leaving())
    }

    /// Whether the hold ended by a move of this extension whose answer was lost, and there is a code to find it by.
    fn goes_astray(&mut self, stop: &Stop) -> bool {
        let knows_a_code = matches!(self.options.entry, Entry::Code { .. });
        if !knows_a_code || !stop.may_be_a_move() || self.astray.is_some() {
            return false;
        }
        self.astray = self.queue.moving_to();
        self.astray.is_some()
    }
}

fn by_code(code: &Token, account_id: AccountId, op_id: Uuid) -> Hello {
    let clock_in = ClockInRequest { code: code.clone(), account_id, op_id: Some(op_id) };
    Hello { clock_in: Some(clock_in), ..Hello::default() }
}

async fn open(handshake: Handshake, hello: Hello) -> Result<(Socket, ClockedIn), NotEntered> {
    let mut socket = handshake.open().await?;
    let clocked_in = socket.enter(hello).await?;
    Ok((socket, clocked_in))
}

/// Takes what is left, so that the hub's close is answered.
async fn until_closed(socket: &mut Socket) -> SocketError {
    loop {
        if let Err(error) = socket.receive_raw().await {
            return error;
        }
    }
}
