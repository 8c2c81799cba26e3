//! Whether a history can be explained: by one order of its calls in which each comes between its question and its
//! answer, and each answer is what the specification says.
//!
//! The search is that of Wing and Gong with Lowe's memory: a call may come next when all that were answered before it was
//! asked have come; a pair of "which calls have come" and "what they came to" is tried once. What a hub shows may lag
//! behind what another hub acknowledged, but not for long, never behind what this hub acknowledged, and never backwards.

#[cfg(test)]
mod tests;

use std::{collections::HashSet, fmt, time::Duration};

use super::model::{Answer, Call, State};

/// Calls in one history, at most.
pub(crate) const MOST: usize = 128;

/// One call with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) call: Call,
    pub(crate) answer: Answer,
    /// Which hub was asked.
    pub(crate) hub: usize,
    /// When, counted from the beginning of the history.
    pub(crate) asked: Duration,
    /// When the answer was there.
    pub(crate) answered: Duration,
}

impl Op {
    fn is_open(&self) -> bool {
        self.answer == Answer::Open
    }

    /// Whether this hub has shown what this is the answer to. Who refuses has looked into the database, not at the hub.
    fn is_shown_on(&self, hub: usize) -> bool {
        let is_of_database = self.call == Call::Read || matches!(self.answer, Answer::Refused(_));
        hub == self.hub && !is_of_database
    }

    /// Whether this one has come whenever `later` comes.
    fn precedes(&self, later: &Self, lag: Duration) -> bool {
        // It may be done at any time, or never.
        if self.is_open() {
            return false;
        }
        let lags = later.call.is_look() && !self.is_shown_on(later.hub);
        self.answered + if lags { lag } else { Duration::ZERO } < later.asked
    }
}

/// How far a history can be explained.
pub(crate) struct Unexplained {
    /// The longest order that was found.
    longest: Vec<usize>,
}

/// An order in which everything is as it should be. `lag`: how far what a hub shows may be behind the other hubs.
pub(crate) fn explain(ops: &[Op], begin: &State, lag: Duration) -> Result<Vec<usize>, Unexplained> {
    assert!(ops.len() <= MOST, "{} calls in one history", ops.len());
    let mut search = Search::new(ops, lag);
    if search.goes_on(0, begin) { Ok(search.order) } else { Err(Unexplained { longest: search.longest }) }
}

struct Search<'a> {
    ops: &'a [Op],
    /// For each call those which precede it, as bits.
    before: Vec<u128>,
    /// Those that were answered: all of them have to come.
    answered: u128,
    tried: HashSet<(u128, State)>,
    order: Vec<usize>,
    longest: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(ops: &'a [Op], lag: Duration) -> Self {
        let bits = |is: &dyn Fn(&Op) -> bool| {
            ops.iter().enumerate().filter(|(_, op)| is(op)).fold(0, |bits, (number, _)| bits | 1 << number)
        };
        let before = ops.iter().map(|later| bits(&|op| op.precedes(later, lag))).collect();
        let answered = bits(&|op| !op.is_open());
        let (tried, order, longest) = Default::default();
        Self { ops, before, answered, tried, order, longest }
    }

    /// Whether all the rest can come, in some order.
    fn goes_on(&mut self, come: u128, state: &State) -> bool {
        if come & self.answered == self.answered {
            return true;
        }
        if !self.tried.insert((come, state.clone())) {
            return false;
        }
        for next in 0..self.ops.len() {
            let may_come = come & (1 << next) == 0 && self.before[next] & !come == 0;
            let op = &self.ops[next];
            let Some(after) = may_come.then(|| state.after(&op.call, &op.answer)).flatten() else { continue };
            self.order.push(next);
            if self.order.len() > self.longest.len() {
                self.longest.clone_from(&self.order);
            }
            if self.goes_on(come | 1 << next, &after) {
                return true;
            }
            self.order.pop();
        }
        false
    }
}

/// A history as it is printed where it cannot be explained: by the time of the question, and which could be put in order.
pub(crate) struct Told<'a>(pub(crate) &'a [Op], pub(crate) &'a Unexplained);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut numbers: Vec<usize> = (0..self.0.len()).collect();
        numbers.sort_by_key(|number| self.0[*number].asked);
        for number in numbers {
            let Op { call, answer, hub, asked, answered } = &self.0[number];
            let place = self.1.longest.iter().position(|placed| *placed == number);
            let place = place.map_or("  never".to_owned(), |place| format!("{place:>7}"));
            writeln!(f, "{place}  hub {hub}  {asked:>9.2?} to {answered:>9.2?}  {call:?} -> {answer:?}")?;
        }
        Ok(())
    }
}
