//! The statements of batches: how they find their way, and how fast they are.

use std::time::{Duration, Instant};

use persistence::{BATCH_ROWS, Stretch, Upkeep};

use super::{
    office::{HOUR_MS, put_office, stretch, view},
    *,
};

/// How many rows of each kind are written to be timed: `PRESENCE_HUB_TIMED_ROWS`, or few.
pub(super) fn timed_rows() -> usize {
    std::env::var("PRESENCE_HUB_TIMED_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(3_000)
}

async fn plan(folder: &TempDir, sql: &str) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let steps: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(&mut raw(&file(folder)).await).await.unwrap();
    steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("\n")
}

/// What is deleted with a person or an organization, a quarter and a week are found by an index: a look at the whole log
/// would hold up everybody who writes.
#[tokio::test]
async fn nobody_walks_through_the_log() {
    let (folder, _store) = open_new().await;
    for sql in [
        "SELECT * FROM presence_activity_logs WHERE timestamp >= 1 AND timestamp < 2",
        "SELECT min(timestamp) FROM presence_activity_logs WHERE timestamp >= 1",
        "DELETE FROM presence_activity_logs WHERE user_id = 'x'",
        "DELETE FROM presence_activity_logs WHERE organization_id = 'x'",
        "DELETE FROM presence_sessions WHERE user_id = 'x'",
        "DELETE FROM presence_sessions WHERE organization_id = 'x'",
        "DELETE FROM activity_rollups WHERE user_id = 'x'",
        "DELETE FROM activity_rollups WHERE bucket = 900000",
        "DELETE FROM activity_pages WHERE user_id = 'x'",
        "DELETE FROM activity_pages WHERE bucket = 900000",
        "SELECT timestamp, id FROM presence_activity_logs WHERE user_id = 'x' AND timestamp <= 2 LIMIT 7",
        "SELECT organization_id FROM presence_sessions WHERE user_id = 'x' AND started_at <= 2 LIMIT 7",
        "SELECT organization_id FROM activity_rollups WHERE user_id = 'x' AND bucket <= 2 LIMIT 7",
        "SELECT organization_id FROM activity_pages WHERE user_id = 'x' AND bucket <= 2 LIMIT 7",
        "SELECT log.* FROM presence_week_rows AS listed CROSS JOIN presence_activity_logs AS log \
         ON log.timestamp = listed.timestamp AND log.id = listed.id \
         WHERE listed.start = 1 AND log.timestamp < 2 AND listed.id > 'x' ORDER BY listed.id LIMIT 7",
        "SELECT * FROM presence_sessions WHERE started_at < 2 AND (started_at >= 1 OR seen_at > 1) \
         AND started_at >= 1 - (SELECT max(seen_at - started_at) FROM presence_sessions)",
        "SELECT organization_id FROM presence_sessions WHERE ended = 0 AND seen_at < 5 LIMIT 7",
    ] {
        let plan = plan(&folder, sql).await;
        let steps =
            plan.lines().filter(|step| !step.contains("USING COVERING INDEX presence_sessions_by_length"));
        assert!(
            steps.clone().count() > 0
                && steps.clone().all(|step| !step.starts_with("SCAN") && !step.starts_with("USE TEMP")),
            "{sql}\n{plan}"
        );
    }
}

/// Rows a second, of each kind, in full batches.
#[tokio::test(flavor = "multi_thread")]
async fn batches_are_timed() {
    let (folder, store) = open_new().await;
    const USERS: u128 = 1_000;
    put_office(&store, USERS).await;
    let rows = timed_rows();
    let who = |n: usize| 1 + n as u128 % USERS;
    let activity: Vec<_> = (0..rows).map(|n| view(who(n), 1 + n as i64 * 7)).collect();
    let stretches: Vec<_> = (0..rows).map(|n| stretch(who(n), 1 + n as i64 * 7)).collect();
    let grown: Vec<_> =
        stretches.iter().map(|one| Stretch { seen: Wall(one.seen.0 + 20_000), ..one.clone() }).collect();
    let note = |n| LastSeen {
        user: user(who(n)),
        at: Wall(n as i64 + 2),
        page: None,
        device: None,
        activity: None,
        session_minutes: 0,
    };
    let seen: Vec<_> = (0..rows).map(note).collect();
    time("activity", &activity, async |batch| store.write_activity(batch).await.unwrap().written).await;
    time("stretches", &stretches, async |batch| store.write_stretches(batch).await.unwrap().written).await;
    time("signs of life", &grown, async |batch| store.write_stretches(batch).await.unwrap().written).await;
    time("last-seen", &seen, async |batch| store.write_last_seen(batch).await.unwrap().written).await;
    let begun = Instant::now();
    let mut quarters = 0;
    loop {
        let done = store.roll_up(16).await.unwrap();
        quarters += done.buckets;
        if !done.more {
            break;
        }
    }
    say(format!("rollups: {quarters} quarters of an hour in {:?}", begun.elapsed()));
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM presence_activity_logs WHERE timestamp < ?1")
        .bind(rows as i64 * HOUR_MS)
        .fetch_one(&mut raw(&file(&folder)).await)
        .await
        .unwrap();
    assert_eq!(stored, rows as i64);
}

async fn time<T>(kind: &str, rows: &[T], write: impl AsyncFn(&[T]) -> u64) {
    let begun = Instant::now();
    let mut written = 0;
    for batch in rows.chunks(BATCH_ROWS) {
        written += write(batch).await;
    }
    assert_eq!(written, rows.len() as u64, "{kind}");
    let took = begun.elapsed().max(Duration::from_micros(1));
    say(format!("{kind}: {:.0} rows a second, {took:?} in all", rows.len() as f64 / took.as_secs_f64()));
}

#[expect(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]
pub(super) fn say(figures: String) {
    println!("{figures}");
}
