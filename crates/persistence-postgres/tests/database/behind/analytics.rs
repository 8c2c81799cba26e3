//! Reports against plain SQL over the rows, with the server's own time zones.

use model::Wall;
use persistence::{Analytics, AnalyticsQuery, DateRange, Store, Upkeep};
use serde_json::Value;

use super::{organization, populated};
use crate::fixture::Home;

/// Two organizations of 50.
const USERS: u32 = 100;
/// A Monday before clocks were changed in New York, and in Europe.
const FIRST_WEEK: &str = "2024-10-21";
/// From then on, in days: clocks were changed on Lord Howe Island before it, a month begins in it.
const DAYS: u32 = 15;

/// Rows of two weeks, made of hashes: most in the first organization's hours of work, some at its ends, and stretches of
/// up to a day and a half.
const ROWS: &str = "
    CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
    CREATE FUNCTION pg_temp.dice(n bigint, what text, bound bigint) RETURNS bigint LANGUAGE sql AS
        $$ SELECT abs(hashtextextended(what || n, 7) % bound) $$;
    SELECT presence_attach_week('{week}'::date + 7 * n) FROM generate_series(0, 3) AS n;
    INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, page_viewed, \"timestamp\")
        SELECT pg_temp.id(n), pg_temp.id(1000000 + by / 50), pg_temp.id(by),
            CASE WHEN n % 3 = 0 THEN 'focus' ELSE 'page_view' END,
            CASE WHEN n % 10 > 0 THEN '/p/' || pg_temp.dice(n, 'page', CASE WHEN n % 2 = 0 THEN 5 ELSE 2000 END) END,
            '{week}Z'::timestamptz + pg_temp.dice(n, 'day', {days}) * interval '1 day'
                + (8 + pg_temp.dice(n, 'hour', 5) * (n % 4)) * interval '1 hour'
                + pg_temp.dice(n, 'quarter', 4) * interval '15 min' + pg_temp.dice(n, 'in it', 3) * interval '449999 ms'
        FROM (SELECT n, pg_temp.dice(n, 'user', 30 + 70 * (n % 2)) AS by FROM generate_series(1, 6000) AS n) AS made;
    INSERT INTO presence_sessions (organization_id, session_id, started_at, user_id, seen_at, ended, device_type)
        SELECT pg_temp.id(1000000 + by / 50), pg_temp.id(n), at, pg_temp.id(by),
            at + pg_temp.dice(n, 'length', CASE WHEN n % 20 = 0 THEN 130000000 ELSE 5000000 END) * interval '1 ms', true,
            CASE WHEN by < 2 THEN 'tablet' WHEN n % 3 = 0 THEN 'desktop' WHEN n % 3 = 1 THEN 'mobile' END
        FROM (
            SELECT n, pg_temp.dice(n, 'by', 70) AS by, '{week}Z'::timestamptz
                + pg_temp.dice(n, 'begin', {days} * 24) * interval '1 hour' + (n % 900) * interval '1 s' AS at
            FROM generate_series(1, 900) AS n
        ) AS made;
    INSERT INTO weddings (id, name) SELECT pg_temp.id(2000000 + n), 'Wedding' FROM generate_series(0, 2) AS n;
    INSERT INTO wedding_collaborations (wedding_id, supplier_id, client_id, supplier_type)
        SELECT pg_temp.id(2000000 + n % 3), pg_temp.id(n), pg_temp.id(99),
            CASE WHEN n < 2 THEN 'planner' WHEN n % 2 = 0 THEN 'photographer' ELSE 'venue' END
        FROM generate_series(0, 40) AS n
        UNION ALL SELECT pg_temp.id(2000000 + (n + 1) % 3), pg_temp.id(n), pg_temp.id(99), 'florist'
        FROM generate_series(4, 9) AS n";

/// A report, by the rows alone.
const TOLD: &str = "
    WITH log AS (
        SELECT user_id, activity_type, page_viewed, \"timestamp\" AT TIME ZONE '{zone}' AS local
        FROM presence_activity_logs WHERE organization_id = '{of}'
    ), stretch AS (
        SELECT user_id, device_type, started_at AT TIME ZONE '{zone}' AS local FROM presence_sessions
        WHERE organization_id = '{of}'
    ), piece AS (
        SELECT user_id, greatest(started_at, bucket) AT TIME ZONE '{zone}' AS local,
            least(seen_at, bucket + interval '15 min') - greatest(started_at, bucket) AS span
        FROM presence_sessions, generate_series(
            date_bin('15 min', started_at, '2001-01-01Z'), seen_at, interval '15 min') AS bucket
        WHERE organization_id = '{of}'
    ), viewed AS (
        SELECT * FROM log WHERE local::date BETWEEN '{from}' AND '{to}'
    ), begun AS (
        SELECT * FROM stretch WHERE local::date BETWEEN '{from}' AND '{to}'
    ), was AS (
        SELECT * FROM piece WHERE span > interval '0' AND local::date BETWEEN '{from}' AND '{to}'
    ), active AS (
        SELECT user_id, local FROM viewed UNION ALL SELECT user_id, local FROM begun
        UNION ALL SELECT user_id, local FROM was
    ), minutes AS (
        SELECT user_id, sum(span) AS span FROM (
            SELECT user_id, span FROM was UNION ALL SELECT user_id, '0' FROM active) AS of_all GROUP BY user_id
    ), hours AS (
        SELECT extract(hour FROM local)::int AS of, count(DISTINCT user_id) AS users FROM active GROUP BY 1
    ), months AS (
        SELECT extract(month FROM local)::int AS of, count(DISTINCT user_id) AS users FROM active GROUP BY 1
    ), days AS (
        SELECT extract(isodow FROM local)::int AS of, count(DISTINCT user_id) AS users FROM active GROUP BY 1
    ), pages AS (
        SELECT page_viewed, count(*) AS views, count(DISTINCT user_id) AS users FROM viewed
        WHERE activity_type = 'page_view' AND page_viewed IS NOT NULL
        GROUP BY page_viewed HAVING count(DISTINCT user_id) > 2
        ORDER BY 2 DESC, page_viewed COLLATE \"C\" LIMIT 50
    ), most AS (
        SELECT user_id, floor(extract(epoch FROM span) / 60)::int AS whole FROM minutes
        ORDER BY 2 DESC, user_id LIMIT 10
    ), supplier AS (
        SELECT DISTINCT supplier_type AS type, supplier_id AS user_id FROM wedding_collaborations
        WHERE supplier_id IN (SELECT user_id FROM active)
    ), type AS (
        SELECT type, count(*) AS users, sum((SELECT count(*) FROM begun WHERE begun.user_id = supplier.user_id)) AS sessions
        FROM supplier GROUP BY type HAVING count(*) > 2
    ), type_hours AS (
        SELECT type, extract(hour FROM local)::int AS of, count(DISTINCT user_id) AS users,
            row_number() OVER (PARTITION BY type ORDER BY count(DISTINCT user_id) DESC, extract(hour FROM local)::int) AS nth
        FROM supplier JOIN active USING (user_id) GROUP BY 1, 2 HAVING count(DISTINCT user_id) > 2
    )
    SELECT jsonb_build_object(
        'totalSessions', (SELECT count(*) FROM begun),
        'averageSessionDuration', coalesce(round(extract(epoch FROM (SELECT sum(span) FROM was)) / 60
            / nullif((SELECT count(*) FROM begun), 0), 1), 0.0),
        'peakHours', coalesce((SELECT jsonb_agg(jsonb_build_object('hour', of, 'activeUsers', users) ORDER BY of)
            FROM hours WHERE users > 2), '[]'),
        'peakMonths', coalesce((SELECT jsonb_agg(jsonb_build_object('month', of, 'activeUsers', users) ORDER BY of)
            FROM months WHERE users > 2), '[]'),
        'weekdays', coalesce((SELECT jsonb_agg(jsonb_build_object('weekday', of, 'activeUsers', users) ORDER BY of)
            FROM days WHERE users > 2), '[]'),
        'mostActiveUsers', coalesce((SELECT jsonb_agg(jsonb_build_object('userId', user_id, 'totalMinutes', whole)
            ORDER BY whole DESC, user_id) FROM most), '[]'),
        'pageViews', coalesce((SELECT jsonb_agg(jsonb_build_object('page', page_viewed, 'views', views,
            'uniqueUsers', users) ORDER BY views DESC, page_viewed COLLATE \"C\") FROM pages), '[]'),
        'deviceBreakdown', (SELECT jsonb_object_agg(device, CASE WHEN users > 2 THEN sessions ELSE 0 END) FROM (
            SELECT device, count(begun.user_id) AS sessions, count(DISTINCT begun.user_id) AS users
            FROM unnest(ARRAY['desktop', 'mobile', 'tablet']) AS device
            LEFT JOIN begun ON device_type = device GROUP BY device) AS by_device),
        'supplierTypes', coalesce((SELECT jsonb_agg(jsonb_build_object('type', type,
            'averageSessions', round(sessions / users, 1), 'peakHours', coalesce((
                SELECT jsonb_agg(jsonb_build_object('hour', of, 'activeUsers', h.users) ORDER BY nth)
                FROM type_hours AS h WHERE h.type = type.type AND nth < 4), '[]')) ORDER BY type COLLATE \"C\")
            FROM type), '[]'))";

async fn two_weeks() -> (Home, impl Store) {
    let (home, store) = populated(USERS).await;
    let rows = ROWS.replace("{week}", FIRST_WEEK).replace("{days}", &DAYS.to_string());
    home.psql(&rows);
    let marked = store.mark_for_rollup(Wall(0), Wall(2_000_000_000_000)).await.expect("it is marked");
    assert!(marked > 500, "{marked} quarters");
    while store.roll_up(64).await.expect("totals").more {}
    (home, store)
}

fn told(home: &Home, of: u32, (from, to): (&str, &str), zone: &str) -> Value {
    let of = organization(of).to_string();
    let sql = TOLD.replace("{of}", &of).replace("{from}", from).replace("{to}", to).replace("{zone}", zone);
    serde_json::from_str(&home.psql(&sql)).expect("a report")
}

/// Days of all lengths, in four zones, for two organizations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_what_the_rows_say() {
    let (home, store) = two_weeks().await;
    for zone in ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"] {
        for days in [
            ("2024-11-03", "2024-11-03"),
            ("2024-10-22", "2024-10-22"),
            ("2024-10-31", "2024-11-04"),
            ("2024-01-01", "2024-12-31"),
            ("2023-01-01", "2023-01-31"),
        ] {
            for of in 0..2 {
                let range = DateRange::parse(days.0, days.1, Some(zone)).expect("a range");
                let query = AnalyticsQuery { organization: organization(of), range };
                let report = store.analytics(&query).await.expect("a report");
                let report = serde_json::to_value(&report).expect("JSON");
                assert_eq!(report, told(&home, of, days, zone), "{of}, {days:?} in {zone}");
            }
        }
    }
    let year = told(&home, 0, ("2024-01-01", "2024-12-31"), "UTC");
    assert_eq!(
        (&year["deviceBreakdown"]["tablet"], year["supplierTypes"].as_array().map(Vec::len)),
        (&0.into(), Some(3))
    );
    assert!(year["pageViews"].as_array().is_some_and(|pages| pages.len() > 10), "{year}");
    store.close().await;
}
