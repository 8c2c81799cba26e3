//! One connection: one task, from the upgrade to the close.
//!
//! The task reads and nothing else: inbound frames become inputs of the hub, which writes to the socket itself. Only
//! what the kernel did not take is written here, through the same outbox, and reported as flushed. Who sees what, and
//! when somebody is gone, is decided in the heart.

mod extension;
mod greeting;
mod inbound;
mod requests;
mod stream;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hub::{Event, Farewell, Link};
use model::{CloseCode, ErrorCode};
use presence::Ending;

use crate::{
    app::App,
    listener::Seat,
    openapi::codes,
    problem::{Kind, Problem},
    upgrade::{Pending, Upgraded, upgrade},
};
use greeting::{Greeted, greet};
use inbound::{Inbound, Pace};
use requests::Requests;
use stream::Stream;

/// Takes the connection over as a WebSocket: the protocol of `proto/PROTOCOL.md`.
///
/// The token comes in the first message, in the header, or in a subprotocol, never in the URL.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "socket",
    operation_id = "socket",
    responses((status = 101, description = "From here on it is a WebSocket")),
    extensions(("x-codes" = json!(codes([
        ErrorCode::Malformed.into(), Kind::ForeignOrigin, Kind::UpgradeRequired, Kind::Overloaded,
    ])))),
    security((), ("userToken" = [])),
)]
pub(crate) async fn open(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (answer, pending) = upgrade(request, &app.upgrade_rules)?;
    app.sockets.spawn(serve(app.clone(), Box::new(pending)));
    Ok(answer.into_response())
}

/// What is needed once, or rarely, lives in boxes of its own: the task of a silent connection stays small.
async fn serve(app: Arc<App>, pending: Box<Pending>) {
    // Filled where it stays: what a task moves about takes its room twice.
    let mut conversation = None;
    Box::pin(begin(app, pending, &mut conversation)).await;
    if let Some(conversation) = &mut conversation {
        let end = conversation.exchange().await;
        Box::pin(conversation.end(end)).await;
    }
}

/// A connection that was welcomed.
struct Conversation {
    app: Arc<App>,
    stream: Stream,
    link: Link,
    requests: Requests,
    pace: Pace,
    /// Held as long as the socket lives.
    _seat: Seat,
}

async fn begin(app: Arc<App>, pending: Box<Pending>, conversation: &mut Option<Conversation>) {
    let upgraded = match pending.ready().await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "an upgrade came to nothing"),
    };
    let Upgraded { socket, token, peer } = *upgraded;
    let mut stream = Stream::new(socket, app.bounds.message_timeout);
    match greet(&app, &mut stream, token, peer.client()).await {
        Ok(Greeted::Person(link, requests)) => {
            stream.settle();
            let pace = Pace::new(&app.bounds);
            *conversation = Some(Conversation { app, stream, link, requests, pace, _seat: peer.into_seat() });
        }
        Ok(Greeted::Extension(working)) => {
            stream.settle();
            let _seat = peer.into_seat();
            Box::pin(extension::converse(&app, &mut stream, *working)).await;
        }
        Err(Some(code)) => stream.close(Farewell::new(code, None)).await,
        Err(None) => {}
    }
}

/// How a conversation ended.
enum End {
    /// The client said so.
    Client(Ending),
    /// This task closes, for this reason.
    Ours(CloseCode),
    /// The hub closed.
    Hub(Farewell),
    /// The hub is gone.
    Gone,
}

/// What wakes the task.
enum Wake {
    Outbox(Event),
    Inbound(Inbound),
}

impl Conversation {
    async fn exchange(&mut self) -> End {
        loop {
            let done = match poll_fn(|context| self.poll_wake(context)).await {
                Wake::Outbox(event) => Box::pin(heed(&self.link, event)).await,
                Wake::Inbound(inbound) => Box::pin(self.take(inbound)).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn poll_wake(&mut self, context: &mut Context<'_>) -> Poll<Wake> {
        match self.stream.outbox().poll_event(context) {
            Poll::Ready(event) => Poll::Ready(Wake::Outbox(event)),
            Poll::Pending => self.stream.poll_receive(&mut self.pace, context).map(Wake::Inbound),
        }
    }

    /// Hands on what came in.
    async fn take(&mut self, inbound: Inbound) -> Result<(), End> {
        let Self { app, link, requests, pace, .. } = self;
        match inbound {
            Inbound::Frame(frame) => requests.take(app, link, frame).await,
            Inbound::Unreadable(_) if !pace.forgives() => Err(End::Ours(CloseCode::TooManyErrors)),
            Inbound::Unreadable(error) => link.refuse(error.re, error.into()).await.map_err(|_| End::Gone),
            Inbound::Broken(code) => Err(End::Ours(code)),
            Inbound::Closed(ending) => Err(End::Client(ending)),
        }
    }

    async fn end(&mut self, end: End) {
        let Self { stream, link, .. } = self;
        let (ending, farewell) = match end {
            End::Client(ending) => (ending, None),
            End::Ours(code) => (Ending::Lost, Some(Farewell::new(code, None))),
            End::Hub(farewell) => (Ending::Lost, Some(farewell)),
            End::Gone => (Ending::Lost, Some(Farewell::new(CloseCode::Restarting, None))),
        };
        link.end(ending).await;
        match farewell {
            Some(farewell) => stream.close(farewell).await,
            None => stream.finish().await,
        }
    }
}

/// Does what the outbox asks for.
async fn heed(link: &Link, event: Event) -> Result<(), End> {
    match event {
        Event::Flushed => link.flushed().await.map_err(|_| End::Gone),
        Event::Farewell(farewell) => Err(End::Hub(farewell)),
        Event::Broken => Err(End::Client(Ending::Lost)),
    }
}

#[cfg(test)]
mod tests;
