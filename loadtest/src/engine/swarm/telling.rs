//! Clients that tell what was done, for the logs of organizations.

use super::Swarm;
use crate::{engine::net::LinkId, world::Person};

impl Swarm {
    /// A client tells of something, with the next of its own numbers.
    pub(super) fn tell(&mut self, link: LinkId) {
        let client = &mut self.clients[link];
        client.requests = client.requests.wrapping_add(1);
        let message = self.speech.activity(client.requests, client.activities);
        client.activities += 1;
        self.judge.tally.told += 1;
        self.say(link, &message);
    }

    /// The hub has done what a client asked for.
    pub(super) fn acknowledged(&mut self, link: LinkId) {
        if self.clients[link].plan.tells {
            self.judge.tally.taken += 1;
            if self.relentless {
                self.tell(link);
            }
        }
    }

    /// Lets everybody who tells begin, `at_once` things each, and go on with every answer.
    pub(crate) fn tell_relentlessly(&mut self, at_once: usize) {
        self.relentless = true;
        let telling = (0..self.clients.len()).filter(|link| self.clients[*link].plan.tells);
        for link in telling.collect::<Vec<_>>() {
            (0..at_once).for_each(|_| self.tell(link));
        }
    }

    /// Nobody goes on.
    pub(crate) fn relent(&mut self) {
        self.relentless = false;
    }

    /// Who tells, and how much each has told. It has the numbers from 0 to one less than that.
    pub(crate) fn told(&self) -> Vec<(Person, u32)> {
        let telling = self.clients.iter().filter(|client| client.plan.tells);
        telling.map(|client| (client.plan.person, client.activities)).collect()
    }
}
