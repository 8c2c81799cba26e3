//! What each person did.

use std::collections::BTreeMap;

use model::UserId;
use persistence::analytics::{UserUse, WEEK_QUARTERS, WeekClock};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Asked, Tables, bind_time, to_add_up};
use crate::error::Failure;

/// Everybody who was active.
pub(super) async fn users(
    connection: &mut PgConnection,
    asked: &Asked,
) -> Result<BTreeMap<UserId, UserUse>, Failure> {
    let mut users: BTreeMap<UserId, UserUse> = BTreeMap::new();
    let mut clocks: BTreeMap<i64, WeekClock> = BTreeMap::new();
    for row in active(connection, asked).await? {
        let clock = clocks.entry(row.ahead_ms).or_insert_with(|| WeekClock::new(row.ahead_ms));
        let of = users.entry(UserId(row.user_id)).or_default();
        of.mark(clock.marks(row.bits()) | row.marks.unsigned_abs());
    }
    for row in sums(connection, asked).await? {
        // Of those who were only there when it was not asked about, all is taken away again.
        if let Some(of) = users.get_mut(&UserId(row.user_id)) {
            *of += UserUse::from(&row);
        }
    }
    Ok(users)
}

/// When somebody was active, by clocks that differ from UTC by the same.
#[derive(sqlx::FromRow)]
struct Active {
    user_id: Uuid,
    ahead_ms: i64,
    marks: i64,
    /// How many bits, and the bits.
    quarters: Vec<u8>,
}

impl Active {
    /// The quarters of any week.
    fn bits(&self) -> &[u8] {
        self.quarters.last_chunk::<{ WEEK_QUARTERS / 8 }>().map_or(&[], |bits| bits)
    }
}

/// What clocks show is not worked out here but for the months: which quarters of the week are left of everybody is little.
/// Of a whole week nothing is cut off; and `OFFSET` keeps what is cut off from being worked out twice.
const ACTIVE: &str = "
    WITH part AS MATERIALIZED (
        SELECT week, CASE WHEN after - first < 672 THEN (every >> first) & (every << 672 - after) END AS wanted, ahead_ms, mark
        FROM unnest($2::date[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[])
            AS given (week, first, after, ahead_ms, mark), (SELECT ~\"bit\"(B'0', 672, true)) AS all_of_it (every)
    ), kept AS (
        SELECT user_id, ahead_ms, mark, coalesce(quarters & wanted, quarters) AS quarters
        FROM part JOIN activity_weeks USING (week) WHERE organization_id = $1 OFFSET 0
    )
    SELECT user_id, ahead_ms, bit_or(mark) AS marks, bit_send(bit_or(quarters)) AS quarters
    FROM kept WHERE quarters <> \"bit\"(B'0', 672, true) GROUP BY user_id, ahead_ms";

async fn active(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<Active>, Failure> {
    let parts = &asked.parts;
    // Planned for these weeks: how many they are makes another plan.
    let rows = sqlx::query_as(ACTIVE).persistent(false).bind(asked.organization);
    let rows = rows.bind(parts.iter().map(|part| part.week).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.first).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.after).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.ahead_ms).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.mark).collect::<Vec<_>>());
    Ok(rows.fetch_all(connection).await?)
}

#[derive(sqlx::FromRow)]
struct Sums {
    user_id: Uuid,
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
}

impl From<&Sums> for UserUse {
    fn from(row: &Sums) -> Self {
        let devices = [row.desktop, row.mobile, row.tablet].map(i64::unsigned_abs);
        Self {
            sessions: row.sessions.unsigned_abs(),
            millis: row.millis.unsigned_abs(),
            devices,
            ..Self::default()
        }
    }
}

const NUMBERS: [&str; 5] = ["sessions", "millis", "desktop", "mobile", "tablet"];
const TABLES: Tables = ["activity_weeks", "activity_days", "activity_rollups"];

async fn sums(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<Sums>, Failure> {
    let sums = NUMBERS.map(|number| format!(", sum({number})::bigint AS {number}"));
    let rows = to_add_up(&asked.sums, "user_id", &NUMBERS, TABLES);
    let sql = format!("SELECT user_id{} FROM ({rows}) AS part GROUP BY user_id", sums.concat());
    Ok(bind_time(sql, asked.organization, &asked.sums).fetch_all(connection).await?)
}
