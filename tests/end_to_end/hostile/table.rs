//! One row each: what is sent, and what must come back. After every row a healthy neighbour gets its round trip.

use std::sync::Arc;

use model::{Encoding, ErrorCode};

use super::raw::{Answer, BINARY, CONTINUATION, FIN, PING, RSV1, Raw, TEXT, frame, header};
use crate::fixture::{Launch, World, token};

/// Bytes to put on the wire, with what comes back.
type Row = (&'static str, Vec<u8>, Answer);

const MALFORMED: Answer = Answer::Error(ErrorCode::Malformed);

fn text(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_ref())
}

fn binary(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FIN | BINARY, payload.as_ref())
}

/// A ping of exactly so many bytes, by spaces that JSON passes over.
fn padded(bytes: usize) -> Vec<u8> {
    let ping = r#"{"t":"ping","id":5}"#;
    format!("{ping}{}", " ".repeat(bytes - ping.len())).into_bytes()
}

fn in_fragments(payload: &[u8], size: usize) -> Vec<u8> {
    let count = payload.len().div_ceil(size);
    let part = |(n, part): (usize, &[u8])| {
        let first = if n == 0 { TEXT } else { CONTINUATION };
        frame(first | if n + 1 == count { FIN } else { 0 }, part)
    };
    payload.chunks(size).enumerate().flat_map(part).collect()
}

fn json_rows() -> Vec<Row> {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        text(format!(r#"{{"t":"ping","id":1,"x":{open}{close}}}"#))
    };
    vec![
        ("not JSON", text("{"), MALFORMED),
        ("empty", text(""), MALFORMED),
        ("two documents", text(r#"{"t":"ping","id":1}{"t":"ping","id":2}"#), MALFORMED),
        ("a list", text("[]"), MALFORMED),
        ("a number", text("17"), MALFORMED),
        ("no kind", text(r#"{"id":1}"#), MALFORMED),
        ("an unknown kind", text(r#"{"t":"sudo","id":1}"#), MALFORMED),
        ("a kind from the hub", text(r#"{"t":"welcome","id":1}"#), MALFORMED),
        ("an unknown field", text(r#"{"t":"ping","id":1,"x":1}"#), MALFORMED),
        ("a field named twice", text(r#"{"t":"ping","id":1,"id":2}"#), MALFORMED),
        ("no id", text(r#"{"t":"ping"}"#), MALFORMED),
        ("an id that is a text", text(r#"{"t":"ping","id":"1"}"#), MALFORMED),
        ("an id that is too large", text(r#"{"t":"ping","id":4294967296}"#), MALFORMED),
        ("an id below zero", text(r#"{"t":"ping","id":-1}"#), MALFORMED),
        ("an id that is no whole number", text(r#"{"t":"ping","id":1.5}"#), MALFORMED),
        ("a status that is a number", text(r#"{"t":"track","id":1,"track":{"status":1}}"#), MALFORMED),
        ("a status that is none", text(r#"{"t":"track","id":1,"track":{"status":"offline"}}"#), MALFORMED),
        ("no status", text(r#"{"t":"track","id":1,"track":{}}"#), MALFORMED),
        (
            "a channel that is none",
            text(r#"{"t":"subscribe","id":1,"channels":[{"channel":"x"}]}"#),
            MALFORMED,
        ),
        ("a unicode escape cut off", text(r#"{"t":"ping","id":1,"x":"\ud800"}"#), MALFORMED),
        ("nested 9 deep", nested(9), MALFORMED),
        ("nested 5,000 deep", nested(5_000), MALFORMED),
        ("nested 100,000 deep", nested(100_000), Answer::Close(1009)),
        ("16 KiB exactly", text(padded(16_384)), Answer::Done),
        ("16 KiB and one", text(padded(16_385)), Answer::Close(1009)),
        ("16 KiB exactly, in fragments", in_fragments(&padded(16_384), 1_000), Answer::Done),
        ("16 KiB and one, in fragments", in_fragments(&padded(16_385), 1_000), Answer::Close(1009)),
        (
            "a length that is a lie",
            [header(FIN | TEXT, u64::MAX >> 1, true), vec![0; 4]].concat(),
            Answer::Close(1009),
        ),
        ("text that is not UTF-8", text(b"{\"t\":\"ping\",\"id\":1,\"x\":\"\xFF\"}"), Answer::Close(1007)),
        ("a binary message", binary(r#"{"t":"ping","id":1}"#), Answer::Close(1003)),
        ("a second hello", text(r#"{"t":"hello"}"#), Answer::Close(4300)),
    ]
}

fn msgpack_rows() -> Vec<Row> {
    // A map of one entry, `t`, and then what follows.
    let kind = |rest: &[u8]| binary([b"\x82\xA1t\xA4ping\xA2id", rest].concat());
    vec![
        ("not MessagePack", binary([0xC1]), MALFORMED),
        ("empty", binary([]), MALFORMED),
        ("a ping", kind(&[1]), Answer::Done),
        ("something behind it", kind(&[1, 1]), MALFORMED),
        ("cut off", binary(b"\x82\xA1t\xA4ping\xA2id"), MALFORMED),
        ("a list", binary([0x90]), MALFORMED),
        ("a map of 4 billion entries", binary([0xDF, 0xFF, 0xFF, 0xFF, 0xFF]), MALFORMED),
        ("a list of 4 billion entries", binary([0xDD, 0xFF, 0xFF, 0xFF, 0xFF]), MALFORMED),
        ("a text of 4 GiB", kind(&[0xDB, 0xFF, 0xFF, 0xFF, 0xFF]), MALFORMED),
        ("bytes of 4 GiB", kind(&[0xC6, 0xFF, 0xFF, 0xFF, 0xFF]), MALFORMED),
        ("an extension", kind(&[0xD4, 1, 1]), MALFORMED),
        ("an id that is a text", kind(b"\xA11"), MALFORMED),
        ("an id that is a fraction", kind(&[0xCB, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0]), MALFORMED),
        ("a text that is not UTF-8", kind(b"\xA1\xFF"), MALFORMED),
        ("nested 16,000 deep", binary([vec![0x91; 16_000], vec![0xC0]].concat()), MALFORMED),
        ("nested 100,000 deep", binary(vec![0x91; 100_000]), Answer::Close(1009)),
        ("a text message", text(r#"{"t":"ping","id":1}"#), Answer::Close(1003)),
        ("a second hello", binary(b"\x81\xA1t\xA5hello"), Answer::Close(4300)),
    ]
}

/// What breaks RFC 6455, whatever the encoding.
fn websocket_rows() -> Vec<Row> {
    let broken = Answer::Close(1002);
    vec![
        ("a frame that is not masked", [header(FIN | TEXT, 2, false), b"{}".to_vec()].concat(), broken),
        ("a compressed frame", frame(FIN | RSV1 | TEXT, b"{}"), broken),
        ("a reserved bit", frame(FIN | 0x10 | TEXT, b"{}"), broken),
        ("a reserved opcode", frame(FIN | 0x3, b"{}"), broken),
        ("a reserved control opcode", frame(FIN | 0xB, b""), broken),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"{}"), broken),
        ("a message within a message", [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat(), broken),
        ("a ping in fragments", frame(PING, b"x"), broken),
        ("a ping that is too long", frame(FIN | PING, &[0; 126]), broken),
    ]
}

#[tokio::test]
async fn every_nonsense_gets_its_answer_and_costs_its_neighbours_nothing() {
    let world = World::new().await;
    for encoding in Encoding::ALL {
        let mut neighbour = world.enter_as(world.anna, encoding).await;
        let rows = match encoding {
            Encoding::Json => json_rows(),
            Encoding::MessagePack => msgpack_rows(),
        };
        for (name, bytes, expected) in rows.into_iter().chain(websocket_rows()) {
            let mut raw = Raw::live(&world.hub, encoding, token(world.finn)).await;
            raw.bytes(&bytes).await;
            let answer = raw.answer().await;
            assert_eq!(answer, expected, "{name} in {encoding:?}");
            match expected {
                Answer::Done | Answer::Error(_) => {
                    assert_eq!(raw.ping().await, Answer::Done, "{name}: the connection goes on");
                    // Each row is a session; a user may have so many.
                    raw.say(&wire::ClientFrame::SignOut(wire::Request { id: model::RequestId(9) })).await;
                }
                Answer::Close(_) | Answer::Cut => {}
            }
            neighbour.ping().await;
        }
    }
}

/// The first frame has to be a hello that can be read.
#[tokio::test]
async fn whatever_is_said_before_a_hello_closes() {
    let world = World::new().await;
    let mut neighbour = world.enter(world.anna).await;
    let hello = |fields: &str| text(format!(r#"{{"t":"hello"{fields}}}"#));
    let good = token(world.finn);
    let good = good.reveal();
    let long = "x".repeat(101);
    let rows: Vec<Row> = vec![
        ("no hello", text(r#"{"t":"ping","id":1}"#), Answer::Close(4300)),
        ("not JSON", text("hello"), Answer::Close(4300)),
        ("no token", hello(""), Answer::Close(4300)),
        ("a token that is a number", hello(r#","token":1"#), Answer::Close(4300)),
        ("an unknown field", hello(&format!(r#","token":"{good}","x":1"#)), Answer::Close(4300)),
        (
            "a text that is too long",
            hello(&format!(r#","token":"{good}","track":{{"status":"busy","customStatus":"{long}"}}"#)),
            Answer::Close(4300),
        ),
        ("a token that is garbage", hello(r#","token":"x""#), Answer::Close(4201)),
        ("16 KiB and one", text(padded(16_385)), Answer::Close(1009)),
        ("a binary message", binary("{}"), Answer::Close(1003)),
        ("text that is not UTF-8", text([0xFF]), Answer::Close(1007)),
        (
            "a frame that is not masked",
            [header(FIN | TEXT, 2, false), b"{}".to_vec()].concat(),
            Answer::Close(1002),
        ),
    ];
    for (name, bytes, expected) in rows {
        let mut raw = Raw::open(&world.hub, Encoding::Json).await;
        raw.bytes(&bytes).await;
        assert_eq!(raw.answer().await, expected, "{name}");
        neighbour.ping().await;
    }
}

#[tokio::test]
async fn whoever_takes_their_time_is_closed() {
    let launch = Launch::new().set("listen.hello_timeout_ms", 700).set("listen.message_timeout_ms", 700);
    let world = World::on(Arc::new(launch.set("listen.header_timeout_ms", 700).start())).await;
    let mut neighbour = world.enter(world.anna).await;
    let mut silent = Raw::open(&world.hub, Encoding::Json).await;
    let mut endless = Raw::live(&world.hub, Encoding::Json, token(world.finn)).await;
    let mut halfway = Raw::live(&world.hub, Encoding::MessagePack, token(world.finn)).await;
    halfway.bytes(&header(FIN | BINARY, 100, true)).await;
    endless.bytes(&frame(TEXT, b"{")).await;
    // One byte a fragment, and never the last: what keeps coming keeps nothing open.
    let endless_is_closed = async {
        loop {
            tokio::select! {
                answer = endless.answer() => break answer,
                () = tokio::time::sleep(std::time::Duration::from_millis(20)) => {}
            }
            endless.bytes(&frame(CONTINUATION, b" ")).await;
        }
    };
    let closed = tokio::join!(silent.answer(), halfway.answer(), endless_is_closed);
    assert_eq!(closed, (Answer::Close(4104), Answer::Close(4104), Answer::Close(4104)));
    neighbour.ping().await;
}

#[tokio::test]
async fn a_message_in_many_fragments_is_a_message() {
    let world = World::new().await;
    for size in [1, 7] {
        let mut raw = Raw::live(&world.hub, Encoding::Json, token(world.finn)).await;
        let with_pings: Vec<u8> = in_fragments(&padded(40), size);
        raw.bytes(&with_pings).await;
        assert_eq!(raw.answer().await, Answer::Done);
    }
}
