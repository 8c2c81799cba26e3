//! The section `[occupancy]`.

use std::time::Duration;

use hub::OccupancyOptions;
use serde::{Deserialize, Serialize};

/// How assistants clock in and out of accounts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Occupancy {
    /// Seconds without a sign of life after which a hold is shown as stale.
    pub stale_after_s: u64,
    /// Seconds with nothing done, while an extension is connected, after which a hold is ended.
    pub inactive_after_s: u64,
    /// Seconds for which the token of an extension is good.
    pub token_s: u64,
    /// Days for which an access code is good, where whoever mints it says nothing.
    pub code_days: u32,
    /// Days for which an access code may be good.
    pub code_days_max: u32,
}

const DAY: Duration = Duration::from_hours(24);

impl Occupancy {
    /// When a hold counts as lost, and when it is given up.
    #[must_use]
    pub fn options(&self) -> OccupancyOptions {
        OccupancyOptions {
            stale_after: Duration::from_secs(self.stale_after_s),
            inactive_after: Duration::from_secs(self.inactive_after_s),
        }
    }

    /// For how long the token of an extension is good.
    #[must_use]
    pub fn token_lasts(&self) -> Duration {
        Duration::from_secs(self.token_s)
    }

    /// For how long an access code is good, where whoever mints it says nothing.
    #[must_use]
    pub fn code_lasts(&self) -> Duration {
        DAY * self.code_days
    }

    /// And at most.
    #[must_use]
    pub fn code_lasts_at_most(&self) -> Duration {
        DAY * self.code_days_max
    }
}
