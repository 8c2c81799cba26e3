//! Totals of days and weeks against plain SQL over the totals of quarters of an hour, whoever writes those.

use persistence::Store;

use super::populated;
use crate::fixture::Home;

/// What differs between the totals of days and weeks that are kept and what the quarters say.
pub(crate) const DIFFERING: &str = "
    WITH unit (name) AS (VALUES ('day'), ('week')), quarter AS (
        SELECT name, activity_rollups.*, date_trunc(name, bucket, 'UTC') AS began FROM unit, activity_rollups
    ), told AS (
        SELECT name, organization_id, (began AT TIME ZONE 'UTC')::date AS first, user_id,
            array_agg((extract(epoch FROM bucket - began) / 900)::int ORDER BY bucket) AS quarters,
            sum(sessions)::int AS sessions, sum(desktop)::int AS desktop, sum(mobile)::int AS mobile,
            sum(tablet)::int AS tablet, sum(millis)::bigint AS millis
        FROM quarter GROUP BY name, organization_id, began, user_id
    ), kept_bits AS (
        SELECT 'day' AS name, organization_id, day, user_id, quarters::bit varying AS bits, sessions, desktop, mobile,
            tablet, millis
        FROM activity_days
        UNION ALL SELECT 'week', * FROM activity_weeks
    ), kept AS (
        SELECT name, organization_id, day, user_id,
            (SELECT array_agg(n ORDER BY n) FROM generate_series(0, length(bits) - 1) AS n WHERE get_bit(bits, n) = 1),
            sessions, desktop, mobile, tablet, millis
        FROM kept_bits
    ), viewing AS (
        SELECT name, organization_id, (date_trunc(name, bucket, 'UTC') AT TIME ZONE 'UTC')::date AS first, page, user_id,
            views
        FROM unit, activity_pages
    ), opened AS (
        SELECT DISTINCT name, organization_id, first, page, user_id FROM viewing
    ), kept_of_pages AS (
        SELECT 'day' AS name, * FROM activity_page_days UNION ALL SELECT 'week', * FROM activity_page_weeks
    ), kept_sets AS (
        SELECT name, organization_id, day, page, user_id FROM kept_of_pages JOIN activity_members USING (organization_id)
        WHERE number < length(people) AND get_bit(people, number) = 1
    ), viewed AS (
        SELECT name, organization_id, first, page, sum(views)::bigint AS views, count(DISTINCT user_id) AS people
        FROM viewing GROUP BY 1, 2, 3, 4
    ), kept_pages AS (
        SELECT name, organization_id, day, page, views, bit_count(people) AS people FROM kept_of_pages
    ), viewer AS (
        SELECT DISTINCT organization_id, user_id FROM activity_pages
    ), kept_members AS (
        SELECT organization_id, user_id FROM activity_members
    )
    SELECT 'only kept: ' || r::text FROM (TABLE kept EXCEPT ALL TABLE told) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE told EXCEPT ALL TABLE kept) AS r
    UNION ALL SELECT 'only kept: ' || r::text FROM (TABLE kept_sets EXCEPT ALL TABLE opened) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE opened EXCEPT ALL TABLE kept_sets) AS r
    UNION ALL SELECT 'only kept: ' || r::text FROM (TABLE kept_pages EXCEPT ALL TABLE viewed) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE viewed EXCEPT ALL TABLE kept_pages) AS r
    UNION ALL SELECT 'only kept: ' || r::text FROM (TABLE kept_members EXCEPT ALL TABLE viewer) AS r
    UNION ALL SELECT 'only told: ' || r::text FROM (TABLE viewer EXCEPT ALL TABLE kept_members) AS r";

/// Rows of five days, with gaps, of 31 people in two organizations; some are in the first and the last quarter of a day.
pub(crate) const QUARTERS: &str = "
    CREATE TEMPORARY TABLE made AS
        SELECT lpad(to_hex(1000000 + n % 7 / 5), 32, '0')::uuid AS of, lpad(to_hex(n % 31), 32, '0')::uuid AS who,
            n % 3 AS views, '/p/' || n * 13 % 17 AS page,
            '2026-10-23Z'::timestamptz + n % 5 * interval '1 day' + n * 37 % 96 * interval '15 min' AS at
        FROM generate_series(1, 1500) AS n;
    INSERT INTO activity_rollups (organization_id, bucket, user_id, events, sessions, desktop, mobile, tablet, millis)
        SELECT of, at, who, 1, views, 1, views, 0, 1000 FROM made ON CONFLICT DO NOTHING;
    INSERT INTO activity_pages (organization_id, bucket, page, user_id, views)
        SELECT of, at, page, who, views + 1 FROM made ON CONFLICT DO NOTHING";

/// What may be done to quarters: by the job, by what drops old ones, by erasures, and by whoever should not.
const STATEMENTS: [&str; 12] = [
    "UPDATE activity_rollups SET sessions = sessions + 3, millis = millis + 7 WHERE bucket < '2026-10-25Z'",
    "UPDATE activity_pages SET views = views + 3 WHERE bucket < '2026-10-25Z'",
    "DELETE FROM activity_pages WHERE user_id = '00000000-0000-0000-0000-000000000003' AND bucket < '2026-10-25 14:00Z'",
    "DELETE FROM activity_rollups WHERE user_id = '00000000-0000-0000-0000-000000000003' AND bucket < '2026-10-25 14:00Z'",
    "DELETE FROM activity_pages WHERE bucket < '2026-10-23 18:00Z'",
    "DELETE FROM activity_rollups WHERE bucket < '2026-10-23 18:00Z'",
    "DELETE FROM users WHERE id = '00000000-0000-0000-0000-000000000004'",
    "UPDATE activity_pages SET page = page || '/x' WHERE bucket < '2026-10-25Z'",
    "UPDATE activity_rollups SET bucket = bucket + interval '9 days' WHERE bucket < '2026-10-25Z'",
    "INSERT INTO activity_pages (organization_id, bucket, page, user_id, views)
        SELECT '00000000-0000-0000-0000-0000000f4241', '2026-10-23 23:45Z', '/new', id, 1 FROM users",
    "DELETE FROM activity_pages WHERE page = '/new' AND user_id < '00000000-0000-0000-0000-000000000030'",
    "DELETE FROM organizations WHERE id = '00000000-0000-0000-0000-0000000f4240'",
];
const ALL: &str = "SELECT d::text FROM activity_days AS d UNION ALL SELECT w::text FROM activity_weeks AS w \
    UNION ALL SELECT p::text FROM activity_page_days AS p UNION ALL SELECT p::text FROM activity_page_weeks AS p ORDER BY 1";
const KEPT: &str = "SELECT (SELECT count(*) FROM activity_days) + (SELECT count(*) FROM activity_weeks) \
    + (SELECT count(*) FROM activity_page_days) + (SELECT count(*) FROM activity_page_weeks) \
    + (SELECT count(*) FROM activity_members)";

pub(crate) fn assert_follow(home: &Home, what: &str) {
    assert_eq!(home.psql(DIFFERING), "", "{what}");
}

#[tokio::test]
async fn days_follow_whoever_writes_quarters() {
    let (home, store) = populated(100).await;
    home.psql(QUARTERS);
    assert_follow(&home, "filled");
    for statement in STATEMENTS {
        let before = home.psql(ALL);
        home.psql(statement);
        assert_follow(&home, statement);
        assert_ne!(before, home.psql(ALL), "{statement}");
    }
    assert!(home.count(KEPT) > 0);
    home.psql("TRUNCATE users CASCADE");
    assert_eq!(home.count(KEPT), 0);
    store.close().await;
}

/// Numbers of those who are gone are given again, so that sets do not grow with all who ever were there.
#[tokio::test]
async fn numbers_are_given_again() {
    let (home, store) = populated(100).await;
    home.psql(QUARTERS);
    let greatest = "SELECT max(number) FROM activity_members WHERE organization_id = '00000000-0000-0000-0000-0000000f4241'";
    let before = home.count(greatest);
    home.psql("DELETE FROM users WHERE id < '00000000-0000-0000-0000-000000000010'");
    home.psql(
        "INSERT INTO activity_pages (organization_id, bucket, page, user_id, views)
            SELECT '00000000-0000-0000-0000-0000000f4241', '2026-10-23Z', '/new', id, 1 FROM users
            WHERE id >= '00000000-0000-0000-0000-000000000050' ORDER BY id LIMIT 16",
    );
    assert_follow(&home, "numbered");
    assert_eq!(home.count(greatest), before);
    store.close().await;
}
