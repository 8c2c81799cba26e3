//! What is refused at the start, in which words; and how a schema comes to be.

use std::time::Duration;

use model::{Settings, Visibility};
use persistence::{Behind, Store, StoreError, Truth};
use persistence_postgres::{Migrated, OpenError, PostgresOptions, PostgresStore, latest_schema, migrate};
use postgres_cluster::{Cluster, PASSWORD};

use crate::fixture::{self, Home, put_users};

/// Opens, and expects to be refused; the words are an operator's, and the password is not among them.
async fn refused(options: PostgresOptions) -> OpenError {
    let Err(error) = PostgresStore::open(options).await else { panic!("this is to be refused") };
    let words = error.to_string();
    assert!(!words.contains(PASSWORD), "{words}");
    assert!(words.contains(';'), "it says what to do: {words}");
    error
}

async fn refused_at(url: String) -> OpenError {
    refused(PostgresOptions { open_timeout: Duration::from_secs(3), ..PostgresOptions::new(url) }).await
}

/// A home that the superuser has changed.
async fn home_with(sql: &str) -> Home {
    let home = fixture::shared_home().await;
    home.psql(sql);
    home
}

#[tokio::test]
async fn a_url_that_cannot_be_read() {
    for url in
        ["", "presence.db", "mysql://a@b/c", "postgres://a:secret@b:port/c", "postgres://h/d?sslmode=x"]
    {
        let Err(error) = PostgresStore::open(PostgresOptions::new(url)).await else { panic!("{url}") };
        assert!(matches!(error, OpenError::Url { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let options = PostgresOptions::new("postgres://hub:secret@localhost/presence");
    assert!(!format!("{options:?}").contains("secret"));
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("postgres://hub:{PASSWORD}@127.0.0.1:{port}/presence");
    // It takes connections and never says a word; then it is gone.
    let silent = refused_at(url.clone()).await;
    drop(listener);
    for error in [silent, refused_at(url).await] {
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        let place = format!("database \"presence\" on 127.0.0.1:{port} (as \"hub\")");
        assert!(error.to_string().contains(&place), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_password() {
    let home = fixture::shared_home().await;
    let guarded = Cluster::shared().guarded_role("guarded", &["presence_hub"]);
    let url = home.database.url(&guarded);
    fixture::open(PostgresOptions::new(url.clone())).await.close().await;
    let error = refused_at(url.replace(PASSWORD, "another")).await;
    assert!(matches!(error, OpenError::Password { .. }), "{error}");
    assert!(!error.to_string().contains("another"));
}

#[tokio::test]
async fn no_such_database() {
    let home = fixture::shared_home().await;
    let error = refused_at(home.url().replace(home.database.name(), "nowhere_to_be_found")).await;
    assert!(matches!(error, OpenError::NoDatabase { .. }), "{error}");
}

#[tokio::test]
async fn a_role_that_may_not_connect() {
    let home = fixture::shared_home().await;
    home.psql(&format!("REVOKE CONNECT ON DATABASE \"{}\" FROM PUBLIC", home.database.name()));
    let error = refused_at(home.url()).await;
    assert!(matches!(error, OpenError::MayNotConnect { .. }), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_migrated() {
    let database = Cluster::shared().create_database();
    let role = Cluster::shared().login_role("stranger", &[]);
    let error = refused_at(database.url(&role)).await;
    assert!(matches!(error, OpenError::NotMigrated { .. }), "{error}");
    assert!(error.to_string().contains("presence-hub migrate"), "{error}");
}

#[tokio::test]
async fn an_older_schema() {
    let newest = latest_schema();
    let home = home_with(&format!("DELETE FROM presence_migrations WHERE version = {newest}")).await;
    let error = refused(home.options()).await;
    let OpenError::OlderSchema { found, known, .. } = error else { panic!("{error}") };
    assert!(found < known && known == newest);
}

#[tokio::test]
async fn a_newer_schema() {
    let newer = latest_schema() + 7;
    let insert = "INSERT INTO presence_migrations (version, description, success, checksum, execution_time)";
    let home = home_with(&format!("{insert} VALUES ({newer}, 'of tomorrow', true, 'x', 0)")).await;
    for error in
        [refused(home.options()).await, migrate(&home.database.admin_url()).await.expect_err("too new")]
    {
        let OpenError::NewerSchema { found, known, .. } = error else { panic!("{error}") };
        assert_eq!((found, known), (newer, latest_schema()));
    }
}

#[tokio::test]
async fn a_half_applied_migration() {
    let home = home_with("UPDATE presence_migrations SET success = false WHERE version = 2").await;
    for error in [refused(home.options()).await, migrate(&home.database.admin_url()).await.expect_err("half")]
    {
        assert!(matches!(error, OpenError::HalfApplied { version: 2, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_changed_migration() {
    let home = home_with("UPDATE presence_migrations SET checksum = 'another' WHERE version = 1").await;
    for error in
        [refused(home.options()).await, migrate(&home.database.admin_url()).await.expect_err("changed")]
    {
        assert!(matches!(error, OpenError::ChangedMigration { version: 1, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_role_above_row_security() {
    let home = fixture::shared_home().await;
    let cluster = Cluster::shared();
    let superuser = refused(PostgresOptions::new(home.database.admin_url())).await;
    let bypassing = cluster.login_role("bypassing", &["presence_hub"]);
    home.psql(&format!("ALTER ROLE \"{bypassing}\" BYPASSRLS"));
    let bypasses = refused(PostgresOptions::new(home.database.url(&bypassing))).await;
    // It could become the one that bypasses.
    let disguised = cluster.login_role("disguised", &["presence_hub"]);
    home.psql(&format!("GRANT \"{bypassing}\" TO \"{disguised}\""));
    let becomes = refused(PostgresOptions::new(home.database.url(&disguised))).await;
    for (error, expected) in [
        (superuser, "is a superuser"),
        (bypasses, "bypasses row security"),
        (becomes, "bypasses row security"),
    ] {
        let OpenError::TooMighty { right, .. } = &error else { panic!("{error}") };
        assert_eq!(right, expected);
    }
}

#[tokio::test]
async fn a_role_that_owns_our_tables() {
    let home = fixture::shared_home().await;
    let owner = Cluster::shared().login_role("owner", &[]);
    let heir = Cluster::shared().login_role("heir", &["presence_hub"]);
    home.psql(&format!("ALTER TABLE presence_audit OWNER TO \"{owner}\"; GRANT \"{owner}\" TO \"{heir}\""));
    let error = refused(PostgresOptions::new(home.database.url(&heir))).await;
    let OpenError::TooMighty { role, right, .. } = &error else { panic!("{error}") };
    assert_eq!((role, right.as_str()), (&owner, "owns the table presence_audit"));
}

#[tokio::test]
async fn a_role_without_the_hubs_rights() {
    let home = fixture::shared_home().await;
    let stranger = Cluster::shared().login_role("stranger", &[]);
    let error = refused(PostgresOptions::new(home.database.url(&stranger))).await;
    assert!(matches!(error, OpenError::NotAMember { .. }), "{error}");
    assert!(error.to_string().ends_with(&format!("GRANT presence_hub TO \"{stranger}\"")), "{error}");
}

#[tokio::test]
async fn a_table_without_forced_row_security() {
    for (sql, name) in [
        ("ALTER TABLE presence_settings NO FORCE ROW LEVEL SECURITY", "presence_settings"),
        ("ALTER TABLE operation_results DISABLE ROW LEVEL SECURITY", "operation_results"),
        (
            "CREATE TABLE far_away PARTITION OF presence_activity_logs FOR VALUES FROM ('2199-01-01') TO \
             ('2199-01-08')",
            "far_away",
        ),
    ] {
        let home = home_with(sql).await;
        let error = refused(home.options()).await;
        let OpenError::Unprotected { table, .. } = &error else { panic!("{error}") };
        assert_eq!(table, name);
        let (_, remedy) = error
            .to_string()
            .split_once("as its owner: ")
            .map(|(a, b)| (a.len(), b.to_owned()))
            .expect("a remedy");
        home.psql(&remedy);
        home.store().await.close().await;
    }
}

#[tokio::test]
async fn an_occupancy_that_is_published() {
    for sql in [
        "CREATE PUBLICATION told FOR TABLE account_presence, users",
        "CREATE PUBLICATION told FOR TABLES IN SCHEMA public",
        "CREATE PUBLICATION told FOR ALL TABLES",
    ] {
        let home = home_with(sql).await;
        let error = refused(home.options()).await;
        let OpenError::Published { publication, remedy, .. } = &error else { panic!("{error}") };
        assert_eq!(publication, "told");
        home.psql(remedy);
        home.store().await.close().await;
    }
}

const TRIGGERS: &str = "
    SELECT string_agg(pg_get_triggerdef(oid), ';' ORDER BY tgrelid::regclass::text, tgname) FROM pg_trigger
    WHERE tgname LIKE 'presence%' AND NOT tgisinternal";

#[tokio::test]
async fn a_trigger_that_does_not_fire() {
    let home = fixture::shared_home().await;
    let (all, each) = (
        home.psql(TRIGGERS),
        "SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger \
        WHERE tgname LIKE 'presence%' AND NOT tgisinternal",
    );
    let names = home.psql(each);
    assert_eq!(names.lines().count(), 8 * 4 + 20);
    for (relation, name) in names.lines().filter_map(|line| line.split_once(' ')) {
        for harm in [
            format!("ALTER TABLE {relation} DISABLE TRIGGER {name}"),
            format!("ALTER TABLE {relation} ENABLE REPLICA TRIGGER {name}"),
            format!("DROP TRIGGER {name} ON {relation}"),
        ] {
            home.psql(&harm);
            let error = refused(home.options()).await;
            let OpenError::Unwatched { table, trigger, remedy, .. } = &error else {
                panic!("{harm}: {error}")
            };
            assert_eq!((table.as_str(), trigger.as_str()), (relation, name));
            home.psql(remedy);
            assert_eq!(home.psql(TRIGGERS), all, "{remedy}");
        }
    }
    home.psql("ALTER TABLE users ENABLE ALWAYS TRIGGER presence_gone");
    home.store().await.close().await;
}

#[tokio::test]
async fn another_default_than_the_databases() {
    let home = fixture::shared_home().await;
    let defaults = Settings { visibility: Visibility::Team, ..Settings::default() };
    let options = PostgresOptions { default_settings: defaults, ..home.options() };
    for (harm, stored) in [("SELECT", "contacts"), ("DELETE FROM presence_installation", "nobody")] {
        home.psql(harm);
        let error = refused(options.clone()).await;
        let OpenError::DefaultVisibility { configured, stored: found, remedy, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!((configured.as_str(), found.as_str()), ("team", stored));
        home.psql(remedy);
        fixture::open(options.clone()).await.close().await;
    }
    let error = refused(home.options()).await;
    assert!(error.to_string().contains("\"contacts\"") && error.to_string().contains("\"team\""), "{error}");
}

#[tokio::test]
async fn two_migrations_at_once_are_one() {
    let database = Cluster::shared().create_database();
    let url = database.admin_url();
    let both = tokio::join!(migrate(&url), migrate(&url));
    let done = [both.0.expect("the first"), both.1.expect("the second")];
    assert!(done.iter().all(|migrated| migrated.now == latest_schema()), "{done:?}");
    let again = migrate(&url).await.expect("there is nothing to do");
    assert_eq!(again, Migrated { found: Some(latest_schema()), now: latest_schema() });
    let versions = database.psql("SELECT count(*) FROM presence_migrations").expect("a table");
    assert_eq!(versions.trim(), latest_schema().to_string());
}

#[tokio::test]
async fn a_role_that_may_not_migrate_is_told() {
    let database = Cluster::shared().create_database();
    let role = Cluster::shared().login_role("stranger", &[]);
    let error = migrate(&database.url(&role)).await.expect_err("it may make nothing");
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[tokio::test]
async fn a_migration_waits_for_a_table_that_somebody_holds() {
    let database = Cluster::shared().create_database();
    database.psql("CREATE TABLE users (id uuid PRIMARY KEY, display_name text NOT NULL, disabled boolean, created_at timestamptz)").expect("a table");
    let mut platform = database.session();
    platform.run("BEGIN").expect("a transaction");
    platform.run("LOCK TABLE users IN ROW EXCLUSIVE MODE").expect("a lock");
    let url = database.admin_url();
    let migrating = tokio::spawn(async move { migrate(&url).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass";
    while database.psql(waiting).expect("locks").trim() == "0" && !migrating.is_finished() {
        tokio::task::yield_now().await;
    }
    tokio::task::spawn_blocking(move || platform.run("COMMIT")).await.expect("a task").expect("a commit");
    migrating.await.expect("a task").expect("the table is free");
}

#[tokio::test]
async fn two_hubs_serve_one_database() {
    let home = fixture::shared_home().await;
    let (one, two) = tokio::join!(home.store(), home.store());
    put_users(&one, 1).await;
    let facts = two.users(persistence::Pick::These(vec![fixture::user(1)])).await.expect("facts");
    assert_eq!(facts.len(), 1);
    one.close().await;
    two.probe().await.expect("the other one is open");
    two.close().await;
    assert!(matches!(two.probe().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_read_only_server_is_opened_and_read() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 1).await;
    store.close().await;
    home.psql(&format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", home.database.name()));
    let store = home.store().await;
    assert_eq!(store.users(persistence::Pick::Next(None, 10)).await.expect("facts").len(), 1);
    let refused = [
        store.probe().await.expect_err("it may not write"),
        store.change_settings(fixture::status(1, "x")).await.map(drop).expect_err("it may not write"),
        fixture::put(&store, vec![fixture::put_user(2)]).await.expect_err("it may not write"),
        store.write_last_seen(&[fixture::seen(1, fixture::START)]).await.expect_err("it may not write"),
    ];
    assert!(refused.iter().all(StoreError::is_retryable), "{refused:?}");
    store.close().await;
}
