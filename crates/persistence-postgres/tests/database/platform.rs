//! A platform that writes the same tables by its own rules, and rows that no hub wrote.

use std::time::Duration;

use model::{Role, Settings, SettingsPatch, Visibility, Wall};
use persistence::{Behind, Expired, PAGE, Pick, SettingsChange, Store, StoreError, Truth, Upkeep, Wake};
use persistence_postgres::{PostgresStore, migrate};
use postgres_cluster::Cluster;
use tokio::time::timeout;

use crate::fixture::{self, Home, START, named, put, put_user, put_users, seen, status, user};

async fn home_with_users(count: u128) -> (Home, PostgresStore) {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, count).await;
    (home, store)
}

async fn facts(store: &PostgresStore, n: u128) -> model::UserFacts {
    let found = store.users(Pick::These(vec![user(n)])).await.expect("facts can be read");
    found.into_iter().next().expect("the user is there").1
}

#[tokio::test]
async fn plain_sql_wakes_and_names_whom_it_touched() {
    let (home, store) = home_with_users(3).await;
    // What the hub itself did was heard before.
    while timeout(Duration::from_millis(300), store.woken()).await.is_ok() {}
    let cursor = store.cursor().await.expect("a cursor");
    home.psql("UPDATE users SET disabled = true WHERE id = '00000000-0000-0000-0000-000000000002'");
    let woken = timeout(Duration::from_secs(5), store.woken()).await;
    assert_eq!(woken.expect("the platform's change is heard"), Wake::Changed);
    let changes = store.changes(&cursor).await.expect("changes");
    assert_eq!((changes.users, changes.accounts, changes.all), (vec![user(2)], vec![], false));
    assert!(facts(&store, 2).await.disabled);
    store.close().await;
}

/// As a platform might that took the rule away: no hub writes so long a text.
const UNREADABLE: &str =
    "ALTER TABLE presence_settings DROP CONSTRAINT presence_settings_custom_status_check;
    UPDATE presence_settings SET custom_status = repeat('x', 101)";

#[tokio::test]
async fn settings_that_cannot_be_read_hide_their_user_alone() {
    let (home, store) = home_with_users(2).await;
    store.change_settings(status(1, "fine")).await.expect("settings can be changed");
    home.psql(UNREADABLE);
    let hidden = facts(&store, 1).await.settings.expect("None would leave in force what was known before");
    assert_eq!(hidden.visibility, Visibility::Nobody);
    assert_ne!(facts(&store, 2).await.settings.map(|settings| settings.visibility), Some(Visibility::Nobody));
    store.close().await;
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_replaced_by_the_next_choice() {
    let (home, store) = home_with_users(1).await;
    store.change_settings(status(1, "fine")).await.expect("settings can be changed");
    home.psql(UNREADABLE);
    let hidden = Settings { visibility: Visibility::Nobody, ..Settings::default() };
    for visibility in [None, Some(Visibility::Nobody), Some(Visibility::Team)] {
        home.psql("UPDATE presence_settings SET custom_status = repeat('x', 101)");
        let patch = SettingsPatch { visibility, ..SettingsPatch::default() };
        let expected = Settings { visibility: visibility.unwrap_or(Visibility::Nobody), ..hidden.clone() };
        let changed = store.change_settings(SettingsChange { patch, ..status(1, "") }).await;
        assert_eq!(changed.expect("a choice is always possible"), expected);
        assert_eq!(facts(&store, 1).await.settings, Some(expected), "it can be read again");
    }
    assert_eq!(home.count("SELECT count(*) FROM presence_audit WHERE kind = 'settings'"), 4);
    store.close().await;
}

#[tokio::test]
async fn texts_that_no_hub_writes_are_refused_by_the_table() {
    let (home, store) = home_with_users(1).await;
    store.change_settings(status(1, "fine")).await.expect("settings can be changed");
    for (column, longest) in [("custom_status", 100), ("custom_status_emoji", 10)] {
        let write = |length| format!("UPDATE presence_settings SET {column} = repeat('é', {length})");
        home.psql(&write(longest));
        assert!(home.database.psql(&write(longest + 1)).is_err(), "{column}");
    }
    store.close().await;
}

#[tokio::test]
async fn rules_of_the_platform_refuse_for_good() {
    let (home, store) = home_with_users(1).await;
    home.psql("ALTER TABLE users ADD CONSTRAINT polite CHECK (display_name <> 'User 6')");
    let refused = put(&store, vec![put_user(5), put_user(6)]).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    home.psql("REVOKE INSERT ON users FROM presence_hub");
    let forbidden = put(&store, vec![put_user(5)]).await;
    assert!(matches!(forbidden, Err(StoreError::Refused(_))), "{forbidden:?}");
    assert_eq!(home.count("SELECT count(*) FROM users"), 1);
    assert_eq!(home.count("SELECT count(*) FROM presence_audit"), 1);
    store.close().await;
}

#[tokio::test]
async fn tables_of_the_platform_may_be_looser_than_ours() {
    let database = Cluster::shared().create_database();
    let create = "CREATE TYPE standing AS ENUM ('owner', 'admin', 'member', 'trainee');
        CREATE TABLE users (id uuid PRIMARY KEY, display_name varchar(80) NOT NULL, disabled boolean,
            created_at timestamptz, email text);
        CREATE TABLE organizations (id uuid PRIMARY KEY, name text NOT NULL, plan text);
        CREATE TABLE user_organizations (user_id uuid, organization_id uuid, role standing NOT NULL,
            PRIMARY KEY (user_id, organization_id));
        INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001', 'Ada', NULL, NULL, 'a@b.c');
        INSERT INTO organizations VALUES ('00000000-0000-0000-0000-0000000000aa', 'Agency', NULL),
            ('00000000-0000-0000-0000-0000000000ab', 'Another', NULL);
        INSERT INTO user_organizations SELECT u.id, o.id, CASE o.name WHEN 'Agency' THEN 'admin'::standing
            ELSE 'trainee' END FROM users AS u, organizations AS o";
    database.psql(create).expect("the platform's tables");
    migrate(&database.admin_url()).await.expect("they can be shared");
    let role = Cluster::shared().login_role("hub", &["presence_hub"]);
    let home = Home { database, role };
    let store = home.store().await;
    let ada = facts(&store, 1).await;
    assert_eq!((ada.display_name.as_str(), ada.disabled), ("Ada", false));
    assert_eq!(ada.organizations.into_values().collect::<Vec<_>>(), [Role::Admin, Role::Member]);
    assert_eq!(ada.settings.map(|settings| settings.visibility), Some(Visibility::Contacts));
    store.write_last_seen(&[seen(1, START)]).await.expect("also of who has no birthday");
    assert_eq!(facts(&store, 1).await.last_seen, Some(START));
    store.close().await;
}

#[tokio::test]
async fn a_batch_may_name_somebody_twice() {
    let (home, store) = home_with_users(1).await;
    let later = Wall(START.0 + 61_234);
    store.write_last_seen(&[seen(1, later), seen(1, START), seen(9, later)]).await.expect("it is written");
    assert_eq!(facts(&store, 1).await.last_seen, Some(later));
    let shown = "SELECT last_seen_at = date_trunc('minute', seen_at, 'UTC') FROM user_last_seen";
    assert_eq!(home.psql(shown).trim(), "t", "viewers may know the minute alone");
    store.close().await;
}

#[tokio::test]
async fn what_nobody_can_ask_for_any_more_is_dropped() {
    let (home, store) = home_with_users(1).await;
    home.psql(
        "INSERT INTO presence_changes (at, kind) SELECT now() - interval '61 minutes', 'all' \
         FROM generate_series(1, 12000)",
    );
    for name in 1..=3 {
        store.change_settings(named(1, "same", name)).await.expect("it is done");
    }
    let recent = home.count("SELECT count(*) FROM presence_changes WHERE at > now() - interval '1 hour'");
    let day = persistence::OPERATION_KEPT_MS;
    for operation_results in [3, 0] {
        let expired = store.expire(Wall(START.0 + day)).await.expect("a sweep");
        assert_eq!(expired, Expired { operation_results, access_codes: 0 });
    }
    assert_eq!(home.count("SELECT count(*) FROM presence_changes"), recent);
    store.close().await;
}

#[tokio::test]
async fn a_cursor_that_this_server_cannot_know_asks_for_everything() {
    let (_home, store) = home_with_users(1).await;
    let now = store.cursor().await.expect("a cursor");
    assert!(!store.changes(&now).await.expect("changes").all);
    let parts: Vec<&str> = now.0.splitn(3, '/').collect();
    let old = format!("{}/{}/{}", parts[0].parse::<i64>().expect("a time") - 31 * 60_000, parts[1], parts[2]);
    let elsewhere = format!("{}/1/{}", parts[0], parts[2]);
    let ahead = format!("{}/{}/99999999:99999999:", parts[0], parts[1]);
    for foreign in ["17".to_owned(), old, elsewhere, ahead] {
        let changes = store.changes(&persistence::Cursor(foreign.clone())).await.expect("changes");
        assert!(changes.all && changes.users.is_empty(), "{foreign}");
        assert!(!store.changes(&changes.cursor).await.expect("changes").all, "only once");
    }
    store.close().await;
}

#[tokio::test]
async fn room_is_made_for_the_next_weeks() {
    let (home, store) = home_with_users(1).await;
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'presence_activity_logs'::regclass";
    let ahead = home.count(partitions);
    home.psql(
        "DO $$ DECLARE newest regclass; BEGIN SELECT max(inhrelid::regclass::text)::regclass INTO newest \
         FROM pg_inherits WHERE inhparent = 'presence_activity_logs'::regclass; \
         EXECUTE format('DROP TABLE %s', newest); END $$",
    );
    assert_eq!(home.count(partitions), ahead - 1);
    for made in [1, 0] {
        assert_eq!(store.make_room().await.expect("room"), made);
        assert_eq!(home.count(partitions), ahead);
    }
    store.close().await;
}

/// As many as are listed, and one more; so of accounts alone, whose states come with the list.
#[tokio::test]
async fn above_so_many_changes_everything_is_read_again() {
    let (home, store) = home_with_users(1).await;
    let cursor = store.cursor().await.expect("a cursor");
    let accounts = 2 * PAGE;
    let change = |count| {
        format!(
            "INSERT INTO presence_changes (kind, id) SELECT CASE WHEN n <= {accounts} THEN 'account' ELSE 'user' END, \
             gen_random_uuid() FROM generate_series(1, {count}) AS n"
        )
    };
    home.psql(&change(100_000));
    let listed = store.changes(&cursor).await.expect("changes");
    assert_eq!(
        (listed.users.len(), listed.accounts.len(), listed.all),
        (100_000 - accounts, accounts, false)
    );
    home.psql(&change(1));
    let more = store.changes(&cursor).await.expect("changes");
    assert!(more.all && more.users.is_empty() && more.accounts.is_empty());
    let after = store.changes(&listed.cursor).await.expect("changes");
    assert_eq!((after.users.len() + after.accounts.len(), after.all), (1, false));
    home.psql(&change(accounts));
    assert!(store.changes(&listed.cursor).await.expect("changes").all, "one account too many");
    store.close().await;
}
