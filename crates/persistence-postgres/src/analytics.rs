//! Reports about organizations, added up from the totals of quarters of an hour.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use model::{OrganizationId, UserId};
use persistence::{
    Analytics, AnalyticsQuery, StoreError,
    analytics::{ACTIVE_NOW_MS, GROUP_AT_LEAST, PAGES_TOLD, PageViews, Report, Span, Usage, UserUse},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    PostgresStore,
    database::{Terms, take_time},
    error::Failure,
    facts::timestamp,
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
    starts: Vec<DateTime<Utc>>,
    ends: Vec<DateTime<Utc>>,
    ahead_ms: Vec<i64>,
}

impl Asked {
    fn of(query: &AnalyticsQuery) -> Self {
        let spans = query.range.spans();
        let column =
            |instant: fn(&Span) -> model::Wall| spans.iter().map(|span| timestamp(instant(span))).collect();
        Self {
            organization: query.organization.0,
            starts: column(|span| span.start),
            ends: column(|span| span.end),
            ahead_ms: spans.iter().map(|span| span.ahead_ms).collect(),
        }
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
    let mut usage = Usage::default();
    for row in users(connection, asked).await? {
        usage.users.insert(UserId(row.user_id), row.into());
    }
    usage.pages = pages(connection, asked).await?;
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

#[derive(sqlx::FromRow)]
struct UserRow {
    user_id: Uuid,
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
    marks: i64,
}

impl From<UserRow> for UserUse {
    fn from(row: UserRow) -> Self {
        let devices = [row.desktop, row.mobile, row.tablet].map(i64::unsigned_abs);
        let marks = row.marks.unsigned_abs();
        Self {
            sessions: row.sessions.unsigned_abs(),
            millis: row.millis.unsigned_abs(),
            devices,
            hours: marks & 0xFF_FFFF,
            months: marks >> 24 & 0x1FFF,
            weekdays: marks >> 40,
        }
    }
}

/// What the local clock shows is worked out once for each quarter, and not for each row: the hour marks a bit from 0 on,
/// the month one from 24 on, the day of the week one from 40 on.
const USERS: &str = "
    WITH quarter AS MATERIALIZED (
        SELECT bucket, (1::bigint << extract(hour FROM local)::int)
            | (1::bigint << (24 + extract(month FROM local)::int))
            | (1::bigint << (40 + extract(isodow FROM local)::int)) AS marks
        FROM unnest($2::timestamptz[], $3::timestamptz[], $4::bigint[]) AS span (start, finish, ahead_ms),
            generate_series(start, finish - interval '15 minutes', interval '15 minutes') AS bucket,
            LATERAL (SELECT bucket AT TIME ZONE 'UTC' + ahead_ms * interval '1 millisecond') AS clock (local)
    )
    SELECT known.user_id, sum(sessions)::bigint AS sessions, sum(millis)::bigint AS millis,
        sum(desktop)::bigint AS desktop, sum(mobile)::bigint AS mobile, sum(tablet)::bigint AS tablet,
        bit_or(marks) AS marks
    FROM activity_rollups AS known JOIN quarter USING (bucket)
    WHERE organization_id = $1 AND bucket >= ($2::timestamptz[])[1]
      AND bucket < ($3::timestamptz[])[cardinality($3::timestamptz[])]
    GROUP BY known.user_id";

async fn users(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<UserRow>, Failure> {
    // Planned for this range: how many quarters it has makes another plan.
    let users = sqlx::query_as(USERS).persistent(false).bind(asked.organization);
    Ok(users.bind(&asked.starts).bind(&asked.ends).bind(&asked.ahead_ms).fetch_all(connection).await?)
}

/// The views of each person are added up first: to count people is then to count rows.
const PAGES: &str = "
    SELECT page, sum(views)::bigint AS views, count(*) AS people
    FROM (
        SELECT page, user_id, sum(views) AS views
        FROM unnest($2::timestamptz[], $3::timestamptz[]) AS span (start, finish)
        JOIN activity_pages ON organization_id = $1 AND bucket >= start AND bucket < finish
        GROUP BY page, user_id
    ) AS by_person
    GROUP BY page HAVING count(*) >= $4 ORDER BY 2 DESC, page COLLATE \"C\" LIMIT $5";

async fn pages(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<PageViews>, Failure> {
    let pages = sqlx::query_as(PAGES).persistent(false).bind(asked.organization);
    let pages =
        pages.bind(&asked.starts).bind(&asked.ends).bind(number(GROUP_AT_LEAST)).bind(number(PAGES_TOLD));
    let rows: Vec<(String, i64, i64)> = pages.fetch_all(connection).await?;
    let told = |(page, views, people): (String, i64, i64)| PageViews {
        page,
        views: views.unsigned_abs(),
        unique_users: people.unsigned_abs(),
    };
    Ok(rows.into_iter().map(told).collect())
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

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
