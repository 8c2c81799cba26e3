//! What each person did.

use std::collections::BTreeMap;

use model::UserId;
use persistence::analytics::{Span, UserUse, WholeDays};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Asked;
use crate::{error::Failure, facts::timestamp};

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Uuid,
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
    forenoon: i64,
    afternoon: i64,
    marks: i64,
}

impl From<&Row> for UserUse {
    fn from(row: &Row) -> Self {
        let devices = [row.desktop, row.mobile, row.tablet].map(i64::unsigned_abs);
        let (sessions, millis) = (row.sessions.unsigned_abs(), row.millis.unsigned_abs());
        let mut of = Self { sessions, millis, devices, ..Self::default() };
        of.mark(row.marks.unsigned_abs());
        of
    }
}

/// Everybody who was active.
pub(super) async fn users(
    connection: &mut PgConnection,
    asked: &Asked,
) -> Result<BTreeMap<UserId, UserUse>, Failure> {
    let mut users: BTreeMap<UserId, UserUse> = BTreeMap::new();
    for days in &asked.by_clock.days {
        for row in of_days(connection, asked.organization, days).await? {
            let mut of = UserUse::from(&row);
            of.hours = days.hours([row.forenoon, row.afternoon]);
            *users.entry(UserId(row.user_id)).or_default() += of;
        }
    }
    for span in &asked.by_clock.rest {
        for row in of_quarters(connection, asked.organization, span).await? {
            *users.entry(UserId(row.user_id)).or_default() += UserUse::from(&row);
        }
    }
    Ok(users)
}

/// The quarters of a day are on two dates: those in `$4` and `$5` on the earlier one.
const DAYS: &str = "
    SELECT user_id, sum(sessions)::bigint AS sessions, sum(millis)::bigint AS millis,
        sum(desktop)::bigint AS desktop, sum(mobile)::bigint AS mobile, sum(tablet)::bigint AS tablet,
        bit_or(forenoon) AS forenoon, bit_or(afternoon) AS afternoon,
        bit_or(CASE WHEN forenoon & $4 <> 0 OR afternoon & $5 <> 0
                THEN ($6::bigint[])[day - $2 + 1] ELSE 0 END
            | CASE WHEN forenoon & ~$4 <> 0 OR afternoon & ~$5 <> 0
                THEN ($6::bigint[])[day - $2 + 2] ELSE 0 END) AS marks
    FROM activity_days WHERE organization_id = $1 AND day >= $2 AND day < $3 GROUP BY user_id";

async fn of_days(
    connection: &mut PgConnection,
    organization: Uuid,
    days: &WholeDays,
) -> Result<Vec<Row>, Failure> {
    let [forenoon, afternoon] = days.on_the_earlier_date();
    // Planned for these days: how many they are makes another plan.
    let rows = sqlx::query_as(DAYS).persistent(false).bind(organization);
    let rows = rows.bind(days.first_day()).bind(days.end()).bind(forenoon).bind(afternoon);
    Ok(rows.bind(days.marks()).fetch_all(connection).await?)
}

/// What the local clock shows is worked out once for each quarter, and not for each row: the hour marks a bit from 0 on,
/// the month one from 24 on, the day of the week one from 40 on.
const QUARTERS: &str = "
    WITH quarter AS MATERIALIZED (
        SELECT bucket, (1::bigint << extract(hour FROM local)::int)
            | (1::bigint << (24 + extract(month FROM local)::int))
            | (1::bigint << (40 + extract(isodow FROM local)::int)) AS marks
        FROM generate_series($2::timestamptz, $3::timestamptz - interval '15 minutes', interval '15 minutes') AS bucket,
            LATERAL (SELECT bucket AT TIME ZONE 'UTC' + $4 * interval '1 millisecond') AS clock (local)
    )
    SELECT known.user_id, sum(sessions)::bigint AS sessions, sum(millis)::bigint AS millis,
        sum(desktop)::bigint AS desktop, sum(mobile)::bigint AS mobile, sum(tablet)::bigint AS tablet,
        0::bigint AS forenoon, 0::bigint AS afternoon, bit_or(marks) AS marks
    FROM activity_rollups AS known JOIN quarter USING (bucket)
    WHERE organization_id = $1 AND bucket >= $2 AND bucket < $3
    GROUP BY known.user_id";

async fn of_quarters(
    connection: &mut PgConnection,
    organization: Uuid,
    span: &Span,
) -> Result<Vec<Row>, Failure> {
    let rows = sqlx::query_as(QUARTERS).persistent(false).bind(organization);
    let rows = rows.bind(timestamp(span.start)).bind(timestamp(span.end)).bind(span.ahead_ms);
    Ok(rows.fetch_all(connection).await?)
}
