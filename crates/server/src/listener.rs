//! Takes connections: no more than there is room for, none that dawdles over its headers, and not too many handshakes
//! at once. Ten thousand clients who come back together wait a moment each, where they cost little: an accepted
//! connection gets the buffers of HTTP when it has something to say and it is its turn.
//!
//! It serves a [`Router`] and knows nothing of what the routes do. Each request carries its [`Peer`], which holds the
//! connection's seat: whoever takes the connection over (an upgrade) keeps the peer, and with it the seat, for as long
//! as the socket lives.

mod accept;
mod seats;
mod worded;

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    future::pending,
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

pub use accept::Accept;
pub(crate) use seats::network;
pub use seats::{Full, Peer, Seat};
pub use worded::Worded;

use crate::config::{Listen, Shutdown};
use crate::problem::{Kind, Problem};
use crate::telemetry::UnderWay;
use accept::Backoff;
use seats::{SeatLimits, Seats};
use worded::last_answer;

/// More headers make a 431. Browsers send about 20.
const MAX_HEADERS: usize = 64;
/// The line of a request and all its headers together; a token has at most 8 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Connections that the kernel completes ahead of us. What does not fit is tried again by the client's kernel a second
/// later; more than this the kernel does not allow without being configured.
const BACKLOG: u32 = 4096;
/// A handshake that takes longer waits for its client, not for us: it holds up the next one no longer.
const HANDSHAKE_TURN: Duration = Duration::from_millis(50);
/// What a client that finds no seat is told to wait.
const RETRY_WHEN_FULL_MS: u64 = 5_000;

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct Options {
    seats: SeatLimits,
    header_timeout: Duration,
    drain: Duration,
    handshakes: usize,
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
            handshakes: listen.max_handshakes,
        }
    }

    /// For operators, who must get in when the hub is full: few connections, none for long.
    #[must_use]
    pub fn operations() -> Self {
        Self {
            seats: SeatLimits { total: 64, per_address: 64, trusted: Vec::new() },
            header_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(1),
            handshakes: 64,
        }
    }
}

/// Listens where thousands may come at once.
///
/// # Errors
/// Where the address cannot be taken.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the standard library has it: a hub that is started again finds its port free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `router` until `stop`; then takes no more connections, and returns when the requests under way are answered
/// or have run out of time. Upgraded connections are not waited for.
pub async fn serve(acceptor: impl Accept, router: Router, options: Options, stop: CancellationToken) {
    let seats = Seats::new(&options.seats);
    let tasks = TaskTracker::new();
    let turns = Arc::new(Semaphore::new(options.handshakes));
    let mut backoff = Backoff::default();
    while let Some(accepted) = stop.run_until_cancelled(acceptor.accept()).await {
        match accepted {
            Ok((stream, address)) => {
                backoff.reset();
                match seats.take(address) {
                    Ok(peer) => {
                        let http = Http {
                            router: router.clone(),
                            peer,
                            options: options.clone(),
                            stop: stop.clone(),
                        };
                        tasks.spawn(connection(stream, Arc::clone(&turns), http));
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

/// What a connection is served with.
struct Http {
    router: Router,
    peer: Peer,
    options: Options,
    stop: CancellationToken,
}

/// Waits until the client says something and it is its turn. What that takes of memory comes after.
async fn connection(stream: TcpStream, turns: Arc<Semaphore>, http: Http) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "a connection was gone before it was served");
        return;
    }
    let stop = http.stop.clone();
    let its_turn = async {
        stream.readable().await.ok()?;
        let _waiting = UnderWay::begin("presence_hub_handshakes_waiting");
        turns.acquire_owned().await.ok()
    };
    let its_turn = stop.run_until_cancelled(timeout(http.options.header_timeout, its_turn));
    if let Some(Ok(Some(turn))) = its_turn.await {
        Box::pin(http.serve(stream, turn)).await;
    }
}

impl Http {
    async fn serve(self, stream: TcpStream, turn: OwnedSemaphorePermit) {
        let Self { router, peer, options, stop } = self;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(Worded::new(stream)), service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Ok(ended),
            never = end_turn(turn) => match never {},
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(options.drain, connection).await
            }
        };
        if let Ok(Err(error)) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Lets the next handshake have its turn, however long this connection is going to be.
async fn end_turn(turn: OwnedSemaphorePermit) -> Infallible {
    sleep(HANDSHAKE_TURN).await;
    drop(turn);
    pending().await
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
    socket.set_tcp_user_timeout(Some(Duration::from_secs(30)))?;
    Ok(())
}

/// Tells a client that there is no room, as far as its kernel takes it at once: nobody waits for it.
fn refuse(stream: TcpStream, full: Full) {
    metrics::counter!("presence_hub_refused_connections_total", "reason" => full.reason()).increment(1);
    let problem = Problem::new(Kind::Overloaded, full.to_string()).retry_after_ms(RETRY_WHEN_FULL_MS);
    // It was accepted this instant: its send buffer is empty and takes the answer whole, or the client is gone.
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write_all(&last_answer(problem));
    }
}
