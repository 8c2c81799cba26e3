//! WebSocket framing (RFC 6455, 5.2), both ways, for messages that are not fragmented.

/// A frame that has arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes with the header.
    pub(crate) length: usize,
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    Whole(Frame<'a>),
    /// More bytes have to come.
    Partial,
    /// No frame that a server may send.
    Broken,
}

/// Looks at the first frame of `bytes`. The hub's frames are not masked, not fragmented and not compressed.
pub(crate) fn next(bytes: &[u8]) -> Next<'_> {
    let &[first, second, ref rest @ ..] = bytes else { return Next::Partial };
    if first & 0xF0 != 0x80 || second & 0x80 != 0 {
        return Next::Broken;
    }
    let (size, header): (usize, usize) = match (second, rest) {
        (126, &[a, b, ..]) => (usize::from(u16::from_be_bytes([a, b])), 4),
        (127, &[a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize, 10),
        (126 | 127, _) => return Next::Partial,
        (size, _) => (usize::from(size), 2),
    };
    match bytes.get(header..header.saturating_add(size)) {
        Some(payload) => Next::Whole(Frame { opcode: first & 0x0F, payload, length: header + size }),
        None => Next::Partial,
    }
}

/// Writes a client's message. Its mask is all zeros: legal, and the payload can be written as it is.
pub(crate) fn put_masked(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    put_header(opcode, payload.len(), 0x80, out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Writes a server's message, as the floor does.
pub(crate) fn put_unmasked(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    put_header(opcode, payload.len(), 0, out);
    out.extend_from_slice(payload);
}

fn put_header(opcode: u8, size: usize, mask: u8, out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(size), _) if size < 126 => out.push(mask | size),
        (_, Ok(size)) => {
            out.push(mask | 126);
            out.extend_from_slice(&size.to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_unmasked(TEXT, &vec![b'x'; size], &mut out);
        out
    }

    #[test]
    fn every_form_of_the_length_is_read() {
        for size in [0, 1, 125, 126, 8192, 65_535, 65_536] {
            let bytes = written(size);
            let Next::Whole(frame) = next(&bytes) else { panic!("{size} bytes are a frame") };
            assert_eq!((frame.opcode, frame.payload.len(), frame.length), (TEXT, size, bytes.len()));
        }
    }

    #[test]
    fn every_cut_waits_for_more() {
        for size in [3, 300] {
            let bytes = written(size);
            assert!((0..bytes.len()).all(|cut| next(&bytes[..cut]) == Next::Partial));
        }
    }

    #[test]
    fn what_no_server_may_send_is_broken() {
        let mut masked = Vec::new();
        put_masked(TEXT, b"{}", &mut masked);
        assert_eq!(masked[1] & 0x80, 0x80);
        assert_eq!(next(&masked), Next::Broken);
        assert_eq!(next(&[0x01, 0x02, b'{', b'}']), Next::Broken, "a fragment");
    }
}
