//! Frames to bytes. Nothing here can fail: every frame has text keys, and is written to memory.

use model::{Encoding, Limits, Outgoing, Record, SharedRecord};
use serde::Serialize;

use crate::{ClientFrame, ServerFrame, splice};

/// The bytes of what the heart says to a connection: UTF-8 text in JSON. A welcome tells `limits` too.
#[must_use]
pub fn encode(encoding: Encoding, outgoing: &Outgoing, limits: &Limits) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(&mut out, encoding, outgoing, limits);
    out
}

/// Appends the bytes of [`encode`].
pub(crate) fn encode_into(out: &mut Vec<u8>, encoding: Encoding, outgoing: &Outgoing, limits: &Limits) {
    match outgoing {
        Outgoing::View(frame) => splice::view(out, encoding, frame),
        other => serialize_into(out, encoding, &ServerFrame::new(other.clone(), limits)),
    }
}

/// The bytes of a frame from the hub; how the shell says [`ServerFrame::Closing`], and tests say anything.
///
/// [`ServerFrame::Unknown`] has no bytes: nothing is to be sent then.
#[must_use]
pub fn encode_server(encoding: Encoding, frame: &ServerFrame) -> Vec<u8> {
    let mut out = Vec::new();
    match frame {
        ServerFrame::View(frame) => splice::view(&mut out, encoding, frame),
        ServerFrame::Unknown => {}
        other => serialize_into(&mut out, encoding, other),
    }
    out
}

/// The bytes of a frame from a client.
#[must_use]
pub fn encode_client(encoding: Encoding, frame: &ClientFrame) -> Vec<u8> {
    serialized(encoding, frame)
}

/// The bytes of one record, as they stand inside a view frame.
#[must_use]
pub fn encode_record(encoding: Encoding, record: &Record) -> Vec<u8> {
    serialized(encoding, record)
}

/// The bytes of [`encode_record`], made once for all who see the same.
#[must_use]
pub fn encoded_once(encoding: Encoding, record: &SharedRecord) -> &[u8] {
    record.encoded(encoding, |bytes, record| serialize_into(bytes, encoding, record))
}

fn serialized<T: Serialize>(encoding: Encoding, value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    serialize_into(&mut out, encoding, value);
    out
}

/// Structs become maps in both encodings; ids are text in JSON and 16 bytes in MessagePack.
fn serialize_into<T: Serialize>(out: &mut Vec<u8>, encoding: Encoding, value: &T) {
    let written = match encoding {
        Encoding::Json => serde_json::to_writer(out, value).map_err(|error| error.to_string()),
        Encoding::MessagePack => {
            rmp_serde::encode::write_named(out, value).map_err(|error| error.to_string())
        }
    };
    written.unwrap_or_else(|error| unreachable!("a frame has text keys and goes to memory: {error}"));
}
