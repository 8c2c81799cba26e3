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
