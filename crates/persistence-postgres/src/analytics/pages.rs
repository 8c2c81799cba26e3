//! Which pages were viewed, and by how many people.

use persistence::analytics::{Balance, GROUP_AT_LEAST, PAGES_TOLD, PageViews};
use sqlx::PgConnection;

use super::{Asked, bind_time, next_place, of_whole, part_places, to_add_up};
use crate::error::Failure;

/// Pages whose people are counted first: some more than are told, because some may have too few.
const TRIED: usize = PAGES_TOLD + PAGES_TOLD / 4;

/// The people of the pages with the most views are counted. Where too many of these are of too few people, those of all
/// pages are.
pub(super) async fn pages(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<PageViews>, Failure> {
    let most = most_viewed(connection, asked).await?;
    let all_tried = most.len() < TRIED;
    let pages = told(connection, asked, Some(most)).await?;
    if pages.len() < PAGES_TOLD && !all_tried {
        return told(connection, asked, None).await;
    }
    Ok(pages)
}

const WHOLE: [&str; 2] = ["activity_page_weeks", "activity_page_days"];
const QUARTERS: &str = "activity_pages";

async fn most_viewed(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<String>, Failure> {
    let ([weeks, days], time) = (WHOLE, &asked.sums);
    let sql = format!(
        "SELECT page FROM ({}) AS viewed \
         GROUP BY page HAVING sum(views) > 0 ORDER BY sum(views) DESC, page COLLATE \"C\" LIMIT {TRIED}",
        to_add_up(time, "page", &["views"], [weeks, days, QUARTERS])
    );
    let rows: Vec<(String,)> = bind_time(sql, asked.organization, time).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(page,)| page).collect())
}

/// Of some pages, or of all.
async fn told(
    connection: &mut PgConnection,
    asked: &Asked,
    of: Option<Vec<String>>,
) -> Result<Vec<PageViews>, Failure> {
    let time = &asked.time;
    let pages = bind_time(people(time), asked.organization, time).bind(of);
    let rows: Vec<(String, i64, i64)> = pages.fetch_all(connection).await?;
    let told = |(page, views, people): (String, i64, i64)| PageViews {
        page,
        views: views.unsigned_abs(),
        unique_users: people.unsigned_abs(),
    };
    Ok(rows.into_iter().map(told).collect())
}

/// People are the bits of their numbers, so that those of many days are told apart without a row for each: the sets are
/// made as wide as the greatest number.
fn people(time: &Balance) -> String {
    let wanted = format!("(${place}::text[] IS NULL OR page = ANY (${place}))", place = next_place(time));
    let whole = of_whole("page, views, people", WHOLE);
    // Nobody can be taken away again who was there at another time too.
    let [parts, _] = part_places(time);
    let parts: String = parts.map(|places| people_of_part(places, &wanted)).collect();
    format!(
        "WITH wide AS MATERIALIZED ( \
             SELECT width, \"bit\"(B'0', width, true) AS nobody FROM ( \
                 SELECT coalesce(max(number), 0) + 1 FROM activity_members WHERE organization_id = $1) AS w (width) \
         ), viewed AS ( \
             SELECT page, sum(views) AS views, bit_or(\"bit\"(people, (SELECT width FROM wide), true)) AS people \
             FROM ({whole}) AS known WHERE {wanted} GROUP BY page {parts} \
         ), told AS ( \
             SELECT page, sum(views)::bigint AS views, bit_count(bit_or(people)) AS people FROM viewed GROUP BY page \
         ) \
         SELECT page, views, people FROM told WHERE people >= {GROUP_AT_LEAST} \
         ORDER BY views DESC, page COLLATE \"C\" LIMIT {PAGES_TOLD}"
    )
}

fn people_of_part([start, finish]: [usize; 2], wanted: &str) -> String {
    format!(
        "UNION ALL SELECT page, sum(views), bit_or(set_bit((SELECT nobody FROM wide), number, 1)) \
         FROM {QUARTERS} AS quarter \
         JOIN activity_members AS member ON member.organization_id = $1 AND member.user_id = quarter.user_id \
         WHERE quarter.organization_id = $1 AND bucket >= ${start} AND bucket < ${finish} AND {wanted} GROUP BY page "
    )
}
