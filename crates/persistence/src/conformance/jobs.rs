//! Jobs: one holder at a time, not more often than wanted, and what came of them.

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Shared, exported::now};
use crate::{Holder, JobRecord, LEASE_MS};

fn holder(n: u128) -> Holder {
    Uuid::from_u128(9_000 + n)
}

async fn take(store: &Shared, name: &str, n: u128, every_ms: i64) -> bool {
    store.take_job(name, holder(n), every_ms).await.expect("the store can be written")
}

async fn leave(store: &Shared, name: &str, n: u128, report: &str) {
    store.leave_job(name, holder(n), report).await.expect("the store can be written");
}

async fn record(store: &Shared, name: &str) -> JobRecord {
    let jobs = store.jobs().await.expect("the store can be read");
    assert!(jobs.is_sorted_by(|one, next| one.name < next.name), "{jobs:?}");
    jobs.into_iter().find(|job| job.name == name).expect("the job is known")
}

/// It is kept by asking again, and nobody else can give it back.
pub async fn a_job_is_one_holders(store: Shared) {
    assert!(take(&store, "archive", 1, 0).await);
    assert!(!take(&store, "archive", 2, 0).await);
    assert!(take(&store, "archive", 1, 3_600_000).await, "the holder keeps it");
    leave(&store, "archive", 2, "{}").await;
    assert!(!take(&store, "archive", 2, 0).await);
    assert!(take(&store, "expire", 2, 0).await, "another job is another one's");
    leave(&store, "archive", 1, "{}").await;
    assert!(take(&store, "archive", 2, 0).await);
}

/// By hand whenever it is asked for; else when its time has passed, also for the one who did it.
pub async fn a_job_is_done_in_its_time(store: Shared) {
    assert!(take(&store, "rollups", 1, LEASE_MS).await, "it was never done");
    leave(&store, "rollups", 1, "{}").await;
    assert!(!take(&store, "rollups", 1, LEASE_MS).await);
    assert!(!take(&store, "rollups", 2, LEASE_MS).await);
    assert!(take(&store, "rollups", 2, 0).await);
}

/// Whoever could not do it gives it back, and has not done it; nobody else can.
pub async fn a_job_that_failed_is_free(store: Shared) {
    let give_up = async |n| store.give_up_job("expire", holder(n)).await.expect("the store can be written");
    give_up(1).await;
    assert!(take(&store, "expire", 1, 0).await);
    give_up(2).await;
    assert!(!take(&store, "expire", 2, LEASE_MS).await, "it was not theirs to give up");
    give_up(1).await;
    assert!(take(&store, "expire", 2, LEASE_MS).await);
    assert_eq!(record(&store, "expire").await.finished, None);
    leave(&store, "expire", 2, r#"{"made":1}"#).await;
    let done = record(&store, "expire").await;
    assert!(take(&store, "expire", 1, 0).await);
    give_up(1).await;
    assert_eq!(record(&store, "expire").await, done, "what was done before stays");
}

/// The last report, and none where the holder lost the job.
pub async fn jobs_tell_how_they_went(store: Shared) {
    assert_eq!(store.jobs().await.unwrap(), []);
    assert!(take(&store, "partitions", 1, 0).await);
    let begun = record(&store, "partitions").await;
    assert_eq!((begun.finished, begun.report), (None, None));
    leave(&store, "partitions", 2, r#"{"made":9}"#).await;
    leave(&store, "partitions", 1, r#"{"made":1}"#).await;
    leave(&store, "partitions", 1, r#"{"made":2}"#).await;
    let done = record(&store, "partitions").await;
    assert_eq!(done.report.as_deref(), Some(r#"{"made":1}"#));
    let age = now().0 - done.finished.expect("it was done");
    assert!((-60_000..60_000).contains(&age), "{age} ms ago");
    assert!(take(&store, "archive", 1, 0).await);
    assert_eq!(record(&store, "partitions").await.report.as_deref(), Some(r#"{"made":1}"#));
}

/// Whoever comes first.
pub async fn of_many_who_ask_one_gets_it(store: Shared) {
    let mut asking = JoinSet::new();
    for n in 0..16 {
        let store = store.clone();
        asking.spawn(async move { take(&store, "stale-presence", n, 0).await });
    }
    let given = asking.join_all().await;
    assert_eq!(given.iter().filter(|given| **given).count(), 1, "{given:?}");
}
