//! Frames to bytes. Nothing here can fail: every frame has text keys, and is written to memory.

use model::{Encoding, Limits, Outgoing, Record};
use serde::Serialize;

use crate::{ClientFrame, ServerFrame, splice};

/// The bytes of what the heart says to a connection: UTF-8 text in JSON. A welcome tells `limits` too.
#[must_use]
pub fn encode(encoding: Encoding, outgoing: &Outgoing, limits: &Limits) -> Vec<u8> {
    match outgoing {
        Outgoing::View(frame) => splice::view(encoding, frame),
        other => serialized(encoding, &ServerFrame::new(other.clone(), limits)),
    }
}

/// The bytes of a frame from the hub; how the shell says [`ServerFrame::Closing`], and tests say anything.
///
/// [`ServerFrame::Unknown`] has no bytes: nothing is to be sent then.
#[must_use]
pub fn encode_server(encoding: Encoding, frame: &ServerFrame) -> Vec<u8> {
    match frame {
        ServerFrame::View(frame) => splice::view(encoding, frame),
        ServerFrame::Unknown => Vec::new(),
        other => serialized(encoding, other),
    }
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

/// Structs become maps in both encodings; ids are text in JSON and 16 bytes in MessagePack.
pub(crate) fn serialized<T: Serialize>(encoding: Encoding, value: &T) -> Vec<u8> {
    let bytes = match encoding {
        Encoding::Json => serde_json::to_vec(value).map_err(|error| error.to_string()),
        Encoding::MessagePack => rmp_serde::to_vec_named(value).map_err(|error| error.to_string()),
    };
    bytes.unwrap_or_else(|error| unreachable!("a frame has text keys and goes to memory: {error}"))
}
