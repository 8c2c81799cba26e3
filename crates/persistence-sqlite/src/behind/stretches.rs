//! Stretches of sessions: of each the furthest that is known.

use std::collections::{BTreeMap, BTreeSet};

use model::{Device, OrganizationId, SessionId, UserId, Wall};
use persistence::{
    StoreError, Stretch, StretchId, Written,
    stored::{read_word, write_json},
};
use serde_json::{Value, json};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use super::{Admission, Candidate, over_rows, passed_over};
use crate::{
    error::store_error,
    rollups::{self, bucket},
};

/// The longest stretch, in milliseconds: 400 days, as long as totals are kept. Only a clock that was set makes a longer
/// one, and every quarter of an hour in it would have to be rolled up.
const LONGEST_MS: i64 = 400 * 24 * 60 * 60 * 1_000;

impl Candidate for Stretch {
    fn user(&self) -> UserId {
        self.user
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.id.organization)
    }

    fn at(&self) -> Wall {
        self.id.started
    }

    fn until(&self) -> Wall {
        self.seen.max(self.id.started)
    }
}

/// What is known of a stretch.
#[derive(Clone, PartialEq)]
struct Known {
    user: UserId,
    seen: Wall,
    ended: bool,
    device: Option<Device>,
}

impl Known {
    fn said_by(note: &Stretch) -> Self {
        Self { user: note.user, seen: note.until(), ended: note.ended, device: note.device }
    }

    /// With what a note says beside it: it never goes back.
    fn with(&self, note: &Stretch) -> Self {
        let newer = note.until() >= self.seen;
        Self {
            user: self.user,
            seen: self.seen.max(note.until()),
            ended: self.ended || note.ended,
            device: if newer { note.device } else { self.device },
        }
    }
}

type Stretches = BTreeMap<StretchId, Known>;

/// Writes what may be written.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    batch: Vec<Stretch>,
) -> Result<Written, StoreError> {
    let admission = Admission::of(connection, &batch).await?;
    let admitted: Vec<_> =
        batch.iter().filter(|note| admission.admits(*note) && length(note) <= LONGEST_MS).collect();
    let before = stored(connection, &admitted).await?;
    let mut now = before.clone();
    for note in &admitted {
        let known = now.get(&note.id).map_or_else(|| Known::said_by(note), |known| known.with(note));
        now.insert(note.id, known);
    }
    now.retain(|id, known| before.get(id) != Some(known));
    let written = put(connection, &now).await?;
    rollups::enqueue(connection, touched(&before, &now).into_iter()).await?;
    Ok(Written { written, passed_over: passed_over(batch.len(), admitted.len()) })
}

fn length(note: &Stretch) -> i64 {
    note.until().0.saturating_sub(note.id.started.0)
}

/// What is stored of the stretches that are noted.
async fn stored(connection: &mut SqliteConnection, notes: &[&Stretch]) -> Result<Stretches, StoreError> {
    type Row = (Hyphenated, Hyphenated, i64, Hyphenated, i64, bool, Option<String>);
    let ids: Vec<Value> = notes.iter().map(|note| key(&note.id)).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT organization_id, session_id, started_at, user_id, seen_at, ended, device_type \
         FROM json_each(?1) AS note JOIN presence_sessions ON organization_id = note.value ->> 0 \
             AND session_id = note.value ->> 1 AND started_at = note.value ->> 2",
    )
    .bind(write_json(&ids)?)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.into_iter()
        .map(|(organization, session, started, user, seen, ended, device)| {
            let id = StretchId {
                organization: OrganizationId(organization.into()),
                session: SessionId(session.into()),
                started: Wall(started),
            };
            let device = device.map(read_word).transpose()?;
            Ok((id, Known { user: UserId(user.into()), seen: Wall(seen), ended, device }))
        })
        .collect()
}

fn key(id: &StretchId) -> Value {
    json!([id.organization, id.session, id.started.0])
}

async fn put(connection: &mut SqliteConnection, stretches: &Stretches) -> Result<u64, StoreError> {
    let row = |(id, known): (&StretchId, &Known)| {
        let Known { user, seen, ended, device } = known;
        json!([id.organization, id.session, id.started.0, user, seen.0, i64::from(*ended), device])
    };
    let sql = "INSERT INTO presence_sessions (organization_id, session_id, started_at, user_id, seen_at, ended, \
                   device_type) \
               SELECT note.value ->> 0, note.value ->> 1, note.value ->> 2, note.value ->> 3, note.value ->> 4, \
                   note.value ->> 5, note.value ->> 6 \
               FROM json_each(?1) AS note WHERE true \
               ON CONFLICT (organization_id, session_id, started_at) DO UPDATE SET seen_at = excluded.seen_at, \
                   ended = excluded.ended, device_type = excluded.device_type";
    over_rows(connection, sql, &stretches.iter().map(row).collect::<Vec<_>>()).await
}

/// The quarters of an hour that have other totals now: those into which a stretch has grown, and the one in which it
/// began, where it is new or on another device.
fn touched(before: &Stretches, now: &Stretches) -> BTreeSet<i64> {
    let mut touched = BTreeSet::new();
    for (id, known) in now {
        let old = before.get(id);
        if old.is_none_or(|old| old.device != known.device) {
            touched.insert(bucket(id.started));
        }
        let from = old.map_or(id.started, |old| old.seen);
        if from < known.seen {
            touched.extend(rollups::buckets(from, known.seen));
        }
    }
    touched
}
