//! Reports about organizations, added up from the totals of days, and of quarters of an hour where a range has no whole
//! days in UTC.

mod pages;
mod users;

use async_trait::async_trait;
use model::{OrganizationId, UserId};
use persistence::{
    Analytics, AnalyticsQuery, StoreError,
    analytics::{ACTIVE_NOW_MS, Cut, Report, Span, Usage},
    stored::write_json,
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{SqliteStore, error::store_error};

/// What another clock may be ahead, in milliseconds: one minute.
const CLOCKS_MS: i64 = 60 * 1_000;

#[async_trait]
impl Analytics for SqliteStore {
    async fn analytics(&self, query: &AnalyticsQuery) -> Result<Report, StoreError> {
        let asked = Asked::of(query);
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
    spans: Vec<Span>,
    /// Of people, whose hours are asked for as clocks show them.
    by_clock: Cut,
    /// Of pages, of which they are not.
    by_time: Cut,
}

impl Asked {
    fn of(query: &AnalyticsQuery) -> Self {
        let spans = query.range.spans();
        let (by_clock, by_time) = (Cut::by_clock(&spans), Cut::by_time(&spans));
        Self { organization: query.organization.0.hyphenated(), spans, by_clock, by_time }
    }
}

/// Spans as the statements take them: an array of `[start, end, ahead_ms]`.
fn array(spans: &[Span]) -> Result<String, StoreError> {
    let spans: Vec<_> = spans.iter().map(|span| [span.start.0, span.end.0, span.ahead_ms]).collect();
    write_json(&spans)
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
use within;

async fn usage(connection: &mut SqliteConnection, asked: &Asked) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    if !keeps_a_log(connection, asked.organization).await? {
        return Ok(usage);
    }
    usage.users = users::users(connection, asked).await?;
    usage.pages = pages::pages(connection, asked).await?;
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
