//! A view: what one viewer has been shown of one channel, and what may have changed since.
//!
//! The level-triggered heart of the heart. [`View::turn`] compares what was shown with what may be seen now;
//! everything a viewer ever gets of a channel comes out of that comparison.

mod dirty;

use std::{collections::BTreeMap, sync::Arc};

use model::{
    ConnectionId, EntryId, Interest, Limits, Mono, NotResumed, Phase, Relation, SessionId, SharedRecord,
    SubscriptionId, ViewFrame,
};
use rustc_hash::FxHashMap;

use crate::{
    leak::{Leak, Leaks},
    table::{ChannelKey, EntryKey, UserKey},
};

use dirty::Dirty;

slotmap::new_key_type! {
    /// A view among all views.
    pub(crate) struct ViewKey;
}

/// Bytes that a leave is counted with: an id with its name and punctuation.
pub(crate) const LEAVE_WEIGHT: usize = 64;

/// Whose view it is, and of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) session: SessionId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) viewer: UserKey,
    pub(crate) channel: ChannelKey,
    /// How all whom the channel lists are related to all who may look at it.
    pub(crate) related: Option<Relation>,
    pub(crate) interest: Interest,
}

/// What a view that has something to look at waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Nothing: it has nothing to look at, or no connection.
    Not,
    /// Its connection, among whose ready ones it is.
    Turn,
    /// The end of its window, for which there is a timer.
    Window,
}

/// What one viewer has been shown of one channel.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) place: Place,
    /// Where it is sent; `None`: its session waits for its client.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) waits: Waits,
    /// Until when changes are gathered, because a visible one was just sent.
    pub(crate) window_until: Option<Mono>,
    /// Frames sent, which is also the number of the last one.
    sequence: u32,
    /// The last frame that the client has surely applied: it answered a heartbeat sent after it.
    confirmed: u32,
    /// The last frame before the heartbeat that waits for its answer.
    asked: u32,
    /// The frame that completed the first snapshot.
    caught_up_at: Option<u32>,
    /// What the client has.
    shown: FxHashMap<EntryKey, Shown>,
    /// What may have changed.
    dirty: Dirty,
    /// Entries that unconfirmed frames took away, and perhaps brought back. At most a heartbeat's worth of frames.
    left: BTreeMap<EntryKey, Comings>,
}

/// What the client has of one entry.
#[derive(Debug)]
struct Shown {
    /// `None`: something, but the frame that told it may have been lost.
    record: Option<Arc<SharedRecord>>,
    /// The frame that brought the entry.
    joined: u32,
    /// The last frame about it.
    touched: u32,
}

/// When an entry came and went, since the confirmed frame.
#[derive(Debug)]
struct Comings {
    /// Whether the client had the entry at the confirmed frame.
    had: bool,
    /// The frames that took it away or brought it.
    toggles: Vec<u32>,
}

impl Comings {
    fn until(&self, sequence: u32) -> usize {
        self.toggles.iter().take_while(|at| **at <= sequence).count()
    }

    fn had_at(&self, sequence: u32) -> bool {
        self.had ^ (self.until(sequence) % 2 == 1)
    }
}

/// What a turn came to.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing that the viewer may see has changed.
    Nothing,
    /// Something has, but it does not fit any more.
    NoRoom,
    /// This has; it takes up so many bytes at most.
    Frame(ViewFrame, usize),
}

enum Change<'a> {
    Join(&'a Arc<SharedRecord>),
    Update(&'a Arc<SharedRecord>),
    Leave,
}

impl Change<'_> {
    fn weight(&self) -> usize {
        match self {
            Self::Join(record) | Self::Update(record) => record.weight(),
            Self::Leave => LEAVE_WEIGHT,
        }
    }
}

/// What a view compares with: which entry a key stands for, and what the viewer may see of it now.
pub(crate) trait Sights<'a> {
    fn id(&self, entry: EntryKey) -> EntryId;
    fn record(&self, place: &Place, entry: EntryKey) -> Option<&'a Arc<SharedRecord>>;
}

impl View {
    /// A view that has shown nothing yet.
    pub(crate) fn new(
        place: Place,
        connection: Option<ConnectionId>,
        entries: impl Iterator<Item = EntryKey>,
    ) -> Self {
        Self {
            place,
            connection,
            waits: Waits::Not,
            window_until: None,
            sequence: 0,
            confirmed: 0,
            asked: 0,
            caught_up_at: None,
            shown: FxHashMap::default(),
            dirty: Dirty::from_ordered(entries),
            left: BTreeMap::new(),
        }
    }

    /// Whether a turn may have something to say.
    pub(crate) fn wants_turn(&self) -> bool {
        !self.dirty.is_empty() || !self.is_caught_up()
    }

    /// Whether the first snapshot is complete.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up_at.is_some()
    }

    /// Whether the client has the entry, as far as it was told.
    pub(crate) fn has(&self, entry: EntryKey) -> bool {
        self.shown.contains_key(&entry)
    }

    /// The entry may have changed.
    pub(crate) fn mark(&mut self, entry: EntryKey) {
        self.dirty.mark(entry);
    }

    /// Everything may have changed: these entries, and all that was shown.
    pub(crate) fn mark_all(&mut self, entries: impl Iterator<Item = EntryKey>) {
        entries.chain(self.shown.keys().copied()).for_each(|entry| self.dirty.mark(entry));
    }

    /// Forgets to look at what is neither listed any more nor shown: nobody has anything to hear of it.
    pub(crate) fn tidy(&mut self, listed: impl Fn(EntryKey) -> bool) {
        self.dirty.retain(|entry| listed(entry) || self.shown.contains_key(&entry));
    }

    /// Gathers changes for a while: the longer, the more entries the client has, for their changes come the more often.
    /// Nothing but what the client was shown decides how long.
    pub(crate) fn open_window(&mut self, now: Mono, limits: &Limits) {
        self.open_window_for(now, limits, self.shown.len());
    }

    pub(crate) fn open_window_for(&mut self, now: Mono, limits: &Limits, entries: usize) {
        self.window_until = Some(now + limits.window_ms_for(entries));
    }

    /// Compares what was shown with what may be seen now, within `budget` bytes.
    pub(crate) fn turn<'a>(&mut self, budget: usize, leaks: Leaks, sights: &impl Sights<'a>) -> Turn {
        self.dirty.order(|entry| sights.id(entry));
        let (mut frame, mut left) = (self.next_frame(), budget);
        let (mut full, mut unchanged) = (false, 0);
        while let Some(entry) = self.dirty.next() {
            let Some(change) = self.compare(entry, sights.record(&self.place, entry)) else {
                unchanged += 1;
                if leaks.has(Leak::LeaveOfUnseen) && !self.shown.contains_key(&entry) {
                    frame.leave.push(sights.id(entry));
                }
                if leaks.has(Leak::LimitBeforeFilter) && unchanged % 2 == 0 && !self.dirty.is_empty() {
                    full = true;
                    break;
                }
                continue;
            };
            let Some(rest) = left.checked_sub(change.weight()) else {
                self.dirty.put_back(entry);
                full = true;
                break;
            };
            left = rest;
            self.remember(entry, &change);
            match change {
                Change::Join(record) => frame.join.push(Arc::clone(record)),
                Change::Update(record) => frame.update.push(Arc::clone(record)),
                Change::Leave => frame.leave.push(sights.id(entry)),
            }
        }
        if leaks.has(Leak::GlobalSequence) {
            self.sequence += unchanged;
        }
        let speaks_anyway = leaks.has(Leak::EmptyDiff) && unchanged > 0;
        let more = full || (leaks.has(Leak::HiddenInCount) && unchanged > 0);
        match (is_empty(&frame), full) {
            (true, true) if !leaks.has(Leak::LimitBeforeFilter) => Turn::NoRoom,
            (true, false) if self.is_caught_up() && !speaks_anyway => Turn::Nothing,
            _ => Turn::Frame(self.number(frame, more), budget - left),
        }
    }

    fn next_frame(&self) -> ViewFrame {
        ViewFrame {
            subscription: self.place.subscription,
            sequence: self.sequence + 1,
            phase: Phase::Live,
            join: Vec::new(),
            update: Vec::new(),
            leave: Vec::new(),
        }
    }

    /// Counts the frame. There is no number without a frame.
    fn number(&mut self, frame: ViewFrame, more: bool) -> ViewFrame {
        self.sequence += 1;
        let phase = if self.is_caught_up() { Phase::Live } else { Phase::Snapshot { more } };
        if !more && self.caught_up_at.is_none() {
            self.caught_up_at = Some(self.sequence);
        }
        ViewFrame { sequence: self.sequence, phase, ..frame }
    }

    /// Makes the next turn say the entry again, changed or not.
    #[cfg(feature = "seeded-leaks")]
    pub(crate) fn forget(&mut self, entry: EntryKey) {
        if let Some(shown) = self.shown.get_mut(&entry) {
            shown.record = None;
        }
    }

    fn compare<'a>(&self, entry: EntryKey, now: Option<&'a Arc<SharedRecord>>) -> Option<Change<'a>> {
        match (self.shown.get(&entry).map(|shown| &shown.record), now) {
            (None, None) => None,
            (None, Some(new)) => Some(Change::Join(new)),
            (Some(_), None) => Some(Change::Leave),
            (Some(Some(old)), Some(new)) if Arc::ptr_eq(old, new) || old == new => None,
            (Some(_), Some(new)) => Some(Change::Update(new)),
        }
    }

    /// Remembers what the frame that is being made says.
    fn remember(&mut self, entry: EntryKey, change: &Change<'_>) {
        let now = self.sequence + 1;
        match *change {
            Change::Join(record) => {
                if let Some(left) = self.left.get_mut(&entry) {
                    left.toggles.push(now);
                }
                let shown = Shown { record: Some(Arc::clone(record)), joined: now, touched: now };
                self.shown.insert(entry, shown);
            }
            Change::Update(record) => {
                if let Some(shown) = self.shown.get_mut(&entry) {
                    shown.record = Some(Arc::clone(record));
                    shown.touched = now;
                }
            }
            Change::Leave => self.remember_leave(entry, now),
        }
    }

    fn remember_leave(&mut self, entry: EntryKey, now: u32) {
        let joined = self.shown.remove(&entry).map_or(0, |shown| shown.joined);
        let had = joined <= self.confirmed;
        let toggles = || if had { Vec::new() } else { vec![joined] };
        let left = self.left.entry(entry).or_insert_with(|| Comings { had, toggles: toggles() });
        left.toggles.push(now);
    }

    /// A heartbeat goes out now, after all frames so far.
    pub(crate) fn heartbeat_sent(&mut self) {
        self.asked = self.sequence;
    }

    /// The heartbeat was answered: its client has applied all frames before it.
    pub(crate) fn heartbeat_answered(&mut self) {
        self.confirm(self.asked);
    }

    fn confirm(&mut self, sequence: u32) {
        if sequence <= self.confirmed {
            return;
        }
        self.confirmed = sequence;
        self.left.retain(|_, left| {
            let passed = left.until(sequence);
            left.had ^= passed % 2 == 1;
            left.toggles.drain(..passed);
            !left.toggles.is_empty()
        });
    }

    /// The client comes back and has applied the frames up to `sequence`. What later frames said is forgotten,
    /// so that the next turn says it again as it is now.
    ///
    /// # Errors
    /// [`NotResumed::Sequence`] for a number never sent, or one before a frame that the client has confirmed.
    pub(crate) fn resume(&mut self, sequence: u32, leaks: Leaks) -> Result<(), NotResumed> {
        if leaks.has(Leak::ResumeFilledByHidden) && self.dirty.len() > 2 {
            return Err(NotResumed::Sequence);
        }
        if sequence > self.sequence || sequence < self.confirmed {
            return Err(NotResumed::Sequence);
        }
        for entry in self.touched_after(sequence) {
            let known = match self.left.get(&entry) {
                Some(left) => left.had_at(sequence),
                None => self.shown.get(&entry).is_some_and(|shown| shown.joined <= sequence),
            };
            if known {
                self.shown.insert(entry, Shown { record: None, joined: sequence, touched: sequence });
            } else {
                self.shown.remove(&entry);
            }
            self.dirty.mark(entry);
        }
        self.caught_up_at = self.caught_up_at.filter(|at| *at <= sequence);
        self.sequence = sequence;
        self.asked = self.asked.min(sequence);
        self.window_until = None;
        // What came before is confirmed, and what came after is taken back.
        self.confirmed = sequence;
        self.left.clear();
        Ok(())
    }

    /// Entries that later frames said something of; one that left and came back is named twice.
    fn touched_after(&self, sequence: u32) -> Vec<EntryKey> {
        let shown = self.shown.iter().filter(|(_, shown)| shown.touched > sequence).map(|(entry, _)| *entry);
        let left = self.left.iter().filter(|(_, left)| left.toggles.last() > Some(&sequence));
        shown.chain(left.map(|(entry, _)| *entry)).collect()
    }

    /// Starts anew, with a snapshot.
    pub(crate) fn restart(&mut self, entries: impl Iterator<Item = EntryKey>) {
        *self = Self::new(self.place, self.connection, entries);
    }

    /// Entries shown, dirty and recent; to hold the limits against.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        (self.shown.len(), self.dirty.len(), self.left.len())
    }
}

fn is_empty(frame: &ViewFrame) -> bool {
    frame.join.is_empty() && frame.update.is_empty() && frame.leave.is_empty()
}
