//! How to be a client.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use model::{Encoding, SubscribeRequest, TrackRequest};
use wire::Token;

use crate::Backoff;

/// What a token source returns.
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<Token, String>> + Send>>;

/// Where tokens come from: asked before each connection, and when the hub says that the token ends soon.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> TokenFuture + Send + Sync>);

impl TokenSource {
    /// A source that fetches. An error is tried again like a lost connection, and its text shown to listeners.
    pub fn new<F, T>(fetch: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<Token, String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(fetch())))
    }

    pub(crate) fn fetch(&self) -> TokenFuture {
        (self.0)()
    }
}

/// The same token each time.
impl From<Token> for TokenSource {
    fn from(token: Token) -> Self {
        Self::new(move || std::future::ready(Ok(token.clone())))
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource(…)")
    }
}

/// How to be a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// `ws://...` or `wss://...`.
    pub url: String,
    /// The encoding; MessagePack unless set.
    pub encoding: Encoding,
    /// Where tokens come from.
    pub token: TokenSource,
    /// What the first hello announces; `None`: nothing, the client only looks on.
    pub track: Option<TrackRequest>,
    /// Channels to follow from the start.
    pub channels: Vec<SubscribeRequest>,
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

impl Options {
    /// Everything but these two as it usually is.
    #[must_use]
    pub fn new(url: impl Into<String>, token: impl Into<TokenSource>) -> Self {
        Self {
            url: url.into(),
            encoding: Encoding::MessagePack,
            token: token.into(),
            track: None,
            channels: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(15),
            patience: Duration::from_secs(5),
            backoff: Backoff::default(),
            settled_after: Duration::from_secs(10),
        }
    }

    /// With this announced in the first hello.
    #[must_use]
    pub fn track(mut self, track: TrackRequest) -> Self {
        self.track = Some(track);
        self
    }

    /// With one more channel to follow.
    #[must_use]
    pub fn channel(mut self, channel: SubscribeRequest) -> Self {
        self.channels.push(channel);
        self
    }
}
