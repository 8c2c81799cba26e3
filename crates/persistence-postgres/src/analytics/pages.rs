//! Which pages were viewed, and by how many people.

use std::collections::HashMap;

use persistence::analytics::{Balance, GROUP_AT_LEAST, PAGES_TOLD, PageViews};
use sqlx::PgConnection;

use super::{Asked, bind_time, next_place, of_days, of_weeks, part_places, to_add_up_besides_weeks};
use crate::error::Failure;

/// Pages whose people are counted first: some more than are told, because some may have too few.
const TRIED: usize = PAGES_TOLD + PAGES_TOLD / 4;

/// The people of the pages with the most views are counted. Where too many of these are of too few people, those of all
/// pages are.
pub(super) async fn pages(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<PageViews>, Failure> {
    let most = viewed(connection, asked, Some(TRIED)).await?;
    let all_tried = most.len() < TRIED;
    let pages = told(connection, asked, most).await?;
    if pages.len() < PAGES_TOLD && !all_tried {
        let all = viewed(connection, asked, None).await?;
        return told(connection, asked, all).await;
    }
    Ok(pages)
}

const WEEKS: &str = "activity_page_weeks";
const DAYS: &str = "activity_page_days";
const QUARTERS: &str = "activity_pages";

/// Pages and their views, those with the most first.
async fn viewed(
    connection: &mut PgConnection,
    asked: &Asked,
    at_most: Option<usize>,
) -> Result<Vec<(String, i64)>, Failure> {
    let time = &asked.sums;
    let sql = format!(
        "SELECT page, sum(views)::bigint AS total FROM ({} UNION ALL {}) AS viewed \
         GROUP BY page HAVING sum(views) > 0 ORDER BY total DESC, page COLLATE \"C\" LIMIT ${}",
        of_weeks("page, views", WEEKS),
        to_add_up_besides_weeks(time, "page", &["views"], [DAYS, QUARTERS]),
        next_place(time),
    );
    let at_most = at_most.map(|pages| pages as i64);
    Ok(bind_time(sql, asked.organization, time).bind(at_most).fetch_all(connection).await?)
}

/// Of these, in their order, those that may be told.
async fn told(
    connection: &mut PgConnection,
    asked: &Asked,
    pages: Vec<(String, i64)>,
) -> Result<Vec<PageViews>, Failure> {
    let time = &asked.time;
    let names: Vec<String> = pages.iter().map(|(page, _)| page.clone()).collect();
    let counts = bind_time(people(time), asked.organization, time).bind(names).bind(time.days_of_parts());
    let counts: Vec<(String, i64)> = counts.fetch_all(connection).await?;
    let people: HashMap<String, u64> =
        counts.into_iter().map(|(page, count)| (page, count.unsigned_abs())).collect();
    let told = |(page, views): (String, i64)| {
        let unique_users = *people.get(&page)?;
        let views = views.unsigned_abs();
        (unique_users >= GROUP_AT_LEAST as u64).then_some(PageViews { page, views, unique_users })
    };
    Ok(pages.into_iter().filter_map(told).take(PAGES_TOLD).collect())
}

/// People are the bits of their numbers, so that those of many days are told apart without a row for each: the sets are
/// made as wide as the greatest number. Who was there in part of a day is found by quarters of an hour, a row for each
/// person: so only those are looked for who were there on that day, and on none of the whole ones. After weeks that is
/// hardly anybody.
fn people(time: &Balance) -> String {
    let pages = next_place(time);
    let days = pages + 1;
    let [weeks, rest] = [of_weeks("page, people", WEEKS), of_days("page, people", DAYS)];
    // Nobody can be taken away again who was there at another time too.
    let [parts, _] = part_places(time);
    let parts: String = parts.map(people_of_part).collect();
    format!(
        "WITH wide AS MATERIALIZED ( \
             SELECT width, \"bit\"(B'0', width, true) AS nobody FROM ( \
                 SELECT coalesce(max(number), 0) + 1 FROM activity_members WHERE organization_id = $1) AS w (width) \
         ), sure AS MATERIALIZED ( \
             SELECT page, bit_or(\"bit\"(people, (SELECT width FROM wide), true)) AS people \
             FROM ({weeks} UNION ALL {rest}) AS known WHERE page = ANY (${pages}) GROUP BY page \
         ), day AS ( \
             SELECT page, bit_or(\"bit\"(people, (SELECT width FROM wide), true)) AS people FROM {DAYS} \
             WHERE organization_id = $1 AND day = ANY (${days}) AND page = ANY (${pages}) GROUP BY page \
         ), unsure AS MATERIALIZED ( \
             SELECT page, people FROM ( \
                 SELECT page, day.people & ~coalesce(sure.people, (SELECT nobody FROM wide)) AS people \
                 FROM day LEFT JOIN sure USING (page)) AS others WHERE bit_count(people) > 0 \
         ) \
         SELECT page, bit_count(bit_or(people)) FROM (SELECT page, people FROM sure {parts}) AS viewed GROUP BY page"
    )
}

fn people_of_part([start, finish]: [usize; 2]) -> String {
    format!(
        "UNION ALL SELECT page, bit_or(set_bit((SELECT nobody FROM wide), number, 1)) \
         FROM unsure JOIN {QUARTERS} AS quarter USING (page) \
         JOIN activity_members AS member ON member.organization_id = $1 AND member.user_id = quarter.user_id \
         WHERE quarter.organization_id = $1 AND bucket >= ${start} AND bucket < ${finish} \
         AND get_bit(unsure.people, number) = 1 AND EXISTS (SELECT FROM unsure) GROUP BY page "
    )
}
