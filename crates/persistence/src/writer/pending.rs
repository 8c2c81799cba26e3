//! The notes that wait: one per user, the newest, bounded.

use std::collections::{HashMap, hash_map::Entry};

use model::UserId;

use crate::LastSeen;

/// What became of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It waits.
    Waits,
    /// The newer one of it and the one that waited goes on waiting.
    Merged,
    /// It is gone.
    Dropped,
}

pub(super) struct Pending {
    notes: HashMap<UserId, LastSeen>,
    max_users: usize,
    closed: bool,
}

impl Pending {
    pub(super) fn new(max_users: usize) -> Self {
        Self { notes: HashMap::new(), max_users, closed: false }
    }

    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// From now on nothing new is taken.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn note(&mut self, note: LastSeen) -> Noted {
        if self.closed { Noted::Dropped } else { self.put(note, |waiting, new| new.at >= waiting.at) }
    }

    /// Puts back what could not be written. What was noted meanwhile wins.
    pub(super) fn put_back(&mut self, note: LastSeen) -> Noted {
        self.put(note, |waiting, old| old.at > waiting.at)
    }

    fn put(&mut self, note: LastSeen, wins: impl FnOnce(&LastSeen, &LastSeen) -> bool) -> Noted {
        let full = self.notes.len() >= self.max_users;
        match self.notes.entry(note.user) {
            Entry::Occupied(mut waiting) => {
                if wins(waiting.get(), &note) {
                    waiting.insert(note);
                }
                Noted::Merged
            }
            Entry::Vacant(_) if full => Noted::Dropped,
            Entry::Vacant(place) => {
                place.insert(note);
                Noted::Waits
            }
        }
    }

    /// Takes at most `rows` notes. The map gives its memory back once it is empty.
    pub(super) fn take(&mut self, rows: usize) -> Vec<LastSeen> {
        if self.notes.len() <= rows {
            return std::mem::take(&mut self.notes).into_values().collect();
        }
        let users: Vec<UserId> = self.notes.keys().take(rows).copied().collect();
        users.iter().filter_map(|user| self.notes.remove(user)).collect()
    }
}
