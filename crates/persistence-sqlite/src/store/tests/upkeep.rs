//! What is kept in order, by a clock that may be set.

use persistence::{Jobs, LEASE_MS, Upkeep};

use super::{
    office::{HOUR_MS, put_office, stretch},
    *,
};

async fn execute(folder: &TempDir, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw(&file(folder)).await).await.unwrap();
}

/// One has it until it is left or nothing is heard for a while; and it is due again after its time.
#[tokio::test]
async fn a_job_is_one_holders() {
    let (folder, store) = open_new().await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let take = async |holder, every_ms| store.take_job("archive", holder, every_ms).await.unwrap();
    assert!(take(one, HOUR_MS).await);
    assert!(take(one, HOUR_MS).await, "kept");
    assert!(!take(two, 0).await);
    store.leave_job("archive", two, "{}").await.unwrap();
    assert!(!take(two, 0).await, "it was not theirs to leave");
    store.leave_job("archive", one, r#"{"weeks":1}"#).await.unwrap();
    let records = store.jobs().await.unwrap();
    assert_eq!(records[0].report.as_deref(), Some(r#"{"weeks":1}"#));
    assert!(records[0].finished.is_some());
    assert!(!take(two, HOUR_MS).await, "it was done within the hour");
    assert!(take(two, 0).await, "by hand");
    assert!(!take(one, 0).await);
    let earlier = |ms: i64| format!("UPDATE presence_jobs SET heard_at = heard_at - {ms}");
    execute(&folder, earlier(LEASE_MS - 5_000)).await;
    assert!(!take(one, 0).await);
    execute(&folder, earlier(5_000)).await;
    assert!(take(one, 0).await, "nothing was heard of the other");
    store.leave_job("archive", two, "{}").await.unwrap();
    assert!(!take(two, 0).await, "it was lost in the meantime");
}

/// Years ahead, and then right again: nobody waits for years.
#[tokio::test]
async fn a_clock_that_is_set_back_frees_jobs() {
    let (folder, store) = open_new().await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(store.take_job("expire", one, HOUR_MS).await.unwrap());
    execute(&folder, "UPDATE presence_jobs SET heard_at = heard_at * 2".into()).await;
    assert!(store.take_job("expire", two, HOUR_MS).await.unwrap());
    store.leave_job("expire", two, "{}").await.unwrap();
    execute(&folder, "UPDATE presence_jobs SET finished_at = finished_at * 2".into()).await;
    assert!(store.take_job("expire", one, HOUR_MS).await.unwrap());
}

/// At most a batch at once, and the rest the next time.
#[tokio::test]
async fn what_is_lost_or_old_goes_in_batches() {
    let (_folder, store) = open_new().await;
    put_office(&store, 3).await;
    for _ in 0..3 {
        let batch: Vec<_> = (0..500).map(|n| stretch(1 + n % 3, 1 + n as i64)).collect();
        store.write_stretches(&batch).await.unwrap();
    }
    let far = Wall(2 * HOUR_MS);
    for expected in [1_000, 500, 0] {
        assert_eq!(store.end_lost_stretches(far).await.unwrap(), expected);
    }
    for expected in [1_000, 500, 0] {
        assert_eq!(store.drop_old_totals(far).await.unwrap(), expected);
    }
    assert_eq!(store.make_room().await.unwrap(), 0);
}

/// A clock that was far off makes a stretch that nobody can add up: it is passed over.
#[tokio::test]
async fn a_stretch_of_decades_is_none() {
    let (folder, store) = open_new().await;
    put_office(&store, 1).await;
    let day = 24 * HOUR_MS;
    let long = |days: i64| persistence::Stretch { seen: Wall(1 + days * day), ..stretch(1, 1) };
    assert_eq!(store.write_stretches(&[long(20_000)]).await.unwrap().passed_over, 1);
    assert_eq!(store.write_stretches(&[long(400)]).await.unwrap().written, 1);
    let queued: i64 = sqlx::query_scalar("SELECT count(*) FROM presence_rollup_queue")
        .fetch_one(&mut raw(&file(&folder)).await)
        .await
        .unwrap();
    assert_eq!(queued, 400 * 96 + 1, "from one quarter into another");
}

/// Given twice, as after an answer that got lost.
#[tokio::test]
async fn a_gap_is_there_once() {
    let (folder, store) = open_new().await;
    put_office(&store, 1).await;
    let gap = persistence::Gap {
        id: Uuid::new_v4(),
        from: Wall(1),
        until: Wall(9),
        rows: 7,
        reason: persistence::GapReason::Corrupt,
    };
    store.write_gap(&gap).await.unwrap();
    store.write_gap(&gap).await.unwrap();
    let rows: Vec<(i64, i64, i64, String)> =
        sqlx::query_as("SELECT from_at, until_at, rows, reason FROM presence_gaps")
            .fetch_all(&mut raw(&file(&folder)).await)
            .await
            .unwrap();
    assert_eq!(rows, [(1, 9, 7, "corrupt".to_owned())]);
}
