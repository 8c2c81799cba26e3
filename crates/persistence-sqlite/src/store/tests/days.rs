//! Totals of days follow those of quarters of an hour, whoever writes them.

use persistence::{BUCKET_MS, Person, Upkeep};

use super::{
    office::{HOUR_MS, OFFICE, put_office, stretch, view},
    *,
};

const DAY_MS: i64 = 24 * HOUR_MS;

/// What differs between the totals of days that are kept and what the quarters say.
const DIFFERING: &str = "
    WITH quarter AS (SELECT *, bucket / 86400000 AS day, bucket / 900000 % 96 AS nth FROM activity_rollups),
    told AS (
        SELECT organization_id, day, user_id, sum(CASE WHEN nth < 48 THEN 1 << nth ELSE 0 END) AS forenoon,
            sum(CASE WHEN nth < 48 THEN 0 ELSE 1 << (nth - 48) END) AS afternoon, sum(sessions) AS sessions,
            sum(millis) AS millis, sum(desktop) AS desktop, sum(mobile) AS mobile, sum(tablet) AS tablet
        FROM quarter GROUP BY organization_id, day, user_id
    ), viewed AS (
        SELECT organization_id, bucket / 86400000 AS day, page, sum(views) AS views FROM activity_pages GROUP BY 1, 2, 3
    ), kept AS (
        SELECT organization_id, day, user_id, forenoon, afternoon, sessions, millis, desktop, mobile, tablet
        FROM activity_days
    ), kept_pages AS (SELECT organization_id, day, page, views FROM activity_page_days)
    SELECT (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM told))
        + (SELECT count(*) FROM (SELECT * FROM told EXCEPT SELECT * FROM kept))
        + (SELECT count(*) FROM (SELECT * FROM kept_pages EXCEPT SELECT * FROM viewed))
        + (SELECT count(*) FROM (SELECT * FROM viewed EXCEPT SELECT * FROM kept_pages))";

async fn assert_follow(folder: &TempDir, what: &str) {
    let mut connection = raw(&file(folder)).await;
    assert_eq!(scalar::<i64>(&mut connection, DIFFERING).await.unwrap(), 0, "{what}");
}

async fn days(folder: &TempDir) -> i64 {
    let kept = "SELECT (SELECT count(*) FROM activity_days) + (SELECT sum(views) FROM activity_page_days)";
    scalar(&mut raw(&file(folder)).await, kept).await.unwrap()
}

/// Views and stretches of a few days, some at their bounds.
async fn write_some(store: &SqliteStore, round: i64) {
    let at = |n: i64| (n * 7_919 + round * 104_729) % 480 * BUCKET_MS + n % 3;
    let rows: Vec<_> = (0..200).map(|n| view(1 + n as u128 % 12, at(n))).collect();
    store.write_activity(&rows).await.unwrap();
    let stretches: Vec<_> = (0..60).map(|n| stretch(1 + n as u128 % 11, at(n + 7))).collect();
    store.write_stretches(&stretches).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn days_follow_the_quarters() {
    let (folder, store) = open_new().await;
    put_office(&store, 12).await;
    for round in 0..6 {
        write_some(&store, round).await;
        store.roll_up(150 + round as usize * 40).await.unwrap();
        assert_follow(&folder, &format!("rolled up, round {round}")).await;
    }
    store.roll_up(1_000).await.unwrap();
    let mut before = days(&folder).await;
    store.erase(user(1), Wall(2 * DAY_MS + HOUR_MS)).await.unwrap();
    for what in ["erased", "removed", "dropped"] {
        assert_follow(&folder, what).await;
        let now = days(&folder).await;
        assert!(0 < now && now < before, "{what}: {now} of {before}");
        before = now;
        match what {
            "erased" => put(&store, vec![DirectoryChange::RemoveUser { id: user(2) }]).await,
            _ => while store.drop_old_totals(Wall(DAY_MS + HOUR_MS)).await.unwrap() > 0 {},
        }
    }
    store.mark_for_rollup(Wall(0), Wall(9 * DAY_MS)).await.unwrap();
    store.roll_up(1_000).await.unwrap();
    assert_follow(&folder, "rebuilt").await;
    put(&store, vec![DirectoryChange::RemoveOrganization { id: OFFICE }]).await;
    let left = "SELECT (SELECT count(*) FROM activity_days) + (SELECT count(*) FROM activity_page_days)";
    assert_eq!(scalar::<i64>(&mut raw(&file(&folder)).await, left).await.unwrap(), 0);
}

/// A file that had totals of quarters before there were any of days.
#[tokio::test]
async fn a_file_with_quarters_is_given_days() {
    let (folder, store) = open_new().await;
    put_office(&store, 12).await;
    write_some(&store, 0).await;
    store.roll_up(1_000).await.unwrap();
    let before = days(&folder).await;
    store.close().await;
    let mut connection = raw(&file(&folder)).await;
    for sql in [
        "DROP TRIGGER activity_rollups_came",
        "DROP TRIGGER activity_rollups_went",
        "DROP TRIGGER activity_rollups_stay",
        "DROP TRIGGER activity_pages_came",
        "DROP TRIGGER activity_pages_went",
        "DROP TRIGGER activity_pages_stay",
        "DROP TABLE activity_days",
        "DROP TABLE activity_page_days",
        "DELETE FROM _sqlx_migrations WHERE version = 6",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    sqlx::Connection::close(connection).await.unwrap();
    let options = crate::SqliteOptions::new(file(&folder), crate::OpenMode::ExistingOnly);
    let store = SqliteStore::open_with(options).await.unwrap();
    assert_eq!(days(&folder).await, before);
    assert_follow(&folder, "migrated").await;
    store.close().await;
}
