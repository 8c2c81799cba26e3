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
    /// Whether a read ends where its frame does, at the latest.
    exact: bool,
}

impl<S> Guarded<S> {
    /// A stream that is read a frame at a time: what follows a frame stays unread, until [`Guarded::read_on`].
    #[must_use]
    pub fn exact(stream: S) -> Self {
        Self { stream, frames: Frames::default(), exact: true }
    }

    /// From now on as much is read as there is.
    pub fn read_on(&mut self) {
        self.exact = false;
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

    /// Bytes that surely belong to the frame under way.
    fn certain(&self) -> usize {
        match self.at {
            // No frame is shorter than its first two bytes.
            At::Start => 2,
            At::Length => 1,
            At::LongLength { missing, .. } => usize::from(missing),
            At::Rest(left) => usize::try_from(left).unwrap_or(usize::MAX),
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
        let most = if this.exact { this.frames.certain() } else { usize::MAX };
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most.min(buf.remaining())));
        ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
        this.frames.pass(part.filled(), Instant::now());
        let count = part.filled().len();
        buf.advance(count);
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
