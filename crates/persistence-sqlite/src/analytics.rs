//! Reports about organizations, added up from the totals of quarters of an hour.

use async_trait::async_trait;
use model::{OrganizationId, UserId};
use persistence::{
    Analytics, AnalyticsQuery, StoreError,
    analytics::{ACTIVE_NOW_MS, GROUP_AT_LEAST, PAGES_TOLD, PageViews, Report, Usage, UserUse},
    stored::{corrupt, write_json},
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{SqliteStore, error::store_error};

/// What another clock may be ahead, in milliseconds: one minute.
const CLOCKS_MS: i64 = 60 * 1_000;

#[async_trait]
impl Analytics for SqliteStore {
    async fn analytics(&self, query: &AnalyticsQuery) -> Result<Report, StoreError> {
        let asked = Asked::of(query)?;
        let usage = self.read(move |connection| Box::pin(async move { usage(connection, &asked).await }));
        Ok(usage.await?.report())
    }

    async fn active_now(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        self.read(move |connection| Box::pin(active_now(connection, organization))).await
    }
}

/// A query as the statements take it.
struct Asked {
    organization: Hyphenated,
    /// An array of `[start, end, ahead_ms]`.
    spans: String,
}

impl Asked {
    fn of(query: &AnalyticsQuery) -> Result<Self, StoreError> {
        let spans = query.range.spans();
        let spans: Vec<_> = spans.iter().map(|span| [span.start.0, span.end.0, span.ahead_ms]).collect();
        Ok(Self { organization: query.organization.0.hyphenated(), spans: write_json(&spans)? })
    }
}

async fn usage(connection: &mut SqliteConnection, asked: &Asked) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    if !keeps_a_log(connection, asked.organization).await? {
        return Ok(usage);
    }
    for row in users(connection, asked).await? {
        usage.users.insert(UserId(row.user_id.into()), row.read()?);
    }
    usage.pages = pages(connection, asked).await?;
    for (supplies, user) in suppliers(connection, usage.users.keys()).await? {
        usage.suppliers.insert((supplies, UserId(user.into())));
    }
    Ok(usage)
}

async fn keeps_a_log(
    connection: &mut SqliteConnection,
    organization: Hyphenated,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM organizations WHERE id = ?1 AND plan = 'enterprise')";
    sqlx::query_scalar(sql).bind(organization).fetch_one(connection).await.map_err(store_error)
}

#[derive(sqlx::FromRow)]
struct UserRow {
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

impl UserRow {
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

/// Rows of a table of quarters that lie in the spans `?2`, with what the local clock shows, in milliseconds.
macro_rules! within {
    ($table:literal) => {
        concat!(
            "(SELECT row.*, row.bucket + (span.value ->> 2) AS local FROM json_each(?2) AS span JOIN ",
            $table,
            " AS row ON row.organization_id = ?1 AND row.bucket >= span.value ->> 0 \
                 AND row.bucket < span.value ->> 1)"
        )
    };
}

/// The 1st of January 1970 was a Thursday.
const USERS: &str = concat!(
    "SELECT user_id, sum(sessions) AS sessions, sum(millis) AS millis, sum(desktop) AS desktop, \
         sum(mobile) AS mobile, sum(tablet) AS tablet, \
         group_concat(DISTINCT local / 3600000 % 24) AS hours, \
         group_concat(DISTINCT CAST(strftime('%m', local / 1000, 'unixepoch') AS INTEGER)) AS months, \
         group_concat(DISTINCT (local / 86400000 + 3) % 7 + 1) AS weekdays \
     FROM ",
    within!("activity_rollups"),
    " GROUP BY user_id"
);

async fn users(connection: &mut SqliteConnection, asked: &Asked) -> Result<Vec<UserRow>, StoreError> {
    let users = sqlx::query_as(USERS).bind(asked.organization).bind(&asked.spans);
    users.fetch_all(connection).await.map_err(store_error)
}

const PAGES: &str = concat!(
    "SELECT page, sum(views) AS total, count(DISTINCT user_id) AS people FROM ",
    within!("activity_pages"),
    " GROUP BY page HAVING people >= ?3 ORDER BY total DESC, page LIMIT ?4"
);

async fn pages(connection: &mut SqliteConnection, asked: &Asked) -> Result<Vec<PageViews>, StoreError> {
    let pages = sqlx::query_as(PAGES).bind(asked.organization).bind(&asked.spans);
    let pages = pages.bind(number(GROUP_AT_LEAST)).bind(number(PAGES_TOLD));
    let rows: Vec<(String, i64, i64)> = pages.fetch_all(connection).await.map_err(store_error)?;
    let told = |(page, views, people): (String, i64, i64)| PageViews {
        page,
        views: views.unsigned_abs(),
        unique_users: people.unsigned_abs(),
    };
    Ok(rows.into_iter().map(told).collect())
}

async fn suppliers(
    connection: &mut SqliteConnection,
    users: impl Iterator<Item = &UserId>,
) -> Result<Vec<(String, Hyphenated)>, StoreError> {
    sqlx::query_as(
        "SELECT DISTINCT supplier_type, supplier_id FROM json_each(?1) AS active \
         JOIN wedding_collaborations ON supplier_id = active.value",
    )
    .bind(write_json(&users.collect::<Vec<_>>())?)
    .fetch_all(connection)
    .await
    .map_err(store_error)
}

/// What is said to be of later than the next minute is of a clock that is wrong.
const ACTIVE_NOW: &str = "
    WITH span AS (SELECT unixepoch('subsec') * 1000 - ?2 AS start, unixepoch('subsec') * 1000 + ?3 AS finish)
    SELECT count(*) FROM (
        SELECT user_id FROM span JOIN presence_activity_logs ON timestamp > start AND timestamp < finish
        WHERE organization_id = ?1
        UNION
        SELECT user_id FROM span JOIN presence_sessions ON seen_at > start AND seen_at < finish
        WHERE organization_id = ?1
            AND started_at > start - (SELECT max(seen_at - started_at) FROM presence_sessions)
    )
    WHERE EXISTS (SELECT 1 FROM organizations WHERE id = ?1 AND plan = 'enterprise')";

async fn active_now(
    connection: &mut SqliteConnection,
    organization: OrganizationId,
) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar(ACTIVE_NOW).bind(organization.0.hyphenated());
    let count = count.bind(ACTIVE_NOW_MS).bind(CLOCKS_MS).fetch_one(connection).await;
    count.map(i64::unsigned_abs).map_err(store_error)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
