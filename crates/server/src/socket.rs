//! One connection: one task, from the upgrade to the close.
//!
//! The task moves bytes and nothing else: inbound frames become inputs of the hub, parcels of the hub are written
//! and reported as flushed. Who sees what, and when somebody is gone, is decided in the heart.

mod greeting;
mod inbound;
mod requests;
mod stream;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hub::{Farewell, Link, Outbox};
use model::CloseCode;
use presence::Ending;

use crate::{
    app::App,
    config::Secret,
    problem::Problem,
    upgrade::{Pending, Upgraded, upgrade},
};
use greeting::greet;
use inbound::{Inbound, Pace};
use requests::Requests;
use stream::Stream;

/// `GET /ws`: takes the connection over.
pub(crate) async fn open(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (answer, pending) = upgrade(request, &app.upgrade_rules)?;
    app.sockets.spawn(serve(app.clone(), pending));
    Ok(answer.into_response())
}

/// What is needed once, or rarely, lives in boxes of its own: the task of a silent connection stays small.
async fn serve(app: Arc<App>, pending: Pending) {
    match Box::pin(pending.ready()).await {
        Ok(upgraded) => {
            let Upgraded { socket, encoding, token, peer } = *upgraded;
            let stream = Box::new(Stream::new(socket, encoding, app.bounds.message_timeout));
            live(&app, stream, token).await;
            // The peer was kept until here: it holds the connection's seat.
            drop(peer);
        }
        Err(error) => tracing::debug!(%error, "an upgrade came to nothing"),
    }
}

async fn live(app: &Arc<App>, mut stream: Box<Stream>, token: Option<Secret>) {
    match Box::pin(greet(app, &mut stream, token)).await {
        Ok((link, requests)) => converse(app, stream, link, requests).await,
        Err(Some(code)) => Box::pin(stream.close(Farewell::new(code, None))).await,
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

async fn converse(app: &Arc<App>, mut stream: Box<Stream>, link: Link, requests: Requests) {
    let end = exchange(app, &mut stream, &link, requests).await;
    let (ending, farewell) = match end {
        End::Client(ending) => (ending, None),
        End::Ours(code) => (Ending::Lost, Some(Farewell::new(code, None))),
        End::Hub(farewell) => (Ending::Lost, Some(farewell)),
        End::Gone => (Ending::Lost, Some(Farewell::new(CloseCode::Restarting, None))),
    };
    link.end(ending).await;
    match farewell {
        Some(farewell) => Box::pin(stream.close(farewell)).await,
        None => Box::pin(stream.finish()).await,
    }
}

async fn exchange(app: &Arc<App>, stream: &mut Stream, link: &Link, mut requests: Requests) -> End {
    let outbox = Arc::clone(link.outbox());
    let mut pace = Pace::new(&app.bounds);
    loop {
        let may_read = outbox.may_request();
        tokio::select! {
            parcel = outbox.next() => {
                if let Some(end) = deliver(stream, link, &outbox, parcel).await {
                    return end;
                }
            }
            inbound = stream.receive(&mut pace), if may_read => match inbound {
                Inbound::Frame(frame) => {
                    if let Err(end) = Box::pin(requests.take(app, link, frame)).await {
                        return end;
                    }
                }
                Inbound::Unreadable(error) => {
                    if !pace.forgives() {
                        return End::Ours(CloseCode::TooManyErrors);
                    }
                    if Box::pin(link.refuse(error.re, error.into())).await.is_err() {
                        return End::Gone;
                    }
                }
                Inbound::Broken(code) => return End::Ours(code),
                Inbound::Closed(ending) => return End::Client(ending),
            }
        }
    }
}

/// Writes a parcel. A client that does not read holds up nobody but itself; the hub says when it has had enough.
async fn deliver(stream: &mut Stream, link: &Link, outbox: &Outbox, parcel: hub::Parcel) -> Option<End> {
    if !parcel.frames.is_empty() {
        tokio::select! {
            // First what was said before: a farewell cuts short only a client that does not read.
            biased;
            written = stream.write(parcel.frames) => match written {
                Ok(()) => {
                    if link.flushed().await.is_err() {
                        return Some(End::Gone);
                    }
                }
                Err(_) => return Some(End::Client(Ending::Lost)),
            },
            // Nothing but a farewell can come before the parcel is flushed.
            next = outbox.next() => return Some(next.farewell.map_or(End::Gone, End::Hub)),
        }
    }
    parcel.farewell.map(End::Hub)
}
