//! All that waits in memory.

use std::collections::BTreeSet;

use model::UserId;

use super::{
    Note, WriterOptions,
    activity::Activity,
    batch::{Batch, LAST_SEEN, STRETCHES},
    queue::Queue,
};
use crate::{LastSeen, Stretch, backlog::Loss};

/// What became of a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Noted {
    /// It was merged with one that waits.
    pub(super) merged: bool,
    /// Rows that were dropped, this one or others.
    pub(super) dropped: u64,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Rows of the kind of which most wait.
    pub(super) most_rows: usize,
    /// Rows in memory alone, a batch under way included.
    pub(super) unsaved: usize,
    /// Rows in memory that are on the disk as well.
    pub(super) saved: usize,
    /// Whether activity should go to the disk.
    pub(super) crowded: bool,
}

/// Rows that waited when a round began, and were not taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) last_seen: usize,
    pub(super) stretches: usize,
    pub(super) activity: usize,
}

pub(super) struct Pending {
    pub(super) last_seen: Queue<LastSeen>,
    pub(super) stretches: Queue<Stretch>,
    pub(super) activity: Activity,
    /// Rows of a batch under way that are in memory alone.
    out: usize,
    closed: bool,
}

impl Left {
    /// This kind is not to be taken any more.
    pub(super) fn leave_out(&mut self, name: &str) {
        match name {
            LAST_SEEN => self.last_seen = 0,
            STRETCHES => self.stretches = 0,
            _ => self.activity = 0,
        }
    }
}

impl Pending {
    pub(super) fn new(options: &WriterOptions) -> Self {
        Self {
            last_seen: Queue::new(options.pending_users),
            stretches: Queue::new(options.pending_stretches),
            activity: Activity::new(options.pending_activity_bytes),
            out: 0,
            closed: false,
        }
    }

    /// Puts what the disk holds, of which there may be more than is taken of notes.
    pub(super) fn resume(&mut self, last_seen: Vec<LastSeen>, stretches: Vec<Stretch>) {
        last_seen.into_iter().for_each(|row| _ = self.last_seen.put(row, true));
        stretches.into_iter().for_each(|row| _ = self.stretches.put(row, true));
    }

    /// From now on nothing new is taken.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn note(&mut self, note: Note) -> Noted {
        if self.closed {
            return Noted { merged: false, dropped: 1 };
        }
        match note {
            Note::LastSeen(row) => self.last_seen.note(row),
            Note::Stretch(row) => self.note_stretch(row),
            Note::Activity(row) => Noted { merged: false, dropped: self.activity.note(row) },
        }
    }

    /// One that has to be dropped leaves a mark: whoever adds up sessions is to know.
    fn note_stretch(&mut self, row: Stretch) -> Noted {
        let seen = row.seen;
        let noted = self.stretches.note(row);
        if noted.dropped > 0 {
            self.activity.lose(Loss::of(seen));
        }
        noted
    }

    pub(super) fn waiting(&self) -> Waiting {
        let Left { last_seen, stretches, activity } = self.left();
        let saved = self.last_seen.saved() + self.stretches.saved();
        Waiting {
            most_rows: last_seen.max(stretches).max(activity),
            unsaved: last_seen + stretches + activity + self.out - saved,
            saved,
            crowded: self.activity.is_crowded(),
        }
    }

    /// All that waits now.
    pub(super) fn left(&self) -> Left {
        Left {
            last_seen: self.last_seen.len(),
            stretches: self.stretches.len(),
            activity: self.activity.len(),
        }
    }

    /// Takes the next batch of what is left, at most so many rows of one kind; `None`: nothing is left.
    pub(super) fn take(&mut self, left: &mut Left, rows: usize) -> Option<Batch> {
        let batch = if left.last_seen > 0 {
            Batch::LastSeen(self.last_seen.take(portion(&mut left.last_seen, rows)))
        } else if left.stretches > 0 {
            Batch::Stretches(self.stretches.take(portion(&mut left.stretches, rows)))
        } else if left.activity > 0 {
            Batch::Activity(self.activity.take(portion(&mut left.activity, rows)))
        } else {
            return None;
        };
        self.out = batch.len();
        Some(batch)
    }

    /// The batch under way is on the disk as well.
    pub(super) fn saved_out(&mut self) {
        self.out = 0;
    }

    /// The batch under way is written.
    pub(super) fn settle(&mut self) {
        self.out = 0;
        self.last_seen.settle();
        self.stretches.settle();
    }

    /// Puts a batch back that the store did not take; how many rows were dropped for want of room.
    pub(super) fn put_back(&mut self, batch: Batch) -> u64 {
        self.out = 0;
        match batch {
            Batch::LastSeen(rows) => self.last_seen.put_back(rows),
            Batch::Stretches(rows) => self.stretches.put_back(rows),
            Batch::Activity(rows) => return self.activity.put_back(rows.into_iter()),
        }
        0
    }

    pub(super) fn forget(&mut self, users: &BTreeSet<UserId>) {
        self.last_seen.forget(users);
        self.stretches.forget(users);
        self.activity.forget(users);
    }
}

/// Of what is left, at most so much.
fn portion(left: &mut usize, rows: usize) -> usize {
    let portion = rows.min(*left);
    *left -= portion;
    portion
}
