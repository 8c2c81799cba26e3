//! The store's trait, the write-behind writer and the conformance suite every store passes.
//!
//! Knows no database: not a word of SQL is written here. What is durable goes through [`Store`] and is committed
//! when a call returns; what may lag goes through [`Writer`], and through the [`Backlog`] on the hub's
//! own disk while the database is away.

pub mod analytics;
pub mod archive;
pub mod audited;
pub mod backlog;
pub mod behind;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod import;
pub mod jobs;
pub mod names;
pub mod occupancies;
pub mod person;
pub mod pool;
pub mod spool;
pub mod store;
pub mod stored;
pub mod truth;
pub mod upkeep;
pub mod writer;

pub use analytics::{Analytics, AnalyticsQuery, DateRange};
pub use archive::{Archive, ArchiveError, ArchiveFolder, ArchivedRows, WEEK_MS, Week};
pub use backlog::{Backlog, BacklogError};
pub use behind::{ActivityRow, BATCH_ROWS, Behind, Gap, GapReason, LastSeen, Stretch, StretchId, Written};
pub use jobs::{ArgumentError, Job, JobError, JobName, JobOptions, JobStatus, Report, Runner};
pub use names::{NamedOrganization, NamedPerson, NamedWedding, Names, Part, Place, Places};
pub use occupancies::{
    AccessCode, ClockIn, ClockedIn, CodeHash, Ended, ForceClear, Minted, NewCode, Occupancies, Revocation,
    Sign, TokenKey,
};
pub use person::{EXPORT_ROWS, ExportPage, ExportPart, OpenErasure, Person};
pub use spool::{Spool, SpoolError};
pub use store::{
    Actor, InvalidReason, OPERATION_KEPT_MS, OperationId, Principal, SettingsChange, SettingsEntry, Store,
    StoreError,
};
pub use truth::{Changes, Cursor, PAGE, Pick, Truth, Wake};
pub use upkeep::{BUCKET_MS, CODE_KEPT_MS, Expired, Holder, JobRecord, Jobs, LEASE_MS, RolledUp, Upkeep};
pub use writer::{Note, Writer, WriterHandle, WriterOptions, WriterStats};
