//! How clients connect, and how they come back.

use std::{cmp::Reverse, time::Duration};

use model::{ResumePoint, ResumeRequest, SubscriptionId};
use rand::Rng;

use super::{Stage, Swarm};
use crate::engine::{
    clock::{MILLISECOND, Nanos, SECOND, nanos},
    net::LinkId,
};

/// What a client does that is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It was not to be refused: an error.
    #[default]
    Wrong,
    /// Waits at random, up to what the hub names, or else up to a bound that doubles from a second.
    WellBehaved,
    /// Tries again at once.
    AtOnce,
}

/// What became of coming back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comeback {
    pub(crate) retry: Retry,
    /// Attempts that were refused or cut.
    pub(crate) refused: u64,
    /// Clients whose session and view went on.
    pub(crate) resumed: usize,
    /// Clients who got a new session, or a new snapshot.
    pub(crate) renewed: usize,
    /// When each was live again, counted from the beginning.
    pub(crate) after: Vec<Nanos>,
    began: Nanos,
}

/// What a refused client was told of when to come back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// By an HTTP answer, which is the same for all: each draws a part of it.
    AtMost(Nanos),
    /// By a closing frame, which is for this client alone.
    Exactly(Nanos),
}

/// The longest that a refused client waits, in doublings of a second.
const DOUBLINGS: u32 = 5;

impl Swarm {
    /// Closes everybody's connection at once, and lets all come back and resume: each after a random part of
    /// `spread`, never more than `at_once` handshakes at a time.
    pub(crate) fn throw_off(&mut self, retry: Retry, spread: Duration, at_once: usize) {
        self.manner.opening = at_once;
        let began = self.clock.now();
        self.comeback = Comeback { retry, began, ..Comeback::default() };
        for link in 0..self.clients.len() {
            self.net.close(link);
            self.clients[link].partial = Vec::new();
            self.clients[link].stage = Stage::Away;
            let wait = self.dice.random_range(0..=nanos(spread));
            self.retries.push(Reverse((began + wait, link)));
        }
        self.live = 0;
    }

    /// What became of it.
    pub(crate) fn comeback(&self) -> &Comeback {
        &self.comeback
    }

    /// Lets as many connect as may.
    pub(super) fn open_some(&mut self, now: Nanos) {
        while self.next_retry().is_some_and(|due| due <= now) {
            self.waiting.extend(self.retries.pop().map(|Reverse((_, link))| link));
        }
        while self.on_their_way < self.manner.opening {
            let Some(link) = self.waiting.pop_front() else { return };
            self.open(link);
        }
    }

    /// When the next refused client wants to try again.
    pub(super) fn next_retry(&self) -> Option<Nanos> {
        self.retries.peek().map(|Reverse((due, _))| *due)
    }

    fn open(&mut self, link: LinkId) {
        self.on_their_way += 1;
        self.clients[link].stage = Stage::Connecting;
        if let Err(error) = self.net.open(link, self.clients[link].plan.receive_buffer) {
            self.lost(link, || format!("a connection cannot be opened: {error}"));
        }
    }

    /// The connection stands: asks for a WebSocket.
    pub(super) fn connected(&mut self, link: LinkId) {
        if let Err(error) = self.net.connected(link) {
            return self.lost(link, || format!("a connection was refused: {error}"));
        }
        self.clients[link].stage = Stage::Upgrading;
        let request = self.speech.upgrade(self.peer);
        self.say(link, &request);
    }

    /// Looks for the end of the answer to the upgrade, and gives how many bytes it has.
    pub(super) fn upgraded(&mut self, link: LinkId, bytes: &[u8]) -> Option<usize> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        if !bytes.starts_with(b"HTTP/1.1 101") {
            let answer = String::from_utf8_lossy(&bytes[..end]).into_owned();
            self.clients[link].told = named_delay(&answer).map(Told::AtMost);
            self.lost(link, || {
                format!("the upgrade was refused: {}", answer.lines().next().unwrap_or_default())
            });
            return None;
        }
        self.clients[link].stage = Stage::Greeting;
        let client = &self.clients[link];
        let hello = self.speech.hello(&client.token, self.resume(link), Some(self.said(client.plan.person)));
        self.say(link, &hello);
        Some(end)
    }

    fn resume(&self, link: LinkId) -> Option<ResumeRequest> {
        let client = &self.clients[link];
        let subscription = SubscriptionId(client.subscription);
        let point =
            (client.subscription > 0).then_some(ResumePoint { subscription, sequence: client.sequence });
        client.session.map(|session| ResumeRequest { session, subscriptions: point.into_iter().collect() })
    }

    /// A client has its view.
    pub(super) fn arrived(&mut self, link: LinkId) {
        let client = &mut self.clients[link];
        client.stage = Stage::Live;
        (client.attempts, client.told) = (0, None);
        self.on_their_way -= 1;
        self.live += 1;
        self.judge.time_from(link, self.clock.now());
        self.comeback.after.push(self.clock.now() - self.comeback.began);
    }

    /// A connection is gone: to be expected of a deaf client, to be tried again where the hub may refuse, else an
    /// error.
    pub(super) fn lost(&mut self, link: LinkId, why: impl FnOnce() -> String) {
        let stage = std::mem::replace(&mut self.clients[link].stage, Stage::Away);
        self.net.close(link);
        self.clients[link].partial = Vec::new();
        self.on_their_way -= usize::from(stage.is_opening());
        match stage {
            Stage::Away => {}
            Stage::Deaf => self.let_go += 1,
            Stage::Live => {
                self.live -= 1;
                self.judge.tally.complain(why);
            }
            _ if self.comeback.retry == Retry::Wrong => self.judge.tally.complain(why),
            _ => self.try_again(link),
        }
    }

    fn try_again(&mut self, link: LinkId) {
        self.comeback.refused += 1;
        let client = &mut self.clients[link];
        let bound = SECOND << client.attempts.min(DOUBLINGS);
        client.attempts += 1;
        let wait = match (self.comeback.retry, client.told.take()) {
            // One millisecond, or a generator that is refused would do nothing else.
            (Retry::AtOnce | Retry::Wrong, _) => MILLISECOND,
            (Retry::WellBehaved, Some(Told::Exactly(wait))) => wait,
            (Retry::WellBehaved, Some(Told::AtMost(bound))) => self.dice.random_range(0..=bound),
            (Retry::WellBehaved, None) => self.dice.random_range(0..=bound),
        };
        self.retries.push(Reverse((self.clock.now() + wait, link)));
    }
}

/// The delay that an HTTP answer names.
fn named_delay(answer: &str) -> Option<Nanos> {
    let seconds: u64 = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("retry-after").then(|| value.trim().parse().ok())?
    })?;
    Some(seconds.saturating_mul(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_name_a_delay() {
        let answer = |header| format!("HTTP/1.1 503 Service Unavailable\r\n{header}\r\n\r\n");
        assert_eq!(named_delay(&answer("retry-after: 3")), Some(3 * SECOND));
        assert_eq!(named_delay(&answer("Retry-After: soon")), None);
        assert_eq!(named_delay(&answer("Date: 3")), None);
    }
}
