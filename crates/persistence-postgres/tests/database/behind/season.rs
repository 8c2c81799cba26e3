//! How long a report over 90 days takes, of people who are there for 6 hours a day and open one of 512 pages in each
//! quarter of them.
//!
//! `PRESENCE_HUB_REPORT_PEOPLE=2000 cargo test --release -p persistence-postgres season -- --nocapture` measures; nothing
//! is ever asserted of a time.

use std::time::{Duration, Instant};

use persistence::{Analytics, AnalyticsQuery, DateRange, Person, Store, analytics::Report};
use persistence_postgres::PostgresStore;

use super::{days::assert_follow, organization, populate, this_week, user};
use crate::fixture::{self, Home};

const DAYS: u32 = 90;
const FIRST_DAY: &str = "2026-08-20";
const LAST_DAY: &str = "2026-11-17";
/// Stretches that somebody begins on a day.
const SESSIONS: u64 = 4;
const TABLES: [&str; 7] = [
    "activity_rollups",
    "activity_pages",
    "activity_days",
    "activity_weeks",
    "activity_page_days",
    "activity_page_weeks",
    "activity_members",
];

/// How many they are, and how often they are told of.
fn people() -> (u32, usize) {
    let said = std::env::var("PRESENCE_HUB_REPORT_PEOPLE").ok();
    said.map_or((10, 1), |said| (said.parse().expect("PRESENCE_HUB_REPORT_PEOPLE is a number"), 10))
}

const ID: &str = "CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;";
/// The quarters of a day.
const DAY: &str = "
    CREATE TEMPORARY TABLE made AS
        SELECT '{first}Z'::timestamptz + interval '{nth} days' + (7 * 4 + n) * interval '15 min' AS at, n, by
        FROM generate_series(0, 24) AS n, generate_series(0, {people} - 1) AS by;
    INSERT INTO activity_rollups (organization_id, bucket, user_id, events, sessions, desktop, mobile, tablet, millis)
        SELECT '{of}', at, pg_temp.id(by), 2, (n % 8 = 0)::int, (n % 8 = 0 AND by % 3 = 0)::int,
            (n % 8 = 0 AND by % 3 = 1)::int, (n % 8 = 0 AND by % 3 = 2)::int, 800000 FROM made;
    INSERT INTO activity_pages (organization_id, bucket, page, user_id, views)
        SELECT '{of}', at, '/weddings/' || (hashint8(by * 1000003 + extract(epoch FROM at)::bigint) & 511) || '/timeline',
            pg_temp.id(by), 1 FROM made;
    DROP TABLE made;";

async fn season(people: u32) -> Home {
    let home = fixture::private_home(&[]).await;
    populate(&home, people);
    let day = DAY.replace("{of}", &organization(0).to_string()).replace("{people}", &people.to_string());
    let day = |nth: u32| day.replace("{first}", FIRST_DAY).replace("{nth}", &nth.to_string());
    home.psql(&format!("{ID}{}", (0..DAYS).map(day).collect::<String>()));
    home.psql("VACUUM ANALYZE");
    home
}

async fn report(store: &PostgresStore, zone: &str) -> (Report, Duration) {
    let range = DateRange::parse(FIRST_DAY, LAST_DAY, Some(zone)).expect("a range");
    let begun = Instant::now();
    let report = store.analytics(&AnalyticsQuery { organization: organization(0), range }).await;
    (report.expect("a report"), begun.elapsed())
}

/// A server that was just started has nothing in its memory.
async fn first_report(home: &Home, zone: &str) -> Duration {
    home.database.cluster().stop();
    home.database.cluster().start_again();
    let store = home.store().await;
    let (_, took) = report(&store, zone).await;
    store.close().await;
    took
}

#[expect(clippy::print_stdout, reason = "what was measured is for whoever runs it with --nocapture")]
fn say(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let [min, median, max] = [0, times.len() / 2, times.len() - 1].map(|nth| times[nth].as_millis());
    println!("{what}: {min} / {median} / {max} ms");
}

#[expect(clippy::print_stdout, reason = "what was measured is for whoever runs it with --nocapture")]
fn say_sizes(home: &Home) {
    for table in TABLES {
        let size = format!("SELECT pg_size_pretty(pg_total_relation_size('{table}'))");
        println!("{table}: {}", home.psql(&size).trim());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_over_a_season() {
    let (people, times) = people();
    let home = season(people).await;
    assert_follow(&home, "the season");
    say_sizes(&home);
    for zone in ["UTC", "Europe/Berlin", "America/New_York"] {
        let mut cold = Vec::new();
        for _ in 0..times {
            cold.push(first_report(&home, zone).await);
        }
        say(&format!("{zone}, of a server just started"), cold);
        let (store, mut warm) = (home.store().await, Vec::new());
        for _ in 0..times {
            let (told, took) = report(&store, zone).await;
            assert_eq!(told.total_sessions, SESSIONS * u64::from(DAYS) * u64::from(people));
            warm.push(took);
        }
        say(&format!("{zone}, again"), warm);
        store.close().await;
    }
    let (store, begun) = (home.store().await, Instant::now());
    store.erase(user(1), this_week()).await.expect("they are erased");
    say("an erasure", vec![begun.elapsed()]);
    assert_follow(&home, "without the erased");
    store.close().await;
}
