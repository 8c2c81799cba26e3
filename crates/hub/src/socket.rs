//! What the hub needs of a socket: that it can be written to without waiting.

use std::{
    io,
    task::{Context, Poll},
};

/// The write side of a socket. Only its [`Outbox`](crate::Outbox) writes to it.
pub trait Socket: Send + Sync {
    /// Writes what the kernel takes at once: how many bytes it took.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where it takes nothing now; anything else means that the socket is done for.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Ready when [`Socket::try_write`] may take something. After it would have blocked, the task of `context` is
    /// woken when it may not any more.
    ///
    /// # Errors
    /// Where the socket is done for.
    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}
