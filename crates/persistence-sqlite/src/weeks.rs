//! The weeks of the log: one that is archived is set aside first, so that nothing comes to it any more, and its rows go
//! when they are known to be elsewhere.

mod listing;

use std::collections::BTreeSet;

use async_trait::async_trait;
use model::{OrganizationId, UserId, Wall};
use persistence::{
    Archive, ArchivedRows, StoreError, Week, Written,
    stored::{corrupt, write_json},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{
    SqliteStore,
    behind::{Admission, Candidate, insert_activity, written_down},
    error::store_error,
    rollups,
};

/// Rows that are dropped in one transaction: others wait to write meanwhile.
const DROPPED_ROWS: i64 = 10_000;

#[async_trait]
impl Archive for SqliteStore {
    async fn old_weeks(&self, before: Wall, restored_before: Wall) -> Result<Vec<Week>, StoreError> {
        self.read(move |connection| Box::pin(old(connection, before, restored_before))).await
    }

    async fn set_week_aside(&self, week: Week) -> Result<(), StoreError> {
        if self.write(move |connection| Box::pin(listing::set_aside(connection, week))).await? {
            return Ok(());
        }
        for part in listing::parts(week) {
            self.write(move |connection| Box::pin(listing::list(connection, week, part))).await?;
        }
        self.write(move |connection| Box::pin(listing::is_listed(connection, week))).await
    }

    async fn week_rows(
        &self,
        week: Week,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<ArchivedRows, StoreError> {
        self.read(move |connection| Box::pin(rows(connection, week, after, limit))).await
    }

    async fn drop_week(&self, week: Week, rows: u64) -> Result<bool, StoreError> {
        let counted = self.write(move |connection| Box::pin(may_drop(connection, week, rows))).await?;
        while counted && self.write(move |connection| Box::pin(drop_some(connection, week))).await? > 0 {}
        if counted {
            self.forget_listing(week).await?;
        }
        Ok(counted)
    }

    async fn restore_week(&self, week: Week, at: Wall) -> Result<(), StoreError> {
        self.write(move |connection| Box::pin(take_back(connection, week, at))).await?;
        self.forget_listing(week).await
    }

    async fn end_restoration(&self, week: Week) -> Result<(), StoreError> {
        self.write(move |connection| Box::pin(end_restoration(connection, week))).await
    }

    async fn restore_rows(&self, week: Week, rows: &[String]) -> Result<Written, StoreError> {
        let rows = rows.to_vec();
        self.write(move |connection| Box::pin(async move { restore(connection, week, &rows).await })).await
    }
}

impl SqliteStore {
    async fn forget_listing(&self, week: Week) -> Result<(), StoreError> {
        while self.write(move |connection| Box::pin(listing::forget_some(connection, week))).await? > 0 {}
        Ok(())
    }
}

/// Weeks whose rows are neither written nor read, or gone.
pub(crate) async fn aside(connection: &mut SqliteConnection) -> Result<BTreeSet<Week>, StoreError> {
    let sql = "SELECT start FROM presence_weeks WHERE set_aside";
    let starts: Vec<i64> = sqlx::query_scalar(sql).fetch_all(connection).await.map_err(store_error)?;
    Ok(starts.into_iter().map(|start| Week::of(Wall(start))).collect())
}

async fn take_back(connection: &mut SqliteConnection, week: Week, at: Wall) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presence_weeks (start, set_aside, restored_at, restoring) VALUES (?1, 0, ?2, 1) \
         ON CONFLICT (start) DO UPDATE SET set_aside = 0, restored_at = excluded.restored_at, restoring = 1, \
             listed = 0",
    )
    .bind(week.start().0)
    .bind(at.0)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

async fn end_restoration(connection: &mut SqliteConnection, week: Week) -> Result<(), StoreError> {
    let sql = "UPDATE presence_weeks SET restoring = 0 WHERE start = ?1";
    sqlx::query(sql).bind(week.start().0).execute(connection).await.map(|_| ()).map_err(store_error)
}

/// Weeks that have rows, found from one to the next.
async fn old(
    connection: &mut SqliteConnection,
    before: Wall,
    restored_before: Wall,
) -> Result<Vec<Week>, StoreError> {
    let restored = restored_after(connection, restored_before).await?;
    let (mut weeks, mut from) = (Vec::new(), Wall(i64::MIN));
    while let Some(at) = first_row(connection, from).await? {
        let week = Week::of(at);
        if week.end() > before {
            break;
        }
        if !restored.contains(&week) {
            weeks.push(week);
        }
        from = week.end();
    }
    Ok(weeks)
}

async fn first_row(connection: &mut SqliteConnection, from: Wall) -> Result<Option<Wall>, StoreError> {
    let sql = "SELECT min(timestamp) FROM presence_activity_logs WHERE timestamp >= ?1";
    let found: Option<i64> =
        sqlx::query_scalar(sql).bind(from.0).fetch_one(connection).await.map_err(store_error)?;
    Ok(found.map(Wall))
}

async fn restored_after(
    connection: &mut SqliteConnection,
    instant: Wall,
) -> Result<BTreeSet<Week>, StoreError> {
    let sql = "SELECT start FROM presence_weeks WHERE NOT set_aside AND restored_at > ?1";
    let query = sqlx::query_scalar(sql).bind(instant.0);
    let starts: Vec<i64> = query.fetch_all(connection).await.map_err(store_error)?;
    Ok(starts.into_iter().map(|start| Week::of(Wall(start))).collect())
}

/// By their ids, although they lie by time. Of a week that is set aside the ids are listed; of any other, which nobody
/// reads in many pages, each page costs a look at the whole week.
async fn rows(
    connection: &mut SqliteConnection,
    week: Week,
    after: Option<Uuid>,
    limit: usize,
) -> Result<ArchivedRows, StoreError> {
    let listed = concat!(
        "SELECT ",
        written_down!(),
        " FROM (SELECT log.* FROM presence_week_rows AS listed CROSS JOIN presence_activity_logs AS log \
             ON log.timestamp = listed.timestamp AND log.id = listed.id \
         WHERE listed.start = ?1 AND log.timestamp < ?2 AND listed.id > ?3 ORDER BY listed.id LIMIT ?4)"
    );
    let unlisted = concat!(
        "SELECT ",
        written_down!(),
        " FROM (SELECT * FROM presence_activity_logs WHERE timestamp >= ?1 AND timestamp < ?2 AND id > ?3 \
         ORDER BY id LIMIT ?4)"
    );
    let sql = if listing::is_complete(connection, week).await? { listed } else { unlisted };
    sqlx::query_scalar(sql)
        .bind(week.start().0)
        .bind(week.end().0)
        .bind(after.map_or_else(String::new, |id| id.hyphenated().to_string()))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Whether a week has exactly so many rows, and is set aside where it has any.
async fn may_drop(connection: &mut SqliteConnection, week: Week, rows: u64) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM presence_activity_logs WHERE timestamp >= ?1 AND timestamp < ?2";
    let query = sqlx::query_scalar(sql).bind(week.start().0).bind(week.end().0);
    let counted: u64 = query.fetch_one(&mut *connection).await.map_err(store_error)?;
    Ok(counted == rows && (rows == 0 || aside(connection).await?.contains(&week)))
}

/// Drops some rows of a week, as long as it is set aside: somebody may restore it in between. How many.
async fn drop_some(connection: &mut SqliteConnection, week: Week) -> Result<u64, StoreError> {
    sqlx::query(
        "DELETE FROM presence_activity_logs WHERE (timestamp, id) IN \
             (SELECT timestamp, id FROM presence_activity_logs WHERE timestamp >= ?1 AND timestamp < ?2 \
                  AND EXISTS (SELECT 1 FROM presence_weeks WHERE start = ?1 AND set_aside) LIMIT ?3)",
    )
    .bind(week.start().0)
    .bind(week.end().0)
    .bind(DROPPED_ROWS)
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .map_err(store_error)
}

/// What has to be known of an archived row before it is put back as it is.
#[derive(Deserialize)]
struct Archived {
    organization_id: OrganizationId,
    user_id: UserId,
    timestamp: i64,
}

impl Candidate for Archived {
    fn user(&self) -> UserId {
        self.user_id
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.organization_id)
    }

    fn at(&self) -> Wall {
        Wall(self.timestamp)
    }
}

async fn restore(
    connection: &mut SqliteConnection,
    week: Week,
    lines: &[String],
) -> Result<Written, StoreError> {
    let rows = lines.iter().map(|line| archived(line, week)).collect::<Result<Vec<_>, _>>()?;
    let admission = Admission::of(connection, &rows).await?;
    let admitted = || rows.iter().zip(lines).filter(|(row, _)| admission.admits_restored(*row));
    let raw = admitted().map(|(_, line)| serde_json::from_str::<&RawValue>(line).map_err(corrupt));
    let raw = raw.collect::<Result<Vec<_>, _>>()?;
    let written = insert_activity(connection, &write_json(&raw)?).await?;
    // A week that comes back bit by bit may have been added up in between.
    rollups::enqueue(connection, admitted().map(|(row, _)| rollups::bucket(row.at()))).await?;
    Ok(Written { written, passed_over: (lines.len() - raw.len()) as u64 })
}

fn archived(line: &str, week: Week) -> Result<Archived, StoreError> {
    let row: Archived = serde_json::from_str(line).map_err(corrupt)?;
    if Week::of(row.at()) != week {
        return Err(corrupt(format!("a row of the week {} is among those of {week}", Week::of(row.at()))));
    }
    Ok(row)
}
