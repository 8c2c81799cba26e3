//! Where to go on in the audit. An entry's number would tell how much was written about everybody else meanwhile; an
//! instant, and how many entries of it were told, tells nothing that the entries did not.

use std::fmt;

use model::{ErrorCode, Wall, limits};
use persistence::audited::AuditEntry;

use crate::problem::Problem;

/// Before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Entries of this instant and older.
    pub(super) until: Wall,
    /// So many of that instant were told.
    pub(super) told: usize,
}

/// The end of the year 9999.
const LATEST: Wall = Wall(253_402_300_799_999);

impl Cursor {
    pub(super) const NEWEST: Self = Self { until: LATEST, told: 0 };

    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let read = || {
            let (until, told) = text.split_once('-')?;
            let (until, told) = (Wall(until.parse().ok()?), told.parse().ok()?);
            let possible = (0..=LATEST.0).contains(&until.0) && told <= limits::AUDIT_ENTRIES * 100;
            possible.then_some(Self { until, told })
        };
        read().ok_or_else(|| Problem::new(ErrorCode::InvalidValue, "before must be the next of an answer"))
    }

    /// Of what was found from here on, newest first: at most `most` that were not told yet, and where to go on if there is
    /// more.
    pub(super) fn page(self, found: Vec<AuditEntry>, most: usize) -> (Vec<AuditEntry>, Option<Self>) {
        let of_instant = found.iter().take_while(|entry| entry.at == self.until).count();
        let mut page: Vec<_> = found.into_iter().skip(self.told.min(of_instant)).collect();
        let more = page.len() > most;
        page.truncate(most);
        let next = page.last().filter(|_| more).map(|last| {
            let told = page.iter().rev().take_while(|entry| entry.at == last.at).count();
            let before = if last.at == self.until { self.told } else { 0 };
            Self { until: last.at, told: told + before }
        });
        (page, next)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.until.0, self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, n: usize) -> AuditEntry {
        AuditEntry { at: Wall(at), kind: "occupancy".into(), actor: "hub".into(), after: n.into() }
    }

    /// As a store does it.
    fn found(all: &[AuditEntry], cursor: Cursor, most: usize) -> Vec<AuditEntry> {
        let older = all.iter().filter(|entry| entry.at <= cursor.until);
        older.take(cursor.told + most).cloned().collect()
    }

    #[test]
    fn pages_tell_each_entry_once_whatever_happened_at_once() {
        let times = [9, 9, 9, 9, 9, 8, 7, 7, 7, 3, 3, 1];
        let all: Vec<_> = times.iter().enumerate().map(|(n, at)| entry(*at, n)).collect();
        for most in 1..=13 {
            let (mut told, mut cursor) = (Vec::new(), Some(Cursor::NEWEST));
            while let Some(here) = cursor {
                let (page, next) = here.page(found(&all, here, most + 1), most);
                assert!(page.len() == most || next.is_none(), "a page of {} out of {most}", page.len());
                told.extend(page);
                cursor = next.map(|next| Cursor::parse(&next.to_string()).unwrap());
            }
            assert_eq!(told, all, "{most} at a time");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "-", "5", "5-", "-5", "a-1", "5-1-1", "-5-1", "99999999999999999-0", "5-10001"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
        assert!(Cursor::parse("5-10000").is_ok());
    }
}
