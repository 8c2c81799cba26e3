//! The files of `proto/`, as the tests read them.

use std::{fs, path::PathBuf};

use model::Encoding;
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::{ClientFrame, ServerFrame};

/// A golden frame. `json` is kept as its bytes, because the bytes are what is golden.
#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    json: Box<RawValue>,
    msgpack: String,
}

/// Bytes that the hub refuses; `json` is text, because not all of it is JSON.
#[derive(Deserialize)]
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) json: Option<String>,
    msgpack: Option<String>,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) re: Option<u32>,
    pub(crate) says: Option<String>,
}

/// A frame in which a client passes something over, and the frame that it reads as; `null`: nothing at all.
#[derive(Deserialize)]
pub(crate) struct PassedOver {
    pub(crate) name: String,
    json: Box<RawValue>,
    msgpack: String,
    pub(crate) reads: Box<RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Client,
    Server,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    pub(crate) fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Client => ClientFrame::KINDS,
            Self::Server => ServerFrame::KINDS,
        }
    }
}

pub(crate) fn proto(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto").join(path)
}

pub(crate) fn read(path: &str) -> String {
    let path = proto(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parsed<T: for<'de> Deserialize<'de>>(path: &str) -> T {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn vectors(direction: Direction, kind: &str) -> Vec<Vector> {
    parsed(&format!("vectors/{}/{kind}.json", direction.name()))
}

/// Every golden frame of one direction, with its kind.
pub(crate) fn all_vectors(direction: Direction) -> Vec<(&'static str, Vector)> {
    let kinds = direction.kinds().iter();
    kinds.flat_map(|kind| vectors(direction, kind).into_iter().map(|vector| (*kind, vector))).collect()
}

pub(crate) fn refused() -> Vec<Refused> {
    parsed("vectors/client-refused.json")
}

pub(crate) fn passed_over() -> Vec<PassedOver> {
    parsed("vectors/server-passed-over.json")
}

impl Vector {
    pub(crate) fn bytes(&self, encoding: Encoding) -> Vec<u8> {
        either(&self.json, &self.msgpack, encoding)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.json.get()).unwrap()
    }
}

impl PassedOver {
    pub(crate) fn bytes(&self, encoding: Encoding) -> Vec<u8> {
        either(&self.json, &self.msgpack, encoding)
    }
}

impl Refused {
    pub(crate) fn bytes(&self, encoding: Encoding) -> Option<Vec<u8>> {
        match encoding {
            Encoding::Json => self.json.as_ref().map(|text| text.clone().into_bytes()),
            Encoding::MessagePack => self.msgpack.as_deref().map(unhex),
        }
    }
}

fn either(json: &RawValue, msgpack: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Json => json.get().as_bytes().to_vec(),
        Encoding::MessagePack => unhex(msgpack),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Writes golden frames, one field a line, so that a change of bytes is a change of one line.
pub(crate) fn write_vectors(direction: Direction, kind: &str, frames: &[(String, Vec<u8>, Vec<u8>)]) {
    let rows: Vec<_> = frames.iter().map(|(name, json, msgpack)| row(name, json, msgpack)).collect();
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    fs::write(proto(&format!("vectors/{}/{kind}.json", direction.name())), text).unwrap();
}

fn row(name: &str, json: &[u8], msgpack: &[u8]) -> String {
    let json = std::str::from_utf8(json).unwrap();
    format!(
        "  {{\"name\": {},\n   \"json\": {json},\n   \"msgpack\": \"{}\"}}",
        serde_json::json!(name),
        hex(msgpack)
    )
}
