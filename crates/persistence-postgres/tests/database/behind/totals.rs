//! Totals of what cannot be added up, yet or at all.

use model::Wall;
use persistence::{Archive, BUCKET_MS, Behind, Store, Upkeep, WEEK_MS, Week};
use persistence_postgres::PostgresStore;
use rand::{SeedableRng, rngs::SmallRng};

use super::{activities, activity, populated, this_week};
use crate::fixture::Home;

const ALL: &str =
    "SELECT r::text FROM activity_rollups AS r UNION ALL SELECT p::text FROM activity_pages AS p ORDER BY 1";
const WAITING: &str = "SELECT count(DISTINCT bucket) FROM presence_rollup_queue";

async fn totals(home: &Home, store: &PostgresStore) -> String {
    while store.roll_up(64).await.expect("totals").more {}
    home.psql(ALL)
}

/// Half of the rows are back: totals of all of them are still right, and wait for the rest.
#[tokio::test]
async fn a_week_that_is_half_restored_keeps_its_totals() {
    let (home, store) = populated(60).await;
    let rows = activities(&mut SmallRng::seed_from_u64(7), 600, 60, 0);
    store.write_activity(&rows).await.expect("it is written");
    let (week, whole) = (Week::of(this_week()), totals(&home, &store).await);
    store.set_week_aside(week).await.expect("it is set aside");
    let archived = store.week_rows(week, None, 1_000).await.expect("its rows");
    assert!(store.drop_week(week, 600).await.expect("an answer"));
    store.restore_week(week, Wall(0)).await.expect("it is back");
    store.restore_rows(week, &archived[..300]).await.expect("half of them are back");
    assert_eq!(totals(&home, &store).await, whole);
    let marked = store.mark_for_rollup(week.start(), week.end()).await.expect("an answer");
    assert_eq!(totals(&home, &store).await, whole);
    assert_eq!(home.count(WAITING), marked);
    store.restore_rows(week, &archived[300..]).await.expect("the others are back");
    store.end_restoration(week).await.expect("an answer");
    assert_eq!(totals(&home, &store).await, whole);
    assert_eq!(home.count(WAITING), 0);
    home.psql("DELETE FROM activity_rollups; DELETE FROM activity_pages");
    store.mark_for_rollup(week.start(), week.end()).await.expect("an answer");
    assert_eq!(totals(&home, &store).await, whole);
    store.close().await;
}

/// The newest quarter can never be added up; all others are, however few are asked for, and it is told.
#[tokio::test]
async fn one_quarter_that_fails_starves_no_other() {
    let (home, store) = populated(60).await;
    let random = &mut SmallRng::seed_from_u64(8);
    let first = Wall(this_week().0 + WEEK_MS / 2);
    let rows: Vec<_> = (0..6).map(|n| activity(random, 60, Wall(first.0 + n * BUCKET_MS))).collect();
    store.write_activity(&rows).await.expect("it is written");
    let newest = (first.0 + 5 * BUCKET_MS) / 1_000;
    home.psql(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON activity_rollups FOR EACH ROW
            WHEN (NEW.bucket = to_timestamp({newest})) EXECUTE FUNCTION refuse()"
    ));
    let error = store.roll_up(2).await.expect_err("one of them cannot be added up");
    assert!(error.to_string().contains("never"), "{error}");
    assert_eq!(home.count(WAITING), 1);
    assert_eq!(home.count("SELECT count(DISTINCT bucket) FROM activity_rollups"), 5);
    home.psql("DROP TRIGGER refuse ON activity_rollups");
    let done = store.roll_up(2).await.expect("all can be added up");
    assert_eq!((done.buckets, done.more), (1, false));
    store.close().await;
}
