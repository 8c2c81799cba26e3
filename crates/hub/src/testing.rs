//! What the tests of this crate share: a real store that can be taken away, and a hub on it.

mod analytics;
mod behind;
mod names;
mod occupancies;
mod upkeep;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use model::{
    AccountId, AccountState, DirectoryChange, Limits, OrganizationId, Settings, UserFacts, UserId, Wall,
};
use persistence::{
    Actor, Backlog, BacklogError, Changes, Cursor, Pick, SettingsChange, SettingsEntry, Spool, Store,
    StoreError, Truth, Wake, Writer, WriterOptions, audited::AuditEntry,
};
use persistence_sqlite::{OpenMode, SqliteStore};
use tempfile::TempDir;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{FollowerOptions, Hub, Operations};

/// The embedded store behind a line that can be cut, for reading and for writing, and that can lose its hearing.
pub(crate) struct Line {
    pub(crate) store: SqliteStore,
    pub(crate) reads: AtomicBool,
    pub(crate) writes: AtomicBool,
    /// Whether changes are found.
    pub(crate) hears: AtomicBool,
    /// Whether it is known what changed.
    pub(crate) knows: AtomicBool,
    /// Whether a rule of the database is in the way of every change of settings.
    pub(crate) refuses: AtomicBool,
    /// Whether changes stand still in the store, whoever waits for them, until the thaw.
    pub(crate) stuck: AtomicBool,
    pub(crate) thaw: Arc<Notify>,
    /// How many stand still.
    pub(crate) standing: AtomicUsize,
    pub(crate) deaf: Notify,
}

impl Line {
    fn may(flag: &AtomicBool) -> Result<(), StoreError> {
        if flag.load(Relaxed) { Ok(()) } else { Err(StoreError::Unavailable("the line is cut".into())) }
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.reads.store(!cut, Relaxed);
        self.writes.store(!cut, Relaxed);
    }
}

#[async_trait]
impl Truth for Line {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        Self::may(&self.reads)?;
        self.store.cursor().await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        Self::may(&self.reads)?;
        let found = self.store.changes(since).await?;
        if !self.knows.load(Relaxed) {
            return Ok(Changes { all: true, ..nothing(found) });
        }
        if !self.hears.load(Relaxed) {
            return Ok(Changes { all: false, ..nothing(found) });
        }
        Ok(found)
    }

    async fn users(&self, pick: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        Self::may(&self.reads)?;
        self.store.users(pick).await
    }

    async fn accounts(&self, pick: Pick<AccountId>) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
        Self::may(&self.reads)?;
        self.store.accounts(pick).await
    }

    async fn woken(&self) -> Wake {
        self.deaf.notified().await;
        Wake::Deaf
    }
}

#[async_trait]
impl Store for Line {
    async fn change_settings(&self, change: SettingsChange) -> Result<Settings, StoreError> {
        if self.stuck.load(Relaxed) {
            let (store, thaw) = (self.store.clone(), self.thaw.clone());
            let unit = tokio::spawn(async move {
                thaw.notified().await;
                store.change_settings(change).await
            });
            self.standing.fetch_add(1, Relaxed);
            return unit.await.expect("a unit of work");
        }
        Self::may(&self.writes)?;
        if self.refuses.load(Relaxed) {
            return Err(StoreError::Refused("a trigger of the platform".into()));
        }
        self.store.change_settings(change).await
    }

    async fn change_directory(
        &self,
        changes: Vec<DirectoryChange>,
        at: Wall,
        actor: Actor,
    ) -> Result<(), StoreError> {
        Self::may(&self.writes)?;
        self.store.change_directory(changes, at, actor).await
    }

    async fn audit(
        &self,
        organization: OrganizationId,
        until: Wall,
        most: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit(organization, until, most).await
    }

    async fn settings_history(&self, user: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        self.store.settings_history(user).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Self::may(&self.writes)
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

/// Where changes stand, and no change.
fn nothing(found: Changes) -> Changes {
    Changes { users: Vec::new(), accounts: Vec::new(), account_states: Vec::new(), ..found }
}

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn put_user(n: u128) -> DirectoryChange {
    DirectoryChange::PutUser { id: user(n), display_name: format!("User {n}"), disabled: false }
}

/// A database and a spool, which outlive the hubs on them.
pub(crate) struct Place {
    pub(crate) line: Arc<Line>,
    home: TempDir,
}

/// A running hub.
pub(crate) struct Running {
    pub(crate) hub: Hub,
    pub(crate) operations: Operations,
    pub(crate) writer: Writer,
}

impl Place {
    /// With the users 1 to 3.
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(home.path().join("hub.db"), OpenMode::CreateIfMissing).await.unwrap();
        let users = (1..=3).map(put_user).collect();
        store.change_directory(users, Wall(1), Actor::Service).await.unwrap();
        let (yes, no) = (|| AtomicBool::new(true), || AtomicBool::new(false));
        let line = Line {
            store,
            reads: yes(),
            writes: yes(),
            hears: yes(),
            knows: yes(),
            refuses: no(),
            stuck: no(),
            thaw: Arc::default(),
            standing: AtomicUsize::new(0),
            deaf: Notify::new(),
        };
        Self { line: Arc::new(line), home }
    }

    /// Where the spool and the backlog are; the database is beside them.
    pub(crate) fn home(&self) -> PathBuf {
        self.home.path().join("disk")
    }

    pub(crate) fn spool_path(&self) -> PathBuf {
        self.home().join("spool")
    }

    pub(crate) fn spool(&self) -> Spool {
        Spool::open(self.spool_path()).unwrap()
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::start(self.line.clone(), self.backlog().unwrap(), WriterOptions::default())
    }

    pub(crate) fn backlog(&self) -> Result<Backlog, BacklogError> {
        Backlog::open(self.home().join("backlog"), 1 << 20)
    }

    pub(crate) async fn start(&self) -> Running {
        let options = FollowerOptions {
            poll_interval: Duration::from_millis(5),
            sweep_interval: Duration::from_secs(600),
            ..FollowerOptions::default()
        };
        let writer = self.writer();
        let (hub, _task) = Hub::start(Limits::default(), writer.handle());
        let started =
            Operations::start(hub.clone(), self.line.clone(), self.spool(), writer.handle(), options).await;
        Running { hub, operations: started.unwrap(), writer }
    }
}

impl Running {
    pub(crate) async fn shown(&self, n: u128) -> Option<Settings> {
        self.hub.settings_of(user(n)).await.unwrap()
    }

    /// Waits until what is shown of a user is as wanted.
    pub(crate) async fn eventually(&self, n: u128, wanted: impl Fn(Option<&Settings>) -> bool) {
        eventually(async || wanted(self.shown(n).await.as_ref())).await;
    }
}

/// Waits until it is so, far longer than it takes.
pub(crate) async fn eventually(so: impl AsyncFn() -> bool) {
    let asked = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("so in time");
}
