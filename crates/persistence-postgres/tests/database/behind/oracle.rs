//! Totals against plain SQL over the rows, by seed: batches of two hubs, late rows, rows written twice, erasures and
//! the adding up itself, all at once. `PRESENCE_HUB_ROLLUP_ROUNDS` says how many seeds.

use std::sync::atomic::{AtomicBool, Ordering};

use model::{DirectoryChange, SessionId, Wall};
use persistence::{
    Actor, BUCKET_MS, Behind, Person, Store, StoreError, Stretch, StretchId, Upkeep, WEEK_MS, Week,
};
use persistence_postgres::PostgresStore;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use uuid::Uuid;

use super::{TEAM, activity, days::assert_follow, organization, populated, this_week, user};
use crate::fixture::Home;

const USERS: u32 = 120;
const BATCHES: u64 = 10;
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What differs between the totals that are kept and what the rows say.
const DIFFERING: &str = "
    WITH parts AS (
        SELECT organization_id, date_bin('15 minutes', \"timestamp\", '2001-01-01Z') AS bucket, user_id, 1 AS events,
            0 AS sessions, 0 AS desktop, 0 AS mobile, 0 AS tablet, 0 AS millis
        FROM presence_activity_logs
        UNION ALL
        SELECT organization_id, date_bin('15 minutes', started_at, '2001-01-01Z'), user_id, 0, 1,
            CASE device_type WHEN 'desktop' THEN 1 ELSE 0 END, CASE device_type WHEN 'mobile' THEN 1 ELSE 0 END,
            CASE device_type WHEN 'tablet' THEN 1 ELSE 0 END, 0
        FROM presence_sessions
        UNION ALL
        SELECT organization_id, bucket, user_id, 0, 0, 0, 0, 0, extract(epoch FROM
            least(seen_at, bucket + interval '15 minutes') - greatest(started_at, bucket)) * 1000
        FROM presence_sessions, generate_series(
            date_bin('15 minutes', started_at, '2001-01-01Z'), seen_at, interval '15 minutes') AS bucket
    ), told AS (
        SELECT organization_id, bucket, user_id, sum(events)::int AS events, sum(sessions)::int AS sessions,
            sum(desktop)::int AS desktop, sum(mobile)::int AS mobile, sum(tablet)::int AS tablet,
            sum(millis)::bigint AS millis
        FROM parts GROUP BY organization_id, bucket, user_id HAVING sum(events) + sum(sessions) + sum(millis) > 0
    ), opened AS (
        SELECT organization_id, date_bin('15 minutes', \"timestamp\", '2001-01-01Z') AS bucket, page_viewed AS page,
            user_id, count(*)::int AS views
        FROM presence_activity_logs WHERE activity_type = 'page_view' AND page_viewed IS NOT NULL
        GROUP BY 1, 2, 3, 4
    ), kept AS (
        SELECT organization_id, bucket, user_id, events, sessions, desktop, mobile, tablet, millis FROM activity_rollups
    ), kept_pages AS (
        SELECT organization_id, bucket, page, user_id, views FROM activity_pages
    )
    SELECT 'only kept: ' || r::text FROM (TABLE kept EXCEPT ALL TABLE told) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE told EXCEPT ALL TABLE kept) AS r
    UNION ALL SELECT 'only kept: ' || r::text FROM (TABLE kept_pages EXCEPT ALL TABLE opened) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE opened EXCEPT ALL TABLE kept_pages) AS r";

fn rounds() -> u64 {
    let said = std::env::var("PRESENCE_HUB_ROLLUP_ROUNDS").ok();
    said.map_or(10, |said| said.parse().expect("PRESENCE_HUB_ROLLUP_ROUNDS is a number"))
}

/// The first quarter in which something happens: the middle of this week, so that also late rows have a place.
fn noon() -> Wall {
    Wall(this_week().0 + WEEK_MS / 2)
}

/// A few quarters, so that everybody meets in them; one time in five up to a day late.
fn when(random: &mut SmallRng) -> Wall {
    let late = if random.random_bool(0.2) { 24 * HOUR_MS } else { 0 };
    Wall(noon().0 + random.random_range(-late..HOUR_MS))
}

/// One of 40 stretches, so that many are noted again; every fifth goes on for more than a day.
fn stretch(random: &mut SmallRng) -> Stretch {
    let n = random.random_range(0..40_u32);
    let (by, long) = (n * 3, n % 5 == 0);
    let started = Wall(noon().0 + i64::from(n) * 97_003 - if long { 30 * HOUR_MS } else { 0 });
    let lasts = random.random_range(0..if long { 32 * HOUR_MS } else { 2 * HOUR_MS });
    Stretch {
        id: StretchId {
            organization: organization(by / TEAM),
            session: SessionId(Uuid::from_u128(u128::from(n))),
            started,
        },
        user: user(by),
        seen: Wall(started.0 + if n % 7 == 0 { lasts - lasts % BUCKET_MS } else { lasts }),
        ended: random.random_bool(0.2),
        device: activity(random, USERS, started).device.filter(|_| n % 4 > 0),
    }
}

/// A step until it succeeds: what waited too long for others is asked again.
async fn done<T>(step: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..100 {
        match step().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
    panic!("it never succeeds");
}

/// One hub's batches; rows of the one before are among them, as after an answer that was lost.
async fn write(store: &PostgresStore, seed: u64) {
    let random = &mut SmallRng::seed_from_u64(seed);
    let mut again = Vec::new();
    for _ in 0..BATCHES {
        let mut rows = again.clone();
        for _ in 0..random.random_range(1..80) {
            let at = when(random);
            rows.push(activity(random, USERS, at));
        }
        done(async || store.write_activity(&rows).await).await;
        again = if random.random_bool(0.3) { rows.split_off(rows.len() / 2) } else { Vec::new() };
        let notes: Vec<_> = (0..random.random_range(1..30)).map(|_| stretch(random)).collect();
        done(async || store.write_stretches(&notes).await).await;
    }
}

/// The first goes on, the others are erased: one of two by the hub, one by the directory.
async fn erase(store: &PostgresStore, seed: u64) -> Vec<u32> {
    let random = &mut SmallRng::seed_from_u64(seed);
    let gone: Vec<u32> = (0..4).map(|_| random.random_range(0..USERS)).collect();
    for (n, who) in gone.iter().enumerate() {
        if n % 2 == 0 && !gone[..n].contains(who) {
            done(async || store.erase(user(*who), noon()).await).await;
        } else {
            let change = DirectoryChange::RemoveUser { id: user(*who) };
            done(async || store.change_directory(vec![change.clone()], noon(), Actor::Service).await).await;
        }
    }
    gone
}

async fn add_up(store: &PostgresStore, seed: u64, over: &AtomicBool) {
    let random = &mut SmallRng::seed_from_u64(seed);
    while !over.load(Ordering::Relaxed) {
        let buckets = random.random_range(1..5);
        done(async || store.roll_up(buckets).await).await;
        tokio::task::yield_now().await;
    }
}

async fn assert_told(home: &Home, store: &PostgresStore, what: &str) {
    while done(async || store.roll_up(64).await).await.more {}
    assert_eq!(home.count("SELECT count(*) FROM presence_rollup_queue"), 0, "{what}");
    assert_eq!(home.psql(DIFFERING), "", "{what}");
    assert_follow(home, what);
}

async fn round(seed: u64) {
    let (home, store) = populated(USERS).await;
    let (other, over) = (home.store().await, AtomicBool::new(false));
    let work = async {
        let (gone, (), ()) = tokio::join!(
            erase(&other, seed),
            write(&store, seed.wrapping_mul(2)),
            write(&other, seed.wrapping_mul(2) + 1)
        );
        over.store(true, Ordering::Relaxed);
        gone
    };
    let (gone, ()) = tokio::join!(work, add_up(&store, seed, &over));
    assert_told(&home, &store, &format!("kept, seed {seed}")).await;
    for who in gone {
        let rows = format!("SELECT count(*) FROM presence_activity_logs WHERE user_id = '{}'", user(who));
        assert_eq!(home.count(&rows), 0, "of the erased, seed {seed}");
        let numbers = format!("SELECT count(*) FROM activity_members WHERE user_id = '{}'", user(who));
        assert_eq!(home.count(&numbers), 0, "of the erased, seed {seed}");
    }
    home.psql("DELETE FROM activity_rollups; DELETE FROM activity_pages");
    let week = Week::of(this_week());
    store.mark_for_rollup(week.start(), week.end()).await.expect("it is marked");
    assert_told(&home, &store, &format!("rebuilt, seed {seed}")).await;
    assert!(home.count("SELECT count(*) FROM activity_rollups WHERE millis > 0 AND events > 0") > 0);
    other.close().await;
    store.close().await;
}

/// When all is quiet, the totals are what plain SQL says; and again, when they were thrown away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn totals_are_what_the_rows_say() {
    for seed in 0..rounds() {
        round(seed).await;
    }
}
