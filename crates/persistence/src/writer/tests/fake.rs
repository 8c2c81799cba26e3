//! A store that keeps what is written behind, in a mood.

mod analytics;
mod names;
mod occupancies;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Mutex,
    time::Duration,
};

use async_trait::async_trait;
use model::{AccountId, AccountState, DirectoryChange, OrganizationId, Settings, UserFacts, UserId, Wall};
use uuid::Uuid;

use crate::{
    ActivityRow, Actor, Archive, ArchivedRows, Behind, Changes, Cursor, Expired, ExportPage, ExportPart, Gap,
    Holder, JobRecord, Jobs, LastSeen, OpenErasure, Person, Pick, RolledUp, SettingsChange, SettingsEntry,
    Store, StoreError, Stretch, StretchId, Truth, Upkeep, Week, Written, audited::AuditEntry,
};

/// How a store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// It does what it is asked.
    #[default]
    Works,
    /// It is away, and says so at once.
    Away,
    /// It is away, and says so after this time.
    Hangs(Duration),
    /// It takes so long, and then does it.
    Slow(Duration),
    /// It refuses everything: a privilege is gone.
    RefusesAll,
    /// It is damaged.
    Corrupt,
}

/// What is there.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) last_seen: BTreeMap<UserId, LastSeen>,
    pub(super) stretches: BTreeMap<StretchId, Stretch>,
    pub(super) activity: BTreeMap<Uuid, ActivityRow>,
    pub(super) gaps: BTreeMap<Uuid, Gap>,
    /// Rows of activity that were there already.
    pub(super) doubled: u64,
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Fake {
    pub(super) rows: Mutex<Rows>,
    /// Calls with their kind and number of rows.
    pub(super) calls: Mutex<Vec<(&'static str, usize)>>,
    /// Whose rows it will never take.
    pub(super) bad: Mutex<BTreeSet<UserId>>,
    /// Calls, counted from 0, that it refuses in any mood.
    pub(super) refuses: Mutex<Range<usize>>,
    mood: Mutex<Mood>,
    hook: Mutex<Option<Hook>>,
}

impl Fake {
    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Done once, during the next call.
    pub(super) fn during_write(&self, act: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(act));
    }

    pub(super) fn seen_at(&self, n: u128) -> Option<i64> {
        self.rows.lock().unwrap().last_seen.get(&super::user(n)).map(|row| row.at.0)
    }

    pub(super) fn calls(&self) -> Vec<(&'static str, usize)> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn activity_ids(&self) -> Vec<u128> {
        self.rows.lock().unwrap().activity.keys().map(Uuid::as_u128).collect()
    }

    pub(super) fn gap_rows(&self) -> u64 {
        self.rows.lock().unwrap().gaps.values().map(|gap| gap.rows).sum()
    }

    async fn answer(&self, kind: &'static str, users: Vec<UserId>) -> Result<(), StoreError> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push((kind, users.len()));
            calls.len() - 1
        };
        if self.refuses.lock().unwrap().contains(&number) {
            return Err(StoreError::Refused("permission denied".into()));
        }
        let hook = self.hook.lock().unwrap().take();
        if let Some(act) = hook {
            act();
        }
        let mood = *self.mood.lock().unwrap();
        let unavailable = || Err(StoreError::Unavailable("switched off".into()));
        match mood {
            Mood::Works => {}
            Mood::Slow(time) => tokio::time::sleep(time).await,
            Mood::Away => return unavailable(),
            Mood::Hangs(time) => {
                tokio::time::sleep(time).await;
                return unavailable();
            }
            Mood::RefusesAll => return Err(StoreError::Refused("permission denied".into())),
            Mood::Corrupt => return Err(StoreError::Corrupt("damaged".into())),
        }
        let bad = self.bad.lock().unwrap();
        if users.iter().any(|user| bad.contains(user)) {
            return Err(StoreError::Refused("violates a rule".into()));
        }
        Ok(())
    }
}

fn all(written: usize) -> Result<Written, StoreError> {
    Ok(Written { written: written as u64, passed_over: 0 })
}

#[async_trait]
impl Behind for Fake {
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<Written, StoreError> {
        self.answer("last-seen", batch.iter().map(|row| row.user).collect()).await?;
        let mut rows = self.rows.lock().unwrap();
        for row in batch {
            let there = rows.last_seen.entry(row.user).or_insert_with(|| row.clone());
            if row.at >= there.at {
                *there = row.clone();
            }
        }
        all(batch.len())
    }

    async fn write_activity(&self, batch: &[ActivityRow]) -> Result<Written, StoreError> {
        self.answer("activity", batch.iter().map(|row| row.user).collect()).await?;
        let mut rows = self.rows.lock().unwrap();
        let before = rows.activity.len();
        rows.activity.extend(batch.iter().map(|row| (row.id, row.clone())));
        let written = rows.activity.len() - before;
        rows.doubled += (batch.len() - written) as u64;
        all(written)
    }

    async fn write_stretches(&self, batch: &[Stretch]) -> Result<Written, StoreError> {
        self.answer("stretches", batch.iter().map(|row| row.user).collect()).await?;
        let mut rows = self.rows.lock().unwrap();
        for row in batch {
            let there = rows.stretches.entry(row.id).or_insert_with(|| row.clone());
            there.seen = there.seen.max(row.seen);
            there.ended |= row.ended;
        }
        all(batch.len())
    }

    async fn write_gap(&self, gap: &Gap) -> Result<(), StoreError> {
        self.answer("gap", Vec::new()).await?;
        self.rows.lock().unwrap().gaps.entry(gap.id).or_insert_with(|| gap.clone());
        Ok(())
    }
}

/// What the writer never asks for.
fn not_asked<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("the writer has no business with this".into()))
}

#[async_trait]
impl Truth for Fake {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        not_asked()
    }
    async fn changes(&self, _: &Cursor) -> Result<Changes, StoreError> {
        not_asked()
    }
    async fn users(&self, _: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        not_asked()
    }
    async fn accounts(&self, _: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
        not_asked()
    }
}

#[async_trait]
impl Jobs for Fake {
    async fn take_job(&self, _: &str, _: Holder, _: i64) -> Result<bool, StoreError> {
        not_asked()
    }
    async fn leave_job(&self, _: &str, _: Holder, _: &str) -> Result<(), StoreError> {
        not_asked()
    }

    async fn give_up_job(&self, _: &str, _: Holder) -> Result<(), StoreError> {
        not_asked()
    }
    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        not_asked()
    }
}

#[async_trait]
impl Upkeep for Fake {
    async fn expire(&self, _: Wall) -> Result<Expired, StoreError> {
        not_asked()
    }
    async fn make_room(&self) -> Result<u64, StoreError> {
        not_asked()
    }
    async fn end_lost_stretches(&self, _: Wall) -> Result<u64, StoreError> {
        not_asked()
    }
    async fn drop_old_totals(&self, _: Wall) -> Result<u64, StoreError> {
        not_asked()
    }
    async fn roll_up(&self, _: usize) -> Result<RolledUp, StoreError> {
        not_asked()
    }
    async fn mark_for_rollup(&self, _: Wall, _: Wall) -> Result<u64, StoreError> {
        not_asked()
    }
}

#[async_trait]
impl Archive for Fake {
    async fn old_weeks(&self, _: Wall, _: Wall) -> Result<Vec<Week>, StoreError> {
        not_asked()
    }
    async fn set_week_aside(&self, _: Week) -> Result<(), StoreError> {
        not_asked()
    }
    async fn week_rows(&self, _: Week, _: Option<Uuid>, _: usize) -> Result<ArchivedRows, StoreError> {
        not_asked()
    }
    async fn drop_week(&self, _: Week, _: u64) -> Result<bool, StoreError> {
        not_asked()
    }
    async fn restore_week(&self, _: Week, _: Wall) -> Result<(), StoreError> {
        not_asked()
    }

    async fn end_restoration(&self, _: Week) -> Result<(), StoreError> {
        not_asked()
    }
    async fn restore_rows(&self, _: Week, _: &[String]) -> Result<Written, StoreError> {
        not_asked()
    }
}

#[async_trait]
impl Person for Fake {
    async fn export_page(
        &self,
        _: UserId,
        _: ExportPart,
        _: Option<String>,
    ) -> Result<ExportPage, StoreError> {
        not_asked()
    }
    async fn erase(&self, _: UserId, _: Wall) -> Result<(), StoreError> {
        not_asked()
    }
    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError> {
        not_asked()
    }
    async fn close_erasure(&self, _: OpenErasure) -> Result<(), StoreError> {
        not_asked()
    }
}

#[async_trait]
impl Store for Fake {
    async fn change_settings(&self, _: SettingsChange) -> Result<Settings, StoreError> {
        not_asked()
    }
    async fn change_directory(&self, _: Vec<DirectoryChange>, _: Wall, _: Actor) -> Result<(), StoreError> {
        not_asked()
    }
    async fn audit(&self, _: OrganizationId, _: Wall, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        not_asked()
    }
    async fn settings_history(&self, _: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        not_asked()
    }
    async fn probe(&self) -> Result<(), StoreError> {
        not_asked()
    }
    async fn close(&self) {}
}
