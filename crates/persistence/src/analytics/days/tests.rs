use chrono::{TimeDelta, Timelike};

use super::*;
use crate::DateRange;

const ZONES: [&str; 6] = [
    "UTC",
    "Asia/Kathmandu",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
];

fn spans(from: &str, to: &str, zone: &str) -> Vec<Span> {
    DateRange::parse(from, to, Some(zone)).unwrap().spans()
}

/// The quarters of an hour of both, in order, with the difference of the clocks.
fn quarters(cut: &Cut) -> Vec<(i64, i64)> {
    let of = |start: i64, end: i64, ahead: i64| {
        (start..end).step_by(BUCKET_MS as usize).map(move |quarter| (quarter, ahead))
    };
    let days = cut
        .days
        .iter()
        .flat_map(|days| of(days.first * DAY_MS, (days.first + days.count) * DAY_MS, days.ahead_ms));
    let rest = cut.rest.iter().flat_map(|span| of(span.start.0, span.end.0, span.ahead_ms));
    let mut quarters: Vec<_> = days.chain(rest).collect();
    quarters.sort_unstable();
    quarters
}

#[test]
fn a_range_is_cut_without_loss() {
    for zone in ZONES {
        for (from, to) in
            [("2024-10-01", "2024-11-10"), ("2024-03-10", "2024-03-10"), ("2024-04-06", "2024-04-08")]
        {
            let spans = spans(from, to, zone);
            let whole = Cut { days: vec![], rest: spans.clone() };
            assert_eq!(quarters(&Cut::by_clock(&spans)), quarters(&whole), "{zone}");
            let times = |cut: &Cut| quarters(cut).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
            assert_eq!(times(&Cut::by_time(&spans)), times(&whole), "{zone}");
        }
    }
}

/// Less than a day is left at either end, and the day in which clocks are changed; of the time nothing else.
#[test]
fn little_is_left() {
    let spans = spans("2024-10-01", "2024-11-30", "America/New_York");
    let (by_clock, by_time) = (Cut::by_clock(&spans), Cut::by_time(&spans));
    assert_eq!(by_clock.days.iter().map(|days| days.count).collect::<Vec<_>>(), [32, 27]);
    assert_eq!((by_clock.rest.len(), quarters(&Cut { days: vec![], ..by_clock }).len()), (4, 80 + 96 + 20));
    assert_eq!((by_time.days.len(), by_time.days[0].count, by_time.rest.len()), (1, 60, 2));
}

/// Of time with a gap, as where clocks go back over midnight, the longer stretch of days is kept.
#[test]
fn days_of_all_the_time_are_one_after_another() {
    let span =
        |from: i64, until: i64| Span { start: Wall(from * HOUR_MS), end: Wall(until * HOUR_MS), ahead_ms: 0 };
    let cut = Cut::by_time(&[span(20, 80), span(81, 300)]);
    assert_eq!(cut.days, [WholeDays { first: 4, count: 8, ahead_ms: 0 }]);
    assert_eq!(cut.rest, [span(20, 24), span(24, 72), span(72, 80), span(81, 96), span(288, 300)]);
}

#[test]
fn weeks_are_from_monday_to_monday() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let days = |first: &str, count: i64| WholeDays {
        first: day(first).signed_duration_since(NaiveDate::default()).num_days(),
        count,
        ahead_ms: 0,
    };
    let weeks = |first, count| days(first, count).weeks().map(|day| day.to_string());
    assert_eq!(weeks("2024-10-05", 30), ["2024-10-07", "2024-11-04"]);
    assert_eq!(weeks("2024-10-07", 7), ["2024-10-07", "2024-10-14"]);
    assert_eq!(weeks("2024-10-07", 6), ["2024-10-13", "2024-10-13"]);
    assert_eq!(weeks("2024-10-08", 12), ["2024-10-20", "2024-10-20"]);
    assert_eq!(weeks("2024-10-08", 13), ["2024-10-14", "2024-10-21"]);
    assert_eq!(weeks("1969-12-28", 9), ["1969-12-29", "1970-01-05"]);
}

/// Day by day what the clocks show in each quarter.
#[test]
fn dates_and_hours_are_what_clocks_show() {
    for zone in ZONES {
        for days in Cut::by_clock(&spans("2024-02-27", "2024-03-02", zone)).days {
            let (marks, earlier) = (days.marks(), days.on_the_earlier_date());
            assert_eq!(marks.len() as i64, days.count + 1);
            for nth in 0..days.count * 2 * HALF {
                let quarter = nth % (2 * HALF);
                let mut one = [0, 0];
                one[(quarter / HALF) as usize] = 1 << (quarter % HALF);
                let is_earlier = one[0] & earlier[0] != 0 || one[1] & earlier[1] != 0;
                let mut told = UserUse::default();
                told.mark(marks[(nth / 96 + i64::from(!is_earlier)) as usize].unsigned_abs());
                told.hours = days.hours(one);
                let at = days.first_day().and_time(chrono::NaiveTime::MIN)
                    + TimeDelta::milliseconds(nth * BUCKET_MS + days.ahead_ms);
                let shown = UserUse {
                    hours: 1 << at.hour(),
                    months: 1 << at.month(),
                    weekdays: 1 << at.weekday().number_from_monday(),
                    ..UserUse::default()
                };
                assert_eq!(told, shown, "{zone}, {at}");
            }
        }
    }
}
