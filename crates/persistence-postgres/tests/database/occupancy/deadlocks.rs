//! The platform's own transactions lock rows in orders of their own: that never comes back to who clocks in or out.

use std::time::Duration;

use persistence::{Occupancies, Store, StoreError};

use super::{AGENCY, account, agency, clock_in, hold};
use crate::{behind::erasure::until_somebody_waits, fixture::user, schema::with_ids};

/// The hold first and then its user, while a move has the user and waits for the hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_with_the_platform_is_tried_again() {
    let (home, store) = agency(2).await;
    let held = hold(&store, 0, 0).await;
    let mut platform = home.database.session();
    platform.run("BEGIN").expect("a transaction");
    platform.run("UPDATE account_presence SET last_sign_at = now()").expect("the hold is there");
    let moving = tokio::spawn({
        let store = store.clone();
        async move { store.change_account(held, account(1), None).await }
    });
    until_somebody_waits(&home);
    let other_way = with_ids("UPDATE users SET display_name = 'Another' WHERE id = #2");
    platform.run(&other_way).expect("the platform is not the one that is told");
    platform.run("COMMIT").expect("it ends");
    let moved = moving.await.expect("no panic").expect("it is tried again");
    assert_eq!((moved.left, moved.hold.account), (Some(account(0)), account(1)));
    store.close().await;
}

/// Somebody's plain SQL comes first: what was found free is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_plain_sql_took_is_occupied() {
    let (home, store) = agency(2).await;
    let mut platform = home.database.session();
    platform.run("BEGIN").expect("a transaction");
    let taken = "INSERT INTO account_presence VALUES (#300, #100, #3, now(), now(), now(), NULL, 1)";
    platform.run(&with_ids(taken)).expect("it is free");
    let coming = tokio::spawn({
        let store = store.clone();
        async move { clock_in(&store, 0, 0).await }
    });
    until_somebody_waits(&home);
    platform.run("COMMIT").expect("it ends");
    let outcome = coming.await.expect("no panic");
    assert!(matches!(outcome, Err(StoreError::Occupied)), "{outcome:?}");
    assert_eq!(home.count("SELECT sum(uses) FROM access_codes"), 0);
    store.close().await;
}

/// Whoever does not let go keeps one call waiting for as long as a call takes, and one organization.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_kept_is_unavailable_in_time() {
    let (home, store) = agency(2).await;
    let held = hold(&store, 0, 0).await;
    let mut platform = home.database.session();
    platform.run("BEGIN").expect("a transaction");
    platform.run(&with_ids("SELECT id FROM users WHERE id = #2 FOR UPDATE")).expect("a lock");
    let started = std::time::Instant::now();
    let moved = store.change_account(held, account(1), None).await;
    assert!(matches!(moved, Err(StoreError::Unavailable(_))), "{moved:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    clock_in(&store, 1, 1).await.expect("others go on");
    platform.run("ROLLBACK").expect("it ends");
    let listed = store.access_codes(user(1), AGENCY).await.expect("codes");
    assert_eq!(listed.iter().map(|code| code.uses).collect::<Vec<_>>(), [1, 1]);
    store.close().await;
}
