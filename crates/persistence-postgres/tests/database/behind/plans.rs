//! The plans by which batches really run, as the server writes them into its log. `--nocapture` prints them.

use persistence::{Behind, LastSeen, Store, Upkeep};
use rand::{SeedableRng, rngs::SmallRng};

use super::{activities, page, populate, stretches, user};
use crate::fixture::{self, Home};

const USERS: u32 = 10_000;
const ROWS: u32 = 100_000;
const STRETCHES: &str = "INSERT INTO presence_sessions AS known";
/// What no batch reads from one end to the other.
const LARGE: [&str; 5] =
    ["presence_activity_logs", "users", "presence_settings", "presence_sessions", "user_last_seen"];

/// A server that writes the plan of all that the hub does into its log, with the log of a busy day.
async fn busy_home() -> Home {
    let home = fixture::private_home(&[("auto_explain.log_min_duration", "0")]).await;
    home.psql(&format!("ALTER ROLE {} SET session_preload_libraries = 'auto_explain'", home.role));
    populate(&home, USERS);
    home.psql(&format!(
        "INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, page_viewed, \"timestamp\")
            SELECT gen_random_uuid(), lpad(to_hex(1000000 + n % {USERS} / 50), 32, '0')::uuid,
                lpad(to_hex(n % {USERS}), 32, '0')::uuid, 'page_view', '/', date_trunc('week', now()) + n * interval '4 s'
            FROM generate_series(0, {ROWS} - 1) AS n;
         INSERT INTO presence_sessions (organization_id, session_id, started_at, user_id, seen_at)
            SELECT organization_id, gen_random_uuid(), \"timestamp\", user_id, \"timestamp\" + interval '1 min'
            FROM presence_activity_logs WHERE extract(epoch FROM \"timestamp\")::bigint % 5 = 0;
         INSERT INTO presence_settings SELECT id, 'team', true, false, false, NULL, NULL, now() FROM users
            ON CONFLICT DO NOTHING;
         INSERT INTO user_last_seen (user_id, last_seen_at, seen_at, session_duration_minutes, updated_at)
            SELECT id, '2020-01-01Z', '2020-01-01Z', 0, now() FROM users;
         ANALYZE"
    ));
    home
}

/// The plans of statements that say `words`, from the server's log.
pub(crate) fn plans(log: &str, words: &str) -> Vec<String> {
    let entries = log.split("Query Text: ").skip(1);
    let of_statement = entries.filter(|entry| entry.lines().next().is_some_and(|text| text.contains(words)));
    of_statement.map(|entry| indented(entry).join("\n")).collect()
}

/// What belongs to an entry is indented; the next one begins at the margin.
fn indented(entry: &str) -> Vec<&str> {
    entry.lines().skip(1).take_while(|line| line.starts_with(['\t', ' '])).collect()
}

#[expect(clippy::print_stdout, reason = "plans are for whoever runs it with --nocapture")]
pub(crate) fn say(what: &str, plan: &str) {
    println!("{what}\n{plan}\n");
}

/// A table is named with its schema nowhere, a week of the log by its Monday.
pub(crate) fn reads_all_of(plan: &str, table: &str) -> bool {
    let of =
        |line: &str| line.split_once("Seq Scan on ").map(|(_, rest)| rest.split(' ').next() == Some(table));
    let week = |line: &str| line.contains(&format!("Seq Scan on {table}_2"));
    plan.lines().any(|line| of(line) == Some(true) || week(line))
}

fn assert_found_by_index(log: &str, what: &str, words: &str) {
    let plans = plans(log, words);
    assert!(!plans.is_empty(), "no plan of {what}");
    say(what, &plans[0]);
    for plan in &plans {
        for table in LARGE {
            assert!(!reads_all_of(plan, table), "{what} reads all of {table}:\n{plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_batch_reads_a_whole_table() {
    let home = busy_home().await;
    let store = home.store().await;
    let random = &mut SmallRng::seed_from_u64(11);
    for size in [1, 1_000] {
        let rows = activities(random, size, USERS, 0);
        store.write_activity(&rows).await.expect("it is written");
        assert_eq!(store.write_activity(&rows).await.expect("an answer").written, 0);
        store.write_stretches(&stretches(random, size, USERS)).await.expect("they are written");
        let seen = |n| LastSeen {
            user: user(n),
            at: rows[0].at,
            page: page(&mut SmallRng::seed_from_u64(1)),
            device: None,
            activity: None,
            session_minutes: 1,
        };
        let notes: Vec<_> = (0..size as u32).map(seen).collect();
        store.write_last_seen(&notes).await.expect("it is written");
    }
    store.roll_up(4).await.expect("totals");
    store.close().await;
    let log = home.database.cluster().log();
    assert_found_by_index(&log, "activity", "FROM fit  RETURNING");
    assert_found_by_index(&log, "activity that may be there", "FROM fit ON CONFLICT DO NOTHING RETURNING");
    for plan in plans(&log, STRETCHES) {
        assert!(!plan.contains("presence_sessions_by_start"), "all that began together are read:\n{plan}");
    }
    assert_found_by_index(&log, "stretches", STRETCHES);
    assert_found_by_index(&log, "last-seen", "INSERT INTO user_last_seen AS known");
}
