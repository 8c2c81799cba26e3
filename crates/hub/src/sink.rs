//! What the heart decides, done at once: frames are encoded and written, connections closed, what is to be kept handed on.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use model::{CloseCode, ConnectionId, ErrorCode, Limits, Outgoing, Phase, limits};
use persistence::WriterHandle;
use presence::{Note, Sink, Taken};
use rustc_hash::FxHashMap;

use crate::{Farewell, Hub, Outbox, Reconnect, notes};

/// What was done so far, for the operator. Written by the hub's task alone.
#[derive(Debug, Default)]
pub struct Counters {
    /// Inputs handled.
    pub inputs: AtomicU64,
    /// Frames encoded.
    pub frames: AtomicU64,
    /// Bytes encoded.
    pub bytes: AtomicU64,
    /// Of those, pages of snapshots.
    pub snapshots: AtomicU64,
    /// And diffs.
    pub diffs: AtomicU64,
    /// Entries in view frames: joins, updates and leaves.
    pub changes: AtomicU64,
    /// Connections closed by the hub.
    pub closes: AtomicU64,
}

impl Hub {
    /// Inputs that wait for the task, of at most [`crate::MAILBOX`].
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.mailbox.max_capacity() - self.0.mailbox.capacity()
    }
}

/// The ways out: every open connection's outbox, and the writer.
pub(crate) struct Ways {
    limits: Limits,
    outboxes: FxHashMap<ConnectionId, Arc<Outbox>>,
    writer: WriterHandle,
    counters: Arc<Counters>,
    /// The turn that is being encoded: at most `TURN_BYTES`, used again for the next.
    turn: Vec<u8>,
    restart: Option<Reconnect>,
}

impl Ways {
    pub(crate) fn new(limits: Limits, writer: WriterHandle, counters: Arc<Counters>) -> Self {
        let turn = Vec::with_capacity(limits::TURN_BYTES);
        Self { limits, outboxes: FxHashMap::default(), writer, counters, turn, restart: None }
    }

    pub(crate) fn open(&mut self, connection: ConnectionId, outbox: Arc<Outbox>) {
        self.outboxes.insert(connection, outbox);
    }

    pub(crate) fn forget(&mut self, connection: ConnectionId) {
        self.outboxes.remove(&connection);
    }

    /// Every open connection. From now on, who is closed is told to come back as `reconnect` says.
    pub(crate) fn close_all(&mut self, reconnect: Reconnect) -> Vec<ConnectionId> {
        self.restart = Some(reconnect);
        self.outboxes.keys().copied().collect()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts what a frame is besides being one: how many entries it has, and the errors in it.
    fn count(&self, frame: &Outgoing) -> usize {
        match frame {
            Outgoing::View(view) => {
                let is_diff = view.phase == Phase::Live;
                add(if is_diff { &self.counters.diffs } else { &self.counters.snapshots }, 1);
                return view.join.len() + view.update.len() + view.leave.len();
            }
            Outgoing::Error { error, .. } => told(error.code),
            Outgoing::Subscribed { channels, .. } => {
                channels.iter().filter_map(|channel| channel.outcome.err()).for_each(told);
            }
            _ => {}
        }
        0
    }
}

impl Sink for Ways {
    fn send(&mut self, connection: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken {
        let Some(outbox) = self.outboxes.get(&connection) else {
            frames.clear();
            return Taken::Partly;
        };
        self.turn.clear();
        let (mut answers, mut changed) = (0, 0);
        let count = frames.len();
        for frame in frames.drain(..) {
            wire::message_into(&mut self.turn, outbox.encoding(), &frame, &self.limits);
            answers += usize::from(is_answer(&frame));
            changed += self.count(&frame);
        }
        debug_assert!(self.turn.len() <= limits::TURN_BYTES, "a turn of {} bytes", self.turn.len());
        add(&self.counters.frames, count);
        add(&self.counters.bytes, self.turn.len());
        add(&self.counters.changes, changed);
        outbox.send(&self.turn, answers)
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode) {
        add(&self.counters.closes, 1);
        if let Some(outbox) = self.outboxes.remove(&connection) {
            outbox.close(Farewell::new(code, self.restart));
        }
    }

    fn note(&mut self, note: Note) {
        notes::of(note, |row| self.writer.note(row));
    }
}

/// Adds without a locked instruction: nobody else writes.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.store(counter.load(Ordering::Relaxed) + count as u64, Ordering::Relaxed);
}

/// Counts an error: seldom, so it may cost the look-up of its counter.
fn told(code: ErrorCode) {
    metrics::counter!("presence_hub_errors_total", "way" => "socket", "code" => code.name()).increment(1);
}

fn is_answer(frame: &Outgoing) -> bool {
    matches!(frame, Outgoing::Ack { .. } | Outgoing::Error { .. } | Outgoing::Subscribed { .. })
}
