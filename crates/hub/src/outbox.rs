//! The one owner of a socket's write side: whatever is written to it goes through here, in the order of one lock.
//!
//! The shard writes each turn from where it was made, and no task wakes for it. What the kernel does not take is kept,
//! and the connection's own task writes it when the socket has room. That task's control frames (pongs, the close) come
//! the same way and wait behind what is kept, so messages never interleave.
//!
//! Kept is at most one turn (the heart sends none before the last was flushed) and a little of control frames:
//! [`limits::OUTBOX_BYTES`]. The memory is given back as soon as it is written.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use model::{Encoding, limits};
use presence::Taken;

use crate::{Farewell, Socket};

/// Between the hub, which sends, and the task of one connection, which writes what was left over.
pub struct Outbox<S: ?Sized = dyn Socket> {
    encoding: Encoding,
    state: Mutex<State>,
    socket: S,
}

/// What the task of a connection has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The kernel has all of the turn that waited: say so with [`Link::flushed`](crate::Link::flushed). Told once.
    Flushed,
    /// The hub closes the connection.
    Farewell(Farewell),
    /// The socket takes nothing any more.
    Broken,
}

#[derive(Default)]
struct State {
    /// Whole messages, but for the first, of which a part may be written.
    pending: Vec<u8>,
    /// Bytes of `pending` that are written.
    written: usize,
    /// Bytes of control frames among what is pending; an upper bound.
    control: usize,
    /// Requests that are not answered.
    in_flight: usize,
    /// Whether a turn waits whose end the heart wants to hear of.
    owes_flush: bool,
    broken: bool,
    /// Whether the connection's task has ended the conversation.
    over: bool,
    farewell: Option<Farewell>,
    /// The connection's task.
    task: Option<Waker>,
}

impl<S: Socket> Outbox<S> {
    /// An outbox of a socket that nothing else writes to from now on.
    #[must_use]
    pub fn new(socket: S, encoding: Encoding) -> Self {
        Self { encoding, state: Mutex::default(), socket }
    }
}

impl<S: Socket + ?Sized> Outbox<S> {
    /// The encoding of the connection's frames.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Writes what waits, as far as the socket takes it, and tells what there is to be done. Only the connection's own
    /// task may ask: it is the one that is woken.
    pub fn poll_event(&self, context: &mut Context<'_>) -> Poll<Event> {
        let mut state = self.lock();
        let drained = self.poll_drain(&mut state, context);
        if let Some(farewell) = state.farewell.take() {
            return Poll::Ready(Event::Farewell(farewell));
        }
        if state.broken {
            return Poll::Ready(Event::Broken);
        }
        if drained.is_ready() && std::mem::take(&mut state.owes_flush) {
            return Poll::Ready(Event::Flushed);
        }
        state.remember(context);
        Poll::Pending
    }

    /// Ready while more may be read: a client whose requests are not answered yet, or who does not take the answers to
    /// its pings, is not read from.
    pub fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let _ = self.poll_drain(&mut state, context);
        if state.has_room() {
            return Poll::Ready(());
        }
        state.remember(context);
        Poll::Pending
    }

    /// Takes whole control frames, all of them: ready when they are written or kept.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the socket takes nothing any more.
    pub fn poll_control(&self, frames: &[u8], context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if self.poll_drain(&mut state, context)?.is_pending()
            && state.control + frames.len() > limits::OUTBOX_CONTROL_BYTES
        {
            return Poll::Pending;
        }
        let left = self.write_through(&mut state, frames);
        state.control += left.len();
        state.keep(left);
        Poll::Ready(state.intact())
    }

    /// Ready when nothing waits to be written.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the socket takes nothing any more.
    pub fn poll_drained(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(&mut self.lock(), context)
    }

    /// Bytes that wait to be written: at most [`limits::OUTBOX_BYTES`].
    #[must_use]
    pub fn pending(&self) -> usize {
        let state = self.lock();
        state.pending.len() - state.written
    }

    /// Sends the whole messages of one turn, in which so many requests are answered.
    pub(crate) fn send(&self, turn: &[u8], answers: usize) -> Taken {
        let mut state = self.lock();
        let was_full = !state.has_room();
        state.in_flight = state.in_flight.saturating_sub(answers);
        let taken = self.put(&mut state, turn);
        if taken == Taken::Partly || was_full {
            wake(state);
        }
        taken
    }

    /// Tells the task to close, when it has written what waits or has lost patience.
    pub(crate) fn close(&self, farewell: Farewell) {
        let mut state = self.lock();
        state.farewell = Some(farewell);
        wake(state);
    }

    /// One more request that will be answered.
    pub(crate) fn requested(&self) {
        self.lock().in_flight += 1;
    }

    /// The conversation is over: turns are dropped from now on, and the last words are the task's own.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        state.task = None;
    }

    fn put(&self, state: &mut State, turn: &[u8]) -> Taken {
        // The heart hears that it is gone; until then it shall make no further turns.
        if state.over || state.broken {
            return Taken::Partly;
        }
        let left = self.write_through(state, turn);
        if left.is_empty() {
            return Taken::Whole;
        }
        metrics::counter!("presence_hub_turns_kept_total").increment(1);
        state.keep(left);
        state.owes_flush = true;
        Taken::Partly
    }

    /// Writes at once what may be written before nothing else: what is left.
    fn write_through<'a>(&self, state: &mut State, bytes: &'a [u8]) -> &'a [u8] {
        if state.pending.is_empty() { &bytes[self.write(state, bytes)..] } else { bytes }
    }

    /// Bytes that the kernel took.
    fn write(&self, state: &mut State, bytes: &[u8]) -> usize {
        loop {
            match self.socket.try_write(bytes) {
                Ok(taken) => return taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    state.broken |= error.kind() != io::ErrorKind::WouldBlock;
                    return 0;
                }
            }
        }
    }

    fn poll_drain(&self, state: &mut State, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !state.broken && !state.pending.is_empty() {
            if ready!(self.socket.poll_writable(context)).is_err() {
                state.broken = true;
                break;
            }
            let pending = std::mem::take(&mut state.pending);
            state.written += self.write(state, &pending[state.written..]);
            state.pending = pending;
            state.forget_written();
        }
        Poll::Ready(state.intact())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two steps that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.in_flight < limits::REQUESTS_IN_FLIGHT && self.control <= limits::OUTBOX_CONTROL_BYTES / 2
    }

    fn intact(&self) -> io::Result<()> {
        if self.broken { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let written = std::mem::take(&mut self.written);
        kept(self.pending.len(), (self.pending.len() - written) + bytes.len());
        self.pending.drain(..written);
        // Not more than is asked for: it is seldom added to, and never for long.
        self.pending.reserve_exact(bytes.len());
        self.pending.extend_from_slice(bytes);
    }

    fn forget_written(&mut self) {
        if self.written == self.pending.len() {
            kept(self.pending.len(), 0);
            self.pending = Vec::new();
            self.written = 0;
            self.control = 0;
        }
    }

    fn remember(&mut self, context: &Context<'_>) {
        if self.task.as_ref().is_none_or(|task| !task.will_wake(context.waker())) {
            self.task = Some(context.waker().clone());
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        kept(self.pending.len(), 0);
    }
}

/// Counts what all outboxes keep, of which one had so many bytes before, and has so many now. Most never keep any.
fn kept(before: usize, now: usize) {
    if before == now {
        return;
    }
    let waits = |bytes: usize| f64::from(u8::from(bytes > 0));
    metrics::gauge!("presence_hub_outbox_bytes").increment(now as f64 - before as f64);
    metrics::gauge!("presence_hub_outboxes_waiting").increment(waits(now) - waits(before));
}

/// Wakes the connection's task, with the lock given back first: it will want it.
fn wake(mut state: MutexGuard<'_, State>) {
    let task = state.task.take();
    drop(state);
    task.into_iter().for_each(Waker::wake);
}

impl<S: ?Sized> std::fmt::Debug for Outbox<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
