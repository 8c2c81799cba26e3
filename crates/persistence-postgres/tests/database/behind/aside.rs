//! A week is taken out of the log and brought back while batches go on and connections are killed.

use std::{collections::BTreeSet, sync::Arc};

use model::Wall;
use persistence::{Archive, ArchivedRows, Behind, Store, StoreError, WEEK_MS, Week};
use persistence_postgres::{PostgresOptions, PostgresStore};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::Value;
use uuid::Uuid;

use super::{activities, populated, this_week};
use crate::fixture::Home;

const KILL_ALL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'";

fn week() -> Week {
    Week::of(this_week())
}

fn id(row: &str) -> Uuid {
    let row: Value = serde_json::from_str(row).expect("a row is JSON");
    serde_json::from_value(row["id"].clone()).expect("a row has an id")
}

/// A step until it succeeds, as a job that is begun again does it.
async fn done<T>(step: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..50 {
        match step().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
    panic!("it never succeeds");
}

async fn rows_of(store: &PostgresStore) -> ArchivedRows {
    let mut rows = ArchivedRows::new();
    loop {
        let after = rows.last().map(|row| id(row));
        let page = done(async || store.week_rows(week(), after, 300).await).await;
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

async fn archive(store: &PostgresStore) -> ArchivedRows {
    loop {
        done(async || store.set_week_aside(week()).await).await;
        let rows = rows_of(store).await;
        if done(async || store.drop_week(week(), rows.len() as u64).await).await {
            return rows;
        }
    }
}

async fn restore(store: &PostgresStore, rows: &[String]) {
    done(async || store.restore_week(week(), Wall(0)).await).await;
    for batch in rows.chunks(200) {
        done(async || store.restore_rows(week(), batch).await).await;
    }
}

/// Connections are killed at random moments of every step, three times there and back: no row is lost or changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_in_the_middle_and_begun_again() {
    let (home, store) = populated(60).await;
    let random = &mut SmallRng::seed_from_u64(9);
    let rows = activities(random, 1_000, 60, 0);
    store.write_activity(&rows).await.expect("it is written");
    let before = rows_of(&store).await;
    assert_eq!(before.len(), rows.len());
    let home = Arc::new(home);
    let killing = tokio::task::spawn_blocking({
        let home = home.clone();
        move || {
            for _ in 0..60 {
                home.psql(KILL_ALL);
            }
        }
    });
    for _ in 0..3 {
        let archived = archive(&store).await;
        assert_eq!(archived, before);
        restore(&store, &archived).await;
    }
    killing.await.expect("a task");
    assert_eq!(rows_of(&store).await, before);
    store.close().await;
}

async fn write_on(store: PostgresStore, seed: u64) -> BTreeSet<Uuid> {
    let (random, mut written) = (&mut SmallRng::seed_from_u64(seed), BTreeSet::new());
    for _ in 0..60 {
        let weeks_ahead = random.random_range(0..2);
        let rows = activities(random, 50, 60, weeks_ahead * WEEK_MS);
        let outcome = done(async || store.write_activity(&rows).await).await;
        assert_eq!(outcome.written + outcome.passed_over, 50, "in or out as a whole: {outcome:?}");
        if outcome.passed_over == 0 {
            written.extend(rows.iter().map(|row| row.id));
        }
    }
    written
}

fn ids(home: &Home) -> BTreeSet<Uuid> {
    home.psql("SELECT id FROM presence_activity_logs").lines().map(|id| id.parse().expect("an id")).collect()
}

/// What was acknowledged is in the log or in the archive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn set_aside_while_batches_go_on() {
    let (home, store) = populated(60).await;
    let options = PostgresOptions { connections: 4, ..home.options() };
    let other = crate::fixture::open(options).await;
    let there_and_back = async {
        for _ in 0..4 {
            let archived = archive(&other).await;
            restore(&other, &archived).await;
        }
    };
    let (mut acknowledged, more, ()) =
        tokio::join!(write_on(store.clone(), 1), write_on(store.clone(), 2), there_and_back);
    acknowledged.extend(more);
    assert_eq!(ids(&home), acknowledged);
    other.close().await;
    store.close().await;
}

/// A statement may see a week that was attached after it had looked up where rows go. Nothing from outside can hold it
/// just there, so the server's answer to it is told once by a trigger.
const WITHOUT_PARTITION_ONCE: &str = "CREATE SEQUENCE answers;
    GRANT USAGE ON SEQUENCE answers TO presence_hub;
    CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('answers') = 1 THEN
            RAISE 'no partition of relation \"presence_activity_logs\" found for row'
                USING ERRCODE = 'check_violation', TABLE = 'presence_activity_logs', SCHEMA = 'public';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER answer AFTER INSERT ON presence_rollup_queue EXECUTE FUNCTION answer()";

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_overtakes_its_partition_is_tried_again() {
    let (home, store) = populated(60).await;
    home.psql(WITHOUT_PARTITION_ONCE);
    let rows = activities(&mut SmallRng::seed_from_u64(5), 50, 60, 0);
    let outcome = store.write_activity(&rows).await.expect("it is written");
    assert_eq!((outcome.written, outcome.passed_over), (50, 0));
    assert_eq!(home.psql("SELECT last_value FROM answers").trim(), "2");
    store.close().await;
}
