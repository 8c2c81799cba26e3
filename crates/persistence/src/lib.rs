//! The store's trait, the write-behind writer and the conformance suite every store passes.
//!
//! Knows no database: not a word of SQL is written here. What is durable goes through [`Store`] and is committed
//! when a call returns; what may lag goes through [`LastSeenWriter`].

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod import;
pub mod store;
pub mod stored;
pub mod writer;

pub use store::{
    Actor, DirectoryEffect, DirectorySnapshot, InvalidReason, LastSeen, OPERATION_KEPT_MS, OperationId,
    SettingsChange, SettingsEntry, SettingsOutcome, Store, StoreError,
};
pub use writer::{LastSeenHandle, LastSeenWriter, WriterOptions, WriterStats};
