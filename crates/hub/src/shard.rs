//! The task that owns the heart: inputs in, and what the heart decides done where it decides it.

use std::sync::Arc;

use model::{Activity, CloseCode, Limits, UserId};
use persistence::WriterHandle;
use presence::{Input, Presence};
use tokio::{sync::mpsc, time::sleep_until};

use crate::{
    Clock, Counters, Mail, Reconnect, RestCall, Told, Tracked,
    sink::{Ways, add},
};

/// Inputs taken from the mailbox at once.
const TURN_INPUTS: usize = 256;

/// Milliseconds after which the others are let in between two inputs.
const BREATH_MS: u64 = 2;

/// The task's state.
pub(crate) struct Shard {
    presence: Presence,
    clock: Clock,
    ways: Ways,
}

impl Shard {
    pub(crate) fn new(limits: Limits, clock: Clock, writer: WriterHandle, counters: Arc<Counters>) -> Self {
        Self { presence: Presence::new(limits.clone()), clock, ways: Ways::new(limits, writer, counters) }
    }

    pub(crate) async fn run(mut self, mut mail: mpsc::Receiver<Mail>) {
        let mut batch = Vec::with_capacity(TURN_INPUTS);
        loop {
            let deadline = self.presence.next_deadline().map(|mono| self.clock.instant_of(mono));
            tokio::select! {
                taken = mail.recv_many(&mut batch, TURN_INPUTS) => if taken == 0 { return },
                () = async { sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)).await }, if deadline.is_some() => {}
            }
            let mut since = self.clock.now().mono;
            for mail in batch.drain(..) {
                self.take(mail);
                // Where the runtime has one worker, all else waits for it: new clients, answers, what was left over.
                if self.clock.now().mono - since >= BREATH_MS {
                    tokio::task::yield_now().await;
                    since = self.clock.now().mono;
                }
            }
            self.presence.tick(self.clock.now(), &mut self.ways);
        }
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Input(input) => self.handle(*input),
            Mail::Connect(connect, outbox) => {
                self.ways.open(connect.connection, outbox);
                self.handle(Input::Connect(*connect));
            }
            // Nobody waits any more where the receiver is gone.
            Mail::Barrier(done) => drop(done.send(())),
            Mail::Look(question) => question(&self.presence),
            Mail::Activity(user, activity, answer) => drop(answer.send(self.log(user, *activity))),
            Mail::Track(call, answer) => drop(answer.send(self.track(*call))),
            Mail::CloseAll(reconnect) => self.close_all(reconnect),
        }
    }

    /// Hands an activity on, if it may be told at all.
    fn log(&mut self, user: UserId, activity: Activity) -> Told {
        let told = match self.presence.settings_of(user) {
            None => Told::UnknownUser,
            Some(_) if !self.presence.is_member(user, activity.organization) => Told::UnknownOrganization,
            Some(_) => Told::Taken,
        };
        if told == Told::Taken {
            self.handle(Input::RestActivity { user, activity });
        }
        told
    }

    /// Hands a track on, if its session is there or may begin.
    fn track(&mut self, call: RestCall) -> Tracked {
        let RestCall { user, named, fresh, track } = call;
        if self.presence.settings_of(user).is_none() {
            return Tracked::UnknownUser;
        }
        let session = match (self.presence.session_of(user, named), named) {
            (Some((session, _)), _) => session,
            (None, None) => fresh,
            (None, Some(_)) => return Tracked::UnknownSession,
        };
        self.handle(Input::RestTrack { user, session, track });
        match self.presence.owner_of(session) {
            Some(_) => Tracked::Taken,
            None => Tracked::TooManySessions,
        }
    }

    fn handle(&mut self, input: Input) {
        let gone = match &input {
            Input::Disconnected { connection, .. } => Some(*connection),
            _ => None,
        };
        add(&self.ways.counters().inputs, 1);
        self.presence.handle(self.clock.now(), input, &mut self.ways);
        if let Some(connection) = gone {
            self.ways.forget(connection);
        }
    }

    fn close_all(&mut self, reconnect: Reconnect) {
        for connection in self.ways.close_all(reconnect) {
            self.handle(Input::Close { connection, code: CloseCode::Restarting });
        }
    }
}
