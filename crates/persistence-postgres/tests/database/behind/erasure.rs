//! An erasure and a batch at the same time: whichever comes first, nothing of the person is left.

use std::time::{Duration, Instant};

use model::Wall;
use persistence::{ActivityRow, Behind, Person, Store, Upkeep};
use persistence_postgres::PostgresOptions;
use rand::{SeedableRng, rngs::SmallRng};

use super::{activities, populated, stretches, this_week, user};
use crate::fixture;

const ROWS_OF_THE_ERASED: &str = "SELECT (SELECT count(*) FROM presence_activity_logs WHERE user_id = ID) \
    + (SELECT count(*) FROM presence_sessions WHERE user_id = ID) \
    + (SELECT count(*) FROM activity_rollups WHERE user_id = ID) \
    + (SELECT count(*) FROM activity_pages WHERE user_id = ID)";

pub(super) fn rows_of_the_erased() -> String {
    ROWS_OF_THE_ERASED.replace("ID", &format!("'{}'", user(0)))
}

/// Waits until a statement waits for a lock: the case goes on when it does, and not after some time.
pub(crate) fn until_somebody_waits(home: &fixture::Home) {
    until_waiting(home, 1);
}

/// The same of several statements.
pub(crate) fn until_waiting(home: &fixture::Home, count: u64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let deadline = Instant::now() + Duration::from_secs(20);
    while home.count(waiting) < count {
        assert!(Instant::now() < deadline, "nobody waits");
        std::thread::yield_now();
    }
}

/// A row in the place of this one: a batch that has it waits, with everything else written, to see whether it stays.
fn same_key(row: &ActivityRow) -> String {
    format!(
        "INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, \"timestamp\") \
         VALUES ('{}', '{}', '{}', 'page_view', to_timestamp({} / 1000.0))",
        row.id, row.organization, row.user, row.at.0
    )
}

/// A batch that has written and cannot commit, an erasure that has to wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erasure_waits_for_the_batch_under_way() {
    for by_directory in [false, true] {
        let (home, store) = populated(60).await;
        store.close().await;
        let patient = Duration::from_secs(20);
        let options = PostgresOptions {
            lock_timeout: patient,
            statement_timeout: patient,
            deadline: patient,
            ..home.options()
        };
        let store = fixture::open(options).await;
        let random = &mut SmallRng::seed_from_u64(3);
        let rows = activities(random, 400, 60, 0);
        let stretches = stretches(random, 400, 60);
        let last = rows.iter().max_by_key(|row| (row.at, row.id)).expect("a row");
        let mut holder = home.database.session();
        holder.run("BEGIN").expect("a transaction");
        holder.run(&same_key(last)).expect("it is inserted");
        let writing = tokio::spawn({
            let (store, rows) = (store.clone(), rows.clone());
            async move { store.write_activity(&rows).await }
        });
        until_somebody_waits(&home);
        let erasing = tokio::spawn({
            let store = store.clone();
            async move {
                let at = Wall(this_week().0 + persistence::WEEK_MS);
                if by_directory {
                    let gone = vec![model::DirectoryChange::RemoveUser { id: user(0) }];
                    store.change_directory(gone, at, persistence::Actor::Service).await
                } else {
                    store.erase(user(0), at).await
                }
            }
        });
        until_waiting(&home, 2);
        tokio::task::spawn_blocking(move || holder.run("ROLLBACK")).await.expect("a task").expect("it ends");
        assert_eq!(writing.await.expect("a task").expect("it is written").passed_over, 0);
        erasing.await.expect("a task").expect("they are erased");
        assert_eq!(home.count(&rows_of_the_erased()), 0);
        let again = store.write_activity(&rows).await.expect("an answer");
        assert_eq!(again.passed_over as usize, rows.iter().filter(|row| row.user == user(0)).count());
        store.write_stretches(&stretches).await.expect("they are written");
        while store.roll_up(64).await.expect("totals").more {}
        assert_eq!(home.count(&rows_of_the_erased()), 0);
        store.close().await;
    }
}

/// What waits for an erasure that is not committed yet sees it when it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_waits_for_the_erasure_under_way() {
    let (home, store) = populated(60).await;
    let random = &mut SmallRng::seed_from_u64(4);
    let rows = activities(random, 400, 60, 0);
    let of_the_erased = rows.iter().filter(|row| row.user == user(0)).count();
    store.write_activity(&rows[..200]).await.expect("it is written");
    let mut platform = home.database.session();
    platform.run("BEGIN").expect("a transaction");
    platform.run(&format!("DELETE FROM users WHERE id = '{}'", user(0))).expect("they are deleted");
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.write_activity(&rows).await }
    });
    until_somebody_waits(&home);
    tokio::task::spawn_blocking(move || platform.run("COMMIT")).await.expect("a task").expect("it ends");
    let written = writing.await.expect("a task").expect("it is written");
    assert_eq!(written.passed_over as usize, of_the_erased);
    assert_eq!(home.count(&rows_of_the_erased()), 0);
    store.close().await;
}
