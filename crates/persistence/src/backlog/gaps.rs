//! The marks of what is missing, until the store has them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{line::MarkedGap, loss::Loss};
use crate::{Gap, GapReason};

/// At most one mark a reason that still grows, and one that the store was asked to take. That one never grows: the
/// store may have it, and would not take it again.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    growing: BTreeMap<GapReason, Gap>,
    tried: Option<Gap>,
}

impl Gaps {
    pub(super) fn of(lines: impl IntoIterator<Item = MarkedGap>) -> Self {
        let mut gaps = Self::default();
        for MarkedGap { gap, tried } in lines {
            if tried {
                gaps.tried = Some(gap);
            } else {
                gaps.growing.insert(gap.reason, gap);
            }
        }
        gaps
    }

    pub(super) fn lines(&self) -> Vec<MarkedGap> {
        let line = |tried| move |gap: &Gap| MarkedGap { gap: gap.clone(), tried };
        self.tried.iter().map(line(true)).chain(self.growing.values().map(line(false))).collect()
    }

    pub(super) fn len(&self) -> u64 {
        self.growing.len() as u64 + u64::from(self.tried.is_some())
    }

    pub(super) fn add(&mut self, reason: GapReason, loss: Loss) {
        let Loss { from, until, rows } = loss;
        let grow = |gap: &mut Gap| {
            gap.from = gap.from.min(from);
            gap.until = gap.until.max(until);
            gap.rows += rows;
        };
        let begin = || Gap { id: Uuid::new_v4(), from, until, rows, reason };
        self.growing.entry(reason).and_modify(grow).or_insert_with(begin);
    }

    /// The one to ask the store for next; whether another one is it now than before.
    pub(super) fn next(&mut self) -> (Option<Gap>, bool) {
        let changed = self.tried.is_none() && !self.growing.is_empty();
        if changed {
            self.tried = self.growing.pop_first().map(|(_, gap)| gap);
        }
        (self.tried.clone(), changed)
    }

    /// The store has the one it was asked for, or never will.
    pub(super) fn settled(&mut self) {
        self.tried = None;
    }
}
