use super::*;

#[test]
fn mono_never_overflows() {
    assert_eq!(Mono(u64::MAX) + 1, Mono(u64::MAX));
    assert_eq!(Mono(1) - Mono(2), 0);
    assert_eq!(Mono(5) - Mono(2), 3);
}

#[test]
fn the_two_clocks_are_told_apart_and_matched() {
    let now = Now { mono: Mono(1_000), wall: Wall(50_000) };
    assert_eq!(now.wall_at(Mono(400)), Wall(49_400));
    assert_eq!(now.wall_at(Mono(1_000)), Wall(50_000));
    assert_eq!(now.mono_at(Wall(50_700)), Mono(1_700));
    assert_eq!(now.mono_at(Wall(49_000)), Mono(1_000), "what has passed is now");
}

#[test]
fn times_are_cut_to_the_minute_also_before_the_epoch() {
    for (wall, minute) in [(0, 0), (59_999, 0), (60_000, 1), (-1, -1), (-60_000, -1), (-60_001, -2)] {
        assert_eq!(Wall(wall).minute(), Minute(minute), "{wall}");
    }
}

#[test]
fn a_minute_is_written_in_utc_and_read_from_any_offset() {
    let minute = Wall(1_790_000_012_345).minute();
    assert_eq!(minute.to_string(), "2026-09-21T14:13:00Z");
    assert_eq!(serde_json::to_string(&minute).unwrap(), "\"2026-09-21T14:13:00Z\"");
    for text in ["2026-09-21T14:13:00Z", "2026-09-21T16:13:59+02:00"] {
        assert_eq!(serde_json::from_value::<Minute>(text.into()).unwrap(), minute, "{text}");
    }
    assert!(serde_json::from_str::<Minute>("\"yesterday\"").is_err());
    assert_eq!(Minute(i64::MAX).to_string(), "out of range");
    assert_eq!(Minute(i64::MAX / 60).to_string(), "out of range");
}
