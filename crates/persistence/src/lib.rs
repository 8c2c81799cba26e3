//! The store's trait, the write-behind writer and the conformance suite every store passes.
//!
//! Knows no database: not a word of SQL is written here. What is durable goes through [`Store`] and is committed
//! when a call returns; what may lag goes through [`LastSeenWriter`].

pub mod audited;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod import;
pub mod spool;
pub mod store;
pub mod stored;
pub mod truth;
pub mod writer;

pub use spool::{Spool, SpoolError};
pub use store::{
    Actor, InvalidReason, LastSeen, OPERATION_KEPT_MS, OperationId, SettingsChange, SettingsEntry, Store,
    StoreError,
};
pub use truth::{Changes, Cursor, PAGE, Pick, Truth, Wake};
pub use writer::{LastSeenHandle, LastSeenWriter, WriterOptions, WriterStats};
