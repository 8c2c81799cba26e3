//! The conformance suite, and what only a file can show.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use model::{CleanText, Device, Role, SettingsPatch, Visibility};
use persistence::{Behind, LastSeen, PAGE, conformance::Fixture};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::error::store_error;

async fn fixture() -> Fixture {
    let (folder, store) = open_new().await;
    Fixture { store: Arc::new(store), keep: Box::new(folder) }
}

mod conformance {
    use super::*;
    persistence::conformance_tests!(fixture);
}

mod behind;
mod changes;
mod days;
mod erasure;
mod export;
mod occupancy;
mod office;
mod upkeep;
mod weeks;

async fn open_new() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder), OpenMode::CreateIfMissing).await.unwrap();
    (folder, store)
}

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("hub.db")
}

/// A look at the rows from outside.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn put_user(n: u128, name: &str) -> DirectoryChange {
    DirectoryChange::PutUser { id: user(n), display_name: name.into(), disabled: false }
}

async fn put(store: &SqliteStore, changes: Vec<DirectoryChange>) {
    store.change_directory(changes, Wall(1), Actor::Import).await.unwrap();
}

fn hide(n: u128) -> SettingsChange {
    let patch = SettingsPatch {
        visibility: Some(Visibility::Nobody),
        custom_status: Some("Secret plans".into()),
        ..SettingsPatch::default()
    };
    SettingsChange {
        user: user(n),
        by_back_end: false,
        patch,
        operation: None,
        at: Wall(2),
        tightens: true,
        belated: false,
    }
}

async fn visibility(store: &SqliteStore, n: u128) -> Visibility {
    let users = store.users(Pick::These(vec![user(n)])).await.unwrap();
    users[0].1.settings.as_ref().unwrap().visibility
}

async fn everybody(store: &SqliteStore) -> Vec<(UserId, UserFacts)> {
    store.users(Pick::Next(None, PAGE)).await.unwrap()
}

fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>, words: &str) {
    let error = result.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn an_acknowledged_write_is_on_the_disk() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    store.change_settings(hide(1)).await.unwrap();
    // What a kill at this instant leaves behind.
    let copy = tempfile::tempdir().unwrap();
    for name in ["hub.db", "hub.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let reopened = SqliteStore::open(file(&copy), OpenMode::ExistingOnly).await.unwrap();
    assert_eq!(visibility(&reopened, 1).await, Visibility::Nobody);
    assert_eq!(reopened.settings_history(user(1)).await.unwrap().len(), 1);
    assert_eq!(everybody(&store).await, everybody(&reopened).await);
}

#[tokio::test]
async fn a_closed_file_stands_alone_and_opens_again() {
    let (folder, store) = open_new().await;
    assert!(store.was_created());
    put(&store, vec![put_user(1, "Ada")]).await;
    store.close().await;
    assert!(!folder.path().join("hub.db-wal").exists());
    let store = SqliteStore::open(file(&folder), OpenMode::CreateIfMissing).await.unwrap();
    assert_eq!((store.was_created(), store.schema_found()), (false, Some(crate::latest_schema())));
    assert_eq!(everybody(&store).await.len(), 1);
}

#[tokio::test]
async fn the_writer_waits_for_the_disk() {
    let (_folder, store) = open_new().await;
    let pragmas = store.database.write(|connection| {
        Box::pin(async move {
            let journal: String = scalar(connection, "PRAGMA journal_mode").await?;
            let sync: i64 = scalar(connection, "PRAGMA synchronous").await?;
            let keys: i64 = scalar(connection, "PRAGMA foreign_keys").await?;
            Ok((journal, sync, keys))
        })
    });
    const FULL: i64 = 2;
    assert_eq!(pragmas.await.unwrap(), ("wal".to_owned(), FULL, 1));
}

async fn scalar<T>(connection: &mut SqliteConnection, sql: &'static str) -> Result<T, StoreError>
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(store_error)
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_folder, store) = open_new().await;
    let write = store.database.read(|connection| {
        Box::pin(async move {
            sqlx::query("DELETE FROM users").execute(connection).await.map_err(store_error)?;
            Ok(())
        })
    });
    assert_unavailable(write.await, "readonly");
}

#[tokio::test]
async fn an_installation_chooses_its_default() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(file(&folder), OpenMode::CreateIfMissing);
    options.default_settings.visibility = Visibility::Team;
    let store = SqliteStore::open_with(options).await.unwrap();
    put(&store, vec![put_user(1, "Ada")]).await;
    assert_eq!(visibility(&store, 1).await, Visibility::Team);
    let patch = SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() };
    let after = store.change_settings(SettingsChange { patch, ..hide(1) }).await.unwrap();
    assert_eq!(after.visibility, Visibility::Team);
    assert_eq!(store.settings_history(user(1)).await.unwrap()[0].before.visibility, Visibility::Team);
}

#[tokio::test]
async fn each_transaction_has_one_audit_row_without_names() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada"), put_user(2, "Bo")]).await;
    put(&store, vec![]).await;
    store.change_settings(hide(1)).await.unwrap();
    type Row = (i64, String, String, Option<String>, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT at, kind, actor, subject, before_json, after_json FROM presence_audit ORDER BY id",
    )
    .fetch_all(&mut raw(&file(&folder)).await)
    .await
    .unwrap();
    let [directory, settings] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((directory.0, directory.1.as_str(), directory.2.as_str()), (1, "directory", "import"));
    assert!(directory.5.contains(&user(2).to_string()) && !directory.5.contains("Ada"), "{}", directory.5);
    assert_eq!((settings.0, settings.1.as_str()), (2, "settings"));
    assert_eq!(settings.2, format!("user:{}", user(1)));
    assert_eq!(settings.3, Some(user(1).to_string()));
    assert!(settings.4.as_ref().unwrap().contains("contacts") && settings.5.contains("nobody"));
}

/// Neither the id nor a word of a person who was removed is found in the bytes of the audit.
#[tokio::test]
async fn the_audit_of_the_removed_has_a_pseudonym() {
    let (folder, store) = open_new().await;
    let organization = model::OrganizationId(Uuid::from_u128(9));
    let named = DirectoryChange::PutOrganization {
        id: organization,
        name: "Agency".into(),
        plan: Default::default(),
    };
    let member = DirectoryChange::PutMember { organization, user: user(1), role: Role::Admin };
    put(&store, vec![put_user(1, "Ada"), put_user(2, "Bo"), named, member]).await;
    store.change_settings(hide(1)).await.unwrap();
    let own = vec![put_user(3, "Cy"), DirectoryChange::RemoveUser { id: user(1) }];
    store.change_directory(own, Wall(3), Actor::User(user(1))).await.unwrap();
    let rows: Vec<(String, Option<String>, Option<String>)> =
        sqlx::query_as("SELECT actor, subject, after_json FROM presence_audit ORDER BY id")
            .fetch_all(&mut raw(&file(&folder)).await)
            .await
            .unwrap();
    let all = format!("{rows:?}");
    assert_eq!(rows.len(), 3);
    assert!(!all.contains(&user(1).to_string()) && !all.contains("Secret plans"), "{all}");
    let pseudonym = rows[1].1.clone().unwrap();
    assert_eq!(rows[1], (format!("user:{pseudonym}"), Some(pseudonym.clone()), None));
    assert_eq!(rows[2].0, format!("user:{pseudonym}"));
    assert_eq!(all.matches(&pseudonym).count(), 6, "twice put, twice own, twice removed: {all}");
    assert!(all.contains(&user(2).to_string()), "others keep their ids");
}

/// Created again in one transaction: the audit calls the one who went by the pseudonym and the new one by the id.
#[tokio::test]
async fn the_audit_tells_the_removed_from_the_new() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "A"), DirectoryChange::RemoveUser { id: user(1) }, put_user(1, "B")]).await;
    let json: String = sqlx::query_scalar("SELECT after_json FROM presence_audit")
        .fetch_one(&mut raw(&file(&folder)).await)
        .await
        .unwrap();
    let changes: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(changes[0]["id"], changes[1]["id"]);
    assert_ne!(changes[1]["id"], user(1).to_string());
    assert_eq!(changes[2]["id"], user(1).to_string());
}

#[tokio::test]
async fn the_audit_of_an_import_has_counts() {
    let (folder, store) = open_new().await;
    let mut changes: Vec<_> = (1..=1_000).map(|n| put_user(n, "Crowd")).collect();
    changes.push(DirectoryChange::RemoveUser { id: user(7) });
    put(&store, changes).await;
    let json: String = sqlx::query_scalar("SELECT after_json FROM presence_audit")
        .fetch_one(&mut raw(&file(&folder)).await)
        .await
        .unwrap();
    assert_eq!(json, r#"{"putUser":1000,"removeUser":1}"#);
}

#[tokio::test]
async fn last_seen_keeps_the_newest_page_and_device() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada"), put_user(2, "Bo")]).await;
    let note = |n, at, page: &str, device| LastSeen {
        user: user(n),
        at: Wall(at),
        page: CleanText::parse_page(page, "page", 512).unwrap(),
        device,
        activity: None,
        session_minutes: 0,
    };
    let newest = note(1, 30, "/weddings/7 \"garden\"", Some(Device::Tablet));
    let older = note(1, 20, "/old", Some(Device::Mobile));
    store.write_last_seen(&[newest, older, note(2, 10, "", None)]).await.unwrap();
    type Row = (i64, Option<String>, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT last_seen_at, last_page, last_device, updated_at > 1700000000000 FROM user_last_seen \
         ORDER BY user_id",
    )
    .fetch_all(&mut raw(&file(&folder)).await)
    .await
    .unwrap();
    let page = Some("/weddings/7 \"garden\"".to_owned());
    assert_eq!(rows, [(30, page, Some("tablet".to_owned()), true), (10, None, None, true)]);
}

#[tokio::test]
async fn a_file_that_goes_away_takes_no_acknowledged_write_along() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    let cursor = store.cursor().await.unwrap();
    let aside = folder.path().join("aside.db");
    fs::rename(file(&folder), &aside).unwrap();
    assert_unavailable(store.change_settings(hide(1)).await, "gone");
    assert_unavailable(store.probe().await, "gone");
    assert_unavailable(store.changes(&cursor).await, "gone");
    assert_unavailable(store.users(Pick::Next(None, PAGE)).await, "gone");
    fs::write(file(&folder), "another file").unwrap();
    assert_unavailable(store.change_settings(hide(1)).await, "replaced");
    assert_unavailable(store.probe().await, "replaced");
    assert_unavailable(store.changes(&cursor).await, "replaced");
    fs::rename(&aside, file(&folder)).unwrap();
    store.probe().await.unwrap();
    fs::set_permissions(file(&folder), fs::Permissions::from_mode(0o444)).unwrap();
    assert_unavailable(store.probe().await, "read-only");
    store.changes(&cursor).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_leaves_nothing_half_done() {
    let (_folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    set_max_pages(&store, "PRAGMA max_page_count = 1").await;
    let crowd = (2..2_000).map(|n| put_user(n, "Crowd")).collect();
    assert_unavailable(store.change_directory(crowd, Wall(1), Actor::Import).await, "full");
    assert_eq!(everybody(&store).await.len(), 1);
    set_max_pages(&store, "PRAGMA max_page_count = 1000000").await;
    store.change_settings(hide(1)).await.unwrap();
}

async fn set_max_pages(store: &SqliteStore, pragma: &'static str) {
    let set = store.database.write(move |connection| {
        Box::pin(async move { scalar::<i64>(connection, pragma).await.map(|_| ()) })
    });
    set.await.unwrap();
}

#[tokio::test]
async fn a_unit_that_breaks_off_is_undone() {
    let (_folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    let broken = store.database.write(|connection| {
        Box::pin(async move {
            sqlx::query("DELETE FROM users").execute(connection).await.map_err(store_error)?;
            if true {
                panic!("in the middle");
            }
            Ok(())
        })
    });
    assert_unavailable(broken.await, "panicked");
    assert_eq!(everybody(&store).await.len(), 1);
    store.change_settings(hide(1)).await.unwrap();
}

#[tokio::test]
async fn rows_that_no_hub_wrote_are_corrupt() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    let mut outside = raw(&file(&folder)).await;
    let statements = [
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO presence_settings VALUES ((SELECT id FROM users), 'friends', 1, 1, 1, NULL, NULL, 0, NULL)",
    ];
    for sql in statements {
        sqlx::query(sql).execute(&mut outside).await.unwrap();
    }
    for error in [
        store.users(Pick::Next(None, PAGE)).await.unwrap_err(),
        store.change_settings(hide(1)).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Corrupt(_)) && !error.is_retryable(), "{error}");
    }
}
