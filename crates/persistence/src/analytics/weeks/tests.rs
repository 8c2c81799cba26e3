use chrono::{TimeDelta, Timelike};

use super::*;
use crate::{DateRange, analytics::UserUse};

const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Kathmandu",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Africa/Monrovia",
];

fn spans(from: &str, to: &str, zone: &str) -> Vec<Span> {
    DateRange::parse(from, to, Some(zone)).unwrap().spans()
}

/// Each quarter of spans with what clocks showed in it, by the calendar.
fn shown(spans: &[Span]) -> Vec<(i64, UserUse)> {
    let of = |span: &Span| {
        let (start, end, ahead) = (span.start.0, span.end.0, TimeDelta::milliseconds(span.ahead_ms));
        (start..end).step_by(BUCKET_MS as usize).map(move |at| {
            let local = DateTime::from_timestamp_millis(at).unwrap() + ahead;
            let shown = UserUse {
                hours: 1 << local.hour(),
                months: 1 << local.month(),
                weekdays: 1 << local.weekday().number_from_monday(),
                ..UserUse::default()
            };
            (at, shown)
        })
    };
    spans.iter().flat_map(of).collect()
}

/// The same by parts of weeks, one bit at a time.
fn told(parts: &[WeekPart]) -> Vec<(i64, UserUse)> {
    let of = |part: &WeekPart| {
        let (part, clock) = (*part, WeekClock::new(part.ahead_ms));
        let monday = part.week.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        (part.first..part.after).map(move |quarter| {
            let mut bits = [0; WEEK_QUARTERS / 8];
            bits[quarter as usize / 8] = 0x80 >> (quarter % 8);
            let mut told = UserUse::default();
            told.mark(clock.marks(&bits) | part.mark.unsigned_abs());
            (monday + i64::from(quarter) * BUCKET_MS, told)
        })
    };
    parts.iter().flat_map(of).collect()
}

#[test]
fn parts_are_all_of_the_time_with_what_clocks_show() {
    for zone in ZONES {
        for (from, to) in [
            ("2024-09-25", "2024-11-10"),
            ("2024-03-10", "2024-03-10"),
            ("2024-02-26", "2024-03-03"),
            ("1971-12-20", "1972-01-20"),
        ] {
            let spans = spans(from, to, zone);
            assert!(told(&WeekPart::of(&spans)) == shown(&spans), "{zone}, {from}");
        }
    }
}

/// A row of a person is read once for a week, and once more where a month begins in it or clocks are changed.
#[test]
fn there_are_few_of_them() {
    let parts = WeekPart::of(&spans("2024-09-30", "2024-11-10", "America/New_York"));
    let of = |part: &WeekPart| (part.week.day(), part.first, part.after);
    assert_eq!(
        parts.iter().map(of).collect::<Vec<_>>(),
        [
            (30, 16, 112),
            (30, 112, 672),
            (7, 0, 672),
            (14, 0, 672),
            (21, 0, 672),
            (28, 0, 400),
            (28, 400, 600),
            (28, 600, 672),
            (4, 0, 672),
            (11, 0, 20),
        ]
    );
}

#[test]
fn a_clock_shows_what_is_set_and_nothing_else() {
    let clock = WeekClock::new(0);
    assert_eq!(clock.marks(&[]), 0);
    assert_eq!(clock.marks(&[0; 84]), 0);
    assert_eq!(clock.marks(&[0, 0b1000_0000]), 1 << 2 | 1 << 41);
    assert_eq!(clock.marks(&[0xFF; 84]), 0xFF_FFFF | 0b111_1111 << 41);
}
