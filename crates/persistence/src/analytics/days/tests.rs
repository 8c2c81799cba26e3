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

/// What is taken away has been added; and of no day more than half is added or taken away in quarters, but where it is no
/// neighbour of the others.
#[test]
fn a_balance_is_the_same_time() {
    let count =
        |spans: &[Span]| spans.iter().map(|span| (span.end.0 - span.start.0) / BUCKET_MS).sum::<i64>();
    for zone in ZONES {
        for (from, to) in
            [("2024-10-01", "2024-11-10"), ("2024-03-10", "2024-03-10"), ("2024-04-06", "2024-04-08")]
        {
            let cut = Cut::by_time(&spans(from, to, zone));
            let Balance { days, more, less } = cut.clone().balanced();
            let added = Cut { days: vec![days], rest: more.clone() };
            let taken = quarters(&Cut { days: vec![], rest: less.clone() });
            let mut times = quarters(&added);
            for quarter in &taken {
                times.remove(times.iter().position(|one| one == quarter).unwrap());
            }
            assert_eq!(times, quarters(&cut), "{zone}, {from}");
            let crosses = |span: &Span| span.end.0 > (span.start.0.div_euclid(DAY_MS) + 1) * DAY_MS;
            if !more.iter().any(crosses) {
                assert!(more.iter().chain(&less).all(|span| count(&[*span]) <= HALF), "{zone}, {from}");
            }
        }
    }
}

#[test]
fn most_of_a_day_is_the_day_less_the_rest() {
    let span =
        |from: i64, until: i64| Span { start: Wall(from * HOUR_MS), end: Wall(until * HOUR_MS), ahead_ms: 0 };
    let balanced = |spans: &[Span]| Cut::by_time(spans).balanced();
    let days = |first, count| WholeDays { first, count, ahead_ms: 0 };
    let of = |days, more: &[Span], less: &[Span]| Balance { days, more: more.to_vec(), less: less.to_vec() };
    assert_eq!(balanced(&[span(2, 70)]), of(days(0, 3), &[], &[span(0, 2), span(70, 72)]));
    assert_eq!(balanced(&[span(12, 61)]), of(days(1, 2), &[span(12, 24)], &[span(61, 72)]));
    assert_eq!(balanced(&[span(3, 20)]), of(days(0, 1), &[], &[span(0, 3), span(20, 24)]));
    assert_eq!(balanced(&[span(3, 10)]), of(days(0, 0), &[span(3, 10)], &[]));
    // Days that are no neighbours stay apart.
    let apart = [span(1, 24), span(73, 96)];
    assert_eq!(balanced(&apart), of(days(0, 1), &[span(73, 96)], &[span(0, 1)]));
    assert_eq!(Cut::by_time(&apart).plain(), of(days(0, 0), &apart, &[]));
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

#[test]
fn parts_are_in_their_days() {
    for (from, to, zone) in [
        ("2026-06-01", "2026-08-30", "Europe/Rome"),
        ("2026-06-01", "2026-06-01", "Europe/Rome"),
        ("2026-06-01", "2026-06-01", "UTC"),
        ("2026-03-01", "2026-04-01", "America/New_York"),
    ] {
        let time = Cut::by_time(&spans(from, to, zone)).plain();
        let days = time.days_of_parts();
        for span in &time.more {
            for at in (span.start.0..span.end.0).step_by(BUCKET_MS as usize) {
                let date = DateTime::from_timestamp_millis(at).unwrap().date_naive();
                assert!(days.contains(&date), "{from} to {to} in {zone}: {date} has a part");
            }
        }
        assert!(days.len() <= time.more.len() * 2, "{from} to {to} in {zone}: {days:?}");
    }
}
