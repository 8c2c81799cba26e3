//! One WebSocket that speaks frames: no memory of what was said, no coming back. The load test opens thousands.

mod entering;

use std::borrow::Cow;

pub use entering::NotEntered;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue, header};
use model::{CloseCode, Encoding};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use wire::{ClientFrame, Closing, DecodeError, Hello, ServerFrame, TOKEN_SUBPROTOCOL, Token, Welcome};

/// Bytes read from the kernel at a time; allocated once for each socket.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Bytes gathered before they are written.
const WRITE_BUFFER_BYTES: usize = 2 * 1024;
/// Bytes not taken by the kernel: past it a send fails. Two of the longest messages and some.
const WRITE_BUFFER_MOST_BYTES: usize = 48 * 1024;
/// Bytes of a message from the hub: it writes at most 8 KiB a turn.
const INBOUND_BYTES: usize = 64 * 1024;

/// Why nothing was sent or received.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The URL is none that can be connected to.
    #[error("the URL cannot be used: {0}")]
    Url(String),
    /// The server answered the handshake with something else than a socket.
    #[error("the handshake was refused with HTTP {}", .0.status)]
    Refused(Refusal),
    /// The server picked a subprotocol that was not asked for, or none.
    #[error("the server does not speak the subprotocol asked for")]
    Subprotocol,
    /// The connection is closed.
    #[error("the connection is closed: {0}")]
    Closed(Closed),
    /// A frame of the hub that cannot be read.
    #[error("a frame from the hub cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// The hub said something else than what had to come.
    #[error("expected {expected}, the hub said `{got}`")]
    Unexpected {
        /// What had to come.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// The transport failed.
    #[error("the connection failed: {0}")]
    Transport(#[source] Box<tungstenite::Error>),
}

/// How a connection ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// The code; `None`: the connection ended without a close frame (1006 in a browser).
    pub code: Option<u16>,
    /// The reason in the close frame.
    pub reason: String,
    /// What the hub said before it.
    pub closing: Option<Box<Closing>>,
}

impl Closed {
    /// The code as the protocol names it; of the close frame, or where that was lost, of what was said before it.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        let said = self.closing.as_ref().map(|closing| closing.code);
        self.code.map_or(said, CloseCode::from_number)
    }
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "code {code}, reason {:?}", self.reason),
            None => f.write_str("without a close frame"),
        }
    }
}

/// The answer to a handshake that made no socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Seconds of `Retry-After`.
    pub retry_after_s: Option<u64>,
    /// The body: a problem document.
    pub body: String,
}

/// Where a handshake carries the token. A hello may carry it instead, which is what a [`Handshake`] leaves room for
/// when it carries none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenIn {
    /// `Authorization: Bearer ...`.
    Header(Token),
    /// An entry of `Sec-WebSocket-Protocol`, which is all that a browser can set.
    Subprotocol(Token),
}

/// A handshake with everything that can be said in it.
#[derive(Clone, Debug)]
pub struct Handshake {
    url: String,
    encoding: Encoding,
    token: Option<TokenIn>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Handshake {
    /// A handshake with `ws://...` or `wss://...`, without a token.
    #[must_use]
    pub fn new(url: impl Into<String>, encoding: Encoding) -> Self {
        Self { url: url.into(), encoding, token: None, headers: Vec::new() }
    }

    /// With the token in the handshake instead of the hello.
    #[must_use]
    pub fn token(mut self, token: TokenIn) -> Self {
        self.token = Some(token);
        self
    }

    /// With one more header, `Origin` for example.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// [`SocketError`]: the URL, the network, the server's refusal.
    pub async fn open(self) -> Result<Socket, SocketError> {
        let encoding = self.encoding;
        let request = self.request()?;
        install_tls(request.uri());
        let (stream, response) =
            connect_async_with_config(request, Some(config()), true).await.map_err(SocketError::of)?;
        let spoken = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
        if spoken.is_none_or(|spoken| spoken != wire::subprotocol(encoding)) {
            return Err(SocketError::Subprotocol);
        }
        Ok(Socket { stream, encoding, closed: Closed::default(), is_closed: false })
    }

    fn request(self) -> Result<http::Request<()>, SocketError> {
        let mut request = self.url.as_str().into_client_request().map_err(SocketError::of)?;
        if !matches!(request.uri().scheme_str(), Some("ws" | "wss")) {
            return Err(SocketError::Url("it begins with ws:// or wss://".to_owned()));
        }
        let mut protocols = Cow::Borrowed(wire::subprotocol(self.encoding));
        let headers = request.headers_mut();
        match &self.token {
            Some(TokenIn::Subprotocol(token)) => {
                protocols = format!("{protocols}, {TOKEN_SUBPROTOCOL}{}", token.reveal()).into();
            }
            Some(TokenIn::Header(token)) => {
                let bearer = secret_header(&format!("Bearer {}", token.reveal()))?;
                headers.insert(header::AUTHORIZATION, bearer);
            }
            None => {}
        }
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, secret_header(&protocols)?);
        headers.extend(self.headers);
        Ok(request)
    }
}

/// A header that may hold a token: `Debug` does not show it.
fn secret_header(text: &str) -> Result<HeaderValue, SocketError> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| SocketError::Url("the token cannot stand in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// TLS asks the process for its provider of cryptography; the first one installed stays.
fn install_tls(url: &http::Uri) {
    if url.scheme_str() == Some("wss") {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MOST_BYTES)
        .max_message_size(Some(INBOUND_BYTES))
        .max_frame_size(Some(INBOUND_BYTES))
}

/// One WebSocket that speaks frames.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    encoding: Encoding,
    /// What is known of the end, as it becomes known.
    closed: Closed,
    is_closed: bool,
}

impl Socket {
    /// Connects and says hello with this token; returns the hub's welcome.
    ///
    /// # Errors
    /// [`SocketError`]; a token that the hub does not take is [`SocketError::Closed`] with its code.
    pub async fn open(url: &str, encoding: Encoding, token: Token) -> Result<(Self, Welcome), SocketError> {
        let mut socket = Handshake::new(url, encoding).open().await?;
        let welcome = socket.hello(Hello { token: Some(token), ..Hello::default() }).await?;
        Ok((socket, welcome))
    }

    /// Says hello and waits for the welcome.
    ///
    /// # Errors
    /// [`SocketError`]; a `closing` that comes instead of a welcome is the [`SocketError::Closed`] behind it.
    pub async fn hello(&mut self, hello: Hello) -> Result<Welcome, SocketError> {
        self.send(&ClientFrame::Hello(hello)).await?;
        loop {
            match self.receive().await? {
                ServerFrame::Welcome(welcome) => return Ok(*welcome),
                ServerFrame::Closing(_) | ServerFrame::Unknown => {}
                other => return Err(unexpected("a welcome", &other)),
            }
        }
    }

    /// The encoding of the connection.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Sends a frame; returns when the kernel has taken it.
    ///
    /// # Errors
    /// [`SocketError::Transport`]; what the hub said last may still be received.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), SocketError> {
        self.send_raw(message(self.encoding, frame)).await
    }

    /// Sends whatever it is: tests of the hub speak nonsense with it.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn send_raw(&mut self, message: Message) -> Result<(), SocketError> {
        self.stream.send(message).await.map_err(SocketError::of)
    }

    /// The next frame. Safe to cancel. Kinds that this version does not know are [`ServerFrame::Unknown`].
    ///
    /// # Errors
    /// [`SocketError::Closed`] when the connection has ended, [`SocketError::Decode`] for a frame of the hub that
    /// cannot be read (the connection goes on), [`SocketError::Transport`] when it broke.
    pub async fn receive(&mut self) -> Result<ServerFrame, SocketError> {
        loop {
            let frame = match self.receive_raw().await? {
                Message::Text(text) => decoded(self.encoding, Encoding::Json, text.as_bytes())?,
                Message::Binary(bytes) => decoded(self.encoding, Encoding::MessagePack, &bytes)?,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_) => continue,
            };
            if let ServerFrame::Closing(closing) = &frame {
                self.closed.closing = Some(Box::new(closing.clone()));
            }
            return Ok(frame);
        }
    }

    /// The next message as it came, pings and pongs too. Safe to cancel.
    ///
    /// # Errors
    /// As [`Socket::receive`], but for what cannot be decoded.
    pub async fn receive_raw(&mut self) -> Result<Message, SocketError> {
        if self.is_closed {
            return Err(SocketError::Closed(self.closed.clone()));
        }
        match self.stream.next().await {
            Some(Ok(Message::Close(frame))) => Err(self.finish(frame).await),
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(self.broken(error)),
            None => Err(SocketError::Closed(self.closed.clone())),
        }
    }

    /// Closes with a code and a reason (at most 123 bytes), and waits for the hub's answer, which is returned. 1000
    /// signs the session out; with any other code it waits for its client. Dropping the socket instead is a lost
    /// connection.
    ///
    /// # Errors
    /// [`SocketError::Transport`] when the connection broke before the answer.
    pub async fn close(mut self, code: u16, reason: &str) -> Result<Closed, SocketError> {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.stream.close(Some(frame)).await.map_err(SocketError::of)?;
        loop {
            match self.receive_raw().await {
                Ok(_) => {}
                Err(SocketError::Closed(closed)) => return Ok(closed),
                Err(error) => return Err(error),
            }
        }
    }

    /// The answer to a close frame was queued by the reader: it goes out with the next flush.
    async fn finish(&mut self, frame: Option<CloseFrame>) -> SocketError {
        self.is_closed = true;
        if let Some(frame) = frame {
            self.closed.code = Some(frame.code.into());
            self.closed.reason = frame.reason.as_str().to_owned();
        }
        // The hub may be gone already, and then it needs no answer.
        let _ = self.stream.flush().await;
        SocketError::Closed(self.closed.clone())
    }

    /// A transport that breaks after the hub has said goodbye is closed, and nothing else.
    fn broken(&self, error: tungstenite::Error) -> SocketError {
        match SocketError::of(error) {
            SocketError::Closed(_) => SocketError::Closed(self.closed.clone()),
            SocketError::Transport(_) if self.closed.closing.is_some() => {
                SocketError::Closed(self.closed.clone())
            }
            other => other,
        }
    }
}

/// The message that a frame is.
#[must_use]
pub fn message(encoding: Encoding, frame: &ClientFrame) -> Message {
    let bytes = wire::encode_client(encoding, frame);
    match (encoding, String::from_utf8(bytes)) {
        (Encoding::Json, Ok(text)) => Message::text(text),
        (_, Ok(text)) => Message::binary(text.into_bytes()),
        (_, Err(binary)) => Message::binary(binary.into_bytes()),
    }
}

fn unexpected(expected: &'static str, came: &ServerFrame) -> SocketError {
    SocketError::Unexpected { expected, got: format!("{came:?}").chars().take(80).collect() }
}

fn decoded(spoken: Encoding, came: Encoding, bytes: &[u8]) -> Result<ServerFrame, SocketError> {
    if spoken != came {
        let got = format!("a {came:?} message");
        return Err(SocketError::Unexpected { expected: wire::subprotocol(spoken), got });
    }
    Ok(wire::decode_server(spoken, bytes)?)
}

impl SocketError {
    fn of(error: tungstenite::Error) -> Self {
        use tungstenite::{Error, error::ProtocolError};
        match error {
            Error::Url(error) => Self::Url(error.to_string()),
            Error::HttpFormat(error) => Self::Url(error.to_string()),
            Error::Http(response) => Self::Refused(Refusal::of(&response)),
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Closed(Closed::default()),
            Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => Self::Subprotocol,
            other => Self::Transport(Box::new(other)),
        }
    }
}

impl Refusal {
    fn of(response: &http::Response<Option<Vec<u8>>>) -> Self {
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let body = response.body().as_deref().unwrap_or_default();
        Self {
            status: response.status().as_u16(),
            retry_after_s: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
