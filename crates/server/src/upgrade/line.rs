//! A TCP connection whose write side belongs to the hub: read here, written through its outbox.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hub::{Outbox, Socket};
use model::Encoding;
#[cfg(target_os = "linux")]
use model::limits;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// What the kernel takes of a connection beyond what it could send, at most: the reader who is behind gets the state of
/// when it reads, rather than old changes. Two turns.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 2 * limits::TURN_BYTES as u32;
/// What the kernel may keep to be sent, which it doubles for its own needs: 32 KiB. Left to itself it would go to
/// megabytes for a reader that does not read.
const SEND_BUFFER_BYTES: usize = 16 * 1024;
/// The same of what was received and not read yet: 16 KiB.
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024;

/// The write side of a TCP connection.
#[derive(Debug)]
pub struct WriteSide(OwnedWriteHalf);

/// Ends a record with each write: the kernel then counts every write against the limits above. Without it, it goes on
/// adding to the last packet of a reader who is behind, up to 64 KiB. What is sent at once is the same either way.
const FLAGS: i32 = libc::MSG_EOR | libc::MSG_NOSIGNAL;

impl Socket for WriteSide {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let stream = self.0.as_ref();
        stream.try_io(Interest::WRITABLE, || SockRef::from(stream).send_with_flags(bytes, FLAGS))
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_ref().poll_write_ready(context)
    }
}

/// A TCP connection as tungstenite has it: it reads, and what it writes (whole control frames) goes through the outbox,
/// in order with what the hub writes there.
#[derive(Debug)]
pub struct Line {
    /// What came with the handshake, and was not read yet.
    early: Vec<u8>,
    read: OwnedReadHalf,
    outbox: Arc<Outbox<WriteSide>>,
}

impl Line {
    /// Splits a connection, of which `early` was read already. From now on nothing is written but through the outbox.
    ///
    /// # Errors
    /// Where the socket is gone.
    pub fn new(stream: TcpStream, early: Vec<u8>, encoding: Encoding) -> io::Result<Self> {
        bound(&stream)?;
        let (read, write) = stream.into_split();
        Ok(Self { early, read, outbox: Arc::new(Outbox::new(WriteSide(write), encoding)) })
    }

    /// The write side.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox<WriteSide>> {
        &self.outbox
    }
}

/// Bounds what the kernel keeps for one connection.
fn bound(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(())
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.early.is_empty() {
            return Pin::new(&mut this.read).poll_read(cx, buf);
        }
        let count = this.early.len().min(buf.remaining());
        buf.put_slice(&this.early[..count]);
        this.early = this.early.split_off(count);
        Poll::Ready(Ok(()))
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
