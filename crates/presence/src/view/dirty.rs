//! What a view has to look at again.

use model::EntryId;
use smallvec::SmallVec;

use crate::table::EntryKey;

/// Entries to look at, each once, in the order of their ids.
///
/// Marking is what happens most often of all, so it only appends; an entry marked twice is noticed when the list would
/// have to grow. So it is at most twice as long as there are entries to look at (and 16).
#[derive(Debug)]
pub(crate) struct Dirty {
    /// Once in order: the next one last. A few have room in the view itself, so that nothing else is fetched for them.
    entries: SmallVec<[EntryKey; FEW]>,
    /// Whether it is in order, and names nothing twice.
    ordered: bool,
    /// How many there were when they were put in order last: so much memory is kept.
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
        Self { entries, ordered: true, usual: 0 }
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
            self.usual = self.entries.len() as u32;
        }
    }

    /// The next entry; once in order, the one with the least id.
    pub(super) fn next(&mut self) -> Option<EntryKey> {
        let next = self.entries.pop();
        if self.entries.is_empty() && self.entries.capacity() > 4 * FEW.max(self.usual as usize) {
            self.entries = SmallVec::new();
        }
        next
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
