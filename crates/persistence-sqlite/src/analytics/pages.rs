//! Which pages were viewed, and by how many people.

use std::collections::BTreeMap;

use persistence::{
    StoreError,
    analytics::{GROUP_AT_LEAST, PAGES_TOLD, PageViews},
    stored::write_json,
};
use sqlx::SqliteConnection;

use super::{Asked, array, within};
use crate::error::store_error;

/// Pages whose people are counted one by one: some more than are told, because some may have too few.
const TRIED: usize = PAGES_TOLD + PAGES_TOLD / 4;

/// The people of the pages with the most views are counted. Where too many of these are of too few people, those of all
/// pages are, quarter by quarter.
pub(super) async fn pages(
    connection: &mut SqliteConnection,
    asked: &Asked,
) -> Result<Vec<PageViews>, StoreError> {
    let most = most_viewed(connection, asked).await?;
    let people = people(connection, asked, &most).await?;
    let told = |(page, views): &(String, i64)| {
        let unique_users = *people.get(page)?;
        let (page, views) = (page.clone(), views.unsigned_abs());
        (unique_users >= GROUP_AT_LEAST as u64).then_some(PageViews { page, views, unique_users })
    };
    let pages: Vec<_> = most.iter().filter_map(told).take(PAGES_TOLD).collect();
    if pages.len() < PAGES_TOLD && most.len() == TRIED {
        return of_quarters(connection, asked).await;
    }
    Ok(pages)
}

/// `?2`: whole days, each by the first and the one after the last; `?3`: spans of the rest.
const MOST_VIEWED: &str = "SELECT page, sum(views) AS total FROM (\
        SELECT page, views FROM json_each(?2) AS days JOIN activity_page_days AS row \
            ON row.organization_id = ?1 AND row.day >= days.value ->> 0 AND row.day < days.value ->> 1 \
        UNION ALL \
        SELECT page, views FROM json_each(?3) AS span JOIN activity_pages AS row \
            ON row.organization_id = ?1 AND row.bucket >= span.value ->> 0 AND row.bucket < span.value ->> 1) \
    GROUP BY page ORDER BY total DESC, page LIMIT ?4";

async fn most_viewed(
    connection: &mut SqliteConnection,
    asked: &Asked,
) -> Result<Vec<(String, i64)>, StoreError> {
    let days: Vec<_> = asked.by_time.days.iter().map(|days| [days.first, days.first + days.count]).collect();
    let most = sqlx::query_as(MOST_VIEWED).bind(asked.organization).bind(write_json(&days)?);
    let most = most.bind(array(&asked.by_time.rest)?).bind(number(TRIED));
    most.fetch_all(connection).await.map_err(store_error)
}

/// Each quarter of `?2` that has a page is found by a step along the key, and each page `?3` in it by another.
const PEOPLE: &str = "WITH RECURSIVE quarter (at, finish) AS (\
        SELECT (SELECT min(bucket) FROM activity_pages WHERE organization_id = ?1 AND bucket >= span.value ->> 0), \
            span.value ->> 1 FROM json_each(?2) AS span \
        UNION ALL \
        SELECT (SELECT min(bucket) FROM activity_pages WHERE organization_id = ?1 AND bucket > at), finish \
        FROM quarter WHERE at < finish) \
    SELECT row.page, count(DISTINCT row.user_id) FROM quarter CROSS JOIN json_each(?3) AS wanted \
    CROSS JOIN activity_pages AS row \
        ON row.organization_id = ?1 AND row.bucket = quarter.at AND row.page = wanted.value \
    WHERE quarter.at < quarter.finish GROUP BY row.page";

async fn people(
    connection: &mut SqliteConnection,
    asked: &Asked,
    of: &[(String, i64)],
) -> Result<BTreeMap<String, u64>, StoreError> {
    let pages: Vec<_> = of.iter().map(|(page, _)| page).collect();
    let people = sqlx::query_as(PEOPLE).bind(asked.organization).bind(array(&asked.spans)?);
    let people = people.bind(write_json(&pages)?).fetch_all(connection).await;
    let people: Vec<(String, i64)> = people.map_err(store_error)?;
    Ok(people.into_iter().map(|(page, people)| (page, people.unsigned_abs())).collect())
}

const PAGES: &str = concat!(
    "SELECT page, sum(views) AS total, count(DISTINCT user_id) AS people FROM ",
    within!("activity_pages"),
    " GROUP BY page HAVING people >= ?3 ORDER BY total DESC, page LIMIT ?4"
);

async fn of_quarters(connection: &mut SqliteConnection, asked: &Asked) -> Result<Vec<PageViews>, StoreError> {
    let pages = sqlx::query_as(PAGES).bind(asked.organization).bind(array(&asked.spans)?);
    let pages = pages.bind(number(GROUP_AT_LEAST)).bind(number(PAGES_TOLD));
    let rows: Vec<(String, i64, i64)> = pages.fetch_all(connection).await.map_err(store_error)?;
    let told = |(page, views, people): (String, i64, i64)| PageViews {
        page,
        views: views.unsigned_abs(),
        unique_users: people.unsigned_abs(),
    };
    Ok(rows.into_iter().map(told).collect())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
