//! Reports about organizations, added up from the totals of days, and of quarters of an hour where a range has no whole
//! days in UTC.

mod pages;
mod users;

use std::time::Duration;

use async_trait::async_trait;
use model::{OrganizationId, UserId};
use persistence::{
    Analytics, AnalyticsQuery, StoreError,
    analytics::{ACTIVE_NOW_MS, Cut, Report, Usage},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    PostgresStore,
    database::{Terms, take_time},
    error::Failure,
};

/// What a report may take. With the time that every unit has it is less than a caller waits, which is 10 s.
const TIME_OF_A_REPORT: Duration = Duration::from_secs(8);

#[async_trait]
impl Analytics for PostgresStore {
    async fn analytics(&self, query: &AnalyticsQuery) -> Result<Report, StoreError> {
        let asked = Asked::of(query);
        // Writes nothing: it is a unit that may write because of the time that it may take.
        let terms = Terms { extra: TIME_OF_A_REPORT, ..Terms::default() };
        let usage = self.database.write(terms, asked, |connection, asked| Box::pin(usage(connection, asked)));
        Ok(usage.await?.report())
    }

    async fn active_now(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        let work = self
            .database
            .read(organization, |connection, organization| Box::pin(active_now(connection, *organization)));
        work.await
    }
}

/// A query as the statements take it.
struct Asked {
    organization: Uuid,
    /// Of people, whose hours are asked for as clocks show them.
    by_clock: Cut,
    /// Of pages, of which they are not.
    by_time: Cut,
}

impl Asked {
    fn of(query: &AnalyticsQuery) -> Self {
        let spans = query.range.spans();
        let (by_clock, by_time) = (Cut::by_clock(&spans), Cut::by_time(&spans));
        Self { organization: query.organization.0, by_clock, by_time }
    }
}

/// All of it as of one instant.
async fn usage(connection: &mut PgConnection, asked: &Asked) -> Result<Usage, Failure> {
    let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    sqlx::query(snapshot).execute(&mut *connection).await?;
    take_time(connection, TIME_OF_A_REPORT).await?;
    if !keeps_a_log(connection, asked.organization).await? {
        return Ok(Usage::default());
    }
    let mut usage = Usage {
        users: users::users(connection, asked).await?,
        pages: pages::pages(connection, asked).await?,
        ..Usage::default()
    };
    let active: Vec<Uuid> = usage.users.keys().map(|user| user.0).collect();
    for (supplies, user) in suppliers(connection, &active).await? {
        usage.suppliers.insert((supplies, UserId(user)));
    }
    Ok(usage)
}

async fn keeps_a_log(connection: &mut PgConnection, organization: Uuid) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT FROM organizations WHERE id = $1 AND plan::text = 'enterprise')";
    Ok(sqlx::query_scalar(sql).bind(organization).fetch_one(connection).await?)
}

async fn suppliers(connection: &mut PgConnection, users: &[Uuid]) -> Result<Vec<(String, Uuid)>, Failure> {
    let suppliers = sqlx::query_as(
        "SELECT DISTINCT supplier_type::text, supplier_id FROM wedding_collaborations WHERE supplier_id = ANY ($1)",
    );
    Ok(suppliers.bind(users).fetch_all(connection).await?)
}

/// Stretches are found by their beginning, as the rollups find them: a day back, and those few that are longer. What is
/// said to be of later than the next minute is of a clock that is wrong.
const ACTIVE_NOW: &str = "
    WITH span AS MATERIALIZED (
        SELECT now() - $2 * interval '1 millisecond' AS start, now() + interval '1 minute' AS finish
    )
    SELECT count(*) FROM (
        SELECT user_id FROM span JOIN presence_activity_logs ON \"timestamp\" > start AND \"timestamp\" < finish
        WHERE organization_id = $1
        UNION
        SELECT user_id FROM span JOIN presence_sessions
            ON started_at > start - interval '24 hours' AND started_at < finish AND NOT long
        WHERE organization_id = $1 AND seen_at > start AND seen_at < finish
        UNION
        SELECT user_id FROM span JOIN presence_sessions ON long
        WHERE organization_id = $1 AND seen_at > start AND seen_at < finish
    ) AS people
    WHERE EXISTS (SELECT FROM organizations WHERE id = $1 AND plan::text = 'enterprise')";

async fn active_now(connection: &mut PgConnection, organization: OrganizationId) -> Result<u64, Failure> {
    let count = sqlx::query_scalar(ACTIVE_NOW).bind(organization.0).bind(ACTIVE_NOW_MS);
    let count: i64 = count.fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}
