//! Weeks of the activity log. Each is a partition; one that was set aside is a table of the same name beside the log, until
//! it is dropped or taken back. What only the owner of the tables may do, functions of the database do, step by step.

use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use model::Wall;
use persistence::{Archive, ArchivedRows, StoreError, Week, Written, stored::corrupt};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{
    PostgresStore,
    behind::{Counts, hold_off_erasures},
    database::{Terms, take_time},
    error::Failure,
    facts::timestamp,
};

/// What one step may take that does not depend on how many rows a week has, or reads a page of them.
const TIME_OF_A_STEP: Duration = Duration::from_secs(60);
/// What an index over a week may take, or counting it: 5,000 rows a second are 3,000 million a week.
const TIME_OVER_A_WEEK: Duration = Duration::from_secs(30 * 60);

fn terms(time: Duration) -> Terms {
    Terms { extra: time, ..Terms::default() }
}

#[async_trait]
impl Archive for PostgresStore {
    async fn old_weeks(&self, before: Wall, restored_before: Wall) -> Result<Vec<Week>, StoreError> {
        let input = (before, restored_before);
        let work = self.database.read(input, |connection, (before, restored_before)| {
            Box::pin(old_weeks(connection, *before, *restored_before))
        });
        work.await
    }

    async fn set_week_aside(&self, week: Week) -> Result<(), StoreError> {
        // The index takes long, so it is made while the week is still read with the others.
        for step in ["SELECT presence_index_week($1::date)", "SELECT presence_detach_week($1::date)"] {
            let work = self.database.write(terms(TIME_OVER_A_WEEK), week, move |connection, week| {
                Box::pin(async move {
                    take_time(connection, TIME_OVER_A_WEEK).await?;
                    sqlx::query(step).bind(week.to_string()).execute(connection).await?;
                    Ok(())
                })
            });
            work.await?;
        }
        Ok(())
    }

    async fn week_rows(
        &self,
        week: Week,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<ArchivedRows, StoreError> {
        let page = Page { week, after, limit };
        let terms = terms(TIME_OF_A_STEP);
        self.database.write(terms, page, |connection, page| Box::pin(rows(connection, page))).await
    }

    async fn drop_week(&self, week: Week, rows: u64) -> Result<bool, StoreError> {
        let input = (week, i64::try_from(rows).unwrap_or(i64::MAX));
        let work = self.database.write(terms(TIME_OVER_A_WEEK), input, |connection, (week, rows)| {
            Box::pin(drop_week(connection, *week, *rows))
        });
        work.await
    }

    async fn restore_week(&self, week: Week, at: Wall) -> Result<(), StoreError> {
        let work = self.database.write(terms(TIME_OF_A_STEP), (week, at), |connection, (week, at)| {
            Box::pin(restore(connection, *week, *at))
        });
        work.await
    }

    async fn end_restoration(&self, week: Week) -> Result<(), StoreError> {
        let work = self
            .database
            .write(Terms::default(), week, |connection, week| Box::pin(end_restoration(connection, *week)));
        work.await
    }

    async fn restore_rows(&self, week: Week, rows: &[String]) -> Result<Written, StoreError> {
        for row in rows {
            check(week, row)?;
        }
        let work = self
            .database
            .write(Terms::default(), rows.to_vec(), |connection, rows| Box::pin(put_back(connection, rows)));
        // A row that has everything and does not fit is as little one of ours.
        work.await.map_err(|error| match error {
            StoreError::Refused(reason) => StoreError::Corrupt(reason),
            other => other,
        })
    }
}

/// What every archived row has.
#[derive(Deserialize)]
struct RowHead {
    #[serde(rename = "id")]
    _id: Uuid,
    #[serde(rename = "user_id")]
    _user: Uuid,
    timestamp: String,
}

/// A row of this week.
fn check(week: Week, row: &str) -> Result<(), StoreError> {
    let head: RowHead = serde_json::from_str(row).map_err(corrupt)?;
    let at = DateTime::parse_from_rfc3339(&head.timestamp).map_err(corrupt)?;
    if Week::of(Wall(at.timestamp_millis())) == week {
        return Ok(());
    }
    Err(corrupt(format!("a row of {} is not of the week from {week}", head.timestamp)))
}

/// The name that a week has as a table. Digits alone are added.
fn table(week: Week) -> String {
    format!("presence_activity_logs_{}", week.to_string().replace('-', ""))
}

async fn old_weeks(
    connection: &mut PgConnection,
    before: Wall,
    restored_before: Wall,
) -> Result<Vec<Week>, Failure> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT w.week::text FROM presence_log_weeks() AS w LEFT JOIN presence_weeks AS known USING (week) \
         WHERE (w.week + 7)::timestamp AT TIME ZONE 'UTC' <= $1 \
           AND coalesce(known.restored_at <= $2, true) ORDER BY w.week",
    )
    .bind(timestamp(before))
    .bind(timestamp(restored_before))
    .fetch_all(connection)
    .await?;
    Ok(names.iter().filter_map(|name| Week::named(name)).collect())
}

/// Rows of a week by their ids.
struct Page {
    week: Week,
    after: Option<Uuid>,
    limit: usize,
}

async fn rows(connection: &mut PgConnection, page: &Page) -> Result<ArchivedRows, Failure> {
    take_time(connection, TIME_OF_A_STEP).await?;
    let attached: Option<bool> =
        sqlx::query_scalar("SELECT attached FROM presence_log_weeks() AS w WHERE w.week = $1::date")
            .bind(page.week.to_string())
            .fetch_optional(&mut *connection)
            .await?;
    let Some(attached) = attached else { return Ok(ArchivedRows::new()) };
    let from = if attached { "presence_activity_logs".to_owned() } else { table(page.week) };
    let sql = format!(
        "SELECT row_to_json(row)::text FROM {from} AS row WHERE \"timestamp\" >= $1 AND \"timestamp\" < $2 \
         AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4"
    );
    // Planned for this page: it is found by the index of a week that was set aside.
    let rows = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false);
    let rows = rows.bind(timestamp(page.week.start())).bind(timestamp(page.week.end())).bind(page.after);
    Ok(rows.bind(i64::try_from(page.limit).unwrap_or(i64::MAX)).fetch_all(connection).await?)
}

/// What was dropped is remembered with its count: the same step again, because its answer was lost, did it.
async fn drop_week(connection: &mut PgConnection, week: Week, rows: i64) -> Result<bool, Failure> {
    take_time(connection, TIME_OVER_A_WEEK).await?;
    let dropped: Option<bool> = sqlx::query_scalar("SELECT presence_drop_week($1::date, $2)")
        .bind(week.to_string())
        .bind(rows)
        .fetch_one(&mut *connection)
        .await?;
    match dropped {
        Some(false) => Ok(false),
        Some(true) => {
            sqlx::query(
                "INSERT INTO presence_weeks (week, dropped_rows) VALUES ($1::date, $2) \
                 ON CONFLICT (week) DO UPDATE SET dropped_rows = excluded.dropped_rows, \
                     restored_at = NULL, restoring = false",
            )
            .bind(week.to_string())
            .bind(rows)
            .execute(connection)
            .await?;
            Ok(true)
        }
        None => {
            let had: Option<i64> =
                sqlx::query_scalar("SELECT dropped_rows FROM presence_weeks WHERE week = $1::date")
                    .bind(week.to_string())
                    .fetch_optional(connection)
                    .await?
                    .flatten();
            Ok(had.unwrap_or(0) == rows || rows == 0)
        }
    }
}

async fn restore(connection: &mut PgConnection, week: Week, at: Wall) -> Result<(), Failure> {
    take_time(connection, TIME_OF_A_STEP).await?;
    sqlx::query("SELECT presence_attach_week($1::date)")
        .bind(week.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO presence_weeks (week, restored_at, restoring) VALUES ($1::date, $2, true) \
         ON CONFLICT (week) DO UPDATE SET restored_at = excluded.restored_at, restoring = true, \
             dropped_rows = NULL",
    )
    .bind(week.to_string())
    .bind(timestamp(at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn end_restoration(connection: &mut PgConnection, week: Week) -> Result<(), Failure> {
    sqlx::query("UPDATE presence_weeks SET restoring = false WHERE week = $1::date")
        .bind(week.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts rows back as they were, each once, and notes their quarters, which wait for the end of the restoration.
async fn put_back(connection: &mut PgConnection, rows: &Vec<String>) -> Result<Written, Failure> {
    hold_off_erasures(connection).await?;
    let counts: Counts = sqlx::query_as(
        "WITH fit AS MATERIALIZED (\
             SELECT row.* FROM unnest($1::text[]) AS line (text), json_to_record(line.text::json) AS row (\
                 id uuid, organization_id uuid, user_id uuid, activity_type text, page_viewed text, \
                 \"timestamp\" timestamptz, device_type text, session_id uuid, metadata jsonb) \
             JOIN users ON users.id = row.user_id \
             JOIN organizations ON organizations.id = row.organization_id \
             LEFT JOIN presence_settings AS s ON s.user_id = row.user_id \
             WHERE row.\"timestamp\" >= coalesce(users.created_at, '-infinity') \
               AND row.\"timestamp\" > coalesce(s.erased_at, '-infinity')\
         ), put AS (\
             INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, page_viewed, \
                 \"timestamp\", device_type, session_id, metadata) \
             SELECT id, organization_id, user_id, activity_type, page_viewed, \"timestamp\", device_type, \
                 session_id, metadata FROM fit ORDER BY \"timestamp\", id \
             ON CONFLICT DO NOTHING RETURNING \"timestamp\"\
         ), noted AS (\
             INSERT INTO presence_rollup_queue (bucket) \
             SELECT DISTINCT date_bin('15 minutes', \"timestamp\", '2001-01-01Z') FROM put\
         ) SELECT (SELECT count(*) FROM fit) AS fit, (SELECT count(*) FROM put) AS put",
    )
    .bind(rows)
    .fetch_one(connection)
    .await?;
    Ok(counts.of(rows.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_the_name_of_its_monday() {
        let week = Week::named("2026-11-16").unwrap();
        assert_eq!(table(week), "presence_activity_logs_20261116");
    }

    #[test]
    fn a_row_is_one_of_its_week() {
        let row = |at: &str| {
            let id = Uuid::nil();
            format!(r#"{{"id":"{id}","user_id":"{id}","timestamp":"{at}"}}"#)
        };
        let week = Week::named("2026-11-16").unwrap();
        for (row, sound) in [
            (row("2026-11-16T00:00:00+00:00"), true),
            (row("2026-11-22T23:59:59.999+00:00"), true),
            (row("2026-11-23T00:00:00+00:00"), false),
            (row("noon"), false),
            ("{}".to_owned(), false),
            ("[".to_owned(), false),
        ] {
            assert_eq!(check(week, &row).is_ok(), sound, "{row}");
        }
    }
}
