//! What a view has to look at again.

use model::EntryId;
use smallvec::SmallVec;

use crate::table::EntryKey;

/// Entries to look at, each once, in the order of their ids.
///
/// Marking is what happens most often of all, so it only appends; an entry marked twice is noticed when the list would
/// have to grow. So it has room for fewer than four times the entries that there are to look at (or 16).
#[derive(Debug)]
pub(crate) struct Dirty {
    /// Once in order: the next one last. A few have room in the view itself, so that nothing else is fetched for them.
    entries: SmallVec<[EntryKey; FEW]>,
    /// Whether it is in order, and names nothing twice.
    ordered: bool,
    /// How many there were when they were put in order last, and the time before it was empty.
    turn: u32,
    usual: u32,
}

/// Shorter lists grow without a look at what is in them.
const SHORT: usize = 16;

/// Entries that need no memory of their own.
const FEW: usize = 4;

impl Dirty {
    /// Entries that come in the order of their ids, each once.
    pub(super) fn from_ordered(entries: impl Iterator<Item = EntryKey>) -> Self {
        let mut entries: SmallVec<_> = entries.collect();
        entries.reverse();
        entries.shrink_to_fit();
        Self { entries, ordered: true, turn: 0, usual: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn mark(&mut self, entry: EntryKey) {
        if self.entries.last() == Some(&entry) {
            return;
        }
        if self.entries.len() == self.entries.capacity() && self.entries.len() >= SHORT {
            self.make_room();
        }
        self.ordered &= self.entries.is_empty();
        self.entries.push(entry);
    }

    /// Takes out what is named twice, and grows only where that was not much.
    fn make_room(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.ordered = self.entries.is_empty();
        if self.entries.len() * 2 > self.entries.capacity() {
            self.entries.reserve(self.entries.len());
        }
    }

    pub(super) fn order(&mut self, id: impl Fn(EntryKey) -> EntryId) {
        if !self.ordered {
            self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(id(*entry)));
            self.entries.dedup();
            self.ordered = true;
        }
        self.turn = self.turn.max(self.entries.len() as u32);
    }

    /// The next entry; once in order, the one with the least id.
    pub(super) fn next(&mut self) -> Option<EntryKey> {
        let next = self.entries.pop();
        if next.is_some() && self.entries.is_empty() {
            self.give_back();
        }
        next
    }

    /// Keeps the memory that is used again and again, not that of the one time when everything changed.
    fn give_back(&mut self) {
        if self.entries.capacity() > 4 * FEW.max(self.usual as usize) {
            self.entries = SmallVec::new();
        }
        self.usual = std::mem::take(&mut self.turn);
    }

    /// Undoes [`Dirty::next`].
    pub(super) fn put_back(&mut self, entry: EntryKey) {
        self.entries.push(entry);
    }

    pub(super) fn retain(&mut self, keeps: impl Fn(EntryKey) -> bool) {
        self.entries.retain(|entry| keeps(*entry));
    }

    /// How many different entries there are to look at.
    pub(super) fn len(&self) -> usize {
        let mut entries = self.entries.clone();
        entries.sort_unstable();
        entries.dedup();
        entries.len()
    }
}

#[cfg(test)]
mod tests {
    use model::UserId;
    use uuid::Uuid;

    use super::*;
    use crate::table::{Key, UserKey};

    fn turn(dirty: &mut Dirty, entries: u32) {
        (0..entries).for_each(|row| dirty.mark(UserKey::from_row(row).into()));
        dirty.order(|entry| EntryId::Person(UserId(Uuid::from_u128(format!("{entry:?}").len() as u128))));
        while dirty.next().is_some() {}
    }

    #[test]
    fn the_memory_of_a_busy_view_is_kept_and_that_of_one_great_turn_given_back() {
        let mut dirty = Dirty::from_ordered(std::iter::empty());
        turn(&mut dirty, 10_000);
        assert!(dirty.entries.capacity() <= 4 * FEW, "after the one time: {}", dirty.entries.capacity());
        turn(&mut dirty, 1);
        (0..3).for_each(|_| turn(&mut dirty, 200));
        assert!(dirty.entries.capacity() >= 200, "busy: {}", dirty.entries.capacity());
        (0..3).for_each(|_| turn(&mut dirty, 1));
        assert!(dirty.entries.capacity() <= 4 * FEW, "quiet again: {}", dirty.entries.capacity());
    }

    #[test]
    fn marked_again_and_again_it_does_not_grow() {
        let mut dirty = Dirty::from_ordered(std::iter::empty());
        for round in 0..10_000 {
            dirty.mark(UserKey::from_row(round % 40).into());
        }
        assert_eq!(dirty.len(), 40);
        assert!(dirty.entries.capacity() < 4 * 40, "{}", dirty.entries.capacity());
    }
}
