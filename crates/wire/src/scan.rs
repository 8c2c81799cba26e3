//! A look at the bytes before serde sees them: how deep they nest, whether their lengths are true, whether
//! anything follows. Without recursion, and without believing any length.
//!
//! MessagePack needs it because its decoder recurses as deep as the bytes say, and aborts the process when the
//! stack ends; JSON is held to the same limits so that the two encodings stay one.

use model::Encoding;
use rmp::Marker;

/// How deep maps and lists may nest in a frame to the hub, the frame itself counted. The deepest request is a
/// hello that resumes, with 4.
pub const REQUEST_NESTING: usize = 8;
/// How deep they may nest in a frame from the hub: room for kinds that a later version adds. A client's stack
/// takes some 300 bytes a level.
pub const FRAME_NESTING: usize = 32;

/// Why bytes are not even looked at by serde.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("maps and lists nest deeper than {0}")]
    TooDeep(usize),
    #[error("a length goes past the end of the frame")]
    Truncated,
    #[error("something follows the frame")]
    Trailing,
    #[error("extension types are not used")]
    Extension,
    #[error("0xc1 is never used in MessagePack")]
    Reserved,
}

/// Checks the outer shape of one frame.
pub(crate) fn scan(encoding: Encoding, bytes: &[u8], nesting: usize) -> Result<(), ScanError> {
    match encoding {
        Encoding::Json => json(bytes, nesting),
        Encoding::MessagePack => msgpack(bytes, nesting),
    }
}

/// Counts brackets outside of texts; whether they match, and whether anything follows, serde sees itself.
fn json(bytes: &[u8], nesting: usize) -> Result<(), ScanError> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text && depth == nesting => return Err(ScanError::TooDeep(nesting)),
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// One value, as its first bytes announce it.
enum Announced {
    /// This many bytes follow.
    Bytes(u64),
    /// This many values follow.
    Values(u64),
}

/// Walks over all values. `open` holds how many values each open container still wants, so it is at most
/// `nesting + 1` long.
fn msgpack(bytes: &[u8], nesting: usize) -> Result<(), ScanError> {
    let mut rest = bytes;
    let mut open = vec![1_u64];
    while let Some(wanted) = open.last_mut() {
        if *wanted == 0 {
            open.pop();
            continue;
        }
        *wanted -= 1;
        match announced(&mut rest)? {
            Announced::Bytes(length) => drop(take(&mut rest, length)?),
            Announced::Values(_) if open.len() > nesting => return Err(ScanError::TooDeep(nesting)),
            // A value takes a byte at least: a count beyond the bytes left is a lie.
            Announced::Values(count) if count > rest.len() as u64 => return Err(ScanError::Truncated),
            Announced::Values(count) => open.push(count),
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(ScanError::Trailing) }
}

fn announced(rest: &mut &[u8]) -> Result<Announced, ScanError> {
    let marker = Marker::from_u8(length(rest, 1)? as u8);
    Ok(match marker {
        Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => {
            Announced::Bytes(0)
        }
        Marker::U8 | Marker::I8 => Announced::Bytes(1),
        Marker::U16 | Marker::I16 => Announced::Bytes(2),
        Marker::U32 | Marker::I32 | Marker::F32 => Announced::Bytes(4),
        Marker::U64 | Marker::I64 | Marker::F64 => Announced::Bytes(8),
        Marker::FixStr(length) => Announced::Bytes(u64::from(length)),
        Marker::Str8 | Marker::Bin8 => Announced::Bytes(length(rest, 1)?),
        Marker::Str16 | Marker::Bin16 => Announced::Bytes(length(rest, 2)?),
        Marker::Str32 | Marker::Bin32 => Announced::Bytes(length(rest, 4)?),
        Marker::FixArray(count) => Announced::Values(u64::from(count)),
        Marker::Array16 => Announced::Values(length(rest, 2)?),
        Marker::Array32 => Announced::Values(length(rest, 4)?),
        Marker::FixMap(count) => Announced::Values(2 * u64::from(count)),
        Marker::Map16 => Announced::Values(2 * length(rest, 2)?),
        Marker::Map32 => Announced::Values(2 * length(rest, 4)?),
        Marker::Reserved => return Err(ScanError::Reserved),
        _ => return Err(ScanError::Extension),
    })
}

/// The next `size` bytes as a number, big end first.
fn length(rest: &mut &[u8], size: u64) -> Result<u64, ScanError> {
    let bytes = take(rest, size)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], ScanError> {
    let length = usize::try_from(length).map_err(|_| ScanError::Truncated)?;
    let (taken, left) = rest.split_at_checked(length).ok_or(ScanError::Truncated)?;
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests;
