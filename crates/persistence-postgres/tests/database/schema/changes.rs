//! Each kind of change by plain SQL names exactly those whose facts may be others now.

use std::collections::BTreeSet;

use postgres_cluster::Database;
use sqlx::{PgConnection, postgres::PgListener};
use uuid::Uuid;

use super::{connect, hub_url, migrated, run, with_ids};

/// What changed: `(kind, id)`, with 0 for the id of everything.
type Named = BTreeSet<(String, u128)>;

const FOUND: &str = "SELECT kind, id FROM presence_changes \
                     WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)";

async fn cursor(hub: &mut PgConnection) -> String {
    sqlx::query_scalar("SELECT pg_current_snapshot()::text").fetch_one(hub).await.unwrap()
}

async fn since(hub: &mut PgConnection, cursor: &str) -> Named {
    let rows: Vec<(String, Option<Uuid>)> = sqlx::query_as(FOUND).bind(cursor).fetch_all(hub).await.unwrap();
    rows.into_iter().map(|(kind, id)| (kind, id.map_or(0, |id| id.as_u128()))).collect()
}

fn users(ids: &[u128]) -> Named {
    ids.iter().map(|id| ("user".to_owned(), *id)).collect()
}

fn accounts(ids: &[u128]) -> Named {
    ids.iter().map(|id| ("account".to_owned(), *id)).collect()
}

fn everything() -> Named {
    [("all".to_owned(), 0)].into()
}

/// Users 1 to 9; 1 and 2 work in 100, where 2 holds 300; 3 supplies 4 and 5 at the wedding 200; 1, 6 and 7 have
/// settings.
fn platform() -> Database {
    let database = migrated();
    run(
        &database,
        "INSERT INTO users (id, display_name) VALUES
            (#1, 'A'), (#2, 'B'), (#3, 'C'), (#4, 'D'), (#5, 'E'), (#6, 'F'), (#7, 'G'), (#8, 'H'), (#9, 'I');
         INSERT INTO organizations (id, name) VALUES (#100, 'O'), (#101, 'P');
         INSERT INTO user_organizations VALUES (#1, #100, 'owner'), (#2, #100, 'member');
         INSERT INTO weddings VALUES (#200, 'W'), (#201, 'X');
         INSERT INTO wedding_collaborations VALUES (#200, #3, #4, 'florist'), (#200, #3, #5, 'florist');
         INSERT INTO accounts VALUES (#300, #100, 'M'), (#301, #100, 'N');
         INSERT INTO account_presence VALUES (#300, #100, #2, now(), now(), now(), NULL, 1);
         INSERT INTO presence_settings
            SELECT id, 'team', true, false, false, NULL, NULL, now() FROM users WHERE id IN (#1, #6, #7)",
    );
    database
}

/// Each begins where the one before it ended.
async fn check(cases: &[(&str, Named)]) {
    let database = platform();
    let mut hub = connect(&hub_url(&database)).await;
    for (sql, expected) in cases {
        let before = cursor(&mut hub).await;
        run(&database, sql);
        assert_eq!(since(&mut hub, &before).await, *expected, "{sql}");
        let after = cursor(&mut hub).await;
        assert_eq!(since(&mut hub, &after).await, Named::new(), "{sql}: found once");
    }
}

#[tokio::test]
async fn people_are_named() {
    check(&[
        ("INSERT INTO users (id, display_name) VALUES (#10, 'J'), (#11, 'K')", users(&[10, 11])),
        ("UPDATE users SET display_name = 'Z' WHERE id IN (#1, #2)", users(&[1, 2])),
        ("UPDATE users SET disabled = (id = #3)", users(&[3])),
        ("UPDATE users SET id = #12 WHERE id = #11", users(&[11, 12])),
        ("INSERT INTO users (id, display_name) VALUES (#10, 'L') ON CONFLICT (id) DO UPDATE SET display_name = 'L'", users(&[10])),
        ("DELETE FROM users WHERE id IN (#8, #9, #10)", users(&[8, 9, 10])),
        ("COPY users (id, display_name) FROM stdin;\n00000000-0000-0000-0000-000000000014\tT\n\\.\n", users(&[20])),
    ])
    .await;
}

#[tokio::test]
async fn relations_name_all_whom_they_touch() {
    check(&[
        ("INSERT INTO user_organizations VALUES (#5, #101, 'owner'), (#6, #101, 'member')", users(&[5, 6])),
        ("UPDATE user_organizations SET role = 'admin' WHERE user_id = #6", users(&[6])),
        ("UPDATE user_organizations SET user_id = #7 WHERE user_id = #6", users(&[6, 7])),
        ("DELETE FROM user_organizations WHERE organization_id = #101", users(&[5, 7])),
        ("INSERT INTO wedding_collaborations VALUES (#201, #6, #7, 'venue')", users(&[6, 7])),
        ("UPDATE wedding_collaborations SET client_id = #8 WHERE wedding_id = #201", users(&[6, 7, 8])),
        ("UPDATE wedding_collaborations SET supplier_type = 'planner'", users(&[])),
        ("DELETE FROM wedding_collaborations WHERE client_id IN (#4, #8)", users(&[3, 4, 6, 8])),
        ("INSERT INTO presence_settings SELECT id, 'team', true, false, false, NULL, NULL, now() FROM users WHERE id = #8", users(&[8])),
        ("UPDATE presence_settings SET custom_status = 'out' WHERE user_id IN (#6, #8)", users(&[6, 8])),
        ("DELETE FROM presence_settings WHERE user_id = #7", users(&[7])),
    ])
    .await;
}

#[tokio::test]
async fn accounts_are_named() {
    check(&[
        ("INSERT INTO accounts VALUES (#302, #101, 'Q')", accounts(&[302])),
        ("UPDATE accounts SET name = 'R' WHERE id = #302", accounts(&[302])),
        ("UPDATE accounts SET organization_id = #101 WHERE id = #301", accounts(&[301])),
        (
            "INSERT INTO account_presence VALUES (#301, #101, #1, now(), now(), now(), NULL, 1)",
            accounts(&[301]),
        ),
        ("UPDATE account_presence SET last_sign_at = now(), last_activity_at = now()", accounts(&[])),
        ("UPDATE account_presence SET stale_since = last_sign_at WHERE account_id = #300", accounts(&[300])),
        ("UPDATE account_presence SET user_id = #3, epoch = 2 WHERE account_id = #301", accounts(&[301])),
        ("DELETE FROM account_presence WHERE account_id = #301", accounts(&[301])),
        ("DELETE FROM accounts WHERE organization_id = #101", accounts(&[301, 302])),
    ])
    .await;
}

#[tokio::test]
async fn what_goes_with_others_is_named() {
    let members: Named = users(&[1, 2]).into_iter().chain(accounts(&[300, 301])).collect();
    let holder: Named = users(&[2]).into_iter().chain(accounts(&[300])).collect();
    check(&[("DELETE FROM weddings", users(&[3, 4, 5])), ("DELETE FROM organizations", members)]).await;
    check(&[
        ("DELETE FROM users WHERE id = #2", holder),
        ("DELETE FROM users WHERE id = #3", users(&[3, 4, 5])),
    ])
    .await;
}

#[tokio::test]
async fn what_changes_nothing_names_nobody() {
    check(&[
        ("UPDATE users SET display_name = display_name, created_at = now()", users(&[])),
        ("UPDATE user_organizations SET role = role", users(&[])),
        ("UPDATE wedding_collaborations SET client_id = client_id", users(&[])),
        ("UPDATE presence_settings SET visibility = 'team', updated_at = now()", users(&[])),
        ("UPDATE accounts SET name = name", users(&[])),
        ("UPDATE account_presence SET epoch = epoch", users(&[])),
        ("UPDATE users SET disabled = true WHERE id = #99", users(&[])),
        ("DELETE FROM users WHERE id = #99", users(&[])),
        ("INSERT INTO users SELECT * FROM users WHERE false", users(&[])),
        ("BEGIN; DELETE FROM users; ROLLBACK", users(&[])),
        ("UPDATE weddings SET name = 'Y'; UPDATE organizations SET name = 'Y'", users(&[])),
        (
            "INSERT INTO user_last_seen SELECT id, now_, now_, NULL, NULL, NULL, 0, now() \
          FROM users, date_trunc('minute', now(), 'UTC') AS now_",
            users(&[]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn after_a_truncate_everything_is_read_again() {
    let tables = [
        "wedding_collaborations",
        "user_organizations",
        "presence_settings",
        "account_presence",
        "presence_changes",
    ];
    let truncate = |table: &&str| format!("TRUNCATE {table}");
    let sql: Vec<String> = tables.iter().map(truncate).chain(["TRUNCATE users CASCADE".into()]).collect();
    let mut cases: Vec<(&str, Named)> = sql.iter().map(|sql| (sql.as_str(), everything())).collect();
    // With the memberships goes the hold.
    cases[1].1.extend(accounts(&[300]));
    check(&cases).await;
}

/// It began before all others and is committed after them: by then a sequence number would have been passed over.
#[tokio::test]
async fn the_one_that_is_committed_last_is_found_though_it_began_first() {
    let database = platform();
    let mut hub = connect(&hub_url(&database)).await;
    let mut slow = connect(&database.admin_url()).await;
    let write = |sql: &str| sqlx::AssertSqlSafe(with_ids(sql));
    let removal = "BEGIN; DELETE FROM wedding_collaborations WHERE client_id = #5";
    sqlx::raw_sql(write(removal)).execute(&mut slow).await.unwrap();
    let mut at = cursor(&mut hub).await;
    for (sql, id) in [("#6", 6), ("#7", 7)] {
        run(&database, &format!("UPDATE presence_settings SET visibility = 'nobody' WHERE user_id = {sql}"));
        assert_eq!(since(&mut hub, &at).await, users(&[id]));
        at = cursor(&mut hub).await;
        assert_eq!(since(&mut hub, &at).await, users(&[]), "found once, and the other is not committed");
    }
    sqlx::raw_sql("COMMIT").execute(&mut slow).await.unwrap();
    assert_eq!(since(&mut hub, &at).await, users(&[3, 5]));
}

/// One notice for a transaction, however much it changes; none where nothing changed.
#[tokio::test]
async fn those_who_listen_are_woken_once() {
    let database = platform();
    let mut listener = PgListener::connect(&hub_url(&database)).await.unwrap();
    listener.listen("presence_changes").await.unwrap();
    run(&database, "UPDATE users SET disabled = disabled");
    run(&database, "BEGIN; UPDATE users SET disabled = true; DELETE FROM weddings; COMMIT");
    run(&database, "NOTIFY presence_changes, 'the end'");
    let payloads = [listener.recv().await.unwrap(), listener.recv().await.unwrap()];
    assert_eq!(payloads.map(|notice| notice.payload().to_owned()), ["", "the end"]);
}
