//! How fast a batch is written, beside a bare COPY of the same rows into a table without rules.
//!
//! `PRESENCE_HUB_COPY_ROWS=100000 cargo test --release -p persistence-postgres speed -- --nocapture` measures; nothing
//! is ever asserted of a time.

use std::{fs, time::Instant};

use model::Wall;
use persistence::{BATCH_ROWS, Behind, LastSeen, Store};
use rand::{SeedableRng, rngs::SmallRng};

use super::{activity, instant, page, populated, this_week, user};

const USERS: u32 = 10_000;
const ROUNDS: usize = 5;
const COLUMNS: &str = "id, organization_id, user_id, activity_type, page_viewed, \"timestamp\", device_type, \
                       session_id, metadata";

/// Rows of one round.
fn rows() -> usize {
    let said = std::env::var("PRESENCE_HUB_COPY_ROWS").ok();
    said.map_or(2_000, |said| said.parse().expect("PRESENCE_HUB_COPY_ROWS is a number"))
}

#[expect(clippy::print_stdout, reason = "what was measured is for whoever runs it with --nocapture")]
fn say(measured: &str) {
    println!("{measured}");
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_beside_a_bare_copy() {
    let (home, store) = populated(USERS).await;
    home.psql("CREATE UNLOGGED TABLE bare AS TABLE presence_activity_logs WITH NO DATA");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.copy");
    let (mut random, count) = (SmallRng::seed_from_u64(5), rows());
    let (mut batches, mut copies) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let from = this_week().0 + round as i64 * 3_600_000;
        let rows: Vec<_> =
            (0..count).map(|n| activity(&mut random, USERS, Wall(from + n as i64 / 5))).collect();
        let begun = Instant::now();
        for batch in rows.chunks(BATCH_ROWS) {
            assert_eq!(store.write_activity(batch).await.expect("it is written").written, batch.len() as u64);
        }
        batches.push(count as f64 / begun.elapsed().as_secs_f64());
        let of_round = format!("\"timestamp\" >= to_timestamp({from}::numeric / 1000)");
        let copy = home
            .psql(&format!("COPY (SELECT {COLUMNS} FROM presence_activity_logs WHERE {of_round}) TO STDOUT"));
        fs::write(&file, copy).expect("a file");
        let begun = Instant::now();
        home.psql(&format!("\\copy bare ({COLUMNS}) FROM '{}'", file.display()));
        copies.push(count as f64 / begun.elapsed().as_secs_f64());
    }
    let differing = format!(
        "SELECT count(*) FROM ((SELECT {COLUMNS} FROM bare EXCEPT SELECT {COLUMNS} FROM presence_activity_logs) \
         UNION ALL (SELECT {COLUMNS} FROM presence_activity_logs EXCEPT SELECT {COLUMNS} FROM bare)) AS rows"
    );
    assert_eq!(home.count(&differing), 0);
    assert_eq!(home.count("SELECT count(*) FROM bare"), (ROUNDS * count) as u64);
    let (batch, copy) = (median(batches), median(copies));
    say(&format!("batches {batch:.0} rows/s, bare copy {copy:.0} rows/s, ratio {:.2}", batch / copy));
    store.close().await;
}

/// As many users as are seen in one flush, twice: new rows, and newer times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_seen_of_everybody() {
    let users = u32::try_from(rows()).expect("not so many");
    let (home, store) = populated(users).await;
    let mut random = SmallRng::seed_from_u64(7);
    for again in 0..2 {
        let notes: Vec<_> = (0..users)
            .map(|n| LastSeen {
                user: user(n),
                at: Wall(instant(&mut random).0 + again * 86_400_000 * 2),
                page: page(&mut random),
                device: None,
                activity: None,
                session_minutes: 3,
            })
            .collect();
        let begun = Instant::now();
        for batch in notes.chunks(BATCH_ROWS) {
            assert_eq!(
                store.write_last_seen(batch).await.expect("it is written").written,
                batch.len() as u64
            );
        }
        say(&format!("last-seen of {users} in {:.2} s", begun.elapsed().as_secs_f64()));
    }
    assert_eq!(home.count("SELECT count(*) FROM user_last_seen"), u64::from(users));
    store.close().await;
}
