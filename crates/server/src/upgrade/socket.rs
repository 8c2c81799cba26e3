//! A WebSocket of which the hub has the write side. tungstenite's protocol, polled by hand: of its asynchronous
//! wrapper a silent connection would keep two wakers and their boxes, which it never needs.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hub::Outbox;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

use super::{Guarded, Line, WriteSide};

/// A WebSocket of which the hub has the write side.
#[derive(Debug)]
pub struct WebSocket {
    line: Guarded<Line>,
    protocol: WebSocketContext,
    ended: bool,
}

impl WebSocket {
    /// A server's end. It reads no further than a message goes, until [`WebSocket::settle`].
    #[must_use]
    pub(super) fn new(line: Line, config: WebSocketConfig) -> Self {
        let protocol = WebSocketContext::new(Role::Server, Some(config));
        Self { line: Guarded::exact(line), protocol, ended: false }
    }

    /// Forgets the buffers, which the first message, with its token, has made larger than any other will: between two
    /// messages there is nothing in them, as nothing was read further.
    pub fn settle(&mut self) {
        self.line.read_on();
        self.protocol = WebSocketContext::new(Role::Server, Some(*self.protocol.get_config()));
    }

    /// The write side.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox<WriteSide>> {
        self.line.stream().outbox()
    }

    /// When the first byte of the message came that is not complete yet; `None` between messages.
    #[must_use]
    pub fn unfinished_since(&self) -> Option<Instant> {
        self.line.unfinished_since()
    }

    /// The limits that are kept to.
    #[must_use]
    pub fn config(&self) -> &WebSocketConfig {
        self.protocol.get_config()
    }

    /// The next message; `None`, or an error, when the connection is over.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let read = self.protocol.read(&mut Polled { line: &mut self.line, context });
        let message = ready!(unless_blocked(read));
        self.ended = message.is_err();
        Poll::Ready(match message {
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => None,
            message => Some(message),
        })
    }

    /// The next message; `None`, or an error, when the connection is over. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Hands a message to the outbox, behind what waits there.
    ///
    /// # Errors
    /// Where the socket is gone, or a close was said.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        poll_fn(|context| {
            let stream = &mut Polled { line: &mut self.line, context };
            let written = message.take().map_or(Ok(()), |message| self.protocol.write(stream, message));
            // What would block is kept by the protocol, and flushed.
            match written {
                Ok(()) => unless_blocked(self.protocol.flush(stream)),
                written => unless_blocked(written),
            }
        })
        .await
    }

    /// Returns when all that waits is written.
    ///
    /// # Errors
    /// Where the socket is gone.
    pub async fn drained(&self) -> io::Result<()> {
        poll_fn(|context| self.outbox().poll_drained(context)).await
    }
}

fn unless_blocked<T>(result: Result<T, Error>) -> Poll<Result<T, Error>> {
    match result {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// A stream as the protocol wants it, for as long as it is polled: what is not ready would block.
struct Polled<'a, 'b> {
    line: &'a mut Guarded<Line>,
    context: &'a mut Context<'b>,
}

fn or_would_block<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl io::Read for Polled<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        or_would_block(Pin::new(&mut *self.line).poll_read(self.context, &mut buffer))?;
        Ok(buffer.filled().len())
    }
}

impl io::Write for Polled<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.line).poll_write(self.context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
