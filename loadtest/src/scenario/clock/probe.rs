//! How soon a badge is seen: one clock-in, move or clock-out at a time, and everybody who looks on.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use postgres_cluster::Session;

use super::{
    desk::{Desk, Held, Refused},
    onlooker::Onlooker,
};
use crate::{
    outcome::{Check, Outcome, Recorder},
    world::agency::{Account, Assistant, account},
};

/// A badge that is not there by then is not coming.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer than a view gathers changes after it was sent one.
const PAUSE: Duration = Duration::from_millis(150);
/// What is required of a badge from the asking on, in ms, whatever else goes on; and what is aimed at.
const REQUIRED_MS: f64 = 3_000.0;
const AIM_MS: f64 = 1_000.0;

/// An assistant who goes to and fro between two accounts.
pub(super) struct Actor {
    who: Assistant,
    code: String,
    accounts: [Account; 2],
    held: Option<Held>,
}

impl Actor {
    pub(super) fn new(who: Assistant, code: String, accounts: [Account; 2]) -> Self {
        Self { who, code, accounts, held: None }
    }
}

/// Those who act: one who is there and gone again, and the one whose tab looks on, who stays somewhere. With Postgres
/// somebody else deletes holds, too.
pub(super) struct Probe {
    pub(super) desk: Desk,
    pub(super) visitor: Actor,
    pub(super) resident: Actor,
    pub(super) session: Option<Session>,
}

/// What was seen.
pub(super) struct Seen {
    /// Of what was asked for by REST.
    calls: Badges,
    /// Of holds that somebody else deleted with SQL.
    commits: Badges,
}

/// By onlooker, how long a badge took from the moment at which it was asked for, and from the answer.
struct Badges {
    seen: Vec<(&'static str, Recorder, Recorder)>,
    /// From the asking to the answer.
    answers: Recorder,
}

/// What somebody did.
struct Act {
    /// When it was sent, or the `COMMIT` of it.
    sent: Instant,
    /// What is to be seen of it: accounts, with those who are in them then.
    expected: Vec<(Account, Option<Assistant>)>,
}

impl Probe {
    /// The resident clocks in for the first time.
    ///
    /// # Errors
    /// They cannot.
    pub(super) fn settle(&mut self) -> anyhow::Result<()> {
        arrive(&mut self.desk, &mut self.resident, 0).map(drop)
    }

    /// Where the resident is.
    pub(super) fn resident(&self) -> Option<(Account, Assistant)> {
        self.resident.held.as_ref().map(|held| (held.account, self.resident.who))
    }

    /// Goes on for a while, and whole rounds at least.
    ///
    /// # Errors
    /// Something is refused, or a badge is not seen.
    pub(super) fn run(&mut self, onlookers: &mut [Onlooker], duration: Duration) -> anyhow::Result<Seen> {
        let until = Instant::now() + duration;
        let mut seen = Seen { calls: Badges::of(onlookers), commits: Badges::of(onlookers) };
        loop {
            seen.calls.step(onlookers, || arrive(&mut self.desk, &mut self.visitor, 0))?;
            seen.calls.step(onlookers, || arrive(&mut self.desk, &mut self.visitor, 1))?;
            seen.calls.step(onlookers, || leave(&mut self.desk, &mut self.visitor))?;
            if let Some(session) = &mut self.session {
                seen.calls.step(onlookers, || arrive(&mut self.desk, &mut self.visitor, 0))?;
                seen.commits.step(onlookers, || removed(session, &mut self.visitor))?;
            }
            seen.calls.step(onlookers, || arrive(&mut self.desk, &mut self.resident, 1))?;
            seen.calls.step(onlookers, || arrive(&mut self.desk, &mut self.resident, 0))?;
            if Instant::now() >= until {
                return Ok(seen);
            }
        }
    }
}

/// Clocks in, or moves.
fn arrive(desk: &mut Desk, actor: &mut Actor, at: usize) -> anyhow::Result<Act> {
    let (to, sent) = (actor.accounts[at], Instant::now());
    let held = granted(desk.clock_in(&actor.code, actor.who, to)?)?;
    let left = actor.held.replace(held).map(|left| (left.account, None));
    Ok(Act { sent, expected: left.into_iter().chain([(to, Some(actor.who))]).collect() })
}

fn leave(desk: &mut Desk, actor: &mut Actor) -> anyhow::Result<Act> {
    let held = actor.held.take().context("nobody is there to leave")?;
    let sent = Instant::now();
    granted(desk.clock_out(&held)?)?;
    Ok(Act { sent, expected: vec![(held.account, None)] })
}

fn granted<T>(answer: Result<T, Refused>) -> anyhow::Result<T> {
    answer.map_err(|refused| anyhow!("an assistant with an account of their own was refused: {refused:?}"))
}

/// Somebody deletes the hold behind the hubs' back.
fn removed(session: &mut Session, actor: &mut Actor) -> anyhow::Result<Act> {
    let held = actor.held.take().context("nobody is there to be removed")?;
    let id = account(held.account);
    let mut run = |statement: &str| session.run(statement).map_err(|said| anyhow!("{statement}: {said}"));
    run("BEGIN")?;
    run(&format!("DELETE FROM account_presence WHERE account_id = '{id}'"))?;
    let sent = Instant::now();
    run("COMMIT")?;
    Ok(Act { sent, expected: vec![(held.account, None)] })
}

impl Badges {
    fn of(onlookers: &[Onlooker]) -> Self {
        let names = onlookers.iter().map(|onlooker| (onlooker.name, Recorder::new(), Recorder::new()));
        Self { seen: names.collect(), answers: Recorder::new() }
    }

    /// One step, which everybody who looks on has to see whole.
    fn step(
        &mut self,
        onlookers: &mut [Onlooker],
        act: impl FnOnce() -> anyhow::Result<Act>,
    ) -> anyhow::Result<()> {
        let Act { sent, expected } = act()?;
        let answered = Instant::now();
        record(&mut self.answers, sent, answered);
        for (onlooker, (_, since_sent, since_answered)) in onlookers.iter_mut().zip(&mut self.seen) {
            let last = onlooker.sees(&expected, PATIENCE)?;
            record(since_sent, sent, last);
            record(since_answered, answered, last);
        }
        thread::sleep(PAUSE);
        Ok(())
    }

    /// `how` the changes were made, `when` they were.
    fn tell(&self, outcome: &mut Outcome, (how, when): (&str, &str)) {
        let answers = self.answers.latency();
        if answers.count == 0 {
            return;
        }
        outcome.figure(&format!("p50 answer to {how}, {when}"), answers.p50_ms, "ms");
        outcome.figure(&format!("p99 answer to {how}, {when}"), answers.p99_ms, "ms");
        for (name, since_sent, since_answered) in &self.seen {
            let (sent, answered) = (since_sent.latency(), since_answered.latency());
            outcome.figure(&format!("p50 badge of {how} at the {name}, {when}"), sent.p50_ms, "ms");
            outcome.figure(&format!("p99 badge of {how} at the {name}, {when}"), sent.p99_ms, "ms");
            outcome.figure(
                &format!("p99 after the answer to {how} at the {name}, {when}"),
                answered.p99_ms,
                "ms",
            );
            let check = format!("longest badge of {how} at the {name}, {when}, in ms");
            outcome.checks.push(Check::at_most(&check, sent.max_ms, REQUIRED_MS));
            outcome
                .checks
                .push(Check::at_most(&format!("{check}, aimed at"), sent.max_ms, AIM_MS).into_aim());
        }
    }
}

impl Seen {
    /// How many changes there were.
    pub(super) fn changes(&self) -> u64 {
        self.calls.answers.count() + self.commits.answers.count()
    }

    /// Figures, and what must hold.
    pub(super) fn tell(&self, outcome: &mut Outcome, when: &str) {
        self.calls.tell(outcome, ("calls", when));
        self.commits.tell(outcome, ("SQL", when));
    }
}

/// A badge may be there before the answer: then it took no time from there on.
fn record(recorder: &mut Recorder, from: Instant, to: Instant) {
    let took = to.saturating_duration_since(from);
    recorder.record_us(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}
