//! Weeks of the activity logs: made ahead, once, also by two at the same time.

use std::thread;

use super::{hub_url, migrated, run, shared};

const WEEKS: &str = "SELECT count(*), min(bounds), max(bounds) FROM (
    SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'presence_activity_logs'::regclass) AS weeks";

#[test]
fn weeks_are_made_ahead_and_once() {
    let database = migrated();
    let first = run(&database, WEEKS);
    assert!(first.starts_with("5|FOR VALUES FROM"), "{first}");
    assert_eq!(run(&database, "SELECT presence_make_partitions(4)"), "0");
    let hub = hub_url(&database);
    let make =
        || shared().psql_at(&hub, "SELECT presence_make_partitions(20)").unwrap().parse::<u32>().unwrap();
    let made = thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum::<u32>()
    });
    assert_eq!(made, 16, "weeks 5 to 20, each by one of the four");
    assert!(run(&database, WEEKS).starts_with("21|"));
    for weeks in ["-1", "NULL", "1000000"] {
        assert!(shared().psql_at(&hub, &format!("SELECT presence_make_partitions({weeks})")).is_err());
    }
}

/// Where the boundary between two weeks is does not depend on who makes them.
#[test]
fn weeks_begin_on_monday_in_utc() {
    let database = migrated();
    run(&database, "SET timezone = 'Pacific/Kiritimati'; SELECT presence_make_partitions(30)");
    let boundaries = "SET timezone = 'UTC';
        SELECT count(*) FROM pg_class AS c WHERE relispartition AND relkind = 'r'
        AND pg_get_expr(relpartbound, oid) !~
            format('^FOR VALUES FROM \\(''%s 00:00:00\\+00''\\)', to_date(right(relname, 8), 'YYYYMMDD'))";
    assert_eq!(run(&database, boundaries), "0");
    let mondays = "SELECT DISTINCT extract(isodow FROM to_date(right(relname, 8), 'YYYYMMDD')) FROM pg_class
                   WHERE relispartition AND relkind = 'r'";
    assert_eq!(run(&database, mondays), "1");
}
