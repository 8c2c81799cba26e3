//! Reports about organizations, added up from the totals of weeks, of days at the ends of a range that has no whole weeks
//! in UTC, and of quarters of an hour where it has no whole days.

mod pages;
mod users;

use std::time::Duration;

use async_trait::async_trait;
use model::{OrganizationId, UserId};
use persistence::{
    Analytics, AnalyticsQuery, StoreError,
    analytics::{ACTIVE_NOW_MS, Balance, Cut, Report, Usage, WeekPart},
};
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
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

/// What sets of people may take while pages are put together; past it the database puts them on disk. And one process
/// for each report: several for one would take the time of others who ask meanwhile.
const ALONE: &str =
    "SELECT set_config('work_mem', '32MB', true), set_config('max_parallel_workers_per_gather', '0', true)";

/// What is bound before the parts of days: the organization, the first day, the first whole week, the end of the weeks,
/// and that of the days.
const OF_WHOLE: usize = 5;

/// A query as the statements take it.
struct Asked {
    organization: Uuid,
    /// Its time, by what clocks show.
    parts: Vec<WeekPart>,
    /// The same time, whatever clocks show.
    time: Balance,
    /// The same for numbers that are added up.
    sums: Balance,
}

impl Asked {
    fn of(query: &AnalyticsQuery) -> Self {
        let spans = query.range.spans();
        let cut = Cut::by_time(&spans);
        Self {
            organization: query.organization.0,
            parts: WeekPart::of(&spans),
            time: cut.clone().plain(),
            sums: cut.balanced(),
        }
    }
}

/// Where the bounds of each part of a day are among what is bound: those that are added, and those that are taken away.
fn part_places(time: &Balance) -> [impl Iterator<Item = [usize; 2]>; 2] {
    let places = |nth: usize| [OF_WHOLE + nth * 2 + 1, OF_WHOLE + nth * 2 + 2];
    let (more, all) = (time.more.len(), time.more.len() + time.less.len());
    [0..more, more..all].map(|range| range.map(places))
}

/// The first place for what is bound beside the time.
fn next_place(time: &Balance) -> usize {
    OF_WHOLE + (time.more.len() + time.less.len()) * 2 + 1
}

/// Numbers to be added up of all that the tables of totals of days and of quarters of an hour have of a time but for its
/// whole weeks, beside whose or what they are; with what [`bind_time`] binds.
fn to_add_up_besides_weeks(
    time: &Balance,
    of: &str,
    numbers: &[&str],
    [days, quarters]: [&'static str; 2],
) -> String {
    let columns = |sign: &str| {
        let numbers = numbers.iter().map(|number| format!(", {sign}{number} AS {number}"));
        format!("{of}{}", numbers.collect::<String>())
    };
    let (taken, away) = (columns(""), columns("-"));
    let part = |columns: &str, [start, finish]: [usize; 2]| {
        format!(
            " UNION ALL SELECT {columns} FROM {quarters} \
             WHERE organization_id = $1 AND bucket >= ${start} AND bucket < ${finish}"
        )
    };
    let [more, less] = part_places(time);
    let parts: String =
        more.map(|places| part(&taken, places)).chain(less.map(|places| part(&away, places))).collect();
    format!("{}{parts}", of_days(&taken, days))
}

/// These columns of whole weeks.
fn of_weeks(columns: &str, weeks: &str) -> String {
    format!("SELECT {columns} FROM {weeks} WHERE organization_id = $1 AND week >= $3 AND week < $4")
}

/// These columns of whole days before the first whole week, and after the last.
fn of_days(columns: &str, days: &str) -> String {
    format!(
        "SELECT {columns} FROM {days} WHERE organization_id = $1 AND day >= $2 AND day < $3 \
         UNION ALL SELECT {columns} FROM {days} WHERE organization_id = $1 AND day >= $4 AND day < $5"
    )
}

type Asking<R> = QueryAs<'static, Postgres, R, PgArguments>;

/// Asks for it. Planned for this time, so that nothing else is read: how many days it has makes another plan.
fn bind_time<R>(sql: String, organization: Uuid, time: &Balance) -> Asking<R>
where
    R: for<'r> sqlx::FromRow<'r, PgRow>,
{
    let days = time.days;
    let [week, after] = days.weeks();
    let query = sqlx::query_as(AssertSqlSafe(sql)).persistent(false).bind(organization);
    let query = query.bind(days.first_day()).bind(week).bind(after).bind(days.end());
    let parts = time.more.iter().chain(&time.less);
    parts.fold(query, |query, span| query.bind(timestamp(span.start)).bind(timestamp(span.end)))
}

/// All of it as of one instant.
async fn usage(connection: &mut PgConnection, asked: &Asked) -> Result<Usage, Failure> {
    let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    sqlx::query(snapshot).execute(&mut *connection).await?;
    take_time(connection, TIME_OF_A_REPORT).await?;
    sqlx::query(ALONE).execute(&mut *connection).await?;
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
