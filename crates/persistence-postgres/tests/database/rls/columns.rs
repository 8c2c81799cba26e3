//! Columns: each is tried, and those that a viewer can read are the ones in one table. No verb but SELECT goes.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::{FORBIDDEN, anybody, become_viewer, claims, execute, populated, refusal, speaker};
use crate::schema::connect;

/// All that a viewer reads: views, and of tables the ids alone whose rows row security admits. A column that is not here is seen by nobody, in whichever table it may be.
const READABLE: [(&str, &[&str]); 5] = [
    (
        "account_badges",
        &[
            "account_id",
            "organization_id",
            "own",
            "user_id",
            "display_name",
            "clocked_in_at",
            "stale_since",
            "last_sign_at",
        ],
    ),
    (
        "own_activity",
        &[
            "id",
            "organization_id",
            "user_id",
            "activity_type",
            "page_viewed",
            "timestamp",
            "device_type",
            "session_id",
            "metadata",
        ],
    ),
    (
        "own_settings",
        &[
            "user_id",
            "visibility",
            "show_activity",
            "show_current_page",
            "appear_offline",
            "custom_status",
            "custom_status_emoji",
            "updated_at",
        ],
    ),
    ("last_seen", &["user_id", "last_seen_at"]),
    ("user_last_seen", &["user_id"]),
];

/// Everything that has columns, with the system's own: `xmin` and `ctid` tell how much others write.
async fn all_columns(admin: &mut PgConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT c.relname::text, a.attname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') \
         AND NOT a.attisdropped",
    )
    .fetch_all(admin)
    .await
    .unwrap()
}

#[tokio::test]
async fn columns_that_a_viewer_reads_are_those_of_the_table() {
    let (database, world) = populated(2).await;
    let columns = all_columns(&mut connect(&database.admin_url()).await).await;
    assert!(columns.len() > 150, "{} columns", columns.len());
    let mut viewer = connect(&speaker(&database)).await;
    execute(&mut viewer, "BEGIN").await.unwrap();
    become_viewer(&mut viewer, Some(&claims(anybody(&world)))).await;
    let mut readable = BTreeSet::new();
    for (table, column) in columns {
        match refusal(&mut viewer, &format!("SELECT {column:?} FROM public.{table:?} LIMIT 1")).await {
            Some(state) => assert_eq!(state, FORBIDDEN, "{table}.{column}"),
            None => assert!(readable.insert((table, column))),
        }
    }
    let pairs = READABLE.iter().flat_map(|(table, columns)| {
        columns.iter().map(|column| ((*table).to_owned(), (*column).to_owned()))
    });
    assert_eq!(readable, pairs.collect());
}

#[tokio::test]
async fn a_viewer_writes_nothing() {
    let (database, world) = populated(3).await;
    let mut tables: BTreeSet<String> = BTreeSet::new();
    tables.extend(
        all_columns(&mut connect(&database.admin_url()).await).await.into_iter().map(|(table, _)| table),
    );
    let mut viewer = connect(&speaker(&database)).await;
    execute(&mut viewer, "BEGIN").await.unwrap();
    become_viewer(&mut viewer, Some(&claims(anybody(&world)))).await;
    for table in tables.iter().filter(|table| !table.ends_with("_seq")) {
        for verb in [
            "INSERT INTO {} DEFAULT VALUES",
            "DELETE FROM {}",
            "TRUNCATE {}",
            "LOCK TABLE {}",
            "TABLE {} FOR UPDATE",
        ] {
            let sql = verb.replace("{}", &format!("public.{table:?}"));
            let state = refusal(&mut viewer, &sql).await.unwrap_or_else(|| panic!("{sql} went"));
            // A view and a partitioned table have other words for what they cannot do at all.
            assert!([FORBIDDEN, "55000", "42809", "0A000"].contains(&state.as_str()), "{sql}: {state}");
        }
    }
    let own = "UPDATE presence_settings SET visibility = 'everyone'";
    assert_eq!(refusal(&mut viewer, own).await.as_deref(), Some(FORBIDDEN));
}
