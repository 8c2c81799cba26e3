//! A stream that knows since when an inbound WebSocket message has been under way.
//!
//! tungstenite says nothing of a message until it is complete. This follows the frame headers as the bytes pass; it
//! keeps no payload, changes nothing and refuses nothing (malformed frames are tungstenite's to find).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// A stream whose inbound frames are followed. Costs about 50 B.
#[derive(Debug)]
pub struct Guarded<S> {
    stream: S,
    frames: Frames,
}

impl<S> Guarded<S> {
    /// A stream of which `read_already` was read before.
    #[must_use]
    pub fn new(stream: S, read_already: &[u8]) -> Self {
        let mut frames = Frames::default();
        frames.pass(read_already, Instant::now());
        Self { stream, frames }
    }

    /// When the first byte of the message came that is not complete yet; `None` between messages. A control frame
    /// within a fragmented message does not set it back.
    #[must_use]
    pub fn unfinished_since(&self) -> Option<Instant> {
        self.frames.since
    }

    /// The stream itself.
    #[must_use]
    pub fn stream(&self) -> &S {
        &self.stream
    }
}

/// Where in the frames of RFC 6455, 5.2 the stream stands.
#[derive(Debug, Default)]
struct Frames {
    at: At,
    /// Whether the frame under way ends a message.
    ends_message: bool,
    /// Whether the frame under way is a ping, pong or close.
    is_control: bool,
    /// Whether a message waits for further fragments.
    fragmented: bool,
    since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Start,
    Length,
    /// So many bytes of the long form of the length are to come.
    LongLength {
        missing: u8,
        length: u64,
        masked: bool,
    },
    /// So many bytes of mask and payload are to come.
    Rest(u64),
}

impl Frames {
    fn pass(&mut self, mut bytes: &[u8], now: Instant) {
        while let [first, after @ ..] = bytes {
            self.since.get_or_insert(now);
            bytes = after;
            match self.at {
                At::Start => self.start(*first),
                At::Length => self.length(*first),
                At::LongLength { missing, length, masked } => {
                    self.long_length(missing - 1, (length << 8) | u64::from(*first), masked);
                }
                At::Rest(left) => {
                    let skipped = (after.len() as u64).min(left - 1);
                    bytes = &after[skipped as usize..];
                    self.rest(left - 1 - skipped);
                }
            }
        }
    }

    fn start(&mut self, byte: u8) {
        self.ends_message = byte & 0x80 != 0;
        self.is_control = byte & 0x08 != 0;
        self.at = At::Length;
    }

    fn length(&mut self, byte: u8) {
        let masked = byte & 0x80 != 0;
        match byte & 0x7F {
            126 => self.at = At::LongLength { missing: 2, length: 0, masked },
            127 => self.at = At::LongLength { missing: 8, length: 0, masked },
            length => self.rest_of(u64::from(length), masked),
        }
    }

    fn long_length(&mut self, missing: u8, length: u64, masked: bool) {
        if missing > 0 {
            self.at = At::LongLength { missing, length, masked };
        } else {
            self.rest_of(length, masked);
        }
    }

    fn rest_of(&mut self, length: u64, masked: bool) {
        self.rest(length.saturating_add(if masked { 4 } else { 0 }));
    }

    fn rest(&mut self, left: u64) {
        if left > 0 {
            self.at = At::Rest(left);
            return;
        }
        self.at = At::Start;
        if !self.is_control {
            self.fragmented = !self.ends_message;
        }
        if !self.fragmented {
            self.since = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        this.frames.pass(&buf.filled()[before..], Instant::now());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
