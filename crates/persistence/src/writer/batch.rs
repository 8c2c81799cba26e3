//! Rows of one kind on their way to the store.

use std::{collections::VecDeque, ops::Range};

use crate::{ActivityRow, LastSeen, Store, StoreError, Stretch, Written, backlog::Refused};

pub(super) const LAST_SEEN: &str = "last-seen";
pub(super) const STRETCHES: &str = "stretches";

/// Rows of one kind.
#[derive(Clone, Debug)]
pub(super) enum Batch {
    LastSeen(Vec<LastSeen>),
    Stretches(Vec<Stretch>),
    Activity(Vec<ActivityRow>),
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::LastSeen(rows) => rows.len(),
            Self::Stretches(rows) => rows.len(),
            Self::Activity(rows) => rows.len(),
        }
    }

    /// What its rows are, for the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::LastSeen(_) => LAST_SEEN,
            Self::Stretches(_) => STRETCHES,
            Self::Activity(_) => "activity",
        }
    }

    pub(super) async fn write(&self, store: &dyn Store, part: Range<usize>) -> Result<Written, StoreError> {
        match self {
            Self::LastSeen(rows) => store.write_last_seen(&rows[part]).await,
            Self::Stretches(rows) => store.write_stretches(&rows[part]).await,
            Self::Activity(rows) => store.write_activity(&rows[part]).await,
        }
    }

    /// A row, to be set aside.
    pub(super) fn refused(&self, index: usize) -> Refused {
        match self {
            Self::LastSeen(rows) => Refused::LastSeen(rows[index].clone()),
            Self::Stretches(rows) => Refused::Stretch(rows[index].clone()),
            Self::Activity(rows) => Refused::Activity(rows[index].clone()),
        }
    }
}

/// The search for the rows that a store will never take: halves of what it refused, until each is alone.
#[derive(Debug)]
pub(super) struct Sieve {
    parts: VecDeque<Range<usize>>,
    /// Rows that were refused alone.
    pub(super) bad: Vec<usize>,
    /// A row that was taken.
    pub(super) taken: Option<usize>,
}

impl Sieve {
    pub(super) fn of(rows: usize) -> Self {
        Self { parts: (rows > 0).then_some(0..rows).into_iter().collect(), bad: Vec::new(), taken: None }
    }

    /// The part to try next.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        self.parts.pop_front()
    }

    /// The store refused that part.
    pub(super) fn refused(&mut self, part: Range<usize>) {
        let middle = part.start + part.len() / 2;
        if part.len() == 1 {
            self.bad.push(part.start);
        } else {
            self.parts.extend([part.start..middle, middle..part.end]);
        }
    }
}
