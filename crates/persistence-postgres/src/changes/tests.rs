use super::*;

fn place(at_ms: i64) -> Place {
    Place { at_ms, server_since_us: 7, snapshot: "10:20:10,14".into() }
}

#[test]
fn a_place_survives_its_cursor() {
    let cursor = Cursor::from(place(3));
    assert_eq!(cursor.0, "3/7/10:20:10,14");
    assert_eq!(cursor.0.parse(), Ok(place(3)));
    assert_eq!("3/7/10:20:".parse::<Place>().map(|place| place.snapshot), Ok("10:20:".to_owned()));
}

#[test]
fn what_is_no_place_is_no_place() {
    for text in ["", "17", "1/2", "1/2/", "1/2/x:y:", "1/x/10:20:", "1/2/10:'", "1/2/:20:"] {
        assert_eq!(text.parse::<Place>(), Err(()), "{text}");
    }
}

#[test]
fn a_place_lasts_half_an_hour_on_one_server() {
    let minutes = |n: i64| place(n * 60_000);
    assert!(!is_too_old(&minutes(0), &minutes(29)));
    assert!(is_too_old(&minutes(0), &minutes(30)));
    assert!(is_too_old(&minutes(1), &minutes(0)), "the clock was set back");
    assert!(is_too_old(&place(0), &Place { server_since_us: 8, ..place(0) }), "another server");
}
