//! What the administrators of an organization read: when its people are there, for how long, where and with what.
//!
//! Days, hours and time zones are settled here ([`DateRange`]), and so is what is told of small groups ([`Usage::report`]):
//! a store only adds up rows, and all stores come to the same.

mod days;
mod range;
mod report;
mod weeks;

use async_trait::async_trait;
use model::OrganizationId;

use crate::StoreError;

pub use days::{Balance, Cut, WholeDays};
pub use range::{DateRange, RANGE_DAYS, RangeError, Span};
pub use report::{
    Devices, GROUP_AT_LEAST, HourUsers, Minutes, MonthUsers, PAGES_TOLD, PageViews, Report, SupplierTypeUse,
    USERS_TOLD, Usage, UserUse, WeekdayUsers,
};
pub use weeks::{WEEK_QUARTERS, WeekClock, WeekPart};

/// Milliseconds for which somebody counts as active now after what they did last: 15 min.
pub const ACTIVE_NOW_MS: i64 = 15 * 60 * 1000;

/// What is asked about an organization.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnalyticsQuery {
    /// Which.
    pub organization: OrganizationId,
    /// Of which days.
    pub range: DateRange,
}

/// Reports about organizations. Nobody is told apart in them but for those who are listed by consent.
///
/// Who may ask is not decided here.
#[async_trait]
pub trait Analytics: Send + Sync + 'static {
    /// A report, made of the totals of quarters of an hour and of days: what was written since they were rolled up is not in it. An
    /// organization that keeps no log, or that is not there, has an empty one.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn analytics(&self, query: &AnalyticsQuery) -> Result<Report, StoreError>;

    /// How many people did something that is logged, or were there, within the last [`ACTIVE_NOW_MS`] by the store's
    /// clock; 0 where no log is kept.
    ///
    /// # Errors
    /// As [`Analytics::analytics`].
    async fn active_now(&self, organization: OrganizationId) -> Result<u64, StoreError>;
}
