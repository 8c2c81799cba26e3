use super::*;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Start (in UTC), length and offset in hours of each span.
fn spans(from: &str, to: &str, zone: &str) -> Vec<(String, f64, f64)> {
    let hours = |ms: i64| ms as f64 / HOUR_MS as f64;
    let range = DateRange::parse(from, to, Some(zone)).unwrap();
    let told = range.spans().into_iter().map(|span| {
        let start = chrono::DateTime::from_timestamp_millis(span.start.0).unwrap();
        let start = start.format("%m-%dT%H:%M").to_string();
        (start, hours(span.end.0 - span.start.0), hours(span.ahead_ms))
    });
    told.collect()
}

fn span(start: &str, hours: f64, ahead: f64) -> (String, f64, f64) {
    (start.to_owned(), hours, ahead)
}

#[test]
fn days_are_as_long_as_the_clocks_of_the_zone_make_them() {
    assert_eq!(spans("2026-02-28", "2026-03-01", "UTC"), [span("02-28T00:00", 48.0, 0.0)]);
    assert_eq!(spans("2026-01-01", "2026-01-01", "Asia/Kathmandu"), [span("12-31T18:15", 24.0, 5.75)]);
    let autumn = [span("11-03T04:00", 2.0, -4.0), span("11-03T06:00", 23.0, -5.0)];
    assert_eq!(spans("2024-11-03", "2024-11-03", "America/New_York"), autumn);
    let spring = [span("03-10T05:00", 2.0, -5.0), span("03-10T07:00", 21.0, -4.0)];
    assert_eq!(spans("2024-03-10", "2024-03-10", "America/New_York"), spring);
    let half = [span("10-05T13:30", 2.0, 10.5), span("10-05T15:30", 21.5, 11.0)];
    assert_eq!(spans("2024-10-06", "2024-10-06", "Australia/Lord_Howe"), half);
}

/// 23 o'clock came twice, so that the day before had 25 hours; where midnight was left out, the day begins at 1 o'clock.
#[test]
fn clocks_are_changed_at_midnight_too() {
    let long = [span("02-17T02:00", 24.0, -2.0), span("02-18T02:00", 1.0, -3.0)];
    assert_eq!(spans("2018-02-17", "2018-02-17", "America/Sao_Paulo"), long);
    assert_eq!(spans("2018-02-18", "2018-02-18", "America/Sao_Paulo"), [span("02-18T03:00", 24.0, -3.0)]);
    assert_eq!(spans("2018-11-04", "2018-11-04", "America/Sao_Paulo"), [span("11-04T03:00", 23.0, -2.0)]);
    assert_eq!(spans("2011-12-30", "2011-12-30", "Pacific/Apia"), []);
}

#[test]
fn a_range_has_so_many_days_and_no_more() {
    assert!(DateRange::parse("2023-12-31", "2024-12-30", None).is_ok(), "366 of them");
    assert!(
        DateRange::parse("2023-12-31", "2024-12-31", None).is_err_and(|error| error == RangeError::TooLong)
    );
    assert!(
        DateRange::parse("2016-01-01", "2026-01-01", None).is_err_and(|error| error == RangeError::TooLong)
    );
    assert!(
        DateRange::parse("2026-01-02", "2026-01-01", None).is_err_and(|error| error == RangeError::Reversed)
    );
    assert!(DateRange::parse("9999-12-31", "9999-12-31", None).is_ok_and(|range| range.spans().len() == 1));
}

#[test]
fn what_is_no_day_or_zone_is_refused() {
    for text in
        ["", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-01", "+2026-1-1", "1969-12-31", "2026-01-01Z"]
    {
        for (from, to, field) in [(text, "2026-01-01", "from"), ("2026-01-01", text, "to")] {
            assert_eq!(DateRange::parse(from, to, None), Err(RangeError::NoDay { field }), "{text}");
        }
    }
    for zone in ["", "Mars/Olympus", "europe/berlin", "UTC+1", "+01:00", "Europe/Berlin "] {
        let parsed = DateRange::parse("2026-01-01", "2026-01-01", Some(zone));
        assert_eq!(parsed, Err(RangeError::NoZone), "{zone}");
    }
}
