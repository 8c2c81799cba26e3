//! Rows that are lost: how many, and of which time.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Wall;

/// Rows that had to be dropped, before they are a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) from: Wall,
    pub(crate) until: Wall,
    pub(crate) rows: u64,
}

impl Loss {
    pub(crate) fn of(at: Wall) -> Self {
        Self { from: at, until: at, rows: 1 }
    }

    /// Rows that cannot be read, so that nobody knows of which time they are: this instant stands for it.
    pub(crate) fn unknown(rows: u64) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        Self { rows, ..Self::of(now) }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            until: self.until.max(other.until),
            rows: self.rows + other.rows,
        }
    }

    /// All of these together; `None` of none.
    pub(crate) fn sum(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().reduce(Self::and)
    }
}
