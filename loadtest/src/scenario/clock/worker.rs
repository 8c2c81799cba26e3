//! Assistants who do nothing but clock in, move and clock out, one call after the other.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

use super::desk::{Desk, Held, Refused};
use crate::{
    outcome::Recorder,
    world::agency::{Account, Assistant},
};

/// Once in so many rounds somebody tries an account that another is in, and what was a hold once.
const REFUSED_EVERY: u32 = 8;
/// Words kept of what went wrong; the rest is counted.
const COMPLAINTS: usize = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ClockIn,
    Move,
    ClockOut,
    /// A clock-in to what somebody else holds, or the clock-out of a hold that is over.
    Refusal,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::ClockIn, Self::Move, Self::ClockOut, Self::Refusal];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClockIn => "clock-in",
            Self::Move => "move",
            Self::ClockOut => "clock-out",
            Self::Refusal => "refusal",
        }
    }
}

/// What one or more of them found.
pub(super) struct Found {
    /// By kind, from the call to its answer.
    latency: [Recorder; 4],
    pub(super) wrongs: u64,
    pub(super) complaints: Vec<String>,
    /// Where they are at the end.
    pub(super) held: BTreeMap<Account, Assistant>,
}

impl Found {
    pub(super) fn new() -> Self {
        let latency = std::array::from_fn(|_| Recorder::new());
        Self { latency, wrongs: 0, complaints: Vec::new(), held: BTreeMap::new() }
    }

    pub(super) fn latency(&self, kind: Kind) -> &Recorder {
        &self.latency[kind as usize]
    }

    pub(super) fn add(&mut self, other: Self) {
        self.latency.iter_mut().zip(&other.latency).for_each(|(own, other)| own.add(other));
        self.wrongs += other.wrongs;
        self.complaints.extend(other.complaints);
        self.held.extend(other.held);
    }

    fn complain(&mut self, what: String) {
        self.wrongs += 1;
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(what);
        }
    }
}

/// One assistant with a code, at accounts that nobody else comes to.
pub(super) struct Worker {
    pub(super) desk: Desk,
    pub(super) who: Assistant,
    pub(super) code: String,
    /// At least two.
    pub(super) accounts: Range<Account>,
    /// Somebody else is in it throughout.
    pub(super) taken: Account,
    pub(super) found: Found,
    epochs: BTreeMap<Account, u64>,
}

impl Worker {
    pub(super) fn new(
        desk: Desk,
        (who, code): (Assistant, String),
        accounts: Range<Account>,
        taken: Account,
    ) -> Self {
        Self { desk, who, code, accounts, taken, found: Found::new(), epochs: BTreeMap::new() }
    }

    /// Works until a time, and one round at least; every other one is in an account at the end.
    ///
    /// # Errors
    /// An answer does not come, or is none that is documented.
    pub(super) fn work(mut self, duration: Duration) -> anyhow::Result<Found> {
        let until = Instant::now() + duration;
        let mut last = None;
        for round in 0.. {
            let first = self.arrive(Kind::ClockIn, round)?;
            let second = self.arrive(Kind::Move, round + 1)?;
            if round % REFUSED_EVERY == self.who % REFUSED_EVERY {
                self.be_refused(&first)?;
            }
            if Instant::now() >= until {
                last = second;
                break;
            }
            self.leave(second)?;
        }
        let stays = self.who.is_multiple_of(2);
        if let Some(held) = last.as_ref().filter(|_| stays) {
            self.found.held.insert(held.account, self.who);
        } else {
            self.leave(last)?;
        }
        Ok(self.found)
    }

    /// Goes to the next account but so many.
    fn arrive(&mut self, kind: Kind, turn: u32) -> anyhow::Result<Option<Held>> {
        let to = self.accounts.start + turn % self.accounts.len() as u32;
        let (who, code) = (self.who, self.code.clone());
        let answer = self.timed(kind, |desk| desk.clock_in(&code, who, to))?;
        let held = self.expect(kind, answer);
        if let Some(held) = &held {
            let before = self.epochs.insert(held.account, held.epoch).unwrap_or_default();
            if before >= held.epoch {
                self.found.complain(format!("epoch {} of account {to} after {before}", held.epoch));
            }
        }
        Ok(held)
    }

    fn leave(&mut self, held: Option<Held>) -> anyhow::Result<()> {
        let Some(held) = held else { return Ok(()) };
        let answer = self.timed(Kind::ClockOut, |desk| desk.clock_out(&held))?;
        self.expect(Kind::ClockOut, answer);
        Ok(())
    }

    /// What cannot be granted: an account that is taken, and the end of a hold that was left.
    fn be_refused(&mut self, over: &Option<Held>) -> anyhow::Result<()> {
        let (who, code, taken) = (self.who, self.code.clone(), self.taken);
        let answer = self.timed(Kind::Refusal, |desk| desk.clock_in(&code, who, taken))?;
        self.expect_refusal("occupied", answer.map(drop));
        if let Some(over) = over {
            let answer = self.timed(Kind::Refusal, |desk| desk.clock_out(over))?;
            self.expect_refusal("not_held", answer);
        }
        Ok(())
    }

    fn timed<T>(
        &mut self,
        kind: Kind,
        call: impl FnOnce(&mut Desk) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let asked = Instant::now();
        let answer = call(&mut self.desk)?;
        let took = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.found.latency[kind as usize].record_us(took);
        Ok(answer)
    }

    fn expect<T>(&mut self, kind: Kind, answer: Result<T, Refused>) -> Option<T> {
        match answer {
            Ok(done) => Some(done),
            Err(refused) => {
                self.found.complain(format!("a {} of {} was refused: {refused:?}", kind.name(), self.who));
                None
            }
        }
    }

    fn expect_refusal(&mut self, code: &str, answer: Result<(), Refused>) {
        let refused = Refused { status: 409, code: code.to_owned() };
        if answer != Err(refused) {
            self.found.complain(format!("{code} was to be answered to {}, and not {answer:?}", self.who));
        }
    }
}
