//! The words of the domain as types. This crate is a leaf: it knows no other room, no clock, no I/O.
//!
//! Raw truth ([`Track`], [`Occupancy`], [`UserFacts`]) cannot be serialized here. What a viewer may get is a
//! [`Record`], made by the projection alone, and only records can be written on a viewer's route.

pub mod activity;
pub mod command;
pub mod directory;
pub mod frame;
pub mod id;
pub mod limits;
pub mod occupancy;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod record;
pub mod settings;
pub mod text;
pub mod time;
pub mod track;
pub mod why;

pub use activity::{
    Activity, ActivityError, ActivityRequest, ActivityType, Metadata, MetadataKey, MetadataValue,
};
pub use command::{Interest, PeopleInterest, ResumePoint, ResumeRequest, SubscribeRequest};
pub use directory::{AccountFacts, DirectoryChange, Plan, Relation, Role, SupplierType, UserFacts};
pub use frame::{
    CloseCode, EndReason, ErrorCode, Kept, NotResumed, Outgoing, Phase, RequestError, ResumeOutcome,
    SubscribeOutcome, SubscribedChannel, ViewFrame, WelcomeFrame,
};
pub use id::{
    AccountId, ChannelId, ConnectionId, EntryId, OrganizationId, RequestId, SessionId, SubscriptionId,
    UserId, WeddingId,
};
pub use limits::Limits;
pub use occupancy::{AccessCodeId, AccountState, ClockOutReason, EndedHold, Hold, Occupancy};
pub use record::{AccountRecord, Encoding, Holder, PersonRecord, PersonState, Record, SharedRecord};
pub use settings::{Settings, SettingsPatch, Visibility};
pub use text::{CleanText, TextError};
pub use time::{Minute, Mono, Now, Wall};
pub use track::{Device, Status, Track, TrackRequest};
