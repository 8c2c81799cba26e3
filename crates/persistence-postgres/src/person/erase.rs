//! Erasing a person who stays in the directory, step by step; and what is left of anybody who was erased. One who is
//! removed from the directory is erased by the database's triggers.
//!
//! From the first step on the person is marked, and every batch that begins afterwards passes over them. The last step
//! waits for the batches and totals that began before, so that what it removes does not come back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use model::{UserId, Wall};
use persistence::{OpenErasure, StoreError};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{
    database::{Database, Terms, take_patience, take_time},
    error::Failure,
    facts::timestamp,
    settings,
};

/// What the last step may take: it finds little of what is much.
const TIME: Duration = Duration::from_secs(20);
/// How long it waits for a batch, or for the totals of a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of the log that go in one transaction, well within a statement's time.
const ROWS_AT_ONCE: i64 = 5_000;

/// Hides and marks the person, and opens the erasure.
pub(super) async fn begin(database: &Database, erasure: OpenErasure) -> Result<(), StoreError> {
    // Done twice, it is in the audit once.
    let input = (erasure, Uuid::new_v4());
    let work = database.write(Terms::default(), input, |connection, (erasure, operation)| {
        Box::pin(hide(connection, *erasure, *operation))
    });
    work.await
}

/// Removes all that the erasure is of. What is much goes first and bit by bit, so that nobody is kept waiting.
pub(super) async fn carry_out(database: &Database, erasure: OpenErasure) -> Result<(), StoreError> {
    let terms = Terms { extra: TIME, ..Terms::default() };
    loop {
        while database
            .write(Terms::default(), erasure, |connection, erasure| {
                Box::pin(some_activity(connection, *erasure))
            })
            .await?
        {}
        let rest = database.write(terms, erasure, |connection, erasure| Box::pin(rest(connection, *erasure)));
        if rest.await? {
            return Ok(());
        }
    }
}

/// What stays: that they are hidden, and that nothing about them is taken until they choose to be seen.
async fn hide(connection: &mut PgConnection, erasure: OpenErasure, operation: Uuid) -> Result<(), Failure> {
    settings::take_turn(connection, erasure.user).await?;
    let hidden = sqlx::query(
        "INSERT INTO presence_settings AS known (user_id, visibility, show_activity, show_current_page, \
             appear_offline, updated_at, erased_at) \
         SELECT id, 'nobody', false, false, false, $2, 'infinity' FROM users WHERE id = $1 \
         ON CONFLICT (user_id) DO UPDATE SET visibility = excluded.visibility, \
             show_activity = excluded.show_activity, show_current_page = excluded.show_current_page, \
             appear_offline = excluded.appear_offline, custom_status = NULL, custom_status_emoji = NULL, \
             updated_at = excluded.updated_at, erased_at = excluded.erased_at",
    );
    if bound(hidden, erasure).execute(&mut *connection).await?.rows_affected() == 0 {
        return Err(StoreError::UnknownUser.into());
    }
    bound(sqlx::query(OPEN), erasure).execute(&mut *connection).await?;
    sqlx::query(AUDIT).bind(timestamp(erasure.at)).bind(operation).execute(connection).await?;
    Ok(())
}

const OPEN: &str = "INSERT INTO presence_erasures (user_id, at, finished) VALUES ($1, $2, false) \
    ON CONFLICT (user_id, at) DO UPDATE SET finished = false";
/// That somebody was erased, and not who.
const AUDIT: &str = "INSERT INTO presence_audit (at, kind, actor, operation) \
    VALUES ($1, 'erasure', 'user:' || gen_random_uuid(), $2) ON CONFLICT (operation) DO NOTHING";

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bound(query: Query<'_>, erasure: OpenErasure) -> Query<'_> {
    query.bind(erasure.user.0).bind(timestamp(erasure.at))
}

/// Until when rows of the person are to go. Of somebody who is gone, and of one who has not chosen to be seen since, all
/// of them; of one who has, what was noted until then; of one who was removed and put into the directory again, what is
/// older than that.
macro_rules! until {
    () => {
        "(SELECT CASE WHEN u.id IS NULL THEN 'infinity' \
             WHEN s.erased_at IS NOT NULL THEN greatest($2, s.erased_at) \
             ELSE least($2, u.created_at - interval '1 microsecond') END \
         FROM (VALUES ($1::uuid)) AS person (id) LEFT JOIN users AS u ON u.id = person.id \
         LEFT JOIN presence_settings AS s ON s.user_id = u.id)"
    };
}

/// Removes some of what the person did, in the log and in weeks that were taken out; whether there may be more.
async fn some_activity(connection: &mut PgConnection, erasure: OpenErasure) -> Result<bool, Failure> {
    for table in super::tables_of_the_log(connection).await? {
        let sql = format!(
            concat!(
                "DELETE FROM {0} WHERE (\"timestamp\", id) IN (SELECT \"timestamp\", id FROM {0} \
                     WHERE user_id = $1 AND \"timestamp\" <= ",
                until!(),
                " LIMIT $3) AND user_id = $1"
            ),
            table
        );
        // Planned for one person: a plan for any may read the whole week.
        let query = bound(sqlx::query(AssertSqlSafe(sql)).persistent(false), erasure).bind(ROWS_AT_ONCE);
        if query.execute(&mut *connection).await?.rows_affected() >= ROWS_AT_ONCE.unsigned_abs() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the rest; `false` where much of it came in the meantime.
async fn rest(connection: &mut PgConnection, erasure: OpenErasure) -> Result<bool, Failure> {
    take_time(connection, TIME).await?;
    take_patience(connection, PATIENCE).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(presence_lock_key('presence_erasure'))")
        .execute(&mut *connection)
        .await?;
    settings::take_turn(connection, erasure.user).await?;
    if some_activity(connection, erasure).await? {
        return Ok(false);
    }
    for statement in WITH_A_TIME {
        bound(sqlx::query(statement), erasure).execute(&mut *connection).await?;
    }
    if is_unfinished(connection, erasure).await? {
        for statement in WITHOUT_A_TIME {
            sqlx::query(statement).bind(erasure.user.0).execute(&mut *connection).await?;
        }
    }
    let finished = "UPDATE presence_erasures SET finished = true WHERE user_id = $1 AND at = $2";
    bound(sqlx::query(finished), erasure).execute(connection).await?;
    Ok(true)
}

/// What the last one of these quarters has since is added up again.
const WITH_A_TIME: [&str; 5] = [
    concat!("DELETE FROM user_last_seen WHERE user_id = $1 AND seen_at <= ", until!()),
    concat!("DELETE FROM presence_sessions WHERE user_id = $1 AND started_at <= ", until!()),
    concat!("DELETE FROM activity_pages WHERE user_id = $1 AND bucket <= ", until!()),
    concat!("DELETE FROM activity_rollups WHERE user_id = $1 AND bucket <= ", until!()),
    concat!(
        "INSERT INTO presence_rollup_queue (bucket) SELECT date_bin('15 minutes', at, '2001-01-01Z') \
         FROM (SELECT ",
        until!(),
        ") AS until (at) WHERE isfinite(at)"
    ),
];

/// What is removed once, however new it is. A clock-in holds its user shared: one that is under way is waited for, and one
/// that comes later finds no code.
const WITHOUT_A_TIME: [&str; 6] = [
    "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE",
    "DELETE FROM account_presence WHERE user_id = $1",
    "DELETE FROM access_codes WHERE user_id = $1",
    "UPDATE access_codes SET created_by = NULL WHERE created_by = $1",
    "DELETE FROM operation_results WHERE user_id = $1",
    "SELECT presence_forget_person($1)",
];

/// Whether the person's erasure was broken off, or they were removed from the directory by a transaction that may have
/// overlooked what was committed after it began.
async fn is_unfinished(connection: &mut PgConnection, erasure: OpenErasure) -> Result<bool, Failure> {
    let unfinished = sqlx::query_scalar(
        "SELECT NOT finished OR NOT EXISTS (SELECT FROM users WHERE id = $1) FROM presence_erasures \
         WHERE user_id = $1 AND at = $2",
    );
    let unfinished: Option<bool> =
        unfinished.bind(erasure.user.0).bind(timestamp(erasure.at)).fetch_optional(connection).await?;
    Ok(unfinished.unwrap_or(false))
}

/// Forgets whose erasure it was. Changes of somebody who is gone are kept for those who follow them, for a minute.
pub(super) async fn forget(database: &Database, erasure: OpenErasure) -> Result<(), StoreError> {
    let work = database.write(Terms::default(), erasure, |connection, erasure| {
        Box::pin(async move {
            sqlx::query(
                "DELETE FROM presence_changes WHERE kind = 'user' AND id = $1 \
                 AND at < clock_timestamp() - interval '1 minute' AND NOT EXISTS (SELECT FROM users WHERE users.id = $1)",
            )
            .bind(erasure.user.0)
            .execute(&mut *connection)
            .await?;
            let forgotten = "DELETE FROM presence_erasures WHERE user_id = $1 AND at = $2";
            bound(sqlx::query(forgotten), *erasure).execute(connection).await?;
            Ok(())
        })
    });
    work.await
}

/// Erasures that are open, oldest first.
pub(super) async fn open(connection: &mut PgConnection) -> Result<Vec<OpenErasure>, Failure> {
    let rows: Vec<(Uuid, DateTime<Utc>)> =
        sqlx::query_as("SELECT user_id, at FROM presence_erasures ORDER BY at, user_id")
            .fetch_all(connection)
            .await?;
    let erasure =
        |(user, at): (_, DateTime<Utc>)| OpenErasure { user: UserId(user), at: Wall(at.timestamp_millis()) };
    Ok(rows.into_iter().map(erasure).collect())
}
