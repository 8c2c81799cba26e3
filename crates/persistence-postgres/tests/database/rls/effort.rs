//! Effort: what EXPLAIN tells of a query does not depend on when somebody was last seen who is hidden.

use model::{Minute, UserId};
use postgres_cluster::Database;

use super::{Viewer, World, anybody, claims, execute, populated};
use crate::schema::connect;

/// What a time can be asked. Postgres trusts most of these operators so far that it may ask them before row security.
const CONDITIONS: [&str; 6] = [
    "last_seen_at > {}",
    "last_seen_at <= {}",
    "last_seen_at = ANY (ARRAY[{}, 'infinity'])",
    "last_seen_at IS NOT DISTINCT FROM {}",
    "(last_seen_at, user_id) >= ({}, user_id)",
    "NOT last_seen_at < {}",
];

/// What came of a query, step by step: rows that were passed over, buffers, estimates. Without the conditions' texts,
/// which differ because the question does.
async fn effort(viewer: &mut Viewer, who: &str, query: &str) -> String {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) {query}");
    let mut told = Vec::new();
    // The first time, the server reads its catalogue.
    for _ in 0..2 {
        told = viewer.reads::<(String,)>(Some(who), &explain).await.unwrap();
    }
    let lines = told.into_iter().map(|(line,)| line).filter(|line| !line.trim_start().starts_with("Filter:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether the answers tell the time of somebody who was seen in this minute: before it, in it, or after it?
async fn is_told(viewer: &mut Viewer, who: &str, query: &str, minute: Minute) -> bool {
    // Something else on the server may make an answer differ once; a leak does so every time.
    for _ in 0..3 {
        let mut told = Vec::new();
        for minute in minute.0 - 1..=minute.0 + 1 {
            let time = format!("to_timestamp({})", minute * 60);
            told.push(effort(viewer, who, &query.replace("{}", &time)).await);
        }
        if told.windows(2).all(|pair| pair[0] == pair[1]) {
            return false;
        }
    }
    true
}

/// Hidden people who were seen at a time when nobody was whom the viewer sees.
fn hidden(world: &World, viewer: UserId) -> Vec<(UserId, Minute)> {
    let seen = world.seen_by(viewer);
    let alone = |minute: &Minute| seen.values().all(|other| (other.0 - minute.0).abs() > 1);
    let people = world.users.iter().filter(|(subject, _)| !seen.contains_key(subject));
    let times = people.filter_map(|(subject, facts)| Some((*subject, facts.last_seen?.minute())));
    times.filter(|(_, minute)| alone(minute)).collect()
}

/// How many of the questions about some hidden people tell their time.
async fn told_of(database: &Database, world: &World, table: &str) -> usize {
    let viewer = anybody(world);
    let (who, mut connection) = (claims(viewer), Viewer::at(database).await);
    let mut told = 0;
    for (subject, minute) in hidden(world, viewer).into_iter().take(5) {
        for condition in CONDITIONS {
            for scope in [format!("user_id = '{subject}' AND"), String::new()] {
                let query = format!("SELECT user_id FROM {table} WHERE {scope} {condition}");
                told += usize::from(is_told(&mut connection, &who, &query, minute).await);
            }
        }
    }
    told
}

#[tokio::test]
async fn the_time_of_somebody_hidden_costs_nothing() {
    let (database, world) = populated(10).await;
    execute(&mut connect(&database.admin_url()).await, "ANALYZE").await.unwrap();
    assert_eq!(told_of(&database, &world, "last_seen").await, 0);
}

/// The comparison has teeth: on a column of the table, row security alone would tell.
#[tokio::test]
async fn the_time_in_a_column_would_be_told() {
    let (database, world) = populated(10).await;
    let mut admin = connect(&database.admin_url()).await;
    execute(&mut admin, "GRANT SELECT (last_seen_at) ON user_last_seen TO authenticated; ANALYZE")
        .await
        .unwrap();
    assert!(told_of(&database, &world, "user_last_seen").await > 10);
}

/// Row security is asked too late for any column, and not only for times: what viewers read of tables are ids.
#[tokio::test]
async fn viewers_read_ids_of_a_table_and_nothing_else() {
    let (database, _) = populated(10).await;
    let readable: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, a.attname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') \
         AND has_column_privilege('authenticated', c.oid, a.attnum, 'SELECT')",
    )
    .fetch_all(&mut connect(&database.admin_url()).await)
    .await
    .unwrap();
    assert_eq!(readable, [("user_last_seen".to_owned(), "user_id".to_owned())]);
}
