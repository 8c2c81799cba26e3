//! The task that owns the heart: inputs in, effects out.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use model::{ConnectionId, Encoding, Limits, Outgoing};
use persistence::{LastSeen, LastSeenHandle};
use presence::{Effect, Input, Presence};
use tokio::{sync::mpsc, time::sleep_until};

use crate::{Clock, Farewell, Mail, Outbox, farewell::Reconnect};

/// Inputs handled before the clock is read again.
const TURN_INPUTS: usize = 256;

/// What was done so far, for the operator.
#[derive(Debug, Default)]
pub struct Counters {
    /// Inputs handled.
    pub inputs: AtomicU64,
    /// Frames encoded.
    pub frames: AtomicU64,
    /// Bytes encoded.
    pub bytes: AtomicU64,
    /// Entries in view frames: joins, updates and leaves.
    pub changes: AtomicU64,
    /// Connections closed by the hub.
    pub closes: AtomicU64,
}

/// The task's state.
pub(crate) struct Shard {
    presence: Presence,
    limits: Limits,
    clock: Clock,
    last_seen: LastSeenHandle,
    counters: Arc<Counters>,
    outboxes: HashMap<ConnectionId, (Encoding, Arc<Outbox>)>,
    effects: Vec<Effect>,
    restart: Option<Reconnect>,
}

impl Shard {
    pub(crate) fn new(
        limits: Limits,
        clock: Clock,
        last_seen: LastSeenHandle,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            presence: Presence::new(limits.clone()),
            limits,
            clock,
            last_seen,
            counters,
            outboxes: HashMap::new(),
            effects: Vec::new(),
            restart: None,
        }
    }

    pub(crate) async fn run(mut self, mut mail: mpsc::Receiver<Mail>) {
        let mut batch = Vec::with_capacity(TURN_INPUTS);
        loop {
            let deadline = self.presence.next_deadline().map(|mono| self.clock.instant_of(mono));
            tokio::select! {
                taken = mail.recv_many(&mut batch, TURN_INPUTS) => if taken == 0 { return },
                () = async { sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)).await }, if deadline.is_some() => {}
            }
            for mail in batch.drain(..) {
                self.take(mail);
            }
            self.presence.tick(self.clock.now(), &mut self.effects);
            self.run_effects();
        }
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Input(input) => self.handle(*input),
            Mail::Connect(connect, encoding, outbox) => {
                self.outboxes.insert(connect.connection, (encoding, outbox));
                self.handle(Input::Connect(*connect));
            }
            // Nobody waits any more where the receiver is gone.
            Mail::Barrier(done) => drop(done.send(())),
            Mail::Census(answer) => drop(answer.send(self.presence.census())),
            Mail::Settings(user, answer) => drop(answer.send(self.presence.settings_of(user).cloned())),
            Mail::CloseAll(reconnect) => self.close_all(reconnect),
        }
    }

    fn handle(&mut self, input: Input) {
        let gone = match &input {
            Input::Disconnected { connection, .. } => Some(*connection),
            _ => None,
        };
        self.counters.inputs.fetch_add(1, Ordering::Relaxed);
        self.presence.handle(self.clock.now(), input, &mut self.effects);
        self.run_effects();
        if let Some(connection) = gone {
            self.outboxes.remove(&connection);
        }
    }

    fn close_all(&mut self, reconnect: Reconnect) {
        self.restart = Some(reconnect);
        let open: Vec<_> = self.outboxes.keys().copied().collect();
        for connection in open {
            self.handle(Input::Close { connection, code: model::CloseCode::Restarting });
        }
    }

    fn run_effects(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { connection, frames } => self.send(connection, &frames),
                Effect::Close { connection, code } => {
                    self.close(connection, Farewell::new(code, self.restart))
                }
                Effect::LastSeen(note) => self.last_seen.note(LastSeen {
                    user: note.user,
                    at: note.at,
                    page: note.page,
                    device: note.device,
                }),
            }
        }
        self.effects = effects;
    }

    fn send(&mut self, connection: ConnectionId, frames: &[Outgoing]) {
        let Some((encoding, outbox)) = self.outboxes.get(&connection) else { return };
        let encoded: Vec<Bytes> =
            frames.iter().map(|frame| Bytes::from(wire::encode(*encoding, frame, &self.limits))).collect();
        self.counters.frames.fetch_add(encoded.len() as u64, Ordering::Relaxed);
        self.counters
            .bytes
            .fetch_add(encoded.iter().map(Bytes::len).sum::<usize>() as u64, Ordering::Relaxed);
        self.counters.changes.fetch_add(frames.iter().map(changes).sum::<usize>() as u64, Ordering::Relaxed);
        outbox.put(encoded.into_iter(), frames.iter().filter(|frame| is_answer(frame)).count());
    }

    fn close(&mut self, connection: ConnectionId, farewell: Farewell) {
        self.counters.closes.fetch_add(1, Ordering::Relaxed);
        if let Some((_, outbox)) = self.outboxes.remove(&connection) {
            outbox.close(farewell);
        }
    }
}

fn changes(frame: &Outgoing) -> usize {
    match frame {
        Outgoing::View(view) => view.join.len() + view.update.len() + view.leave.len(),
        _ => 0,
    }
}

fn is_answer(frame: &Outgoing) -> bool {
    matches!(frame, Outgoing::Ack { .. } | Outgoing::Error { .. } | Outgoing::Subscribed { .. })
}
