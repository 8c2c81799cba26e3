//! Whole messages: the header of RFC 6455, then the frame as it is encoded.

use model::{Encoding, ErrorCode, Limits, Outgoing, RequestError};
use proptest::prelude::*;
use wire::{encode, message_into};

use crate::any;

/// What RFC 6455, 5.2 puts before an unmasked payload of `length` bytes.
fn header(encoding: Encoding, length: usize) -> Vec<u8> {
    let first = match encoding {
        Encoding::Json => 0x81,
        Encoding::MessagePack => 0x82,
    };
    match length {
        0..=125 => vec![first, length as u8],
        126..=0xFFFF => [&[first, 126], &(length as u16).to_be_bytes()[..]].concat(),
        _ => [&[first, 127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

fn check(encoding: Encoding, frame: &Outgoing) {
    let limits = Limits::default();
    let payload = encode(encoding, frame, &limits);
    // Behind another message, as in a turn of several.
    let mut out = b"before".to_vec();
    message_into(&mut out, encoding, frame, &limits);
    assert_eq!(out, [&b"before"[..], &header(encoding, payload.len()), &payload].concat());
}

proptest! {
    #[test]
    fn a_message_is_its_header_and_its_frame(frame in any::outgoing()) {
        for encoding in Encoding::ALL {
            check(encoding, &frame);
        }
    }

    #[test]
    fn a_message_of_a_large_view_too(frame in any::view(40)) {
        for encoding in Encoding::ALL {
            check(encoding, &Outgoing::View(frame.clone()));
        }
    }
}

fn error_of(chars: usize) -> Outgoing {
    Outgoing::Error { re: None, error: RequestError::new(ErrorCode::Internal, "x".repeat(chars)) }
}

#[test]
fn lengths_where_the_header_changes() {
    for encoding in Encoding::ALL {
        let length = |chars: usize| encode(encoding, &error_of(chars), &Limits::default()).len();
        for wanted in [125, 126, 127, 65_535, 65_536] {
            let chars = (wanted - 100..wanted).find(|chars| length(*chars) == wanted);
            check(encoding, &error_of(chars.expect("a message that makes the frame so long")));
        }
    }
}
