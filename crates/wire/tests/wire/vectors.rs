//! The golden frames: what they read as, and that encoding gives exactly their bytes.
//!
//! To add one, write its `name` and `json` and run `WIRE_VECTORS=write cargo test -p wire golden`: the MessagePack
//! is filled in. Read the change before you commit it: bytes that were there before must not have changed.

use model::Encoding;
use wire::{
    ClientFrame, DecodeErrorKind, ServerFrame, decode_client, decode_server, encode_client, encode_server,
};

use crate::files::{self, Direction, Vector};

/// A frame of either direction.
#[derive(Debug, PartialEq)]
enum Frame {
    Client(ClientFrame),
    Server(ServerFrame),
}

fn decoded(direction: Direction, encoding: Encoding, bytes: &[u8]) -> Result<Frame, wire::DecodeError> {
    match direction {
        Direction::Client => decode_client(encoding, bytes).map(Frame::Client),
        Direction::Server => decode_server(encoding, bytes).map(Frame::Server),
    }
}

fn encoded(encoding: Encoding, frame: &Frame) -> Vec<u8> {
    match frame {
        Frame::Client(frame) => encode_client(encoding, frame),
        Frame::Server(frame) => encode_server(encoding, frame),
    }
}

fn read(direction: Direction, vector: &Vector, encoding: Encoding) -> Frame {
    let frame = decoded(direction, encoding, &vector.bytes(encoding));
    frame.unwrap_or_else(|error| panic!("{}, {encoding:?}: {error}", vector.name))
}

fn rewrite(direction: Direction, kind: &str) {
    let row = |vector: &Vector| {
        let frame = read(direction, vector, Encoding::Json);
        let [json, msgpack] = Encoding::ALL.map(|encoding| encoded(encoding, &frame));
        (vector.name.clone(), json, msgpack)
    };
    let rows: Vec<_> = files::vectors(direction, kind).iter().map(row).collect();
    files::write_vectors(direction, kind, &rows);
}

#[test]
fn golden_frames_are_the_bytes_that_encoding_gives() {
    let write = std::env::var("WIRE_VECTORS").is_ok_and(|value| value == "write");
    for direction in Direction::BOTH {
        if write {
            direction.kinds().iter().for_each(|kind| rewrite(direction, kind));
        }
        for (kind, vector) in files::all_vectors(direction) {
            let [json, msgpack] = Encoding::ALL.map(|encoding| read(direction, &vector, encoding));
            assert_eq!(json, msgpack, "{kind}, {}", vector.name);
            for encoding in Encoding::ALL {
                let (is, golden) = (encoded(encoding, &json), vector.bytes(encoding));
                assert_eq!(files::hex(&is), files::hex(&golden), "{kind}, {}, {encoding:?}", vector.name);
            }
        }
    }
}

#[test]
fn golden_frames_are_of_the_kind_of_their_file() {
    for direction in Direction::BOTH {
        for (kind, vector) in files::all_vectors(direction) {
            assert_eq!(vector.json()["t"], kind, "{}", vector.name);
            let frame = read(direction, &vector, Encoding::Json);
            if let Frame::Client(frame) = frame {
                assert_eq!(frame.kind(), kind);
                assert_eq!(frame.id().map(|id| id.0.into()), vector.json().get("id").cloned());
            } else {
                assert_ne!(frame, Frame::Server(ServerFrame::Unknown));
            }
        }
    }
}

#[test]
fn there_are_no_golden_files_of_other_kinds() {
    for direction in Direction::BOTH {
        let folder = std::fs::read_dir(files::proto(&format!("vectors/{}", direction.name()))).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut kinds: Vec<_> = names.map(|name| name.trim_end_matches(".json").to_owned()).collect();
        kinds.sort();
        let mut expected = direction.kinds().to_vec();
        expected.sort();
        assert_eq!(kinds, expected);
    }
}

fn kind_name(kind: DecodeErrorKind) -> &'static str {
    match kind {
        DecodeErrorKind::Malformed => "malformed",
        DecodeErrorKind::UnknownKind => "unknownKind",
        DecodeErrorKind::TooDeep => "tooDeep",
        DecodeErrorKind::TooLarge => "tooLarge",
    }
}

#[test]
fn refused_frames_get_their_reaction() {
    for refused in files::refused() {
        for encoding in Encoding::ALL {
            let Some(bytes) = refused.bytes(encoding) else { continue };
            let place = format!("{}, {encoding:?}", refused.name);
            let error = decode_client(encoding, &bytes).expect_err(&place);
            assert_eq!(kind_name(error.kind), refused.kind, "{place}: {error}");
            assert_eq!(error.code().name(), refused.code, "{place}: {error}");
            assert_eq!(error.re.map(|re| re.0), refused.re, "{place}: {error}");
            let says = refused.says.as_deref().unwrap_or_default();
            assert!(error.message.contains(says), "{place}: {error}");
            assert!(!error.message.is_empty() && error.message.chars().count() <= 240, "{place}: {error}");
            assert!(!error.message.contains("eyJ"), "{place} repeats a token: {error}");
        }
    }
}

#[test]
fn clients_pass_over_what_a_later_version_adds() {
    for vector in files::passed_over() {
        for encoding in Encoding::ALL {
            let read = decode_server(encoding, &vector.bytes(encoding))
                .unwrap_or_else(|error| panic!("{}, {encoding:?}: {error}", vector.name));
            let expected = match vector.reads.get() {
                "null" => ServerFrame::Unknown,
                json => decode_server(Encoding::Json, json.as_bytes()).unwrap(),
            };
            assert_eq!(read, expected, "{}, {encoding:?}", vector.name);
        }
    }
}
