//! Signs of life of many holds, from two hubs, and beside somebody who does not let go.

use std::time::Duration;

use model::Hold;
use persistence::{Occupancies, Sign, Store};
use tokio::task::JoinSet;

use super::{DAY, HOUR, MINUTE, agency, entries, heard_now, hold};
use crate::schema::id;

const HOLDS: u128 = 40;

async fn all_hold(store: &persistence_postgres::PostgresStore) -> Vec<Hold> {
    let mut holds = Vec::new();
    for n in 0..HOLDS {
        holds.push(hold(store, n, n).await);
    }
    holds
}

/// In opposite orders, with marks of staleness between them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn signs_of_two_stores_meet() {
    let (home, store) = agency(HOLDS).await;
    let other = home.store().await;
    let signs: Vec<Sign> = all_hold(&store).await.into_iter().map(heard_now).collect();
    // Of what others are writing just then nothing is marked, and that may be all.
    assert_eq!(store.mark_stale(Duration::ZERO).await.expect("it is marked"), HOLDS as u64);
    let mut under_way = JoinSet::new();
    for n in 0..40 {
        let (store, mut signs) = (if n % 2 == 0 { store.clone() } else { other.clone() }, signs.clone());
        under_way.spawn(async move {
            if n % 4 < 2 {
                signs.reverse();
            }
            let ended = store.write_signs(&signs, MINUTE, HOUR).await.expect("they are written");
            assert_eq!(ended, []);
            store.mark_stale(if n % 10 == 0 { Duration::ZERO } else { MINUTE }).await.expect("it is marked");
        });
    }
    while let Some(done) = under_way.join_next().await {
        done.expect("no panic");
    }
    store.write_signs(&signs, MINUTE, HOUR).await.expect("they are written");
    assert_eq!(home.count("SELECT count(*) FROM account_presence WHERE stale_since IS NULL"), HOLDS as u64);
    let events: Vec<String> = entries(&home).into_iter().map(|entry| entry[1].clone()).collect();
    let count = |event: &str| events.iter().filter(|found| *found == event).count();
    assert_eq!((count("clocked_in"), count("stale")), (HOLDS as usize, count("returned")));
    assert!(count("stale") >= HOLDS as usize);
    store.close().await;
    other.close().await;
}

/// A platform that is removing a member and takes its time does not make everybody else stale.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_somebody_keeps_locked_does_not_silence_the_others() {
    let (home, store) = agency(HOLDS).await;
    let signs: Vec<Sign> = all_hold(&store).await.into_iter().map(heard_now).collect();
    home.psql("UPDATE account_presence SET last_sign_at = now() - interval '1 hour'");
    let mut platform = home.database.session();
    platform.run("BEGIN").expect("a transaction");
    platform.run(&format!("DELETE FROM user_organizations WHERE user_id = '{}'", id(9))).expect("a member");
    assert_eq!(store.write_signs(&signs, MINUTE, DAY).await.expect("they are written"), []);
    let lost = "SELECT count(*) FROM account_presence WHERE last_sign_at < now() - interval '1 minute'";
    assert_eq!(home.count(lost), 1);
    assert_eq!(store.mark_stale(MINUTE).await.expect("it goes on"), 0, "that one is looked at the next time");
    platform.run("ROLLBACK").expect("it ends");
    assert_eq!(store.mark_stale(MINUTE).await.expect("it goes on"), 1);
    store.close().await;
}

/// Nobody noticed that it was lost, because every hub was away: its inactivity counts from its return all the same.
#[tokio::test]
async fn who_was_away_unnoticed_is_not_idle() {
    let (home, store) = agency(1).await;
    let held = hold(&store, 0, 0).await;
    home.psql(
        "UPDATE account_presence SET last_sign_at = now() - interval '2 hours', \
               last_activity_at = now() - interval '2 hours'",
    );
    assert_eq!(store.write_signs(&[heard_now(held)], MINUTE, HOUR).await.expect("it is written"), []);
    home.psql("UPDATE account_presence SET last_activity_at = now() - interval '2 hours'");
    assert_eq!(store.write_signs(&[heard_now(held)], MINUTE, HOUR).await.expect("it is written"), [held]);
    let last = entries(&home).pop().expect("an entry");
    assert_eq!(last[..2], ["hub".to_owned(), "inactive".to_owned()]);
    store.close().await;
}

/// The clock was set back by an hour: what was written before is an hour ahead of it.
#[tokio::test]
async fn no_sign_is_later_than_now() {
    let (home, store) = agency(1).await;
    let held = hold(&store, 0, 0).await;
    home.psql(
        "UPDATE account_presence SET last_sign_at = now() + interval '1 hour', \
               last_activity_at = now() + interval '1 hour'",
    );
    assert_eq!(store.write_signs(&[heard_now(held)], MINUTE, HOUR).await.expect("it is written"), []);
    let ahead =
        "SELECT count(*) FROM account_presence WHERE greatest(last_sign_at, last_activity_at) > now()";
    assert_eq!(home.count(ahead), 0);
    store.close().await;
}

#[tokio::test]
async fn a_sign_of_the_disabled_is_none() {
    let (home, store) = agency(1).await;
    let held = hold(&store, 0, 0).await;
    home.psql("UPDATE users SET disabled = true");
    store.mark_stale(Duration::ZERO).await.expect("it is marked");
    assert_eq!(store.write_signs(&[heard_now(held)], MINUTE, HOUR).await.expect("they are passed over"), []);
    assert_eq!(home.count("SELECT count(*) FROM account_presence WHERE stale_since IS NOT NULL"), 1);
    store.close().await;
}
