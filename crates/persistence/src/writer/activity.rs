//! Activity that waits in memory, in the order in which it came, bounded in bytes.

use std::collections::{BTreeSet, VecDeque};

use model::{MetadataValue, UserId};

use crate::{ActivityRow, backlog::Loss};

/// Bytes of a row without its texts, in its place in the queue.
const ROW_BYTES: usize = 192;
/// Bytes of a node of its metadata.
const METADATA_BYTES: usize = 400;

pub(super) struct Activity {
    rows: VecDeque<ActivityRow>,
    bytes: usize,
    max_bytes: usize,
    /// What had to be dropped and is not marked yet.
    lost: Option<Loss>,
}

/// Bytes that a row takes in memory, roughly.
pub(super) fn weight(row: &ActivityRow) -> usize {
    let page = row.page.as_ref().map_or(0, |page| page.as_str().len());
    let text = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => text.len(),
        MetadataValue::Number(_) => 0,
    };
    let texts: usize = row.metadata.values().map(text).sum();
    let node = if row.metadata.is_empty() { 0 } else { METADATA_BYTES };
    ROW_BYTES + page + texts + node
}

impl Activity {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { rows: VecDeque::new(), bytes: 0, max_bytes, lost: None }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it is half full: then it should go to the disk.
    pub(super) fn is_crowded(&self) -> bool {
        self.bytes > self.max_bytes / 2
    }

    /// Takes a row. How many of the oldest were dropped for it.
    pub(super) fn note(&mut self, row: ActivityRow) -> u64 {
        self.bytes += weight(&row);
        self.rows.push_back(row);
        self.trim()
    }

    fn trim(&mut self) -> u64 {
        let mut dropped = 0;
        while self.bytes > self.max_bytes {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.bytes -= weight(&oldest);
            self.lose(Loss::of(oldest.at));
            dropped += 1;
        }
        dropped
    }

    pub(super) fn lose(&mut self, loss: Loss) {
        self.lost = Loss::sum(self.lost.into_iter().chain([loss]));
    }

    /// What was dropped since it was last asked for.
    pub(super) fn take_lost(&mut self) -> Option<Loss> {
        self.lost.take()
    }

    /// Takes the first rows, at most so many.
    pub(super) fn take(&mut self, rows: usize) -> Vec<ActivityRow> {
        let taken: Vec<_> = self.rows.drain(..rows.min(self.rows.len())).collect();
        self.bytes -= taken.iter().map(weight).sum::<usize>();
        if self.rows.is_empty() {
            self.rows = VecDeque::new();
        }
        taken
    }

    /// Takes all rows.
    pub(super) fn take_all(&mut self) -> VecDeque<ActivityRow> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }

    /// Puts rows back to where they were. How many of the oldest were dropped, because others came meanwhile.
    pub(super) fn put_back(&mut self, rows: impl DoubleEndedIterator<Item = ActivityRow>) -> u64 {
        for row in rows.rev() {
            self.bytes += weight(&row);
            self.rows.push_front(row);
        }
        self.trim()
    }

    pub(super) fn forget(&mut self, users: &BTreeSet<UserId>) {
        let bytes = &mut self.bytes;
        self.rows.retain(|row| {
            let stays = !users.contains(&row.user);
            *bytes -= if stays { 0 } else { weight(row) };
            stays
        });
    }
}
