//! Bytes from anybody: whatever they are, the answer is a frame or an error, and neither a panic nor a long wait.

use model::{Encoding, limits::INBOUND_BYTES};
use proptest::{collection::vec, prelude::*, sample::Index};
use wire::{DecodeErrorKind, decode_client, decode_server};

use crate::files::{self, Direction};

/// Reads the bytes in every way; the outcome does not matter, that there is one does.
fn read_in_every_way(bytes: &[u8]) {
    for encoding in Encoding::ALL {
        let _ = decode_server(encoding, bytes);
        if let Err(error) = decode_client(encoding, bytes) {
            assert!(error.message.chars().count() <= 240, "{error}");
        }
    }
}

/// Golden and refused frames, in both encodings.
fn seeds() -> Vec<Vec<u8>> {
    let golden = Direction::BOTH.into_iter().flat_map(files::all_vectors);
    let golden = golden.flat_map(|(_, vector)| Encoding::ALL.map(|encoding| vector.bytes(encoding)));
    let refused = files::refused();
    let refused = refused.iter().flat_map(|bad| Encoding::ALL.map(|encoding| bad.bytes(encoding))).flatten();
    golden.chain(refused).filter(|bytes| !bytes.is_empty()).collect()
}

/// One small harm done to a frame.
#[derive(Clone, Debug)]
enum Harm {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

impl Harm {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Self::Flip(at, byte)),
            any::<Index>().prop_map(Self::Cut),
            (any::<Index>(), vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            any::<(Index, Index)>().prop_map(|(from, to)| Self::Repeat(from, to)),
        ]
    }

    fn done_to(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, byte) => *at.get_mut(bytes) ^= byte,
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new);
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(from..from, part);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        read_in_every_way(&bytes);
    }

    #[test]
    fn any_text(text in r#"[\[\]{}":,a-z0-9\\ ]{0,80}"#) {
        read_in_every_way(text.as_bytes());
    }

    #[test]
    fn harmed_frames(seed in any::<Index>(), harms in vec(Harm::any(), 1..5)) {
        static SEEDS: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(seeds);
        let mut bytes = seed.get(&SEEDS).clone();
        harms.into_iter().for_each(|harm| harm.done_to(&mut bytes));
        read_in_every_way(&bytes);
    }
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let padded = |length: usize| {
        let frame = br#"{"t":"ping","id":1}"#;
        [&b" ".repeat(length - frame.len()), frame.as_slice()].concat()
    };
    assert!(decode_client(Encoding::Json, &padded(INBOUND_BYTES)).is_ok());
    let error = decode_client(Encoding::Json, &padded(INBOUND_BYTES + 1)).unwrap_err();
    assert_eq!((error.kind, error.code()), (DecodeErrorKind::TooLarge, model::ErrorCode::TooLarge));
}

/// As many open brackets as a message can hold, in all the ways in which a decoder might recurse.
#[test]
fn the_deepest_nesting_there_can_be() {
    for opening in [&b"["[..], b"{\"a\":", b"\x91", b"\x81\xa1a", b"\xdc\x00\x01", b"\x81"] {
        let mut bytes = opening.repeat(INBOUND_BYTES / opening.len());
        read_in_every_way(&bytes);
        bytes.splice(0..0, b"\x81\xa1t".iter().copied());
        read_in_every_way(&bytes);
    }
}

#[test]
fn wide_frames_are_read_without_depth() {
    let flat = [b"\xdd\x00\x00\x30\x00".as_slice(), &[0xc0; 0x3000]].concat();
    read_in_every_way(&flat);
    read_in_every_way(&[b"[".as_slice(), &b"1,".repeat(8_000), b"1]"].concat());
}
