//! Whole days as the clocks of a time zone count them, cut into spans in which those clocks are not changed.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use model::Wall;

use crate::BUCKET_MS;

/// Days that one report may be about.
pub const RANGE_DAYS: u64 = 366;
/// The first day there is: instants are counted from it.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
/// Characters of a date in the form `YYYY-MM-DD`.
const DATE_CHARS: usize = 10;

/// Why there is no such range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Not a day of the calendar, or one before 1970.
    #[error("{field} is a day in the form YYYY-MM-DD, not before 1970-01-01")]
    NoDay {
        /// The field as the protocol names it.
        field: &'static str,
    },
    /// The last day is before the first.
    #[error("from must not be later than to")]
    Reversed,
    /// More than [`RANGE_DAYS`].
    #[error("at most {RANGE_DAYS} days at once")]
    TooLong,
    /// No such time zone.
    #[error("timeZone is a name of the IANA time zone database, such as Europe/Berlin")]
    NoZone,
}

/// Days from one to another, both included, in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateRange {
    from: NaiveDate,
    to: NaiveDate,
    zone: Tz,
}

/// A stretch of time in which the clocks of a zone differ from UTC by the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub start: Wall,
    /// The first instant after it.
    pub end: Wall,
    /// How far the clocks are ahead of UTC, in milliseconds; negative: behind.
    pub ahead_ms: i64,
}

impl DateRange {
    /// The days that are written down as `YYYY-MM-DD`; without a zone in UTC.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn parse(from: &str, to: &str, zone: Option<&str>) -> Result<Self, RangeError> {
        let (from, to) = (day(from, "from")?, day(to, "to")?);
        let zone = zone.map_or(Ok(Tz::UTC), str::parse).map_err(|_| RangeError::NoZone)?;
        match to.signed_duration_since(from).num_days() {
            ..0 => Err(RangeError::Reversed),
            days if days.unsigned_abs() >= RANGE_DAYS => Err(RangeError::TooLong),
            _ => Ok(Self { from, to, zone }),
        }
    }

    /// All of its time, in order. Clocks may go back over midnight: a day is then in two parts, with one of the day before
    /// between them. A day that a zone left out has no time at all.
    ///
    /// Looks at each quarter of an hour, because clocks are changed at whole quarters: about 1 ms for a year.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
        let (first, end) = (midnight(self.from), midnight(self.to) + Days::new(1));
        let mut spans = Vec::new();
        // No clock differs from UTC by more than a day.
        let mut at = first - Days::new(1);
        while at < end + Days::new(1) {
            let ahead = self.zone.offset_from_utc_datetime(&at).fix().local_minus_utc();
            let local = at + TimeDelta::seconds(i64::from(ahead));
            if first <= local && local < end {
                add_quarter(&mut spans, at, i64::from(ahead) * 1_000);
            }
            at += TimeDelta::milliseconds(BUCKET_MS);
        }
        spans
    }
}

fn add_quarter(spans: &mut Vec<Span>, at: NaiveDateTime, ahead_ms: i64) {
    let start = Wall(at.and_utc().timestamp_millis());
    let end = Wall(start.0 + BUCKET_MS);
    match spans.last_mut() {
        Some(last) if last.end == start && last.ahead_ms == ahead_ms => last.end = end,
        _ => spans.push(Span { start, end, ahead_ms }),
    }
}

/// chrono alone takes more: signs, spaces, years of one or of five digits.
fn day(text: &str, field: &'static str) -> Result<NaiveDate, RangeError> {
    let plain = text.len() == DATE_CHARS && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = if plain { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
    day.filter(|day| *day >= FIRST_DAY).ok_or(RangeError::NoDay { field })
}

#[cfg(test)]
mod tests;
