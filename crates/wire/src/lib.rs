//! Frames as bytes, in JSON and MessagePack, and back.
//!
//! What the heart says ([`model::Outgoing`]) becomes bytes in [`encode()`], and a whole WebSocket message in
//! [`message_into`]; what a client asks becomes a [`ClientFrame`] in [`decode_client`]. Clients in Rust go the other way with [`encode_client`] and
//! [`decode_server`]. Only this room knows bytes; it knows no socket, no clock and no rule of who may see what.
//!
//! `proto/PROTOCOL.md` specifies the frames, `proto/schema` says it to machines, and the golden frames of
//! `proto/vectors` hold this crate and every other implementation to the same bytes.

mod client;
mod decode;
mod encode;
mod extension;
mod message;
mod scan;
mod server;
mod shape;
mod splice;
mod strict;

use model::Encoding;

pub use client::{
    ActivityFrame, ClientFrame, Hello, Refresh, Request, SetSettings, Subscribe, Token, TrackFrame,
    Unsubscribe,
};
pub use decode::{DecodeError, DecodeErrorKind, decode_client, decode_server};
pub use encode::{encode, encode_client, encode_record, encode_server, encoded_once};
pub use extension::{ADMINS_SEE, ChangeAccount, ClockInRequest, ClockOut, ClockedIn, ClockedOut};
pub use message::message_into;
pub use scan::{FRAME_NESTING, REQUEST_NESTING};
pub use server::{
    Ack, Announced, Closing, Ended, Expiring, Failure, ServerFrame, SettingsBody, SettingsNow, Stale,
    Subscribed, Welcome,
};
pub use strict::Strictly;

/// What a client puts before its token when it offers the token as a WebSocket subprotocol, which is the only
/// header a browser lets it set. The hub never answers with that entry.
pub const TOKEN_SUBPROTOCOL: &str = "bearer.";

/// The WebSocket subprotocol that speaks `encoding`.
#[must_use]
pub fn subprotocol(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => "presence.v1.json",
        Encoding::MessagePack => "presence.v1.msgpack",
    }
}

/// The encoding that a WebSocket subprotocol speaks; `None` where the hub does not speak it.
#[must_use]
pub fn encoding_of(subprotocol_name: &str) -> Option<Encoding> {
    Encoding::ALL.into_iter().find(|encoding| subprotocol(*encoding) == subprotocol_name)
}
