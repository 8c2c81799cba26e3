//! The one projection: (viewer, subject, relations, settings) in, a record or nothing out.
//!
//! Pure tables of cases. Every way out of the hub goes through [`present`], [`offline`] and [`account_form`], after
//! [`sight()`] has decided which of them a viewer gets. Nothing here knows a channel, a session or a clock.

mod occupancy;
mod person;
mod sight;

pub use occupancy::{AccountForms, account_form, account_forms};
pub use person::{Merged, PersonForm, offline, present};
pub use sight::{Sight, relates, sight};
