//! Takes connections: no more than there is room for, none that dawdles over its headers.
//!
//! It serves a [`Router`] and knows nothing of what the routes do. Each request carries its [`Peer`], which holds the
//! connection's seat: whoever takes the connection over (an upgrade) keeps the peer, and with it the seat, for as long
//! as the socket lives.

mod accept;
mod seats;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use model::limits;
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

pub use accept::Accept;
pub use seats::{Full, Peer, Seat};

use crate::config::{Listen, Shutdown};
use crate::problem::{Kind, Problem};
use accept::Backoff;
use seats::{SeatLimits, Seats};

/// More headers make a 431. Browsers send about 20.
const MAX_HEADERS: usize = 64;
/// All headers together; a token has at most 8 KiB.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// What the kernel takes of a connection beyond what it could send: the reader who is behind gets the state of when it
/// reads rather than old changes, and costs little memory. Two turns.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 2 * limits::TURN_BYTES as u32;
/// What a client that finds no seat is told to wait.
const RETRY_WHEN_FULL_MS: u64 = 5_000;

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct Options {
    seats: SeatLimits,
    header_timeout: Duration,
    drain: Duration,
}

impl Options {
    /// As configured for clients.
    #[must_use]
    pub fn new(listen: &Listen, shutdown: &Shutdown) -> Self {
        Self {
            seats: SeatLimits {
                total: listen.max_connections,
                per_address: listen.max_connections_per_address,
                trusted: listen.trusted_proxies.clone(),
            },
            header_timeout: listen.header_timeout(),
            drain: Duration::from_secs(shutdown.drain_s),
        }
    }

    /// For operators, who must get in when the hub is full: few connections, none for long.
    #[must_use]
    pub fn operations() -> Self {
        Self {
            seats: SeatLimits { total: 64, per_address: 64, trusted: Vec::new() },
            header_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(1),
        }
    }
}

/// Serves `router` until `stop`; then takes no more connections, and returns when the requests under way are answered
/// or have run out of time. Upgraded connections are not waited for.
pub async fn serve(acceptor: impl Accept, router: Router, options: Options, stop: CancellationToken) {
    let seats = Seats::new(&options.seats);
    let tasks = TaskTracker::new();
    let mut backoff = Backoff::default();
    while let Some(accepted) = stop.run_until_cancelled(acceptor.accept()).await {
        match accepted {
            Ok((stream, address)) => {
                backoff.reset();
                match seats.take(address) {
                    Ok(peer) => {
                        let router = router.clone();
                        tasks.spawn(connection(stream, peer, router, options.clone(), stop.clone()));
                    }
                    Err(full) => refuse(stream, full),
                }
            }
            Err(error) => backoff.after(&error).await,
        }
    }
    // The port is free from here on, for the hub that comes after this one.
    drop(acceptor);
    tasks.close();
    tasks.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    options: Options,
    stop: CancellationToken,
) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "a connection was gone before it was served");
        return;
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Ok(ended),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(options.drain, connection).await
        }
    };
    if let Ok(Err(error)) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Small frames leave at once; a peer whose machine is gone is noticed by the kernel too.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(Duration::from_secs(30)))?;
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    }
    Ok(())
}

/// Tells a client that there is no room, as far as its kernel takes it at once: nobody waits for it.
fn refuse(stream: TcpStream, full: Full) {
    metrics::counter!("presence_hub_refused_connections_total", "reason" => full.reason()).increment(1);
    let body = Problem::new(Kind::Overloaded, full.to_string()).retry_after_ms(RETRY_WHEN_FULL_MS).to_json();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         retry-after: {}\r\nconnection: close\r\n\r\n",
        body.len(),
        RETRY_WHEN_FULL_MS / 1000
    );
    let answer = [head.as_bytes(), &body].concat();
    // It was accepted this instant: its send buffer is empty and takes the answer whole, or the client is gone.
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write_all(&answer);
    }
}
