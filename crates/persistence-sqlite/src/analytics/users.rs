//! What each person did.

use std::collections::BTreeMap;

use model::UserId;
use persistence::{
    StoreError,
    analytics::{Span, UserUse, WholeDays},
    stored::corrupt,
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use super::{Asked, array, within};
use crate::error::store_error;

/// Everybody who was active.
pub(super) async fn users(
    connection: &mut SqliteConnection,
    asked: &Asked,
) -> Result<BTreeMap<UserId, UserUse>, StoreError> {
    let mut users: BTreeMap<UserId, UserUse> = BTreeMap::new();
    for days in &asked.by_clock.days {
        for row in of_days(connection, asked.organization, days).await? {
            *users.entry(UserId(row.user_id.into())).or_default() += row.read(days)?;
        }
    }
    for row in of_quarters(connection, asked.organization, &asked.by_clock.rest).await? {
        *users.entry(UserId(row.user_id.into())).or_default() += row.read()?;
    }
    Ok(users)
}

#[derive(sqlx::FromRow)]
struct DaysRow {
    user_id: Hyphenated,
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
    /// Of each day its number from the first one on and its quarters, with spaces between them, and commas between days.
    quarters: String,
}

impl DaysRow {
    fn read(&self, days: &WholeDays) -> Result<UserUse, StoreError> {
        let devices = [self.desktop, self.mobile, self.tablet].map(i64::unsigned_abs);
        let (sessions, millis) = (self.sessions.unsigned_abs(), self.millis.unsigned_abs());
        let mut of = UserUse { sessions, millis, devices, ..UserUse::default() };
        let (marks, earlier, mut all) = (days.marks(), days.on_the_earlier_date(), [0, 0]);
        for day in self.quarters.split(',') {
            let told = numbers(day).and_then(|[nth, forenoon, afternoon]| {
                Some((marks.get(usize::try_from(nth).ok()?..)?, [forenoon, afternoon]))
            });
            let Some(([on_this, on_next, ..], quarters)) = told else {
                return Err(corrupt(format!("{day:?} is no day of these")));
            };
            mark(&mut of, [on_this, on_next], [0, 1].map(|half| (quarters[half], earlier[half])));
            all = [0, 1].map(|half| all[half] | quarters[half]);
        }
        of.hours = days.hours(all);
        Ok(of)
    }
}

/// Marks the two dates of a day by its quarters, and those of them that are on the earlier one.
fn mark(of: &mut UserUse, [earlier, later]: [&i64; 2], halves: [(i64, i64); 2]) {
    if halves.iter().any(|(quarters, on_earlier)| quarters & on_earlier != 0) {
        of.mark(earlier.unsigned_abs());
    }
    if halves.iter().any(|(quarters, on_earlier)| quarters & !on_earlier != 0) {
        of.mark(later.unsigned_abs());
    }
}

fn numbers(day: &str) -> Option<[i64; 3]> {
    let numbers: Option<Vec<i64>> = day.split(' ').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// There is no sum of bits: those of each day are told, and put together here.
const DAYS: &str = "SELECT user_id, sum(sessions) AS sessions, sum(millis) AS millis, sum(desktop) AS desktop, \
        sum(mobile) AS mobile, sum(tablet) AS tablet, \
        group_concat((day - ?2) || ' ' || forenoon || ' ' || afternoon) AS quarters \
    FROM activity_days WHERE organization_id = ?1 AND day >= ?2 AND day < ?2 + ?3 GROUP BY user_id";

async fn of_days(
    connection: &mut SqliteConnection,
    organization: Hyphenated,
    days: &WholeDays,
) -> Result<Vec<DaysRow>, StoreError> {
    let rows = sqlx::query_as(DAYS).bind(organization).bind(days.first).bind(days.count);
    rows.fetch_all(connection).await.map_err(store_error)
}

#[derive(sqlx::FromRow)]
struct QuartersRow {
    user_id: Hyphenated,
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
    /// Different numbers, with commas between them.
    hours: String,
    months: String,
    weekdays: String,
}

impl QuartersRow {
    fn read(&self) -> Result<UserUse, StoreError> {
        Ok(UserUse {
            sessions: self.sessions.unsigned_abs(),
            millis: self.millis.unsigned_abs(),
            devices: [self.desktop, self.mobile, self.tablet].map(i64::unsigned_abs),
            hours: bits(&self.hours)?,
            months: bits(&self.months)?,
            weekdays: bits(&self.weekdays)?,
        })
    }
}

fn bits(numbers: &str) -> Result<u64, StoreError> {
    numbers.split(',').try_fold(0, |bits, number| {
        let bit = number.parse().ok().and_then(|bit| 1_u64.checked_shl(bit));
        bit.map(|bit| bits | bit).ok_or_else(|| corrupt(format!("{number:?} is no hour, day or month")))
    })
}

/// The 1st of January 1970 was a Thursday.
const QUARTERS: &str = concat!(
    "SELECT user_id, sum(sessions) AS sessions, sum(millis) AS millis, sum(desktop) AS desktop, \
         sum(mobile) AS mobile, sum(tablet) AS tablet, \
         group_concat(DISTINCT local / 3600000 % 24) AS hours, \
         group_concat(DISTINCT CAST(strftime('%m', local / 1000, 'unixepoch') AS INTEGER)) AS months, \
         group_concat(DISTINCT (local / 86400000 + 3) % 7 + 1) AS weekdays \
     FROM ",
    within!("activity_rollups"),
    " GROUP BY user_id"
);

async fn of_quarters(
    connection: &mut SqliteConnection,
    organization: Hyphenated,
    spans: &[Span],
) -> Result<Vec<QuartersRow>, StoreError> {
    let rows = sqlx::query_as(QUARTERS).bind(organization).bind(array(spans)?);
    rows.fetch_all(connection).await.map_err(store_error)
}
