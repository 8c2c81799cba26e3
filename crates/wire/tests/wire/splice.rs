//! Encoding: the splice gives what serde would give, everything comes back as it went, and no frame is larger than
//! its weight says.

use std::sync::Arc;

use model::{
    ChannelId, CloseCode, Encoding, EntryId, Limits, Outgoing, Phase, Record, RequestId, ResumeRequest,
    SubscriptionId, ViewFrame,
    limits::{TURN_BYTES, TURN_OVERHEAD_BYTES},
};
use proptest::prelude::*;
use serde::Serialize;
use wire::{
    Announced, ClientFrame, Closing, Hello, ServerFrame, Token, decode_client, decode_server, encode,
    encode_client, encode_record, encode_server,
};

use crate::any;

/// Bytes that the heart counts for a leave.
const LEAVE_WEIGHT: usize = 64;

/// A view frame as serde would write it.
#[derive(Serialize)]
struct Reference<'a> {
    t: &'static str,
    sub: SubscriptionId,
    seq: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    join: Option<Vec<&'a Record>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    update: Vec<&'a Record>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    leave: &'a [EntryId],
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

fn reference(encoding: Encoding, frame: &ViewFrame) -> Vec<u8> {
    let more = match frame.phase {
        Phase::Snapshot { more } => Some(more),
        Phase::Live => None,
    };
    let join: Vec<_> = frame.join.iter().map(|shared| shared.record()).collect();
    let reference = Reference {
        t: if more.is_some() { "snapshot" } else { "diff" },
        sub: frame.subscription,
        seq: frame.sequence,
        join: (more.is_some() || !join.is_empty()).then_some(join),
        update: frame.update.iter().map(|shared| shared.record()).collect(),
        leave: &frame.leave,
        more,
    };
    match encoding {
        Encoding::Json => serde_json::to_vec(&reference).unwrap(),
        Encoding::MessagePack => rmp_serde::to_vec_named(&reference).unwrap(),
    }
}

fn weight(frame: &ViewFrame) -> usize {
    let records = frame.join.iter().chain(&frame.update).map(|shared| shared.record().weight());
    records.sum::<usize>() + LEAVE_WEIGHT * frame.leave.len()
}

/// The frame cut down until the heart would send it in one turn.
fn fitted(mut frame: ViewFrame) -> ViewFrame {
    while weight(&frame) > TURN_BYTES - TURN_OVERHEAD_BYTES {
        let longest = frame.join.len().max(frame.update.len()).max(frame.leave.len());
        frame.join.truncate(longest - 1);
        frame.update.truncate(longest - 1);
        frame.leave.truncate(longest - 1);
    }
    frame
}

proptest! {
    #[test]
    fn the_splice_gives_the_bytes_of_serde(frame in any::view(4)) {
        for encoding in Encoding::ALL {
            let bytes = encode(encoding, &Outgoing::View(frame.clone()), &Limits::default());
            prop_assert_eq!(&bytes, &reference(encoding, &frame));
            prop_assert_eq!(decode_server(encoding, &bytes), Ok(ServerFrame::View(frame.clone())));
        }
    }

    #[test]
    fn what_the_heart_says_comes_back(said in any::outgoing()) {
        let limits = Limits::default();
        for encoding in Encoding::ALL {
            let bytes = encode(encoding, &said, &limits);
            let frame = ServerFrame::new(said.clone(), &limits);
            prop_assert_eq!(&encode_server(encoding, &frame), &bytes);
            prop_assert_eq!(decode_server(encoding, &bytes), Ok(frame));
            prop_assert!(encoding == Encoding::MessagePack || String::from_utf8(bytes).is_ok());
        }
    }

    #[test]
    fn what_the_shell_says_comes_back(frame in any::shell_frame()) {
        for encoding in Encoding::ALL {
            prop_assert_eq!(decode_server(encoding, &encode_server(encoding, &frame)), Ok(frame.clone()));
        }
    }

    #[test]
    fn what_a_client_says_comes_back(frame in any::client_frame()) {
        for encoding in Encoding::ALL {
            let bytes = encode_client(encoding, &frame);
            prop_assert_eq!(decode_client(encoding, &bytes), Ok(frame.clone()));
        }
    }

    #[test]
    fn a_record_is_no_larger_than_its_weight(record in any::record()) {
        for encoding in Encoding::ALL {
            let bytes = encode_record(encoding, &record).len();
            // And its comma.
            prop_assert!(bytes < record.weight(), "{} bytes, weight {}", bytes, record.weight());
        }
    }

    #[test]
    fn what_the_heart_says_is_no_larger_than_its_weight(said in any::outgoing()) {
        prop_assume!(!matches!(said, Outgoing::View(_)));
        for encoding in Encoding::ALL {
            let bytes = encode(encoding, &said, &Limits::default()).len();
            prop_assert!(bytes <= said.weight(), "{} bytes, weight {}: {:?}", bytes, said.weight(), said);
        }
    }

    #[test]
    fn a_view_frame_of_one_turn_fits_into_it(frame in any::view(120).prop_map(fitted)) {
        for encoding in Encoding::ALL {
            let bytes = encode(encoding, &Outgoing::View(frame.clone()), &Limits::default()).len();
            prop_assert!(bytes <= TURN_BYTES, "{} bytes of weight {}", bytes, weight(&frame));
        }
    }
}

#[test]
fn a_turn_full_of_leaves_fits() {
    let entry = EntryId::Account(model::AccountId(uuid::Uuid::from_u128(u128::MAX)));
    let frame = ViewFrame {
        subscription: SubscriptionId(u32::MAX),
        sequence: u32::MAX,
        phase: Phase::Snapshot { more: false },
        join: Vec::new(),
        update: Vec::new(),
        leave: vec![entry; (TURN_BYTES - TURN_OVERHEAD_BYTES) / LEAVE_WEIGHT],
    };
    for encoding in Encoding::ALL {
        assert!(encode_server(encoding, &ServerFrame::View(frame.clone())).len() <= TURN_BYTES);
    }
}

#[test]
fn records_are_encoded_once_for_all_who_see_the_same() {
    let record = Record::Person(model::PersonRecord {
        user_id: model::UserId(uuid::Uuid::from_u128(7)),
        state: model::PersonState::Offline { last_seen: None },
    });
    let shared = Arc::new(model::SharedRecord::new(record));
    let frame = |sequence| ViewFrame {
        subscription: SubscriptionId(1),
        sequence,
        phase: Phase::Live,
        join: vec![shared.clone()],
        update: Vec::new(),
        leave: Vec::new(),
    };
    for encoding in Encoding::ALL {
        let first = encode_server(encoding, &ServerFrame::View(frame(1)));
        let bytes = shared.encoded(encoding, |_, _| unreachable!("encoded by the first frame"));
        assert!(first.windows(bytes.len()).any(|part| part == bytes));
        assert_ne!(first, encode_server(encoding, &ServerFrame::View(frame(2))));
    }
}

#[test]
fn a_welcome_tells_the_limits_of_the_installation() {
    let limits = Limits { subscriptions_per_session: 5, ..Limits::default() };
    assert_eq!(Announced::from(&limits), Announced { message_bytes: 16_384, subscriptions: 5 });
}

#[test]
fn every_close_code_can_be_announced() {
    for code in CloseCode::ALL {
        let frame = ServerFrame::Closing(Closing::new(*code));
        for encoding in Encoding::ALL {
            assert_eq!(decode_server(encoding, &encode_server(encoding, &frame)), Ok(frame.clone()));
        }
    }
}

#[test]
fn an_unknown_frame_has_no_bytes() {
    assert!(
        Encoding::ALL.into_iter().all(|encoding| encode_server(encoding, &ServerFrame::Unknown).is_empty())
    );
}

#[test]
fn a_token_is_not_in_the_debug_text_of_its_frame() {
    let frame = ClientFrame::Hello(Hello { token: Some(Token::new("secret")), ..Hello::default() });
    assert!(!format!("{frame:?}").contains("secret"));
    let code =
        r#"{"t":"hello","clockIn":{"code":"secret","accountId":"5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07"}}"#;
    let frame = decode_client(Encoding::Json, code.as_bytes()).unwrap();
    assert!(!format!("{frame:?}").contains("secret"), "{frame:?}");
}

#[test]
fn a_subprotocol_names_its_encoding() {
    for encoding in Encoding::ALL {
        assert_eq!(wire::encoding_of(wire::subprotocol(encoding)), Some(encoding));
    }
    assert_eq!(wire::encoding_of("presence.v2.json"), None);
    assert_eq!(wire::encoding_of(&format!("{}x", wire::TOKEN_SUBPROTOCOL)), None);
}

#[test]
fn null_in_settings_removes_a_text_as_it_is_sent() {
    let text = br#"{"t":"setSettings","id":1,"settings":{"customStatus":null,"visibility":null}}"#;
    let Ok(ClientFrame::SetSettings(frame)) = decode_client(Encoding::Json, text) else { panic!("not read") };
    assert_eq!(frame.settings.custom_status.as_deref(), Some(""));
    assert_eq!((frame.settings.custom_emoji, frame.settings.visibility), (None, None));
}

#[test]
fn the_largest_hello_of_the_protocol_fits_into_a_message() {
    let point = |number| model::ResumePoint { subscription: SubscriptionId(number), sequence: u32::MAX };
    let session = model::SessionId(uuid::Uuid::from_u128(u128::MAX));
    let subscriptions = (u32::MAX - 63..=u32::MAX).map(point).collect();
    let channels =
        |last| (0..last).map(|id| ChannelId::Organization(model::OrganizationId(uuid::Uuid::from_u128(id))));
    let mut track = model::TrackRequest::of(model::Status::Online);
    track.current_page = Some("é".repeat(512));
    track.custom_status = Some("\u{10FFFF}".repeat(100));
    track.scope = Some(channels(64).collect());
    let frame = ClientFrame::Hello(Hello {
        token: Some(Token::new("x".repeat(4096))),
        resume: Some(ResumeRequest { session, subscriptions }),
        track: Some(track),
        clock_in: None,
    });
    for encoding in Encoding::ALL {
        assert_eq!(decode_client(encoding, &encode_client(encoding, &frame)), Ok(frame.clone()));
    }
    assert_eq!(frame.id(), None::<RequestId>);
}
