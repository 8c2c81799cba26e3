//! What each viewer must have been shown, and what they were.
//!
//! Every change of a person has a number. For each viewer and entry the last number that arrived is kept: a number
//! covers all below it, because a state that was superseded before it was sent is delivered by its successor.

mod badges;
mod sight;

use std::ops::Range;

use super::{
    clock::Nanos,
    scan::{Entries, Shown},
};
use crate::{
    outcome::Recorder,
    world::{
        Choice, Person, World,
        agency::{self, Account, Agency},
    },
};
use badges::{Badges, Wrong};

/// In the place of a number: this viewer may not see this entry.
const HIDDEN: u32 = u32::MAX;
/// Words kept of what went wrong; the rest is counted.
const COMPLAINTS: usize = 8;

/// What was counted since the measuring began.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) delivered: u64,
    pub(crate) expected: u64,
    pub(crate) forbidden: u64,
    pub(crate) errors: u64,
    /// Frames that carried entries, and their bytes with the WebSocket header.
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) changes: u64,
    /// Activities that were told, and those of them that the hub has taken.
    pub(crate) told: u64,
    pub(crate) taken: u64,
    pub(crate) latency: Recorder,
    /// The first things that went wrong, in words.
    pub(crate) complaints: Vec<String>,
}

impl Tally {
    fn new() -> Self {
        let latency = Recorder::new();
        Self {
            delivered: 0,
            expected: 0,
            forbidden: 0,
            errors: 0,
            frames: 0,
            bytes: 0,
            changes: 0,
            told: 0,
            taken: 0,
            latency,
            complaints: Vec::new(),
        }
    }

    /// Deliveries, and answers to what was told, that have still to come.
    pub(crate) fn outstanding(&self) -> u64 {
        self.expected.saturating_sub(self.delivered) + self.told.saturating_sub(self.taken)
    }

    /// Counts something that must not happen.
    pub(crate) fn complain(&mut self, what: impl FnOnce() -> String) {
        self.errors += 1;
        self.note(what);
    }

    fn forbid(&mut self, what: impl FnOnce() -> String) {
        self.forbidden += 1;
        self.note(what);
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(what());
        }
    }
}

/// What a departure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Nobody leaves in this scenario.
    Wrong,
    /// People come and go; it is not what is measured.
    Passed,
    /// A change of an odd number is a leave, one of an even number a join.
    Counted,
    /// Those leave who are excused, or may not be seen any more; each once.
    Excused,
}

/// One viewer of one channel.
#[derive(Clone, Debug)]
struct View {
    viewer: Person,
    entries: Range<Person>,
    /// Where the numbers of its entries begin.
    offset: usize,
    attended: bool,
    /// How long changes took to arrive is of interest for those from then on.
    timed_from: Nanos,
}

impl View {
    /// Where what is known of an entry is kept; none: it is no entry.
    fn slot(&self, person: Person) -> Option<usize> {
        let index = person.wrapping_sub(self.entries.start) as usize;
        self.entries.contains(&person).then_some(self.offset + index)
    }
}

/// Judges all views.
pub(crate) struct Judge {
    choices: Vec<Choice>,
    views: Vec<Option<View>>,
    /// By view and entry, the last number shown.
    seen: Vec<u32>,
    /// By view and entry, whether it is in the view, where people leave who are excused.
    there: Vec<bool>,
    /// By person, whether they may leave.
    excused: Vec<bool>,
    /// By person, how many views show them.
    audience: Vec<u32>,
    /// By person, when each of their changes was due.
    due: Vec<Vec<Nanos>>,
    /// By person, whether the latency of their changes is of interest.
    timed: Vec<bool>,
    leaves: Leaves,
    /// Where an agency's accounts are watched.
    badges: Option<Badges>,
    pub(crate) tally: Tally,
}

impl Judge {
    /// Views by their number: who looks, and at whom.
    pub(crate) fn new(world: &World, views: &[Option<(Person, Range<Person>)>], leaves: Leaves) -> Self {
        let people = world.people() as usize;
        let mut judge = Self {
            choices: (0..world.people()).map(|person| world.choice(person)).collect(),
            views: Vec::with_capacity(views.len()),
            seen: Vec::new(),
            there: Vec::new(),
            excused: vec![false; people],
            audience: vec![0; people],
            due: vec![Vec::new(); people],
            timed: vec![true; people],
            leaves,
            badges: None,
            tally: Tally::new(),
        };
        for view in views {
            judge.add(world, view.clone());
        }
        judge
    }

    fn add(&mut self, world: &World, view: Option<(Person, Range<Person>)>) {
        let Some((viewer, entries)) = view else { return self.views.push(None) };
        let offset = self.seen.len();
        for subject in entries.clone() {
            let sees = world.shows(viewer, subject);
            self.there.push(false);
            self.seen.push(if sees { 0 } else { HIDDEN });
            self.audience[subject as usize] += u32::from(sees);
        }
        self.views.push(Some(View { viewer, entries, offset, attended: true, timed_from: 0 }));
    }

    /// Judges what is shown of an agency's accounts as well. Who its assistants are is nobody's business.
    pub(crate) fn watch_accounts(&mut self, agency: &Agency) {
        let is_member = |view: &View| agency.members.contains(&view.viewer);
        let watches = self.views.iter().map(|view| view.as_ref().is_some_and(is_member));
        self.badges = Some(Badges::new(agency.accounts, agency.free.clone(), watches));
    }

    /// How many accounts are shown as they are, over all views, and how many there are to be shown.
    pub(crate) fn badges_right(&self, is_held: impl Fn(Account) -> bool) -> (u64, u64) {
        self.badges.as_ref().map_or((0, 0), |badges| badges.right(is_held))
    }

    /// Looks for assistants in all that a client is sent.
    pub(crate) fn search(&mut self, payload: &[u8]) {
        if self.badges.is_some() && agency::names_assistant(payload) {
            let start = &payload[..payload.len().min(160)];
            self.tally.forbid(|| format!("an assistant is named in {}", String::from_utf8_lossy(start)));
        }
    }

    /// Begins to measure.
    pub(crate) fn begin(&mut self) {
        self.tally = Tally { complaints: std::mem::take(&mut self.tally.complaints), ..Tally::new() };
    }

    /// Records the latency of changes of only those people.
    pub(crate) fn time_only(&mut self, people: &[Person]) {
        self.timed.fill(false);
        people.iter().for_each(|person| self.timed[*person as usize] = true);
    }

    /// How many views show a person.
    pub(crate) fn audience(&self, person: Person) -> u32 {
        self.audience[person as usize]
    }

    /// The number of the last change of a person.
    pub(crate) fn version(&self, person: Person) -> u32 {
        self.due[person as usize].len() as u32
    }

    /// A person makes a change that was due at a time; its number.
    pub(crate) fn changes(&mut self, person: Person, due: Nanos) -> u32 {
        self.tally.changes += 1;
        self.tally.expected += u64::from(self.audience(person));
        self.due[person as usize].push(due);
        self.version(person)
    }

    /// A view counts no more, and what it was still to be shown is not expected any more.
    pub(crate) fn dismiss(&mut self, view: usize) {
        let Some(view) = &mut self.views[view] else { return };
        view.attended = false;
        for (subject, seen) in view.entries.clone().zip(&self.seen[view.offset..]) {
            if *seen != HIDDEN {
                let missing = self.due[subject as usize].len() as u32 - seen;
                self.tally.expected -= u64::from(missing);
                self.audience[subject as usize] -= 1;
            }
        }
    }

    /// The entries of a frame of a view that arrived at a time.
    pub(crate) fn frame(&mut self, view: usize, now: Nanos) -> Arrived<'_> {
        Arrived { judge: self, view, now }
    }

    fn shown(&mut self, view: usize, person: Person, shown: Shown, now: Nanos) {
        let Some(slot) = self.slot(view, person) else { return };
        if self.leaves == Leaves::Excused {
            self.there[slot] = true;
        }
        self.check_fields(view, person, shown);
        let last = self.seen[slot];
        if shown.version < last || shown.version > self.version(person) {
            let newest = self.version(person);
            return self.tally.complain(|| {
                format!("change {} of person {person} after {last}; the newest is {newest}", shown.version)
            });
        }
        self.deliver((view, slot), person, shown.version, now);
    }

    fn left(&mut self, view: usize, person: Person, now: Nanos) {
        if self.leaves == Leaves::Excused {
            return self.excused_left(view, person);
        }
        let Some(slot) = self.slot(view, person) else { return };
        let last = self.seen[slot];
        match self.leaves {
            Leaves::Passed => {}
            Leaves::Counted if last.is_multiple_of(2) && last < self.version(person) => {
                self.deliver((view, slot), person, last + 1, now);
            }
            Leaves::Counted | Leaves::Wrong | Leaves::Excused => {
                self.tally.complain(|| format!("person {person} left, and did not mean to"));
            }
        }
    }

    /// Where the number of an entry is kept; `None`: it may not be there, which is counted, or nobody looks.
    fn slot(&mut self, view: usize, person: Person) -> Option<usize> {
        let view = self.views[view].as_ref().filter(|view| view.attended)?;
        if let Some(slot) = view.slot(person).filter(|slot| self.seen[*slot] != HIDDEN) {
            return Some(slot);
        }
        let viewer = view.viewer;
        self.tally.forbid(|| format!("person {viewer} was shown person {person}"));
        None
    }

    fn badge(
        &mut self,
        account: Account,
        judge: impl FnOnce(&mut Badges) -> Result<(), Wrong>,
        what: &'static str,
    ) {
        let judged = self.badges.as_mut().map_or(Err(Wrong::Forbidden), judge);
        match judged {
            Ok(()) => {}
            Err(Wrong::Forbidden) => self.tally.forbid(|| format!("account {account} {what}")),
            Err(Wrong::Nothing) => {
                self.tally.complain(|| format!("account {account} {what}, which it was before"));
            }
        }
    }

    fn check_fields(&mut self, view: usize, person: Person, shown: Shown) {
        if !shown.page && !shown.activity {
            return;
        }
        let Some(viewer) = self.views[view].as_ref().map(|view| view.viewer) else { return };
        let choice = self.choices[person as usize];
        let page = shown.page && !choice.show_current_page;
        let activity = shown.activity && !choice.show_activity;
        if viewer != person && (page || activity) {
            self.tally.forbid(|| format!("person {viewer} was shown a page or device of person {person}"));
        }
    }

    fn deliver(&mut self, (view, slot): (usize, usize), person: Person, version: u32, now: Nanos) {
        let last = self.seen[slot];
        let from = self.views[view].as_ref().map_or(0, |view| view.timed_from);
        let timed = self.timed[person as usize];
        let changes = &self.due[person as usize][last as usize..version as usize];
        for due in changes.iter().filter(|due| timed && **due >= from) {
            self.tally.latency.record_us(now.saturating_sub(*due) / 1000);
        }
        self.tally.delivered += u64::from(version - last);
        self.seen[slot] = version;
    }
}

/// A frame that is being read.
pub(crate) struct Arrived<'a> {
    judge: &'a mut Judge,
    view: usize,
    now: Nanos,
}

impl Entries for Arrived<'_> {
    fn shown(&mut self, person: Person, shown: Shown) {
        self.judge.shown(self.view, person, shown, self.now);
    }

    fn left(&mut self, person: Person) {
        self.judge.left(self.view, person, self.now);
    }

    fn occupied(&mut self, account: Account, bare: bool) {
        let view = self.view;
        self.judge.badge(account, |badges| badges.occupied(view, account, bare), "is occupied");
    }

    fn freed(&mut self, account: Account) {
        let view = self.view;
        self.judge.badge(account, |badges| badges.freed(view, account), "is free");
    }
}

#[cfg(test)]
mod tests;
