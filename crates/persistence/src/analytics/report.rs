//! From sums of people to what is told of them: no group is told apart that has fewer than three.

use std::collections::{BTreeMap, BTreeSet};

use model::UserId;
use serde::Serialize;

/// Members of the smallest group that a report tells of.
pub const GROUP_AT_LEAST: usize = 3;
/// Pages that a report lists. 50 x at most 2 KiB = 100 KiB.
pub const PAGES_TOLD: usize = 50;
/// People that a report lists.
pub const USERS_TOLD: usize = 10;
/// Hours that are listed of a type of suppliers.
const PEAKS_OF_A_TYPE: usize = 3;
const MINUTE_MS: u64 = 60 * 1_000;

/// What one person did within a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserUse {
    /// Stretches that began in it.
    pub sessions: u64,
    /// Milliseconds of all stretches in it.
    pub millis: u64,
    /// Of the stretches that began: desktop, mobile, tablet.
    pub devices: [u64; 3],
    /// The local hours (0 to 23) in which there was anything, a bit each.
    pub hours: u64,
    /// The months, 1 to 12, at these bits.
    pub months: u64,
    /// The days of the week by ISO 8601, 1 (Monday) to 7, at these bits.
    pub weekdays: u64,
}

/// What a store adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everybody who was active.
    pub users: BTreeMap<UserId, UserUse>,
    /// At most [`PAGES_TOLD`] pages of at least [`GROUP_AT_LEAST`] people, those with the most views first, ties by page.
    pub pages: Vec<PageViews>,
    /// What those who were active supply at weddings.
    pub suppliers: BTreeSet<(String, UserId)>,
}

/// What is told about an organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AnalyticsReport))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Stretches of sessions that began in the range.
    pub total_sessions: u64,
    /// Minutes of all stretches in the range by [`Report::total_sessions`], to one decimal; 0 without sessions.
    pub average_session_duration: f64,
    /// By hour.
    pub peak_hours: Vec<HourUsers>,
    /// At most [`USERS_TOLD`], those with the most minutes first, ties by id.
    pub most_active_users: Vec<Minutes>,
    /// At most [`PAGES_TOLD`], those with the most views first, ties by page.
    pub page_views: Vec<PageViews>,
    /// Sessions by device.
    pub device_breakdown: Devices,
    /// By month.
    pub peak_months: Vec<MonthUsers>,
    /// By day of the week.
    pub weekdays: Vec<WeekdayUsers>,
    /// By type.
    pub supplier_types: Vec<SupplierTypeUse>,
}

/// People who were active in an hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HourUsers {
    /// 0 to 23.
    pub hour: u32,
    /// At least [`GROUP_AT_LEAST`].
    pub active_users: usize,
}

/// People who were active in a month of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MonthUsers {
    /// 1 to 12.
    pub month: u32,
    /// At least [`GROUP_AT_LEAST`].
    pub active_users: usize,
}

/// People who were active on a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WeekdayUsers {
    /// By ISO 8601: 1 (Monday) to 7.
    pub weekday: u32,
    /// At least [`GROUP_AT_LEAST`].
    pub active_users: usize,
}

/// How long somebody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Minutes {
    /// Who.
    pub user_id: UserId,
    /// Whole minutes.
    pub total_minutes: u64,
}

/// How often a page was viewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageViews {
    /// Without query and fragment.
    pub page: String,
    /// By all.
    pub views: u64,
    /// At least [`GROUP_AT_LEAST`].
    pub unique_users: u64,
}

/// Sessions by device; 0 also where fewer than [`GROUP_AT_LEAST`] people used one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the devices of the protocol")]
pub struct Devices {
    pub desktop: u64,
    pub mobile: u64,
    pub tablet: u64,
}

/// Suppliers of one type, of whom at least [`GROUP_AT_LEAST`] were active.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SupplierTypeUse {
    /// The platform's word.
    pub r#type: String,
    /// Sessions by those who were active, to one decimal.
    pub average_sessions: f64,
    /// At most three, those with the most people first, ties by hour.
    pub peak_hours: Vec<HourUsers>,
}

impl Usage {
    /// What is told of it.
    #[must_use]
    pub fn report(self) -> Report {
        let users: Vec<&UserUse> = self.users.values().collect();
        let total_sessions = sessions(&users);
        let millis: u64 = users.iter().map(|of| of.millis).sum();
        Report {
            total_sessions,
            average_session_duration: ratio(millis, total_sessions.saturating_mul(MINUTE_MS)),
            peak_hours: hours(&users),
            most_active_users: self.most_active(),
            device_breakdown: devices(&users),
            peak_months: months(&users),
            weekdays: weekdays(&users),
            supplier_types: self.supplier_types(),
            page_views: self.pages,
        }
    }

    fn most_active(&self) -> Vec<Minutes> {
        let minutes =
            |(id, of): (&UserId, &UserUse)| Minutes { user_id: *id, total_minutes: of.millis / MINUTE_MS };
        let mut users: Vec<_> = self.users.iter().map(minutes).collect();
        // Stable, and they are in the order of their ids.
        users.sort_by_key(|user| std::cmp::Reverse(user.total_minutes));
        users.truncate(USERS_TOLD);
        users
    }

    fn supplier_types(&self) -> Vec<SupplierTypeUse> {
        let mut by_type: BTreeMap<&str, Vec<&UserUse>> = BTreeMap::new();
        for (supplies, user) in &self.suppliers {
            by_type.entry(supplies).or_default().extend(self.users.get(user));
        }
        by_type.retain(|_, users| users.len() >= GROUP_AT_LEAST);
        by_type.into_iter().map(|(supplies, users)| supplier_type(supplies, &users)).collect()
    }
}

fn supplier_type(supplies: &str, users: &[&UserUse]) -> SupplierTypeUse {
    let mut peak_hours = hours(users);
    peak_hours.sort_by_key(|hour| std::cmp::Reverse(hour.active_users));
    peak_hours.truncate(PEAKS_OF_A_TYPE);
    let average_sessions = ratio(sessions(users), users.len() as u64);
    SupplierTypeUse { r#type: supplies.to_owned(), average_sessions, peak_hours }
}

fn sessions(users: &[&UserUse]) -> u64 {
    users.iter().map(|of| of.sessions).sum()
}

fn hours(users: &[&UserUse]) -> Vec<HourUsers> {
    let told = groups(0..24, users, |of| of.hours);
    told.map(|(hour, active_users)| HourUsers { hour, active_users }).collect()
}

fn months(users: &[&UserUse]) -> Vec<MonthUsers> {
    let told = groups(1..13, users, |of| of.months);
    told.map(|(month, active_users)| MonthUsers { month, active_users }).collect()
}

fn weekdays(users: &[&UserUse]) -> Vec<WeekdayUsers> {
    let told = groups(1..8, users, |of| of.weekdays);
    told.map(|(weekday, active_users)| WeekdayUsers { weekday, active_users }).collect()
}

/// Of each bit how many have it, where they are enough.
fn groups<'a>(
    bits: std::ops::Range<u32>,
    users: &'a [&UserUse],
    mask: impl Fn(&UserUse) -> u64 + 'a,
) -> impl Iterator<Item = (u32, usize)> + 'a {
    let counted = bits.map(move |bit| (bit, users.iter().filter(|of| mask(of) >> bit & 1 == 1).count()));
    counted.filter(|(_, count)| *count >= GROUP_AT_LEAST)
}

fn devices(users: &[&UserUse]) -> Devices {
    let [desktop, mobile, tablet] = [0, 1, 2].map(|n| {
        let used = users.iter().map(|of| of.devices[n]).filter(|sessions| *sessions > 0);
        if used.clone().count() >= GROUP_AT_LEAST { used.sum() } else { 0 }
    });
    Devices { desktop, mobile, tablet }
}

/// A fraction to one decimal, halves up; 0 by nothing. In whole numbers, so that it is the same everywhere.
fn ratio(of: u64, by: u64) -> f64 {
    let (of, by) = (u128::from(of), u128::from(by));
    let tenths = (of * 20 + by).checked_div(by * 2).unwrap_or(0);
    tenths as f64 / 10.0
}
