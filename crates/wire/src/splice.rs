//! View frames by hand: a record is encoded once for all who see the same, and copied into each viewer's frame
//! behind that viewer's own sequence number.

use std::{io::Write, sync::Arc};

use model::{Encoding, EntryId, Phase, Record, SharedRecord, ViewFrame};

use crate::encode::{encode_record, serialized};

/// Bytes of the longest envelope: `t`, `sub`, `seq`, the names of the lists and `more`.
const ENVELOPE_BYTES: usize = 128;

/// The bytes of a view frame. Cannot fail: it writes to memory.
pub(crate) fn view(encoding: Encoding, frame: &ViewFrame) -> Vec<u8> {
    let parts = Parts::of(encoding, frame);
    let mut out = Vec::with_capacity(parts.capacity());
    // Writing to a vector never fails, and neither do the rmp writers over one.
    let written = match encoding {
        Encoding::Json => parts.write_json(&mut out),
        Encoding::MessagePack => parts.write_msgpack(&mut out),
    };
    debug_assert!(written.is_ok(), "writing to memory fails: {written:?}");
    out
}

/// A frame with its records already encoded.
struct Parts<'a> {
    kind: &'static str,
    frame: &'a ViewFrame,
    /// Names and encoded entries of the lists that are in the frame, in the order of the wire.
    lists: Vec<(&'static str, Vec<Encoded<'a>>)>,
    more: Option<bool>,
}

enum Encoded<'a> {
    Shared(&'a [u8]),
    Own(Vec<u8>),
}

impl Encoded<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}

impl<'a> Parts<'a> {
    fn of(encoding: Encoding, frame: &'a ViewFrame) -> Self {
        let (kind, more) = match frame.phase {
            Phase::Snapshot { more } => ("snapshot", Some(more)),
            Phase::Live => ("diff", None),
        };
        let lists = [
            ("join", records(encoding, &frame.join)),
            ("update", records(encoding, &frame.update)),
            ("leave", leaves(encoding, &frame.leave)),
        ];
        // A snapshot always has its `join`: an empty room is a page with nobody on it.
        let stays =
            |name: &str, entries: &[Encoded<'_>]| !entries.is_empty() || (more.is_some() && name == "join");
        let lists = lists.into_iter().filter(|(name, entries)| stays(name, entries)).collect();
        Self { kind, frame, lists, more }
    }

    fn capacity(&self) -> usize {
        let entries = self.lists.iter().flat_map(|(_, entries)| entries);
        ENVELOPE_BYTES + entries.map(|entry| entry.bytes().len() + 1).sum::<usize>()
    }

    fn write_json(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let (subscription, sequence) = (self.frame.subscription.0, self.frame.sequence);
        write!(out, r#"{{"t":"{}","sub":{subscription},"seq":{sequence}"#, self.kind)?;
        for (name, entries) in &self.lists {
            write!(out, r#","{name}":["#)?;
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(entry.bytes());
            }
            out.push(b']');
        }
        if let Some(more) = self.more {
            write!(out, r#","more":{more}"#)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn write_msgpack(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let fields = 3 + self.lists.len() + usize::from(self.more.is_some());
        rmp::encode::write_map_len(out, fields as u32)?;
        rmp::encode::write_str(out, "t")?;
        rmp::encode::write_str(out, self.kind)?;
        rmp::encode::write_str(out, "sub")?;
        rmp::encode::write_uint(out, u64::from(self.frame.subscription.0))?;
        rmp::encode::write_str(out, "seq")?;
        rmp::encode::write_uint(out, u64::from(self.frame.sequence))?;
        for (name, entries) in &self.lists {
            rmp::encode::write_str(out, name)?;
            rmp::encode::write_array_len(out, entries.len() as u32)?;
            entries.iter().for_each(|entry| out.extend_from_slice(entry.bytes()));
        }
        if let Some(more) = self.more {
            rmp::encode::write_str(out, "more")?;
            rmp::encode::write_bool(out, more)?;
        }
        Ok(())
    }
}

fn records(encoding: Encoding, records: &[Arc<SharedRecord>]) -> Vec<Encoded<'_>> {
    let encode = |record: &Record| encode_record(encoding, record);
    records.iter().map(|shared| Encoded::Shared(shared.encoded(encoding, encode))).collect()
}

fn leaves(encoding: Encoding, leave: &[EntryId]) -> Vec<Encoded<'static>> {
    leave.iter().map(|entry| Encoded::Own(serialized(encoding, entry))).collect()
}
