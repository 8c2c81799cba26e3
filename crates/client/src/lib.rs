//! A client of the protocol, in layers; take the lowest one that does.
//!
//! - [`Socket`]: one WebSocket that speaks frames, and nonsense where a test wants it.
//! - [`Replica`]: what the hub has told, as lists. Pure: a frame goes in, what it changed comes out.
//! - [`Client`]: a client that stays. It answers heartbeats, comes back when and as the hub wants it, goes on where
//!   it was, keeps its subscriptions and what it announces, and awaits the answers to requests.
//! - [`Extension`]: the same for the extension of a virtual assistant, which clocks in, moves and clocks out.
//!
//! This crate knows frames, and nothing of who may see what.

mod client;
mod driver;
mod extension;
mod ledger;
mod options;
pub mod replica;
mod retry;
mod shared;
pub mod socket;

#[cfg(test)]
mod testing;

pub use client::{Client, Ending, Events, RequestFailed, Snapshot};
pub use extension::{
    Entry, Extension, ExtensionEvent, ExtensionEvents, ExtensionFailed, ExtensionOptions, ExtensionState,
    Held, Leaving,
};
pub use options::{Options, TokenFuture, TokenSource};
pub use replica::{Applied, Fault, FaultKind, List, Phase, Replica};
pub use retry::{Backoff, Comeback};
pub use shared::{Change, ChannelEvent, Connection, Event, Standing};
pub use socket::{Closed, Handshake, NotEntered, Refusal, Socket, SocketError, TokenIn};
pub use tokio_tungstenite::tungstenite::Message;
