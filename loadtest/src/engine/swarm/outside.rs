//! Clients as people on the way have them: cut off, and what is said in their place.

use std::{cmp::Reverse, time::Duration};

use model::{Device, SessionId, TrackRequest};

use super::{Comeback, Retry, Stage, Swarm};
use crate::{
    engine::{
        clock::{Nanos, nanos},
        net::LinkId,
    },
    world::Person,
};

impl Swarm {
    /// From now on clients may be cut off; those that the hub refuses come back as it says.
    pub(crate) fn expect_cuts(&mut self) {
        self.comeback = Comeback::default();
        self.comeback.retry = Retry::WellBehaved;
    }

    /// From now on everybody is at a device.
    pub(crate) fn sit_at(&mut self, device: Device) {
        self.manner.at = Some(device);
    }

    /// The session of a person whose client is connected and has its view.
    pub(crate) fn session_of(&self, person: Person) -> Option<SessionId> {
        let client = self.clients.get(self.client_of[person as usize] as usize)?;
        client.session.filter(|_| client.stage == Stage::Live)
    }

    /// Cuts a person off, without a word of the protocol; they come back after a while. `silent`: nor does the hub learn
    /// that the connection is over. A person who is not connected stays as they are.
    pub(crate) fn cut(&mut self, person: Person, silent: bool, away: Duration) {
        if self.session_of(person).is_none() {
            return;
        }
        let link: LinkId = self.client_of[person as usize] as usize;
        if silent {
            self.net.forsake(link)
        } else {
            self.net.close(link)
        }
        let back = self.clock.now() + nanos(away);
        self.clients[link].partial = Vec::new();
        self.clients[link].stage = Stage::Away;
        self.live -= 1;
        self.judge.time_from(link, Nanos::MAX);
        self.retries.push(Reverse((back, link)));
    }

    /// A person makes a change by other ways than their client: what it is, and its version is the next one.
    pub(crate) fn change_elsewhere(&mut self, person: Person, due: Nanos) -> TrackRequest {
        self.judge.changes(person, due);
        self.speech.words(self.said(person))
    }

    /// Takes all that has arrived.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn read_all(&mut self) -> anyhow::Result<()> {
        loop {
            let events = self.net.wait(Duration::ZERO)?;
            if events == 0 {
                return Ok(());
            }
            self.take_events(events, Nanos::MAX);
        }
    }
}
