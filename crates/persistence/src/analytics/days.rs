//! The days in UTC that lie in a range from beginning to end: of those, a store has totals of days, and of the time that
//! is left it adds up quarters of an hour.

use std::ops::AddAssign;

use chrono::{DateTime, Datelike, NaiveDate};
use model::Wall;

use super::{Span, UserUse};
use crate::BUCKET_MS;

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
pub(super) const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Quarters of an hour in half a day: the bits that one number has of them.
const HALF: i64 = 48;
/// Where the months begin in [`UserUse::mark`], and the days of the week.
pub(super) const MONTHS: u32 = 24;
pub(super) const WEEKDAYS: u32 = 40;
/// The 5th of January 1970, counted from the 1st.
const FIRST_MONDAY: i64 = 4;

/// Days in UTC, one after another, in which the clocks of a zone differ from UTC by the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeDays {
    /// The first of them, counted from the 1st of January 1970.
    pub first: i64,
    /// How many.
    pub count: i64,
    /// How far the clocks are ahead of UTC, in milliseconds; negative: behind.
    pub ahead_ms: i64,
}

/// Time of which totals are added up: whole days and parts of days, less other parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// All that there are; none: their count is 0.
    pub days: WholeDays,
    /// What is in none of the days, in order.
    pub more: Vec<Span>,
    /// What is in the days, and not in the time; in order.
    pub less: Vec<Span>,
}

/// Time in whole days, and what of it is in none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// In order.
    pub days: Vec<WholeDays>,
    /// In order.
    pub rest: Vec<Span>,
}

impl Cut {
    /// Of spans in their order, each for itself: a day in which clocks were changed is in none.
    #[must_use]
    pub fn by_clock(spans: &[Span]) -> Self {
        let mut cut = Self::default();
        spans.iter().for_each(|span| cut.add(*span));
        cut
    }

    /// Of all the time of spans in their order, whatever the clocks showed. The days are one after another: others, which
    /// are there only where clocks go back over midnight, count as the rest.
    #[must_use]
    pub fn by_time(spans: &[Span]) -> Self {
        let mut joined: Vec<Span> = Vec::new();
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => joined.push(Span { ahead_ms: 0, ..*span }),
            }
        }
        let mut cut = Self::by_clock(&joined);
        cut.days.sort_by_key(|days| std::cmp::Reverse(days.count));
        let apart = cut.days.split_off(cut.days.len().min(1));
        cut.rest.extend(apart.iter().map(WholeDays::span));
        cut.rest.sort_by_key(|span| span.start);
        cut
    }

    /// The days of a cut [by time](Self::by_time), and the rest.
    #[must_use]
    pub fn plain(self) -> Balance {
        let none = WholeDays { first: 0, count: 0, ahead_ms: 0 };
        Balance { days: self.days.first().copied().unwrap_or(none), more: self.rest, less: Vec::new() }
    }

    /// The same for what can be taken away again. A day of which more than half is asked about is taken as a whole, less
    /// the smaller part: a total of a day is one row where those of its quarters are up to 96.
    #[must_use]
    pub fn balanced(self) -> Balance {
        let mut balance = self.plain();
        for span in std::mem::take(&mut balance.more) {
            balance.add(span);
        }
        balance
    }

    fn add(&mut self, span: Span) {
        let first = -(-span.start.0).div_euclid(DAY_MS);
        let end = span.end.0.div_euclid(DAY_MS);
        if end <= first {
            return self.rest.push(span);
        }
        let whole = WholeDays { first, count: end - first, ahead_ms: span.ahead_ms };
        self.days.push(whole);
        let before = Span { end: Wall(first * DAY_MS), ..span };
        let after = Span { start: Wall(end * DAY_MS), ..span };
        self.rest.extend([before, after].into_iter().filter(|span| span.start < span.end));
    }
}

impl Balance {
    /// The days of which parts are added, in UTC; one may be there twice.
    #[must_use]
    pub fn days_of_parts(&self) -> Vec<NaiveDate> {
        let days = |span: &Span| span.start.0.div_euclid(DAY_MS)..=(span.end.0 - 1).div_euclid(DAY_MS);
        self.more.iter().flat_map(days).map(day).collect()
    }

    /// In the order of time; two parts of one day are not put together.
    fn add(&mut self, span: Span) {
        let day = span.start.0.div_euclid(DAY_MS);
        let [start, end] = [day, day + 1].map(|day| Wall(day * DAY_MS));
        let is_most = span.end <= end && 2 * (span.end.0 - span.start.0) > DAY_MS;
        if !is_most || !self.days.take(day) {
            return self.more.push(span);
        }
        let [before, after] =
            [Span { start, end: span.start, ..span }, Span { start: span.end, end, ..span }];
        self.less.extend([before, after].into_iter().filter(|span| span.start < span.end));
    }
}

impl WholeDays {
    /// Whether the day is next to them; then it is one of them.
    fn take(&mut self, day: i64) -> bool {
        if self.count == 0 || day + 1 == self.first {
            self.first = day;
        } else if day != self.first + self.count {
            return false;
        }
        self.count += 1;
        true
    }

    /// The first day.
    #[must_use]
    pub fn first_day(&self) -> NaiveDate {
        day(self.first)
    }

    /// The first day after them.
    #[must_use]
    pub fn end(&self) -> NaiveDate {
        day(self.first + self.count)
    }

    /// The whole weeks in them: the first Monday, and the first after the weeks. Where there is none, twice the end of the
    /// days.
    #[must_use]
    pub fn weeks(&self) -> [NaiveDate; 2] {
        let end = self.first + self.count;
        let monday = self.first + (FIRST_MONDAY - self.first).rem_euclid(7);
        let after = end - (end - FIRST_MONDAY).rem_euclid(7);
        if monday < after { [monday, after].map(day) } else { [day(end); 2] }
    }

    fn span(&self) -> Span {
        let [start, end] = [self.first, self.first + self.count].map(|day| Wall(day * DAY_MS));
        Span { start, end, ahead_ms: self.ahead_ms }
    }

    /// A day in UTC is on two dates of a clock that differs. The quarters of the day that are on the earlier one, as the
    /// bits of its first half and of its second; those that are not are on the next date.
    #[must_use]
    pub fn on_the_earlier_date(&self) -> [i64; 2] {
        let earlier = self.ahead_ms.div_euclid(DAY_MS);
        let on = |quarter: i64| (quarter * BUCKET_MS + self.ahead_ms).div_euclid(DAY_MS) == earlier;
        [0, HALF].map(|from| (0..HALF).filter(|bit| on(from + bit)).fold(0, |bits, bit| bits | 1 << bit))
    }

    /// What is to be marked ([`UserUse::mark`]) for a quarter on the earlier date of each day and one more: the next date
    /// of a day is the earlier one of the next day.
    #[must_use]
    pub fn marks(&self) -> Vec<i64> {
        let earlier = self.first + self.ahead_ms.div_euclid(DAY_MS);
        let date = |nth| day(earlier + nth);
        let marks = |date: NaiveDate| {
            1 << (MONTHS + date.month()) | 1 << (WEEKDAYS + date.weekday().number_from_monday())
        };
        (0..=self.count).map(|nth| marks(date(nth))).collect()
    }

    /// The hours that a clock shows in these quarters, a bit each.
    #[must_use]
    pub fn hours(&self, quarters: [i64; 2]) -> u64 {
        let hour = |quarter: i64| (quarter * BUCKET_MS + self.ahead_ms).rem_euclid(DAY_MS) / HOUR_MS;
        let is_set = |quarter: &i64| quarters[usize::from(*quarter >= HALF)] >> (quarter % HALF) & 1 == 1;
        (0..2 * HALF).filter(is_set).fold(0, |hours, quarter| hours | 1 << hour(quarter))
    }
}

fn day(number: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(number.saturating_mul(DAY_MS)).unwrap_or_default().date_naive()
}

impl UserUse {
    /// Sets the hours that are the bits from 0 on, the months from 24 on and the days of the week from 40 on.
    pub fn mark(&mut self, marks: u64) {
        self.hours |= marks & 0xFF_FFFF;
        self.months |= marks >> MONTHS & 0x1FFF;
        self.weekdays |= marks >> WEEKDAYS & 0xFF;
    }
}

/// The same person in another part of the range.
impl AddAssign for UserUse {
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.millis += other.millis;
        for (sum, more) in self.devices.iter_mut().zip(other.devices) {
            *sum += more;
        }
        self.hours |= other.hours;
        self.months |= other.months;
        self.weekdays |= other.weekdays;
    }
}

#[cfg(test)]
mod tests;
