use model::CloseCode;
use wire::Closing;

use super::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn the_range_of_a_code_says_whether_to_come_back() {
    let told = Duration::from_millis(4_200);
    for (code, untold, with_told) in [
        (Some(1000), Comeback::Never, Comeback::Never),
        (Some(1001), Comeback::Backoff, Comeback::After(told)),
        (Some(1011), Comeback::Backoff, Comeback::After(told)),
        (Some(4000), Comeback::AtOnce, Comeback::After(told)),
        (Some(4099), Comeback::AtOnce, Comeback::After(told)),
        (Some(4100), Comeback::Within(secs(60)), Comeback::After(told)),
        (Some(4199), Comeback::Within(secs(60)), Comeback::After(told)),
        (Some(4200), Comeback::NewToken, Comeback::NewToken),
        (Some(4299), Comeback::NewToken, Comeback::NewToken),
        (Some(4300), Comeback::Never, Comeback::Never),
        (Some(4399), Comeback::Never, Comeback::Never),
        (Some(4999), Comeback::Backoff, Comeback::After(told)),
        (None, Comeback::AtOnce, Comeback::After(told)),
    ] {
        assert_eq!(Comeback::after_close(code, None), untold, "{code:?}");
        assert_eq!(Comeback::after_close(code, Some(Duration::ZERO)), untold, "{code:?}, told nothing");
        assert_eq!(Comeback::after_close(code, Some(told)), with_told, "{code:?}, told");
    }
}

#[test]
fn every_code_of_the_protocol_has_a_range() {
    for code in CloseCode::ALL {
        let comeback = Comeback::after_close(Some(code.number()), None);
        let is_final = matches!(code, CloseCode::Normal) || code.number() >= 4300;
        assert_eq!(comeback == Comeback::Never, is_final, "{}", code.name());
    }
}

#[test]
fn a_wait_past_reason_is_cut() {
    assert_eq!(Comeback::after_close(Some(4100), Some(secs(1_000_000))), Comeback::After(MOST_TOLD));
}

#[test]
fn a_lost_close_frame_leaves_what_was_said_before_it() {
    let closing = Closing { reconnect_after_ms: Some(70), ..Closing::new(CloseCode::Restarting) };
    let closed = Closed { closing: Some(Box::new(closing)), ..Closed::default() };
    assert_eq!(closed.close_code(), Some(CloseCode::Restarting));
    let error = SocketError::Closed(closed);
    assert_eq!(Comeback::after(&error), Comeback::After(Duration::from_millis(70)));
}

#[test]
fn refused_handshakes_mean_what_they_mean_on_rest() {
    let after = |status, retry_after_s| {
        Comeback::after(&SocketError::Refused(Refusal { status, retry_after_s, body: String::new() }))
    };
    assert_eq!(after(401, None), Comeback::NewToken);
    assert_eq!(after(429, Some(3)), Comeback::After(secs(3)));
    assert_eq!(after(503, None), Comeback::Backoff);
    for status in [400, 403, 404, 405, 426] {
        assert_eq!(after(status, Some(3)), Comeback::Never, "{status}");
    }
}

#[test]
fn other_errors() {
    assert_eq!(Comeback::after(&SocketError::Url("no".into())), Comeback::Never);
    assert_eq!(Comeback::after(&SocketError::Subprotocol), Comeback::Never);
    let unexpected = SocketError::Unexpected { expected: "a welcome", got: "an ack".into() };
    assert_eq!(Comeback::after(&unexpected), Comeback::Backoff);
}

#[test]
fn waits_are_drawn_from_nothing_to_a_ceiling_that_doubles_up_to_a_bound() {
    let backoff = Backoff::default();
    for (attempt, ceiling_s) in [(0, 1), (1, 2), (2, 4), (4, 16), (5, 30), (31, 30), (32, 30), (u32::MAX, 30)]
    {
        assert_eq!(backoff.wait(attempt, 0), Duration::ZERO);
        assert_eq!(backoff.wait(attempt, ceiling_s * 1_000), secs(ceiling_s), "attempt {attempt}");
        assert_eq!(backoff.wait(attempt, ceiling_s * 1_000 + 1), Duration::ZERO, "attempt {attempt}");
    }
}

#[test]
fn waits_by_comeback() {
    let wait = |comeback, attempt| Backoff::default().wait_for(comeback, attempt, 1_000);
    assert_eq!(wait(Comeback::AtOnce, 0), Some(Duration::ZERO));
    assert_eq!(wait(Comeback::AtOnce, 1), Some(secs(1)));
    assert_eq!(wait(Comeback::NewToken, 0), Some(Duration::ZERO));
    assert_eq!(wait(Comeback::NewToken, 3), Some(secs(1)));
    assert_eq!(wait(Comeback::Backoff, 0), Some(secs(1)));
    assert_eq!(wait(Comeback::After(secs(7)), 9), Some(secs(7)));
    assert_eq!(wait(Comeback::Within(secs(60)), 0), Some(secs(1)));
    assert_eq!(wait(Comeback::Never, 0), None);
}
