//! What each person did.

use std::{collections::BTreeMap, ops::AddAssign};

use model::UserId;
use persistence::analytics::{UserUse, WEEK_QUARTERS, WeekClock, WeekPart};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{Asked, bind_time, to_add_up_besides_weeks};
use crate::error::Failure;

/// Everybody who was active.
pub(super) async fn users(
    connection: &mut PgConnection,
    asked: &Asked,
) -> Result<BTreeMap<UserId, UserUse>, Failure> {
    let mut users: BTreeMap<Uuid, (u64, Numbers)> = BTreeMap::new();
    let mut clocks: BTreeMap<i64, WeekClock> = BTreeMap::new();
    for row in of_weeks(connection, asked).await? {
        let clock = clocks.entry(row.ahead_ms).or_insert_with(|| WeekClock::new(row.ahead_ms));
        let (marks, numbers) = users.entry(row.user_id).or_default();
        *marks |= clock.marks(row.bits()) | row.marks.unsigned_abs();
        *numbers += row.numbers;
    }
    for row in besides_weeks(connection, asked).await? {
        let (_, numbers) = users.entry(row.user_id).or_default();
        *numbers += row.numbers;
    }
    // Of those who were only there when it was not asked about, all was taken away again.
    users.retain(|_, (marks, _)| *marks != 0);
    Ok(users.into_iter().map(|(user, (marks, numbers))| (UserId(user), numbers.of(marks))).collect())
}

/// What is added up. Of part of the time it may be less than nothing.
#[derive(Clone, Copy, Default, sqlx::FromRow)]
struct Numbers {
    sessions: i64,
    millis: i64,
    desktop: i64,
    mobile: i64,
    tablet: i64,
}

const NUMBERS: [&str; 5] = ["sessions", "millis", "desktop", "mobile", "tablet"];

impl AddAssign for Numbers {
    fn add_assign(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.millis += more.millis;
        self.desktop += more.desktop;
        self.mobile += more.mobile;
        self.tablet += more.tablet;
    }
}

impl Numbers {
    /// All of somebody, with when they were active.
    fn of(self, marks: u64) -> UserUse {
        let mut of = UserUse {
            sessions: self.sessions.unsigned_abs(),
            millis: self.millis.unsigned_abs(),
            devices: [self.desktop, self.mobile, self.tablet].map(i64::unsigned_abs),
            ..UserUse::default()
        };
        of.mark(marks);
        of
    }
}

/// When somebody was active, by clocks that differ from UTC by the same; and the numbers of whole weeks.
#[derive(sqlx::FromRow)]
struct OfWeeks {
    user_id: Uuid,
    ahead_ms: i64,
    marks: i64,
    /// How many bits, and the bits.
    quarters: Vec<u8>,
    #[sqlx(flatten)]
    numbers: Numbers,
}

impl OfWeeks {
    /// The quarters of any week.
    fn bits(&self) -> &[u8] {
        self.quarters.last_chunk::<{ WEEK_QUARTERS / 8 }>().map_or(&[], |bits| bits)
    }
}

/// A week's row is read once for all that is told of it. What clocks show is not worked out here but for the months: which
/// quarters of the week are left of everybody is little. Of a whole week nothing is cut off; and `OFFSET` keeps what is
/// cut off from being worked out twice. Of a week that is in parts the numbers are `whole` with one of them.
fn weeks_sql() -> String {
    let sums = NUMBERS.map(|n| format!(", coalesce(sum({n}) FILTER (WHERE whole), 0)::bigint AS {n}"));
    format!(
        "WITH part AS MATERIALIZED (
            SELECT week, CASE WHEN after - first < 672 THEN (every >> first) & (every << 672 - after) END AS wanted,
                ahead_ms, mark, whole
            FROM unnest($2::date[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::boolean[])
                AS given (week, first, after, ahead_ms, mark, whole), (SELECT ~\"bit\"(B'0', 672, true)) AS all_of_it (every)
        ), kept AS (
            SELECT user_id, ahead_ms, mark, whole, coalesce(quarters & wanted, quarters) AS quarters, {numbers}
            FROM part JOIN activity_weeks USING (week) WHERE organization_id = $1 OFFSET 0
        )
        SELECT user_id, ahead_ms, coalesce(bit_or(mark) FILTER (WHERE quarters <> none), 0) AS marks,
            bit_send(bit_or(quarters)) AS quarters{sums}
        FROM kept, (SELECT \"bit\"(B'0', 672, true)) AS none_of_it (none)
        WHERE whole OR quarters <> none GROUP BY user_id, ahead_ms",
        numbers = NUMBERS.join(", "),
        sums = sums.concat(),
    )
}

async fn of_weeks(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<OfWeeks>, Failure> {
    let parts = &asked.parts;
    // Planned for these weeks: how many they are makes another plan.
    let rows = sqlx::query_as(AssertSqlSafe(weeks_sql())).persistent(false).bind(asked.organization);
    let rows = rows.bind(parts.iter().map(|part| part.week).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.first).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.after).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.ahead_ms).collect::<Vec<_>>());
    let rows = rows.bind(parts.iter().map(|part| part.mark).collect::<Vec<_>>());
    Ok(rows.bind(whole_weeks(asked)).fetch_all(connection).await?)
}

/// With which parts the numbers of their weeks are taken: the first of each whole week.
fn whole_weeks(asked: &Asked) -> Vec<bool> {
    let [first, after] = asked.sums.days.weeks();
    let mut last = None;
    let takes = |part: &WeekPart| {
        last.replace(part.week) != Some(part.week) && first <= part.week && part.week < after
    };
    asked.parts.iter().map(takes).collect()
}

#[derive(sqlx::FromRow)]
struct BesidesWeeks {
    user_id: Uuid,
    #[sqlx(flatten)]
    numbers: Numbers,
}

const TABLES: [&str; 2] = ["activity_days", "activity_rollups"];

async fn besides_weeks(connection: &mut PgConnection, asked: &Asked) -> Result<Vec<BesidesWeeks>, Failure> {
    let sums = NUMBERS.map(|number| format!(", sum({number})::bigint AS {number}"));
    let rows = to_add_up_besides_weeks(&asked.sums, "user_id", &NUMBERS, TABLES);
    let sql = format!("SELECT user_id{} FROM ({rows}) AS part GROUP BY user_id", sums.concat());
    Ok(bind_time(sql, asked.organization, &asked.sums).fetch_all(connection).await?)
}
