//! The callers at work beside the clients, and what they were answered.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::Context;

use super::{
    Load,
    answer::of_people,
    desk::{Ask, Desk, Kind},
};
use crate::{
    engine::{
        calls::{Answered, Call},
        clock::{Nanos, RunClock},
        drive::{self, Target},
        speech::{Said, Speech},
        swarm::Swarm,
    },
    hub::request,
    outcome::Recorder,
    world::{Person, World},
};

/// Words kept of what went wrong; the rest is counted.
const COMPLAINTS: usize = 8;
/// The database is out of reach, or takes too long: no error, if it is said.
const UNAVAILABLE: u16 = 503;

/// What was found.
pub(super) struct Found {
    /// By kind, from when a call was due to its answer.
    latency: [Recorder; 5],
    /// Answers other than the expected ones, by kind and status; 0: the connection was lost.
    pub(super) refused: BTreeMap<(&'static str, u16), u64>,
    /// Answers that were not as they had to be.
    pub(super) wrongs: u64,
    pub(super) forbidden: u64,
    pub(super) complaints: Vec<String>,
    /// Of the clients that look on.
    pub(super) delivered: u64,
    pub(super) expected: u64,
    pub(super) shown_wrongly: u64,
    pub(super) errors: u64,
    pub(super) diffs: Recorder,
}

impl Found {
    fn new() -> Self {
        Self {
            latency: std::array::from_fn(|_| Recorder::new()),
            refused: BTreeMap::new(),
            wrongs: 0,
            forbidden: 0,
            complaints: Vec::new(),
            delivered: 0,
            expected: 0,
            shown_wrongly: 0,
            errors: 0,
            diffs: Recorder::new(),
        }
    }

    pub(super) fn latency(&self, kind: Kind) -> &Recorder {
        &self.latency[kind as usize]
    }

    fn complain(&mut self, what: String) {
        self.wrongs += 1;
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(what);
        }
    }
}

/// The callers, and the clients on whose epoll they are.
pub(super) struct Office<'a> {
    swarm: &'a mut Swarm,
    host: SocketAddr,
    desks: &'a [Desk],
    world: &'a World,
    speech: Speech,
    details: fn(Person) -> bool,
    /// By caller, how much they have asked.
    turns: Vec<usize>,
    /// Whether who was told a report asks for the next one.
    reporting: bool,
    reports_open: usize,
    found: Found,
}

impl<'a> Office<'a> {
    pub(super) fn new(swarm: &'a mut Swarm, host: SocketAddr, load: &'a Load, desks: &'a [Desk]) -> Self {
        Self {
            swarm,
            host,
            desks,
            world: &load.world,
            speech: Speech::new(model::Encoding::Json, load.padding),
            details: load.details,
            turns: vec![0; desks.len()],
            reporting: false,
            reports_open: 0,
            found: Found::new(),
        }
    }

    pub(super) fn now(&self) -> Nanos {
        self.swarm.clock().now()
    }

    pub(super) fn is_done(&self) -> bool {
        self.swarm.asking() == 0
    }

    /// Lets all who want reports ask, each for other ones than the others, and go on with every answer; or nobody.
    pub(super) fn open_reports(&mut self, open: bool, now: Nanos) {
        self.reporting = open;
        let admins = (0..self.desks.len()).filter(|desk| open && self.desks[*desk].kind == Kind::Report);
        for (number, desk) in admins.enumerate().collect::<Vec<_>>() {
            let all = self.desks[desk].asks.len();
            // Beyond those that were asked for before.
            self.turns[desk] = all / 2 + number * all / 20;
            self.ask(desk, now);
        }
    }

    /// Waits for those reports that are under way.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn close_reports(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.reporting = false;
        drive::wait_for(self, patience, |office| office.reports_open == 0)?;
        for _ in 0..self.reports_open {
            self.found.complain("a report is not answered".to_owned());
        }
        Ok(())
    }

    /// Asks for the report of a number.
    ///
    /// # Errors
    /// Nobody may.
    pub(super) fn report(&mut self, number: usize) -> anyhow::Result<()> {
        let admin = self.desks.iter().position(|desk| desk.kind == Kind::Report);
        let admin = admin.context("there is no admin")?;
        self.turns[admin] = number;
        self.ask(admin, self.now());
        Ok(())
    }

    /// What was found.
    pub(super) fn end(mut self) -> Found {
        let tally = self.swarm.tally();
        self.found.delivered = tally.delivered;
        self.found.expected = tally.expected;
        self.found.shown_wrongly = tally.forbidden;
        self.found.errors = tally.errors;
        self.found.diffs = tally.latency.clone();
        self.found.complaints.extend(tally.complaints.iter().cloned());
        self.found
    }

    fn ask(&mut self, caller: usize, due: Nanos) {
        let desk = &self.desks[caller];
        let message = match desk.asks.get(self.turns[caller] % desk.asks.len().max(1)) {
            Some(ask) => ask.message.clone(),
            None => self.track(desk, due),
        };
        let tag = self.turns[caller] as u32;
        self.turns[caller] += 1;
        self.reports_open += usize::from(desk.kind == Kind::Report);
        self.swarm.ask(Call { caller, tag, due, message });
    }

    /// A change that all who may see it have to be shown.
    fn track(&mut self, desk: &Desk, due: Nanos) -> Vec<u8> {
        let version = self.swarm.judge.changes(desk.person, due);
        let words = self.speech.words(Said::plain(version, (self.details)(desk.person)));
        let body = serde_json::to_value(words).unwrap_or_default();
        request(self.host, ("POST", "/api/presence/track"), &desk.token, &body)
    }

    fn take_answers(&mut self) {
        while let Some(answered) = self.swarm.answered() {
            let kind = self.desks[answered.caller].kind;
            self.judge(&answered);
            if kind == Kind::Report {
                self.reports_open -= 1;
                if self.reporting {
                    self.ask(answered.caller, answered.at);
                }
            }
        }
    }

    fn judge(&mut self, answered: &Answered) {
        let desk = &self.desks[answered.caller];
        let ask = desk.asks.get(answered.tag as usize % desk.asks.len().max(1));
        let took_us = answered.at.saturating_sub(answered.due) / 1000;
        let status = answered.status.unwrap_or_default();
        if status != ask.map_or(200, |ask| ask.status) {
            *self.found.refused.entry((desk.kind.name(), status)).or_default() += 1;
            if status == UNAVAILABLE {
                return;
            }
            let said = String::from_utf8_lossy(&answered.body).into_owned();
            return self.found.complain(format!("{} was answered with {status}: {said}", desk.kind.name()));
        }
        self.found.latency[desk.kind as usize].record_us(took_us);
        if let Some(Ask { people: Some(people), .. }) = ask
            && let Some(wrong) = of_people(self.world, people, &answered.body)
        {
            self.found.forbidden += wrong.forbidden;
            self.found.complain(wrong.what);
        }
    }
}

impl Target for Office<'_> {
    fn clock(&self) -> RunClock {
        self.swarm.clock()
    }

    fn run_until(&mut self, until: Nanos) -> anyhow::Result<()> {
        self.swarm.run_until(until)?;
        self.take_answers();
        Ok(())
    }

    /// Lets a caller ask for the next thing.
    fn change(&mut self, caller: u32, due: Nanos) -> anyhow::Result<()> {
        self.ask(caller as usize, due);
        Ok(())
    }

    fn outstanding(&self) -> u64 {
        self.swarm.tally().outstanding() + (self.swarm.asking() - self.reports_open) as u64
    }

    fn stay_awake(&mut self, awake: bool) {
        self.swarm.stay_awake(awake);
    }

    fn idle(&self) -> Duration {
        self.swarm.idle()
    }
}
