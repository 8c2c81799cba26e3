//! Migrated databases, stores on them, and the small world that cases begin with.

use std::sync::Arc;

use model::{CleanText, DirectoryChange, Settings, SettingsPatch, UserId, Wall};
use persistence::{Actor, LastSeen, OperationId, SettingsChange, Store, StoreError};
use persistence_postgres::{PostgresOptions, PostgresStore, migrate};
use postgres_cluster::{Cluster, Database};
use uuid::Uuid;

/// When the cases' world begins.
pub(crate) const START: Wall = Wall(1_700_000_000_000);

/// A migrated database, and a role that the hub may log in as.
pub(crate) struct Home {
    pub(crate) database: Database,
    pub(crate) role: String,
}

impl Home {
    pub(crate) fn url(&self) -> String {
        self.database.url(&self.role)
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.url())
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        open(self.options()).await
    }

    pub(crate) fn psql(&self, sql: &str) -> String {
        self.database.psql(sql).expect("the statements are possible")
    }

    /// The one number that a statement returns.
    pub(crate) fn count(&self, sql: &str) -> u64 {
        self.psql(sql).trim().parse().expect("a number")
    }
}

pub(crate) async fn open(options: PostgresOptions) -> PostgresStore {
    PostgresStore::open(options).await.expect("the database can be opened")
}

/// A home on the server that the tests share.
pub(crate) async fn shared_home() -> Home {
    tokio::task::spawn_blocking(|| home_on(&Cluster::shared())).await.expect("the cluster is there")
}

/// A home on a server that this case may stop, kill and freeze.
pub(crate) async fn private_home(settings: &[(&str, &str)]) -> Home {
    let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let options = postgres_cluster::Options { settings, ..postgres_cluster::Options::default() };
    let start = move || home_on(&Arc::new(Cluster::start(options)));
    tokio::task::spawn_blocking(start).await.expect("the cluster starts")
}

fn home_on(cluster: &Arc<Cluster>) -> Home {
    let database = cluster.database_from("migrated", |url| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(migrate(url)).expect("the database can be migrated");
    });
    let role = cluster.login_role("hub", &["presence_hub"]);
    Home { database, role }
}

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn operation(n: u128) -> Option<OperationId> {
    Some(OperationId(Uuid::from_u128(n)))
}

pub(crate) fn put_user(n: u128) -> DirectoryChange {
    DirectoryChange::PutUser { id: user(n), display_name: format!("User {n}"), disabled: false }
}

pub(crate) async fn put(store: &PostgresStore, changes: Vec<DirectoryChange>) -> Result<(), StoreError> {
    store.change_directory(changes, START, Actor::Service).await
}

pub(crate) async fn put_users(store: &PostgresStore, count: u128) {
    put(store, (1..=count).map(put_user).collect()).await.expect("the users can be put");
}

/// A change of a user's custom status, which no other change makes.
pub(crate) fn status(n: u128, text: &str) -> SettingsChange {
    let patch = SettingsPatch { custom_status: Some(text.into()), ..SettingsPatch::default() };
    SettingsChange {
        user: user(n),
        by_back_end: false,
        patch,
        operation: None,
        at: START,
        tightens: false,
        belated: false,
    }
}

pub(crate) fn named(n: u128, text: &str, name: u128) -> SettingsChange {
    SettingsChange { operation: operation(name), ..status(n, text) }
}

pub(crate) fn hide(n: u128) -> SettingsChange {
    let patch = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
    SettingsChange {
        user: user(n),
        by_back_end: false,
        patch,
        operation: None,
        at: START,
        tightens: true,
        belated: false,
    }
}

pub(crate) fn text_of(settings: &Settings) -> &str {
    settings.custom_status.as_ref().map_or("", CleanText::as_str)
}

pub(crate) fn seen(n: u128, at: Wall) -> LastSeen {
    LastSeen { user: user(n), at, page: None, device: None, activity: None, session_minutes: 0 }
}
