//! A TCP connection whose write side belongs to the hub: read here, written through its outbox.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hub::{Outbox, Socket};
use model::Encoding;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// The write side of a TCP connection.
#[derive(Debug)]
pub struct WriteSide(OwnedWriteHalf);

impl Socket for WriteSide {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_ref().poll_write_ready(context)
    }
}

/// A TCP connection as tungstenite has it: it reads, and what it writes (whole control frames) goes through the outbox,
/// in order with what the hub writes there.
#[derive(Debug)]
pub struct Line {
    read: OwnedReadHalf,
    outbox: Arc<Outbox<WriteSide>>,
}

impl Line {
    /// Splits a connection. From now on nothing is written but through the outbox.
    #[must_use]
    pub fn new(stream: TcpStream, encoding: Encoding) -> Self {
        let (read, write) = stream.into_split();
        Self { read, outbox: Arc::new(Outbox::new(WriteSide(write), encoding)) }
    }

    /// The write side.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox<WriteSide>> {
        &self.outbox
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().read).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    /// All or nothing, so that a frame is never cut in two by another.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.outbox.poll_control(buf, cx))?;
        Poll::Ready(Ok(buf.len()))
    }

    /// What the kernel did not take is the outbox's to write: a pong is not waited for.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_drained(cx)
    }
}
