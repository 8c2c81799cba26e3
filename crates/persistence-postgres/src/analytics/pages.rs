//! Which pages were viewed, and by how many people.

use chrono::NaiveDate;
use persistence::analytics::{Cut, GROUP_AT_LEAST, PAGES_TOLD, PageViews, Span};
use sqlx::{AssertSqlSafe, PgConnection};

use super::Asked;
use crate::{error::Failure, facts::timestamp};

type Row = (String, i64, i64);
type Query = sqlx::query::QueryAs<'static, sqlx::Postgres, Row, sqlx::postgres::PgArguments>;

/// What sets of people may take while pages are put together; past it the database puts them on disk.
const MEMORY: &str = "SET LOCAL work_mem = '32MB'";

/// People are the bits of their numbers, so that those of many days are told apart without a row for each: the sets are
/// made as wide as the greatest number.
const DAYS: &str = "
    WITH wide AS MATERIALIZED (
        SELECT width, \"bit\"(B'0', width, true) AS nobody
        FROM (SELECT coalesce(max(number), 0) + 1 FROM activity_members WHERE organization_id = $1) AS w (width)
    ), viewed AS (
        SELECT page, sum(views) AS views, bit_or(\"bit\"(people, (SELECT width FROM wide), true)) AS people
        FROM activity_page_days WHERE organization_id = $1 AND day >= $2 AND day < $3 GROUP BY page";
/// For each span of the rest, with its place among what is bound: planned for the span, so that nothing else is read.
const AND_OF_SPAN: &str = "
        UNION ALL
        SELECT page, sum(views), bit_or(set_bit((SELECT nobody FROM wide), number, 1))
        FROM activity_pages AS quarter
        JOIN activity_members AS member ON member.organization_id = $1 AND member.user_id = quarter.user_id
        WHERE quarter.organization_id = $1 AND bucket >= {start} AND bucket < {finish} GROUP BY page";
const TOLD: &str = "
    ), told AS (
        SELECT page, sum(views)::bigint AS views, bit_count(bit_or(people)) AS people FROM viewed GROUP BY page
    )
    SELECT page, views, people FROM told
    WHERE people >= $4 ORDER BY views DESC, page COLLATE \"C\" LIMIT $5";

pub(super) async fn pages(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<PageViews>, Failure> {
    sqlx::query(MEMORY).execute(&mut *connection).await?;
    let [first, after] = days(&asked.by_time);
    let rest = &asked.by_time.rest;
    let pages =
        sqlx::query_as(AssertSqlSafe(statement(rest.len()))).persistent(false).bind(asked.organization);
    let pages = pages.bind(first).bind(after).bind(number(GROUP_AT_LEAST)).bind(number(PAGES_TOLD));
    let with_span = |pages: Query, span: &Span| pages.bind(timestamp(span.start)).bind(timestamp(span.end));
    let pages = rest.iter().fold(pages, with_span);
    let rows = pages.fetch_all(connection).await?;
    let told = |(page, views, people): Row| PageViews {
        page,
        views: views.unsigned_abs(),
        unique_users: people.unsigned_abs(),
    };
    Ok(rows.into_iter().map(told).collect())
}

/// The first day, and the one after the last: of all the time there is one stretch of whole days at most.
fn days(cut: &Cut) -> [NaiveDate; 2] {
    cut.days.first().map_or_else(Default::default, |days| [days.first_day(), days.end()])
}

/// What is bound comes first, then the bounds of so many spans.
fn statement(spans: usize) -> String {
    let of_span = |nth: usize| {
        let [start, finish] = [nth * 2 + 6, nth * 2 + 7].map(|place| format!("${place}"));
        AND_OF_SPAN.replace("{start}", &start).replace("{finish}", &finish)
    };
    let rest: String = (0..spans).map(of_span).collect();
    format!("{DAYS}{rest}{TOLD}")
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
