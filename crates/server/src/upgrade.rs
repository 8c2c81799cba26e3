//! From an HTTP request to a WebSocket over the raw TCP stream.
//!
//! The handshake is checked here, once and strictly; then hyper gives the stream back, and tungstenite gets it with
//! small buffers. No extension is ever accepted: without compression there is nothing to bomb and no length to leak.
//!
//! **Bounds on what a peer sends.** A message, in however many fragments, has at most
//! [`limits::INBOUND_BYTES`]; tungstenite refuses more before it buffers it (close 1009). Bytes alone do not bound time:
//! a message of empty fragments, or one that trickles, never ends. So [`Guarded`] follows the frame headers and says
//! since when a message is under way; the connection's task compares that with `listen.message_timeout_ms` whenever its
//! timer wakes it, and closes with 4104 `timeout`.

mod guard;
mod handshake;
mod line;
mod socket;

#[cfg(test)]
mod tests;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use model::{Encoding, ErrorCode, limits};
use tokio_tungstenite::tungstenite::{handshake::derive_accept_key, protocol::WebSocketConfig};

pub use guard::Guarded;
pub use line::{Line, WriteSide};
pub use socket::WebSocket;

use crate::{
    config::{Config, Secret},
    listener::{Peer, Worded},
    origin::Origin,
    problem::{Kind, Problem},
};
use handshake::Accepted;
pub(crate) use handshake::bearer;

/// Eagerly allocated for each connection; the default of 128 KiB would be 2.5 GiB for 20,000. What clients say is
/// mostly shorter; for what is longer, the buffer grows.
const READ_BUFFER_BYTES: usize = 256;
/// Control frames are handed to the outbox at once: it is the one that keeps what the kernel does not take.
const WRITE_BUFFER_BYTES: usize = 0;
/// What the outbox does not take waits in here, such as the pongs for a client that does not read them.
const MAX_WRITE_BUFFER_BYTES: usize = limits::OUTBOX_CONTROL_BYTES;

/// Who may open a socket.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Pages that may.
    pub allowed_origins: Vec<Origin>,
    /// Whether clients without an Origin may: programs, not browsers.
    pub allow_missing_origin: bool,
    /// Whether pages may that come from this hub.
    pub allow_own_pages: bool,
}

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        Self {
            allowed_origins: config.listen.allowed_origins.clone(),
            allow_missing_origin: config.listen.allow_missing_origin,
            allow_own_pages: config.console.enabled,
        }
    }
}

/// A socket that is agreed on: the answer is to be sent, then the stream comes.
#[derive(Debug)]
pub struct Pending {
    on_upgrade: OnUpgrade,
    encoding: Encoding,
    token: Option<Secret>,
    peer: Peer,
}

/// A WebSocket with what its handshake said.
#[derive(Debug)]
pub struct Upgraded {
    /// The socket, in the encoding that its subprotocol names.
    pub socket: WebSocket,
    /// The token of its header or subprotocol; without one, the hello brings it.
    pub token: Option<Secret>,
    /// The other end. Keep it as long as the socket lives: it holds the seat.
    pub peer: Peer,
}

/// Why there is no stream after all.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The client was gone before it had the answer.
    #[error("the client left during the handshake")]
    Gone(#[from] hyper::Error),
    /// The socket was gone before it could be used.
    #[error("the client left after the handshake")]
    Left(#[from] std::io::Error),
    /// The stream is not the listener's own.
    #[error("the upgraded stream is not a plain TCP stream")]
    NotTcp,
}

/// Checks a request to open a socket. Send the response, then await [`Pending::ready`] in a task of its own.
///
/// # Errors
/// The problem to answer with: 400, 403, 405, 426 or 503.
pub fn upgrade(mut request: Request, rules: &Rules) -> Result<(Response, Pending), Problem> {
    let Accepted { key, encoding, token } = handshake::accept(&request, rules)?;
    let extensions = request.extensions_mut();
    let (Some(peer), Some(on_upgrade)) =
        (extensions.get::<Peer>().cloned(), extensions.remove::<OnUpgrade>())
    else {
        return Err(Problem::new(ErrorCode::Internal, "the connection cannot be taken over"));
    };
    let peer = peer
        .behind_proxies(request.headers())
        .map_err(|full| Problem::new(Kind::Overloaded, full.to_string()).retry_after_ms(5_000))?;
    let answer = switching(&key, encoding);
    Ok((answer, Pending { on_upgrade, encoding, token, peer }))
}

fn switching(key: &HeaderValue, encoding: Encoding) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(wire::subprotocol(encoding)));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

impl Pending {
    /// The socket, as soon as the answer is sent.
    ///
    /// # Errors
    /// [`UpgradeError`] where the client left meanwhile.
    pub async fn ready(self) -> Result<Box<Upgraded>, UpgradeError> {
        let upgraded = self.on_upgrade.await?;
        let parts = upgraded.downcast::<TokioIo<Worded>>().map_err(|_| UpgradeError::NotTcp)?;
        let line = Line::new(parts.io.into_inner().into_inner(), parts.read_buf.to_vec(), self.encoding)?;
        let socket = WebSocket::new(line, socket_config());
        Ok(Box::new(Upgraded { socket, token: self.token, peer: self.peer }))
    }
}

fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(Some(limits::INBOUND_BYTES))
        .max_frame_size(Some(limits::INBOUND_BYTES))
}
