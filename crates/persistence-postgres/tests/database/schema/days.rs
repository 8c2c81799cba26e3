//! A database that had totals of quarters of an hour before there were any of days.

use sqlx::migrate::Migrator;

use super::{connect, existing::owner_of, migrate, shared};
use crate::behind::days::{DIFFERING, QUARTERS};

/// The newest schema without totals of days.
const BEFORE: i64 = 6;

async fn migrate_to(url: &str, newest: i64) {
    let all = sqlx::migrate!("../../migrations/postgres");
    let some = all.iter().filter(|migration| migration.version <= newest).cloned().collect();
    let mut migrator = Migrator::with_migrations(some);
    migrator.dangerous_set_table_name("presence_migrations");
    migrator.run_direct(None, &mut connect(url).await, false).await.expect("it is migrated");
}

/// By an owner whom row security binds.
#[tokio::test]
async fn days_are_made_of_the_quarters_that_are_there() {
    let database = shared().create_database();
    let owner = owner_of(&database);
    let url = database.url(&owner);
    migrate_to(&url, BEFORE).await;
    database
        .psql(
            "INSERT INTO users (id, display_name) SELECT lpad(to_hex(n), 32, '0')::uuid, 'U' FROM generate_series(0, 30) AS n;
             INSERT INTO organizations (id, name) SELECT lpad(to_hex(1000000 + n), 32, '0')::uuid, 'O'
                FROM generate_series(0, 1) AS n",
        )
        .expect("people");
    database.psql(QUARTERS).expect("quarters");
    let again = url.clone();
    tokio::task::spawn_blocking(move || migrate(&again)).await.expect("a task").expect("it is migrated");
    assert_eq!(database.psql(DIFFERING).expect("an answer"), "");
    let days = "SELECT count(*) > 100 AND (SELECT count(*) > 50 FROM activity_weeks) \
        AND (SELECT count(*) > 50 FROM activity_page_days) AND (SELECT count(*) > 30 FROM activity_page_weeks) \
        FROM activity_days";
    assert_eq!(database.psql(days).expect("an answer").trim(), "t");
}
