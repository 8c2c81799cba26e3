//! Assistants who clock in, move to another account and clock out, one after the other, all day long.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use super::town::ASSISTANTS;
use crate::{
    hub::Hub,
    outcome::{Check, Outcome, Recorder},
    scenario::desk::{Desk, Held, Refused},
    world::agency::{Account, Assistant},
};

/// Between two clock-ins or clock-outs.
const PAUSE: Duration = Duration::from_millis(200);
/// For a database that is out of reach.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an assistant is.
struct Worker {
    who: Assistant,
    code: String,
    held: Option<Held>,
    /// Whether they have moved since they clocked in.
    moved: bool,
}

/// All assistants, and the desk at which they do it.
pub(super) struct Shift {
    desk: Desk,
    workers: Vec<Worker>,
    turn: usize,
    latency: Recorder,
    changes: u64,
    refusals: u64,
    unavailable: u64,
    wrongs: Vec<String>,
}

impl Shift {
    /// Nobody is anywhere yet, and everybody has a code.
    ///
    /// # Errors
    /// A code is refused.
    pub(super) fn begin(hub: &Hub) -> anyhow::Result<Self> {
        let mut desk = Desk::at(hub.address())?;
        let worker = |who| Ok(Worker { who, code: desk.mint(hub, who)?, held: None, moved: false });
        let workers = (1..=ASSISTANTS).map(worker).collect::<anyhow::Result<_>>()?;
        let (turn, changes, refusals, unavailable) = Default::default();
        let latency = Recorder::new();
        Ok(Self { desk, workers, turn, latency, changes, refusals, unavailable, wrongs: Vec::new() })
    }

    /// Goes on for a while.
    ///
    /// # Errors
    /// There is no answer, or one that is not documented.
    pub(super) fn work(&mut self, duration: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            self.step()?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The next assistant does what comes next: in, to the other account, out. In between one tries where another is.
    fn step(&mut self) -> anyhow::Result<()> {
        let turn = self.turn % self.workers.len();
        self.turn += 1;
        let next = &self.workers[(turn + 1) % self.workers.len()];
        let taken = next.held.as_ref().map(|held| held.account);
        let held = self.workers[turn].held.take();
        match held {
            Some(left) if self.workers[turn].moved => self.leave(&left)?,
            before => self.arrive(turn, before.is_some())?,
        }
        taken.map_or(Ok(()), |taken| self.be_refused(turn, taken))
    }

    /// Clocks in, or moves to the second account. Where somebody is already they are told so, and nothing is changed:
    /// so it may be asked again.
    fn arrive(&mut self, turn: usize, moves: bool) -> anyhow::Result<()> {
        let Worker { who, code, .. } = &self.workers[turn];
        let (who, code, to) = (*who, code.clone(), 2 * (*who - 1) + u32::from(moves));
        match self.until_available(|desk| desk.clock_in(&code, who, to))?.0 {
            Ok(held) => {
                self.changes += 1;
                (self.workers[turn].held, self.workers[turn].moved) = (Some(held), moves);
            }
            Err(refused) => self.wrongs.push(format!("an assistant was refused: {refused:?}")),
        }
        Ok(())
    }

    /// Clocks out. What was refused may have been done all the same.
    fn leave(&mut self, left: &Held) -> anyhow::Result<()> {
        match self.until_available(|desk| desk.clock_out(left))? {
            (Ok(()), _) => self.changes += 1,
            (Err(Refused { code, .. }), again) if again && code == "not_held" => self.changes += 1,
            (Err(refused), _) => self.wrongs.push(format!("a clock-out was refused: {refused:?}")),
        }
        Ok(())
    }

    fn be_refused(&mut self, turn: usize, taken: Account) -> anyhow::Result<()> {
        let Worker { who, code, .. } = &self.workers[turn];
        let (who, code) = (*who, code.clone());
        match self.until_available(|desk| desk.clock_in(&code, who, taken))?.0 {
            Err(Refused { status: 409, code }) if code == "occupied" => self.refusals += 1,
            other => self.wrongs.push(format!("an account that is taken was answered with {other:?}")),
        }
        Ok(())
    }

    /// Asks until the database is not out of reach; whether it was.
    fn until_available<T>(
        &mut self,
        mut ask: impl FnMut(&mut Desk) -> anyhow::Result<Result<T, Refused>>,
    ) -> anyhow::Result<(Result<T, Refused>, bool)> {
        let began = Instant::now();
        let mut again = false;
        loop {
            match ask(&mut self.desk)? {
                Err(Refused { status: 503, .. }) if began.elapsed() < PATIENCE => {
                    (self.unavailable, again) = (self.unavailable + 1, true);
                    thread::sleep(PAUSE);
                }
                answer => {
                    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.latency.record_us(took_us);
                    return Ok((answer, again));
                }
            }
        }
    }

    /// Who is where.
    pub(super) fn held(&self) -> BTreeMap<Account, Assistant> {
        let held = |worker: &Worker| Some((worker.held.as_ref()?.account, worker.who));
        self.workers.iter().filter_map(held).collect()
    }

    /// Clock-ins, moves and clock-outs that were acknowledged.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Figures, and what must hold.
    pub(super) fn tell(&self, outcome: &mut Outcome) {
        let latency = self.latency.latency();
        outcome.figure("clock-ins, moves and clock-outs", self.changes as f64, "");
        outcome.figure("p50 clock-in, move or clock-out", latency.p50_ms, "ms");
        outcome.figure("p99 clock-in, move or clock-out", latency.p99_ms, "ms");
        outcome.figure("clock-ins refused as they have to be", self.refusals as f64, "");
        outcome.notes.extend(self.wrongs.iter().take(4).cloned());
        let wrongs = self.wrongs.len() as f64;
        outcome.checks.extend([
            Check::exactly("clock-ins that were not answered as documented", wrongs, 0.0),
            Check::exactly("clock-ins refused because of the database", self.unavailable as f64, 0.0)
                .into_aim(),
        ]);
    }
}
