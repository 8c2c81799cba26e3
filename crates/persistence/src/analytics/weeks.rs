//! A range as parts of weeks in UTC, for a store that keeps as the bits of a week in which quarters of an hour somebody
//! was there: so all that clocks showed of months is found in few rows, whatever was done to the clocks meanwhile.

use std::array;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime};
use model::Wall;

use super::{
    Span,
    days::{DAY_MS, HOUR_MS, MONTHS, WEEKDAYS},
};
use crate::{BUCKET_MS, WEEK_MS, Week};

/// Quarters of an hour in a week: the bits of one.
pub const WEEK_QUARTERS: usize = (WEEK_MS / BUCKET_MS) as usize;

/// Time in one week in which clocks differ from UTC by the same, and show the same month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekPart {
    /// The Monday, in UTC.
    pub week: NaiveDate,
    /// The first of the quarters, counted from the beginning of the week.
    pub first: i32,
    /// The first quarter after them.
    pub after: i32,
    /// How far the clocks are ahead of UTC, in milliseconds; negative: behind.
    pub ahead_ms: i64,
    /// The month, as [`super::UserUse::mark`] takes it.
    pub mark: i64,
}

impl WeekPart {
    /// All parts of spans, in their order.
    #[must_use]
    pub fn of(spans: &[Span]) -> Vec<Self> {
        let mut parts = Vec::new();
        for span in spans {
            let mut from = span.start;
            while from < span.end {
                let until = span.end.min(Week::of(from).end()).min(next_month(from, span.ahead_ms));
                parts.push(Self::within(from, until, span.ahead_ms));
                from = until;
            }
        }
        parts
    }

    /// Both in one week and one month.
    fn within(from: Wall, until: Wall, ahead_ms: i64) -> Self {
        let begin = Week::of(from).start();
        let [first, after] = [from, until].map(|at| ((at.0 - begin.0) / BUCKET_MS) as i32);
        let mark = 1 << (MONTHS + date(from.0 + ahead_ms).month());
        Self { week: date(begin.0), first, after, ahead_ms, mark }
    }
}

/// The first quarter of which clocks show the next month.
fn next_month(at: Wall, ahead_ms: i64) -> Wall {
    let today = date(at.0 + ahead_ms);
    let first = today.with_day(1).unwrap_or(today) + Months::new(1);
    let shown = first.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - ahead_ms;
    // Once there were clocks that differed by no whole quarters.
    Wall(-(-shown).div_euclid(BUCKET_MS) * BUCKET_MS)
}

fn date(ms: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().date_naive()
}

/// The hour and the day of the week that a clock shows in each quarter of a week in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekClock([u64; WEEK_QUARTERS]);

impl WeekClock {
    /// Of a clock that is so many milliseconds ahead of UTC.
    #[must_use]
    pub fn new(ahead_ms: i64) -> Self {
        Self(array::from_fn(|quarter| {
            let at = quarter as i64 * BUCKET_MS + ahead_ms;
            let (hour, day) = (at.rem_euclid(DAY_MS) / HOUR_MS, at.div_euclid(DAY_MS).rem_euclid(7));
            1 << hour | 1 << (i64::from(WEEKDAYS) + 1 + day)
        }))
    }

    /// What it showed in the quarters whose bits are set, the first bit of each byte being its highest: as
    /// [`super::UserUse::mark`] takes it.
    #[must_use]
    pub fn marks(&self, quarters: &[u8]) -> u64 {
        let eights = self.0.chunks(8).zip(quarters);
        eights.fold(0, |marks, (shown, bits)| marks | marks_of(shown, *bits))
    }
}

fn marks_of(shown: &[u64], bits: u8) -> u64 {
    let mask = |nth: usize| u64::from(bits << nth >> 7) * u64::MAX;
    shown.iter().enumerate().fold(0, |marks, (nth, mark)| marks | mark & mask(nth))
}

#[cfg(test)]
mod tests;
