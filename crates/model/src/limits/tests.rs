use super::*;

/// The figures of the domain; whoever changes one changes what is promised.
#[test]
fn the_defaults_are_those_promised() {
    let limits = Limits::default();
    assert_eq!((limits.grace_ms, limits.typing_ms, limits.resume_ms), (10_000, 10_000, 120_000));
    assert_eq!((limits.rest_session_ms, limits.expiry_warning_ms), (90_000, 60_000));
    assert!(
        limits.heartbeat_ms + limits.heartbeat_timeout_ms <= 30_000,
        "a dead peer is noticed within 30 s"
    );
    assert!(limits.grace_ms < limits.resume_ms);
    assert_eq!(limits.subscriptions_per_session, 64);
    assert_eq!((CUSTOM_STATUS_CHARS, CUSTOM_EMOJI_CHARS, PAGE_CHARS), (100, 10, 512));
    assert_eq!((TURN_BYTES, INBOUND_BYTES), (8 * 1024, 16 * 1024));
}

#[test]
fn the_window_grows_with_what_is_shown_between_its_bounds() {
    let limits = Limits::default();
    let cases = [(0, 10), (20, 10), (50, 10), (51, 10), (55, 11), (599, 119), (600, 120), (601, 120)];
    for (entries, ms) in cases {
        assert_eq!(limits.window_ms_for(entries), ms, "{entries} entries");
    }
    let crossed = Limits { window_ms: 200, ..limits };
    assert_eq!(crossed.window_ms_for(1_000), 200, "the shortest counts where they cross");
    assert_eq!(Limits { window_us_per_entry: u64::MAX, ..crossed }.window_ms_for(usize::MAX), 200);
}
