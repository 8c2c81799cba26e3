//! Jobs of two hubs on one database.

use persistence::{Jobs, LEASE_MS, Store};
use uuid::Uuid;

use crate::fixture;

#[tokio::test]
async fn a_job_of_a_hub_that_is_gone_is_taken_over() {
    let home = fixture::shared_home().await;
    let (one, other) = (home.store().await, home.store().await);
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert!(one.take_job("archive", first, 0).await.expect("an answer"));
    assert!(!other.take_job("archive", second, 0).await.expect("an answer"));
    home.psql(&format!("UPDATE presence_jobs SET held_until = held_until - {LEASE_MS} * interval '1 ms'"));
    assert!(other.take_job("archive", second, 3_600_000).await.expect("an answer"));
    assert!(!one.take_job("archive", first, 0).await.expect("an answer"));
    one.leave_job("archive", first, "{}").await.expect("it changes nothing");
    assert!(other.take_job("archive", second, 0).await.expect("an answer"));
    other.leave_job("archive", second, "{}").await.expect("it is done");
    home.psql("UPDATE presence_jobs SET finished_at = finished_at - interval '1 hour'");
    assert!(one.take_job("archive", first, 3_600_000).await.expect("an answer"), "it is due again");
    one.close().await;
    other.close().await;
}

/// The clock was set back: what was done, or is held, later than now does not keep anybody waiting.
#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert!(store.take_job("expire", first, 0).await.expect("an answer"));
    store.leave_job("expire", first, "{}").await.expect("it is done");
    assert!(!store.take_job("expire", second, 3_600_000).await.expect("an answer"));
    home.psql("UPDATE presence_jobs SET finished_at = finished_at + interval '1 day'");
    assert!(store.take_job("expire", first, 3_600_000).await.expect("an answer"));
    assert!(!store.take_job("expire", second, 0).await.expect("an answer"));
    home.psql("UPDATE presence_jobs SET held_until = held_until + interval '1 day'");
    assert!(store.take_job("expire", second, 0).await.expect("an answer"));
    store.close().await;
}
