//! The embedded store: one SQLite file, owned by one process at a time.
//!
//! WAL with `synchronous = FULL`: what is acknowledged is on the disk. One connection writes, a few read. Every
//! unit of work runs in a task of its own that a caller who goes away cannot cancel. Nothing outside of this crate
//! knows any SQL.

mod analytics;
mod audit;
mod behind;
mod changes;
mod clock;
mod database;
mod directory;
mod error;
mod facts;
mod names;
mod occupancies;
mod open;
mod operations;
mod person;
mod place;
mod rollups;
mod settings;
mod store;
mod upkeep;
mod weeks;

pub use error::OpenError;
pub use open::{OpenMode, SqliteOptions, latest_schema};
pub use store::SqliteStore;
