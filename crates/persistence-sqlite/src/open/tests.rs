//! Files that are not to be opened, each with its reason, and each left as it was.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::{FileExt, PermissionsExt, symlink},
};

use sqlx::Executor;
use tempfile::TempDir;

use super::*;
use crate::SqliteStore;
use persistence::{PAGE, Pick, Store, Truth};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("hub.db")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A closed database with enough rows for many pages.
    async fn filled() -> Self {
        let folder = Self::new();
        let store = open_at(&folder.database(), OpenMode::CreateIfMissing).await.unwrap();
        let users = (0..2_000).map(|n| model::DirectoryChange::PutUser {
            id: model::UserId(uuid::Uuid::from_u128(n)),
            display_name: format!("User {n}"),
            disabled: false,
        });
        store.change_directory(users.collect(), model::Wall(0), persistence::Actor::Import).await.unwrap();
        store.close().await;
        folder
    }

    async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.database()).connect().await.unwrap()
    }
}

async fn open_at(path: &Path, mode: OpenMode) -> Result<SqliteStore, OpenError> {
    let options =
        SqliteOptions { busy_timeout: Duration::from_millis(200), ..SqliteOptions::new(path, mode) };
    SqliteStore::open_with(options).await
}

async fn refused(path: &Path, mode: OpenMode) -> OpenError {
    match open_at(path, mode).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// Refused in both modes, and every byte of the file is as it was.
macro_rules! assert_refused {
    ($folder:expr, $expected:pat) => {{
        let path = $folder.database();
        let before = fs::read(&path).unwrap();
        for mode in [OpenMode::ExistingOnly, OpenMode::CreateIfMissing] {
            let error = refused(&path, mode).await;
            assert!(matches!(error, $expected), "{error:?}");
            assert!(error.to_string().contains("hub.db"), "the message names the file: {error}");
        }
        assert!(fs::read(&path).unwrap() == before, "the file was changed");
    }};
}

#[tokio::test]
async fn a_missing_file_is_made_only_where_that_was_asked_for() {
    let folder = Folder::new();
    let error = refused(&folder.database(), OpenMode::ExistingOnly).await;
    assert!(matches!(error, OpenError::Missing { .. }), "{error:?}");
    assert_eq!(folder.names(), [""; 0]);
    let store = open_at(&folder.database(), OpenMode::CreateIfMissing).await.unwrap();
    assert!(store.was_created());
    store.close().await;
    assert_eq!(folder.names(), ["hub.db", "hub.db.lock"]);
    for name in folder.names() {
        assert_eq!(fs::metadata(folder.path(&name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn an_interrupted_creation_starts_anew() {
    let folder = Folder::new();
    for name in ["hub.db.new", "hub.db.new-journal"] {
        fs::write(folder.path(name), "half a database").unwrap();
    }
    let store = open_at(&folder.database(), OpenMode::CreateIfMissing).await.unwrap();
    store.probe().await.unwrap();
    store.close().await;
    assert_eq!(folder.names(), ["hub.db", "hub.db.lock"]);
}

#[tokio::test]
async fn a_lost_database_whose_wal_is_there_is_not_made_anew() {
    let folder = Folder::new();
    fs::write(folder.path("hub.db-wal"), "frames").unwrap();
    let error = refused(&folder.database(), OpenMode::CreateIfMissing).await;
    assert!(matches!(error, OpenError::LeftoverWal { .. }), "{error:?}");
    assert!(!folder.database().exists());
}

#[tokio::test]
async fn what_is_not_a_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.database()).unwrap();
    for path in [folder.database(), PathBuf::from("/"), PathBuf::from("/dev/null"), folder.path("..")] {
        let error = refused(&path, OpenMode::CreateIfMissing).await;
        assert!(matches!(error, OpenError::NotAFile { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let folder = Folder::new();
    fs::write(folder.path("file"), "x").unwrap();
    for path in [folder.path("file/hub.db"), folder.path("nowhere/hub.db"), "/proc/self/hub.db".into()] {
        let error = refused(&path, OpenMode::CreateIfMissing).await;
        let expected = matches!(error, OpenError::Directory { .. } | OpenError::ReadOnlyDirectory { .. });
        assert!(expected && error.to_string().contains("hub.db"), "{error:?}");
    }
    let error = refused(Path::new("nowhere.db"), OpenMode::ExistingOnly).await;
    assert!(matches!(error, OpenError::Missing { .. }), "a bare name is in the working directory: {error:?}");
}

#[tokio::test]
async fn a_read_only_file_is_refused_for_root_too() {
    let folder = Folder::filled().await;
    fs::set_permissions(folder.database(), Permissions::from_mode(0o444)).unwrap();
    assert_refused!(folder, OpenError::ReadOnly { .. });
}

#[tokio::test]
async fn a_read_only_directory_is_refused_for_root_too() {
    let folder = Folder::filled().await;
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o555)).unwrap();
    assert_refused!(folder, OpenError::ReadOnlyDirectory { .. });
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused_by_whatever_name() {
    let folder = Folder::filled().await;
    let store = open_at(&folder.database(), OpenMode::ExistingOnly).await.unwrap();
    symlink(folder.database(), folder.path("alias.db")).unwrap();
    for name in ["hub.db", "alias.db"] {
        let error = refused(&folder.path(name), OpenMode::CreateIfMissing).await;
        assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    }
    store.probe().await.unwrap();
    store.close().await;
    let store = open_at(&folder.path("alias.db"), OpenMode::ExistingOnly).await.unwrap();
    drop(store);
    open_at(&folder.database(), OpenMode::ExistingOnly).await.unwrap();
}

#[tokio::test]
async fn a_lock_without_a_name_is_a_lock() {
    let folder = Folder::filled().await;
    let lock = OpenOptions::new().write(true).open(folder.path("hub.db.lock")).unwrap();
    lock.set_len(0).unwrap();
    lock.lock().unwrap();
    let error = refused(&folder.database(), OpenMode::ExistingOnly).await;
    assert!(error.to_string().contains("process unknown"), "{error}");
}

#[tokio::test]
async fn a_file_held_by_another_program_is_busy() {
    let folder = Folder::filled().await;
    let mut tool = folder.raw().await;
    tool.execute("PRAGMA locking_mode = EXCLUSIVE").await.unwrap();
    tool.execute("BEGIN EXCLUSIVE").await.unwrap();
    let error = refused(&folder.database(), OpenMode::ExistingOnly).await;
    assert!(matches!(error, OpenError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let folder = Folder::filled().await;
    fs::write(folder.database(), "a letter to grandmother, long enough to have a header".repeat(100))
        .unwrap();
    assert_refused!(folder, OpenError::NotADatabase { .. });
    fs::write(folder.database(), "").unwrap();
    assert_refused!(folder, OpenError::Empty { .. });
    fs::remove_file(folder.database()).unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    other.execute("CREATE TABLE recipes (name TEXT)").await.unwrap();
    other.close().await.unwrap();
    assert_refused!(folder, OpenError::Foreign { .. });
}

#[tokio::test]
async fn damage_is_found_before_anything_is_served() {
    let whole = fs::read(Folder::filled().await.database()).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 20, "{pages} pages");
    let folder = Folder::new();
    for page in [2, pages / 2, pages - 1] {
        fs::write(folder.database(), &whole).unwrap();
        let file = OpenOptions::new().write(true).open(folder.database()).unwrap();
        file.write_all_at(&[0xff; 4096], page as u64 * 4096).unwrap();
        assert_refused!(folder, OpenError::Corrupt { .. });
    }
    fs::write(folder.database(), &whole[..whole.len() / 2]).unwrap();
    assert_refused!(folder, OpenError::Corrupt { .. });
}

#[tokio::test]
async fn a_newer_schema_needs_a_newer_hub() {
    let folder = Folder::filled().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'to come', 1, x'00', 0)";
    let mut outside = folder.raw().await;
    outside.execute(newer).await.unwrap();
    outside.close().await.unwrap();
    assert_refused!(folder, OpenError::NewerSchema { found: 9999, .. });
}

#[tokio::test]
async fn another_history_of_migrations_is_refused() {
    let folder = Folder::filled().await;
    let mut outside = folder.raw().await;
    outside.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await.unwrap();
    let error = refused(&folder.database(), OpenMode::ExistingOnly).await;
    assert!(matches!(error, OpenError::Migration { .. }), "{error:?}");
}

#[tokio::test]
async fn an_older_schema_is_brought_up_and_keeps_its_rows() {
    let folder = Folder::new();
    let options = SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let mut old = options.connect().await.unwrap();
    old.execute("PRAGMA application_id = 1347568979").await.unwrap();
    MIGRATIONS.run_to(2, &mut old).await.unwrap();
    let row = "INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001', 'Ada', 0, 0)";
    old.execute(row).await.unwrap();
    let entry = "INSERT INTO presence_audit VALUES (7, 8, 'directory', 'service', NULL, NULL, '[]')";
    old.execute(entry).await.unwrap();
    old.close().await.unwrap();
    let store = open_at(&folder.database(), OpenMode::ExistingOnly).await.unwrap();
    assert_eq!((store.schema_found(), latest_schema()), (Some(2), 6));
    assert_eq!(store.users(Pick::Next(None, PAGE)).await.unwrap().len(), 1);
    let kept = "SELECT count(*) FROM presence_audit WHERE id = 7 AND at = 8 AND after_json = '[]'";
    let kept: i64 = sqlx::query_scalar(kept).fetch_one(&mut folder.raw().await).await.unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_migration_that_cannot_be_applied_changes_nothing() {
    let folder = Folder::new();
    let options = SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let mut old = options.connect().await.unwrap();
    old.execute("PRAGMA application_id = 1347568979").await.unwrap();
    MIGRATIONS.run_to(1, &mut old).await.unwrap();
    old.execute("CREATE TABLE user_last_seen (mine TEXT)").await.unwrap();
    let error = refused(&folder.database(), OpenMode::ExistingOnly).await;
    assert!(matches!(error, OpenError::Migration { .. }), "{error:?}");
    let settings: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'presence_settings'")
            .fetch_one(&mut old)
            .await
            .unwrap();
    assert_eq!(settings, 0, "the migration is one transaction");
}

#[test]
fn the_header_says_whose_file_it_is() {
    assert_eq!(APPLICATION_ID, i64::from(u32::from_be_bytes(*b"PRES")));
}
