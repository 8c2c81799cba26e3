//! What the back-end's calls were answered, held against what is so.

use serde_json::Value;

use super::Stage;
use crate::{
    engine::{
        calls::Answered,
        clock::{Nanos, SECOND},
    },
    outcome::Recorder,
    scenario::rest::answer::{People, of_people},
    world::Person,
};

/// Changed less long ago than that before a question, somebody may be seen either way in the answer.
const UNSETTLED: Nanos = SECOND;
/// The database is out of reach, or takes too long.
const UNAVAILABLE: u16 = 503;

/// What a call is about.
#[derive(Clone, Debug)]
pub(super) enum Meant {
    Settings(Person),
    Announce(Person),
    Collaboration(Person),
    /// Who asks, about whom.
    Several(Person, Vec<Person>),
    Team(Person, Vec<Person>),
    One(Person, Person),
    Why(Person, Person),
    Report,
}

impl Meant {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::Announce(_) => "track by REST",
            Self::Collaboration(_) => "change of the directory",
            Self::Several(..) => "some people",
            Self::Team(..) => "a team",
            Self::One(..) => "one person",
            Self::Why(..) => "why",
            Self::Report => "report",
        }
    }
}

/// A call under way.
pub(super) struct Pending {
    pub(super) meant: Meant,
    pub(super) caller: usize,
    pub(super) due: Nanos,
    pub(super) message: Vec<u8>,
    /// How often it was refused, because the database was out of reach.
    pub(super) refused: u32,
}

impl Pending {
    /// Of a change it is certain only once it is acknowledged that it was made, or that it was not.
    fn is_asked_again(&self, status: u16) -> bool {
        status == UNAVAILABLE && matches!(self.meant, Meant::Settings(_) | Meant::Collaboration(_))
    }

    /// Whether that is an answer to it. What was refused may have been done all the same: then there is nothing left
    /// to be removed.
    fn is_answered_by(&self, status: u16) -> bool {
        let removed = matches!(self.meant, Meant::Collaboration(_)) && self.refused > 0;
        (200..300).contains(&status) || (removed || matches!(self.meant, Meant::One(..))) && status == 404
    }
}

impl Stage<'_> {
    pub(super) fn take_answers(&mut self) -> anyhow::Result<()> {
        while let Some(answered) = self.swarm.answered() {
            let Some(pending) = self.pending.remove(&answered.tag) else { continue };
            let status = answered.status.unwrap_or_default();
            self.found.unavailable += u64::from(status == UNAVAILABLE);
            if pending.is_asked_again(status) {
                let again = Pending { refused: pending.refused + 1, ..pending };
                self.again.push((answered.at + SECOND, again));
                continue;
            }
            let took_us = answered.at.saturating_sub(answered.due) / 1000;
            let latency = &mut self.found.latency;
            latency.entry(pending.meant.name()).or_insert_with(Recorder::new).record_us(took_us);
            self.take(&pending, status, &answered)?;
        }
        Ok(())
    }

    /// Asks again for what was refused a while ago.
    pub(super) fn ask_again(&mut self) {
        let now = self.swarm.clock().now();
        let (due, later): (Vec<_>, Vec<_>) = self.again.drain(..).partition(|(at, _)| *at <= now);
        self.again = later;
        due.into_iter().for_each(|(_, pending)| self.send(pending));
    }

    fn take(&mut self, pending: &Pending, status: u16, answered: &Answered) -> anyhow::Result<()> {
        let is_fine = pending.is_answered_by(status);
        if !is_fine && status != UNAVAILABLE {
            let said = String::from_utf8_lossy(&answered.body);
            self.complain(format!("{:?} was answered with {status} {said}", pending.meant));
        }
        match &pending.meant {
            Meant::Settings(person) => {
                self.found.settings += u64::from(is_fine);
                self.settle(*person)?;
            }
            Meant::Collaboration(person) => self.settle(*person)?,
            Meant::Announce(person) => self.busy[*person as usize] = false,
            _ if !is_fine => {}
            Meant::One(viewer, subject) => self.judge_one(*viewer, *subject, status == 200, answered.due),
            Meant::Why(viewer, subject) => {
                let why: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
                let visible = why["visible"].as_bool();
                if visible.is_none() {
                    self.complain(format!("a subject is not told why: {why}"));
                }
                self.judge_one(*viewer, *subject, visible.unwrap_or_default(), answered.due);
            }
            Meant::Several(viewer, people) => self.judge_people(*viewer, people, false, answered),
            Meant::Team(viewer, people) => self.judge_people(*viewer, people, true, answered),
            Meant::Report => {}
        }
        Ok(())
    }

    /// Whether something about a person may have been changed while a question was asked and answered.
    fn is_unsettled(&self, person: Person, asked: Nanos) -> bool {
        self.touched[person as usize].saturating_add(UNSETTLED) > asked
    }

    fn judge_one(&mut self, viewer: Person, subject: Person, known: bool, asked: Nanos) {
        if self.is_unsettled(subject, asked) || self.is_unsettled(viewer, asked) {
            return;
        }
        self.found.judged += 1;
        if self.world.knows(viewer, subject) != known {
            self.found.forbidden += u64::from(known);
            self.complain(format!("person {subject} is known to {viewer}: {known}, which is wrong"));
        }
    }

    /// Everybody of whom it is certain how they are has to be in the answer or not, and no more of them than may be seen.
    fn judge_people(&mut self, viewer: Person, people: &[Person], team: bool, answered: &Answered) {
        let certain = people.iter().filter(|person| !self.is_unsettled(**person, answered.due));
        let expected = certain.clone().filter(|person| {
            self.world.knows(viewer, **person) && !(team && self.world.is_outside(**person))
        });
        let of = People { viewer, asked: certain.copied().collect(), expected: expected.copied().collect() };
        self.found.judged += of.asked.len() as u64;
        if let Some(wrong) = of_people(&self.world, &of, &answered.body) {
            self.found.forbidden += wrong.forbidden;
            self.complain(wrong.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(meant: Meant, refused: u32) -> Pending {
        Pending { meant, caller: 0, due: 0, message: Vec::new(), refused }
    }

    #[test]
    fn changes_are_asked_for_again_and_questions_are_not() {
        assert!(pending(Meant::Settings(1), 0).is_asked_again(503));
        assert!(pending(Meant::Collaboration(1), 4).is_asked_again(503));
        assert!(!pending(Meant::Settings(1), 0).is_asked_again(500));
        assert!(!pending(Meant::One(1, 2), 0).is_asked_again(503));
    }

    #[test]
    fn what_is_gone_already_was_removed_by_the_call_that_was_refused() {
        assert!(!pending(Meant::Collaboration(1), 0).is_answered_by(404));
        assert!(pending(Meant::Collaboration(1), 1).is_answered_by(404));
        assert!(pending(Meant::One(1, 2), 0).is_answered_by(404), "an answer like another");
        assert!(!pending(Meant::Settings(1), 1).is_answered_by(404));
    }
}
