//! The log has a place for what happens now, or keeps who writes waiting; and nobody waits for a week that goes.

use persistence::{Archive, BATCH_ROWS, Behind, Store, Upkeep, WEEK_MS, Week};
use rand::{SeedableRng, rngs::SmallRng};

use super::{activities, erasure, populated, stretches, this_week, user};

/// Nobody made room, because every hub was away for a month: what is written waits for somebody who does.
#[tokio::test]
async fn without_a_place_for_now_nothing_is_passed_over() {
    let (home, store) = populated(60).await;
    let random = &mut SmallRng::seed_from_u64(5);
    let (rows, later) = (activities(random, 50, 60, 0), activities(random, 50, 60, WEEK_MS));
    let stretches = stretches(random, 50, 60);
    let this_week = Week::of(this_week()).to_string().replace('-', "");
    home.psql(&format!("DROP TABLE presence_activity_logs_{this_week}"));
    assert!(store.write_activity(&rows).await.expect_err("it has no place").is_retryable());
    assert!(store.write_stretches(&stretches).await.expect_err("it has no place").is_retryable());
    assert_eq!(store.write_activity(&later).await.expect("it has a place").passed_over, 0);
    assert_eq!(store.make_room().await.expect("room"), 1);
    assert_eq!(store.write_activity(&rows).await.expect("it has a place").written, 50);
    assert_eq!(store.write_stretches(&stretches).await.expect("it has a place").passed_over, 0);
    store.close().await;
}

/// The platform deletes somebody while a week of the log is dropped: it finds the week there, or it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_waits_for_a_week_that_is_dropped() {
    let (home, store) = populated(60).await;
    let rows = activities(&mut SmallRng::seed_from_u64(6), BATCH_ROWS, 60, 0);
    store.write_activity(&rows).await.expect("it is written");
    let week = Week::of(this_week());
    store.set_week_aside(week).await.expect("it is set aside");
    let mut dropping = home.database.session();
    dropping.run("BEGIN").expect("a transaction");
    dropping.run(&format!("SELECT presence_drop_week('{week}', {BATCH_ROWS})")).expect("it is dropped");
    std::thread::scope(|scope| {
        let deleting = scope.spawn(|| home.psql(&format!("DELETE FROM users WHERE id = '{}'", user(0))));
        erasure::until_somebody_waits(&home);
        dropping.run("COMMIT").expect("it ends");
        deleting.join().expect("they are deleted");
    });
    assert_eq!(home.count(&format!("SELECT count(*) FROM users WHERE id = '{}'", user(0))), 0);
    store.close().await;
}
