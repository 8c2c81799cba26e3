//! View frames by hand: a record is encoded once for all who see the same, and copied into each viewer's frame
//! behind that viewer's own sequence number. Nothing is allocated but the room that the frame takes.

use std::sync::Arc;

use model::{Encoding, EntryId, Phase, SharedRecord, ViewFrame};
use uuid::fmt::Hyphenated;

use crate::encode::encoded_once;

/// Bytes that never change, in JSON and in MessagePack: short texts are `0xA0` plus their length, then the text.
type Piece = (&'static [u8], &'static [u8]);

const SNAPSHOT: Piece = (br#""t":"snapshot","sub":"#, b"\xA1t\xA8snapshot\xA3sub");
const DIFF: Piece = (br#""t":"diff","sub":"#, b"\xA1t\xA4diff\xA3sub");
const SEQUENCE: Piece = (br#","seq":"#, b"\xA3seq");
const JOIN: Piece = (br#","join":["#, b"\xA4join");
const UPDATE: Piece = (br#","update":["#, b"\xA6update");
const LEAVE: Piece = (br#","leave":["#, b"\xA5leave");
const MORE: Piece = (br#","more":true"#, b"\xA4more\xC3");
const NO_MORE: Piece = (br#","more":false"#, b"\xA4more\xC2");
/// A map of one id: text of 36 bytes, or binary (`0xC4`) of 16.
const PERSON: Piece = (br#"{"userId":""#, b"\x81\xA6userId\xC4\x10");
const ACCOUNT: Piece = (br#"{"accountId":""#, b"\x81\xA9accountId\xC4\x10");

/// Appends the bytes of a view frame.
pub(crate) fn view(out: &mut Vec<u8>, encoding: Encoding, frame: &ViewFrame) {
    let (kind, more) = match frame.phase {
        Phase::Snapshot { more: true } => (SNAPSHOT, Some(MORE)),
        Phase::Snapshot { more: false } => (SNAPSHOT, Some(NO_MORE)),
        Phase::Live => (DIFF, None),
    };
    // A snapshot always has its `join`: an empty room is a page with nobody on it.
    let has_join = more.is_some() || !frame.join.is_empty();
    let lists = [has_join, !frame.update.is_empty(), !frame.leave.is_empty(), more.is_some()];
    let mut splice = Splice { out, encoding };
    splice.open(3 + lists.map(u8::from).iter().sum::<u8>());
    splice.piece(kind);
    splice.number(frame.subscription.0);
    splice.piece(SEQUENCE);
    splice.number(frame.sequence);
    if has_join {
        splice.list(JOIN, &frame.join, Splice::record);
    }
    if !frame.update.is_empty() {
        splice.list(UPDATE, &frame.update, Splice::record);
    }
    if !frame.leave.is_empty() {
        splice.list(LEAVE, &frame.leave, Splice::leave);
    }
    more.into_iter().for_each(|more| splice.piece(more));
    splice.close();
}

/// A frame in the making.
struct Splice<'a> {
    out: &'a mut Vec<u8>,
    encoding: Encoding,
}

impl Splice<'_> {
    /// `fields`: at most 15.
    fn open(&mut self, fields: u8) {
        self.out.push(match self.encoding {
            Encoding::Json => b'{',
            Encoding::MessagePack => 0x80 | fields,
        });
    }

    fn close(&mut self) {
        if self.encoding == Encoding::Json {
            self.out.push(b'}');
        }
    }

    fn piece(&mut self, (json, msgpack): Piece) {
        self.out.extend_from_slice(match self.encoding {
            Encoding::Json => json,
            Encoding::MessagePack => msgpack,
        });
    }

    fn number(&mut self, number: u32) {
        match self.encoding {
            Encoding::Json => self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            Encoding::MessagePack => in_memory(rmp::encode::write_uint(self.out, u64::from(number))),
        }
    }

    fn list<T>(&mut self, name: Piece, entries: &[T], write: impl Fn(&mut Self, &T)) {
        self.piece(name);
        if self.encoding == Encoding::MessagePack {
            in_memory(rmp::encode::write_array_len(self.out, entries.len() as u32));
        }
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 && self.encoding == Encoding::Json {
                self.out.push(b',');
            }
            write(self, entry);
        }
        if self.encoding == Encoding::Json {
            self.out.push(b']');
        }
    }

    fn record(&mut self, record: &Arc<SharedRecord>) {
        self.out.extend_from_slice(encoded_once(self.encoding, record));
    }

    fn leave(&mut self, entry: &EntryId) {
        let (kind, id) = match entry {
            EntryId::Person(user) => (PERSON, user.0),
            EntryId::Account(account) => (ACCOUNT, account.0),
        };
        self.piece(kind);
        match self.encoding {
            Encoding::Json => {
                self.out
                    .extend_from_slice(id.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]).as_bytes());
                self.out.extend_from_slice(br#""}"#);
            }
            Encoding::MessagePack => self.out.extend_from_slice(id.as_bytes()),
        }
    }
}

/// Writing to a vector never fails, and neither do the rmp writers over one.
fn in_memory<T, E: std::fmt::Debug>(written: Result<T, E>) {
    debug_assert!(written.is_ok(), "writing to memory fails: {:?}", written.err());
}
