//! The store over a Postgres that the platform writes to as well.
//!
//! Every unit of work runs in a task of its own that a caller who goes away cannot cancel, within a deadline that
//! holds even where the server has stopped answering, and may be done again: an operation's name makes it happen
//! once. What a user asks for is read as that user, so that the database refuses what the code forgot. Changes are
//! found in a table that triggers fill, whoever wrote. Nothing outside of this crate knows any SQL.

mod address;
mod analytics;
mod archive;
mod audit;
mod behind;
mod changes;
mod database;
mod directory;
mod error;
mod facts;
mod jobs;
mod listener;
mod migrate;
mod names;
mod occupancies;
mod open;
mod options;
mod person;
mod rollups;
mod settings;
mod store;
mod upkeep;

pub use address::Address;
pub use error::OpenError;
pub use migrate::{Migrated, latest_schema, migrate};
pub use options::PostgresOptions;
pub use store::PostgresStore;
