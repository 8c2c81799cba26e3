//! Whole WebSocket messages, as they stand on the socket. What a server sends is not masked (RFC 6455, 5.1), so a
//! message is a few bytes of header before the frame, and may be written from where it is made.

use model::{Encoding, Limits, Outgoing};

use crate::encode::encode_into;

/// The header of most messages: final bit and opcode, the length's marker, and a length of two bytes.
const HEADER_BYTES: usize = 4;
/// The final bit: a message is one WebSocket frame.
const FINAL: u8 = 0x80;
/// What a length of eight bytes takes more than one of two.
const LONGER_BYTES: usize = 6;

/// Appends one whole unmasked WebSocket message (RFC 6455, 5.2) with the bytes of [`crate::encode()`]: text in JSON,
/// binary in MessagePack. For a view frame nothing is allocated but room in `out`.
pub fn message_into(out: &mut Vec<u8>, encoding: Encoding, outgoing: &Outgoing, limits: &Limits) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    encode_into(out, encoding, outgoing, limits);
    out[start] = FINAL | opcode(encoding);
    put_length(out, start);
}

fn opcode(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Json => 1,
        Encoding::MessagePack => 2,
    }
}

/// Writes the length of the message that begins at `start`, in the only form that is allowed: the shortest.
fn put_length(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start - HEADER_BYTES;
    if length <= 125 {
        out[start + 1] = length as u8;
        out.copy_within(start + HEADER_BYTES.., start + 2);
        out.truncate(start + 2 + length);
    } else if let Ok(length) = u16::try_from(length) {
        out[start + 1] = 126;
        out[start + 2..start + HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    } else {
        out[start + 1] = 127;
        out.splice(start + HEADER_BYTES..start + HEADER_BYTES, [0; LONGER_BYTES]);
        out[start + 2..start + HEADER_BYTES + LONGER_BYTES].copy_from_slice(&(length as u64).to_be_bytes());
    }
}
