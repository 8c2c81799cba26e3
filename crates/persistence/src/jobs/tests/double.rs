//! A store in memory that may fail at any of its calls, before or after it has done what was asked.

mod analytics;
mod names;
mod occupancies;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use model::{AccountId, AccountState, DirectoryChange, OrganizationId, Settings, UserFacts, UserId, Wall};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    ActivityRow, Actor, Archive, Behind, Changes, Cursor, Expired, ExportPage, ExportPart, Gap, Holder,
    JobOptions, JobRecord, Jobs, LEASE_MS, LastSeen, OpenErasure, Person, Pick, RolledUp, Runner,
    SettingsChange, SettingsEntry, Store, StoreError, Stretch, Truth, Upkeep, Week, Written, archive::Row,
    audited::AuditEntry,
};

/// When the world of these tests is.
pub(super) const NOW: Wall = Wall(1_790_000_000_000);
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kill {
    /// What was asked is not done.
    Before,
    /// It is done, and nobody hears of it.
    After,
}

#[derive(Default)]
pub(super) struct StoredWeek {
    pub(super) rows: BTreeMap<Uuid, String>,
    pub(super) is_aside: bool,
    pub(super) restored: Option<Wall>,
    pub(super) is_restoring: bool,
}

#[derive(Default)]
pub(super) struct StoredJob {
    pub(super) holder: Option<(Holder, Instant)>,
    pub(super) finished: Vec<Instant>,
    pub(super) report: Option<String>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) weeks: BTreeMap<Week, StoredWeek>,
    pub(super) jobs: BTreeMap<String, StoredJob>,
    pub(super) erasures: Vec<OpenErasure>,
    /// People whose rows are not taken back.
    pub(super) gone: Vec<UserId>,
    pub(super) lost: u64,
    pub(super) old: u64,
    pub(super) quarters: u64,
    /// A week that cannot be set aside.
    pub(super) stuck: Option<Week>,
    pub(super) dropping_takes: Duration,
    pub(super) calls: u64,
    pub(super) kill: Option<(u64, Kill)>,
    pub(super) is_down: bool,
}

#[derive(Default)]
pub(super) struct Double(Mutex<State>);

impl Double {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub(super) fn runner(self: &Arc<Self>, archive: &std::path::Path) -> Arc<Runner> {
        let options = JobOptions {
            archive: archive.to_owned(),
            archive_after_ms: 90 * DAY_MS,
            restored_for_ms: 7 * DAY_MS,
            wall: || NOW,
        };
        Arc::new(Runner::new(self.clone(), options))
    }

    /// Puts rows into the log, each into its week.
    pub(super) fn log(&self, rows: impl IntoIterator<Item = Row>) {
        self.with(|state| {
            for row in rows {
                state.weeks.entry(Week::of(row.at)).or_default().rows.insert(row.id, row.text);
            }
        });
    }

    /// How often a job was done.
    pub(super) fn times(&self, job: &str) -> usize {
        self.with(|state| state.jobs.get(job).map_or(0, |job| job.finished.len()))
    }

    pub(super) fn revive(&self) {
        self.with(|state| (state.is_down, state.kill) = (false, None));
    }

    fn call<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let away = || Err(StoreError::Unavailable("out of reach".into()));
        self.with(|state| {
            state.calls += 1;
            let kill = state.kill.filter(|(call, _)| *call == state.calls).map(|(_, kill)| kill);
            state.is_down |= kill.is_some();
            match kill {
                None if !state.is_down => Ok(act(state)),
                Some(Kill::After) => {
                    act(state);
                    away()
                }
                _ => away(),
            }
        })
    }
}

#[async_trait]
impl Jobs for Double {
    async fn take_job(&self, name: &str, holder: Holder, every_ms: i64) -> Result<bool, StoreError> {
        let ms = |ms: i64| Duration::from_millis(ms as u64);
        self.call(|state| {
            let job = state.jobs.entry(name.to_owned()).or_default();
            let is_free =
                job.holder.is_none_or(|(it, heard)| it == holder || heard.elapsed() >= ms(LEASE_MS));
            let is_due = job.finished.last().is_none_or(|finished| finished.elapsed() >= ms(every_ms));
            if is_free && is_due {
                job.holder = Some((holder, Instant::now()));
            }
            is_free && is_due
        })
    }

    async fn leave_job(&self, name: &str, holder: Holder, report: &str) -> Result<(), StoreError> {
        self.call(|state| {
            let job = state.jobs.entry(name.to_owned()).or_default();
            if job.holder.take_if(|(it, _)| *it == holder).is_some() {
                job.finished.push(Instant::now());
                job.report = Some(report.to_owned());
            }
        })
    }

    async fn give_up_job(&self, name: &str, holder: Holder) -> Result<(), StoreError> {
        self.call(|state| {
            let job = state.jobs.entry(name.to_owned()).or_default();
            job.holder.take_if(|(it, _)| *it == holder);
        })
    }

    async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let record = |(name, job): (&String, &StoredJob)| JobRecord {
            name: name.clone(),
            finished: job.finished.last().map(|_| NOW.0),
            report: job.report.clone(),
        };
        self.call(|state| state.jobs.iter().map(record).collect())
    }
}

#[async_trait]
impl Upkeep for Double {
    async fn expire(&self, _: Wall) -> Result<Expired, StoreError> {
        self.call(|_| Expired { operation_results: 1, access_codes: 2 })
    }

    async fn make_room(&self) -> Result<u64, StoreError> {
        self.call(|_| 0)
    }

    async fn end_lost_stretches(&self, seen_before: Wall) -> Result<u64, StoreError> {
        assert!(seen_before < NOW);
        self.call(|state| std::mem::take(&mut state.lost))
    }

    async fn drop_old_totals(&self, before: Wall) -> Result<u64, StoreError> {
        assert_eq!(before, Wall(NOW.0 - 400 * DAY_MS));
        self.call(|state| std::mem::take(&mut state.old))
    }

    async fn roll_up(&self, buckets: usize) -> Result<RolledUp, StoreError> {
        // Others have their turn in between, as with a store that is somewhere else.
        tokio::task::yield_now().await;
        self.call(|state| {
            let buckets = state.quarters.min(buckets as u64);
            state.quarters -= buckets;
            RolledUp { buckets, more: state.quarters > 0 }
        })
    }

    async fn mark_for_rollup(&self, from: Wall, until: Wall) -> Result<u64, StoreError> {
        assert!(from < until);
        self.call(|state| {
            state.quarters += 100;
            100
        })
    }
}

#[async_trait]
impl Archive for Double {
    async fn old_weeks(&self, before: Wall, restored_before: Wall) -> Result<Vec<Week>, StoreError> {
        self.call(|state| {
            let is_old = |(week, it): &(&Week, &StoredWeek)| {
                week.end() <= before && it.restored.is_none_or(|at| at <= restored_before)
            };
            state.weeks.iter().filter(is_old).map(|(week, _)| *week).collect()
        })
    }

    async fn set_week_aside(&self, week: Week) -> Result<(), StoreError> {
        let done = self.call(|state| {
            assert_eq!(state.quarters, 0, "added up before");
            if state.stuck == Some(week) {
                return Err(StoreError::Unavailable("somebody reads it".into()));
            }
            state.weeks.get_mut(&week).into_iter().for_each(|it| it.is_aside = true);
            Ok(())
        });
        done?
    }

    async fn week_rows(
        &self,
        week: Week,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.call(|state| {
            let rows = state.weeks.get(&week).into_iter().flat_map(|it| &it.rows);
            let rest = rows.filter(|(id, _)| after.is_none_or(|after| **id > after));
            rest.map(|(_, row)| row.clone()).take(limit).collect()
        })
    }

    async fn drop_week(&self, week: Week, rows: u64) -> Result<bool, StoreError> {
        tokio::time::sleep(self.with(|state| state.dropping_takes)).await;
        self.call(|state| {
            let has = state.weeks.get(&week).map_or(0, |it| it.rows.len() as u64);
            if has == rows {
                state.weeks.remove(&week);
            }
            has == rows
        })
    }

    async fn restore_week(&self, week: Week, at: Wall) -> Result<(), StoreError> {
        self.call(|state| {
            let it = state.weeks.entry(week).or_default();
            (it.is_aside, it.restored, it.is_restoring) = (false, Some(at), true);
        })
    }

    async fn end_restoration(&self, week: Week) -> Result<(), StoreError> {
        self.call(|state| {
            state.weeks.get_mut(&week).expect("a week that was restored").is_restoring = false;
        })
    }

    async fn restore_rows(&self, week: Week, rows: &[String]) -> Result<Written, StoreError> {
        self.call(|state| {
            let mut done = Written::default();
            let it = state.weeks.get_mut(&week).expect("a week that was restored");
            for row in rows.iter().map(|row| Row::parse(row.clone()).unwrap()) {
                match state.gone.contains(&row.user) {
                    true => done.passed_over += 1,
                    false => done.written += u64::from(it.rows.insert(row.id, row.text).is_none()),
                }
            }
            done
        })
    }
}

#[async_trait]
impl Person for Double {
    async fn export_page(
        &self,
        _: UserId,
        _: ExportPart,
        _: Option<String>,
    ) -> Result<ExportPage, StoreError> {
        unreachable!("no job exports")
    }

    async fn erase(&self, _: UserId, _: Wall) -> Result<(), StoreError> {
        unreachable!("no job erases from the database")
    }

    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError> {
        self.call(|state| state.erasures.clone())
    }

    async fn close_erasure(&self, erasure: OpenErasure) -> Result<(), StoreError> {
        self.call(|state| state.erasures.retain(|it| *it != erasure))
    }
}

#[async_trait]
impl Behind for Double {
    async fn write_last_seen(&self, _: &[LastSeen]) -> Result<Written, StoreError> {
        unreachable!("no job writes behind")
    }
    async fn write_activity(&self, _: &[ActivityRow]) -> Result<Written, StoreError> {
        unreachable!("no job writes behind")
    }
    async fn write_stretches(&self, _: &[Stretch]) -> Result<Written, StoreError> {
        unreachable!("no job writes behind")
    }
    async fn write_gap(&self, _: &Gap) -> Result<(), StoreError> {
        unreachable!("no job writes behind")
    }
}

#[async_trait]
impl Truth for Double {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        unreachable!("no job follows changes")
    }
    async fn changes(&self, _: &Cursor) -> Result<Changes, StoreError> {
        unreachable!("no job follows changes")
    }
    async fn users(&self, _: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        unreachable!("no job reads facts")
    }
    async fn accounts(&self, _: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
        unreachable!("no job reads facts")
    }
}

#[async_trait]
impl Store for Double {
    async fn change_settings(&self, _: SettingsChange) -> Result<Settings, StoreError> {
        unreachable!("no job changes settings")
    }
    async fn change_directory(&self, _: Vec<DirectoryChange>, _: Wall, _: Actor) -> Result<(), StoreError> {
        unreachable!("no job changes the directory")
    }
    async fn audit(&self, _: OrganizationId, _: Wall, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        unreachable!("no job reads the audit")
    }
    async fn settings_history(&self, _: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        unreachable!("no job reads the history")
    }
    async fn probe(&self) -> Result<(), StoreError> {
        unreachable!("no job probes")
    }
    async fn close(&self) {}
}
