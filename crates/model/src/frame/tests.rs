use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::{CleanText, Limits, WeddingId, limits};

#[test]
fn codes_have_one_number_and_one_name() {
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
        let json = serde_json::to_string(code).unwrap();
        assert_eq!(serde_json::from_str::<ErrorCode>(&json).unwrap(), *code);
    }
    for code in CloseCode::ALL {
        assert_eq!(CloseCode::from_number(code.number()), Some(*code));
        assert_eq!(CloseCode::from_name(code.name()), Some(*code));
        let json = serde_json::to_string(code).unwrap();
        assert_eq!(serde_json::from_str::<CloseCode>(&json).unwrap(), *code);
    }
    let names: BTreeSet<_> = CloseCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), CloseCode::ALL.len());
    assert_eq!(CloseCode::from_number(4_999), None);
    assert_eq!((ErrorCode::from_name(""), CloseCode::from_name("Normal")), (None, None));
    assert!(serde_json::from_str::<CloseCode>("\"unheard_of\"").is_err());
}

/// The range tells a client what to do.
#[test]
fn close_codes_are_in_their_ranges() {
    for code in CloseCode::ALL {
        let number = code.number();
        assert!((1_000..=1_015).contains(&number) || (4_000..4_400).contains(&number), "{code:?}");
    }
    assert_eq!(CloseCode::Replaced.number() / 100, 40);
    assert_eq!(CloseCode::TooManySessions.number() / 100, 41);
    assert_eq!(CloseCode::TokenExpired.number() / 100, 42);
    assert_eq!(CloseCode::AccountDisabled.number() / 100, 43);
}

/// What is said besides views has to fit one turn, also at its heaviest.
#[test]
fn the_heaviest_answers_fit_a_turn() {
    let budget = limits::TURN_BYTES - limits::TURN_OVERHEAD_BYTES;
    let text = |n: usize| CleanText::parse(&"🎂".repeat(n), "text", n).unwrap();
    let settings = Settings {
        custom_status: text(limits::CUSTOM_STATUS_CHARS),
        custom_emoji: text(limits::CUSTOM_EMOJI_CHARS),
        ..Settings::default()
    };
    let count = Limits::default().subscriptions_per_session;
    let channel = ChannelId::Wedding(WeddingId(Uuid::nil()));
    let subscribed = SubscribedChannel { channel, outcome: Ok(SubscriptionId(u32::MAX)) };
    let resumed = vec![(SubscriptionId(u32::MAX), Err(NotResumed::UnknownChannel)); count];
    let welcome = WelcomeFrame {
        user: UserId(Uuid::nil()),
        session: SessionId(Uuid::nil()),
        resume: Some(ResumeOutcome::Resumed(resumed)),
        heartbeat_ms: u64::MAX,
        heartbeat_timeout_ms: u64::MAX,
        resume_ms: u64::MAX,
        settings: settings.clone(),
    };
    let error = RequestError::new(ErrorCode::Malformed, "x".repeat(200));
    assert_eq!(error.retry_after_ms, None);
    for frame in [
        Outgoing::Subscribed { re: RequestId(1), channels: vec![subscribed; count] },
        Outgoing::Welcome(WelcomeFrame { resume: None, ..welcome.clone() }),
        Outgoing::Welcome(welcome),
        Outgoing::Settings(settings),
        Outgoing::Error { re: None, error },
        Outgoing::Heartbeat,
    ] {
        assert!(frame.weight() <= budget, "{frame:?}");
    }
}
