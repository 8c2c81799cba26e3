//! The list of one channel, as far as its frames have come.

use std::collections::BTreeMap;

use model::{EntryId, Phase as FramePhase, Record, SharedRecord, ViewFrame};

use super::FaultKind;

/// The list of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    entries: BTreeMap<EntryId, Record>,
    /// The pages of a new snapshot, while the list of before is still shown.
    pages: Option<BTreeMap<EntryId, Record>>,
    sequence: u32,
    complete: bool,
    faulty: bool,
    pub(super) stale: bool,
}

/// How far a list can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its first snapshot is not complete.
    CatchingUp,
    /// It is what the viewer may see now.
    Live,
    /// It is what the viewer could see some time ago.
    Stale,
}

impl List {
    /// The entries, sorted by id.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<EntryId, Record> {
        &self.entries
    }

    /// The number of the last frame that was applied; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// How far the list can be relied on, while the connection is there.
    #[must_use]
    pub fn phase(&self) -> Phase {
        let is_old = self.stale || self.faulty || self.pages.is_some();
        match (self.complete, is_old) {
            (_, true) => Phase::Stale,
            (false, false) => Phase::CatchingUp,
            (true, false) => Phase::Live,
        }
    }

    /// A snapshot will come. What is listed is shown until it is complete.
    pub(super) fn restart(&mut self) {
        let shown = self.complete || self.pages.is_some() || !self.entries.is_empty();
        let (entries, pages) = (std::mem::take(&mut self.entries), shown.then(BTreeMap::new));
        *self = Self { entries, pages, ..Self::default() };
    }

    /// The subscription goes on behind the last frame applied: what came after it will be said again.
    pub(super) fn resumed(&mut self) {
        self.stale = false;
        self.faulty = false;
    }

    /// A list as if frames had brought it so far.
    #[cfg(test)]
    pub(super) fn at(
        sequence: u32,
        complete: bool,
        entries: impl Iterator<Item = (EntryId, Record)>,
    ) -> Self {
        Self { sequence, complete, entries: entries.collect(), ..Self::default() }
    }

    /// Applies a frame whole or not at all; returns the entries touched with what they were.
    pub(super) fn apply(&mut self, frame: &ViewFrame) -> Result<Vec<(EntryId, Option<Record>)>, FaultKind> {
        if let Err(fault) = self.check(frame) {
            self.faulty = true;
            return Err(fault);
        }
        self.sequence = frame.sequence;
        self.complete = !matches!(frame.phase, FramePhase::Snapshot { more: true });
        let before = merge(self.pages.as_mut().unwrap_or(&mut self.entries), frame);
        match self.pages.take() {
            Some(pages) if self.complete => Ok(self.replace(pages)),
            Some(pages) => {
                self.pages = Some(pages);
                Ok(Vec::new())
            }
            None => Ok(before),
        }
    }

    fn check(&self, frame: &ViewFrame) -> Result<(), FaultKind> {
        let expected = self.sequence.wrapping_add(1);
        if frame.sequence != expected {
            return Err(FaultKind::Gap { expected, got: frame.sequence });
        }
        if self.complete != matches!(frame.phase, FramePhase::Live) {
            return Err(FaultKind::Phase);
        }
        let entries = self.pages.as_ref().unwrap_or(&self.entries);
        let listed = |id: &EntryId| entries.contains_key(id);
        let ids = |records: &'_ [std::sync::Arc<SharedRecord>]| -> Vec<EntryId> {
            records.iter().map(|shared| shared.record().id()).collect()
        };
        let wrong = ids(&frame.join).into_iter().find(listed).map(FaultKind::Join);
        let wrong = wrong
            .or_else(|| ids(&frame.update).into_iter().find(|id| !listed(id)).map(FaultKind::Update))
            .or_else(|| frame.leave.iter().copied().find(|id| !listed(id)).map(FaultKind::Leave));
        wrong.map_or(Ok(()), Err)
    }

    /// Shows the new snapshot; what differs from the list of before is what changed.
    fn replace(&mut self, pages: BTreeMap<EntryId, Record>) -> Vec<(EntryId, Option<Record>)> {
        let old = std::mem::replace(&mut self.entries, pages);
        let came = self.entries.keys().filter(|id| !old.contains_key(id)).map(|id| (*id, None));
        let came: Vec<_> = came.collect();
        let differs = |(id, record): &(EntryId, Record)| self.entries.get(id) != Some(record);
        let changed = old.into_iter().filter(differs).map(|(id, record)| (id, Some(record)));
        changed.chain(came).collect()
    }
}

fn merge(entries: &mut BTreeMap<EntryId, Record>, frame: &ViewFrame) -> Vec<(EntryId, Option<Record>)> {
    let mut before = Vec::with_capacity(frame.join.len() + frame.update.len() + frame.leave.len());
    for shared in frame.join.iter().chain(&frame.update) {
        let record = shared.record();
        before.push((record.id(), entries.insert(record.id(), record.clone())));
    }
    for id in &frame.leave {
        before.push((*id, entries.remove(id)));
    }
    before
}
