//! Rows: for every pair of a viewer and a subject, last-seen is read where the policy allows it, and nowhere else.
//!
//! `PRESENCE_HUB_RLS_PAIRS=100000` for the full size; `PRESENCE_HUB_RLS_SEED` plays one world again.

use std::{collections::BTreeMap, env};

use model::{Minute, UserId};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::{Viewer, World, become_viewer, claims, execute, populated, world::PEOPLE};
use crate::schema::connect;

const READ: &str = "SELECT user_id, extract(epoch FROM last_seen_at)::bigint FROM last_seen";

fn from_environment(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

fn read(rows: Vec<(Uuid, i64)>) -> BTreeMap<UserId, Minute> {
    let minute = |seconds: i64| {
        assert_eq!(seconds % 60, 0, "cut to the minute");
        Minute(seconds / 60)
    };
    rows.into_iter().map(|(user, seconds)| (UserId(user), minute(seconds))).collect()
}

#[tokio::test]
async fn rows_that_a_viewer_reads_are_those_that_the_policy_allows() {
    let pairs = from_environment("PRESENCE_HUB_RLS_PAIRS", 4_000);
    let first = from_environment("PRESENCE_HUB_RLS_SEED", 1);
    let viewers = pairs.div_ceil(PEOPLE as u64);
    let mut asked = 0;
    for seed in first.. {
        let (database, world) = populated(seed).await;
        let mut connection = Viewer::at(&database).await;
        for viewer in world.users.keys() {
            let rows = connection.reads(Some(&claims(*viewer)), READ).await.unwrap();
            assert_eq!(read(rows), world.seen_by(*viewer), "seed {seed}, viewer {viewer}");
            asked += 1;
            if asked == viewers {
                return;
            }
        }
    }
}

/// Each makes the function wrong in one way.
const WRONG: [(&str, &str, &str); 9] = [
    ("contacts by organization, and a team by weddings", "", ""),
    ("disabled subjects", "AND s.disabled IS NOT TRUE", ""),
    ("disabled viewers", "AND v.disabled IS NOT TRUE", ""),
    ("suppliers alone", "(mine.supplier_id = v.id OR mine.client_id = v.id)", "mine.supplier_id = v.id"),
    ("everybody by default", "(SELECT visibility FROM public.presence_installation)", "'everyone'"),
    ("nobody is everybody", "ELSE false", "ELSE true"),
    ("any two weddings", "theirs USING (wedding_id)", "theirs ON true"),
    ("any two organizations", "theirs USING (organization_id)", "theirs ON true"),
    ("not oneself", "v.id = s.id OR ", ""),
];

/// The comparison has teeth: it finds a function that decides otherwise, whichever way it is wrong.
#[tokio::test]
async fn a_function_that_is_wrong_is_found() {
    let (database, world) = populated(1).await;
    let mut admin = connect(&database.admin_url()).await;
    let right: String = sqlx::query_scalar("SELECT pg_get_functiondef('presence_may_see'::regproc)")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(!differs(&mut admin, &right, &world).await, "the function as it is");
    for (what, from, to) in WRONG {
        let wrong = if from.is_empty() { swapped(&right) } else { right.replace(from, to) };
        assert_ne!(wrong, right, "{what}: the function does not read like this any more");
        assert!(differs(&mut admin, &wrong, &world).await, "{what}: not found");
    }
}

fn swapped(function: &str) -> String {
    function
        .replace("WHEN 'team'", "WHEN '#'")
        .replace("WHEN 'contacts'", "WHEN 'team'")
        .replace("'#'", "'contacts'")
}

async fn differs(admin: &mut PgConnection, function: &str, world: &World) -> bool {
    let mut transaction = admin.begin().await.unwrap();
    execute(&mut transaction, function).await.unwrap();
    for viewer in world.users.keys() {
        execute(&mut transaction, "RESET ROLE").await.unwrap();
        become_viewer(&mut transaction, Some(&claims(*viewer))).await;
        let rows = sqlx::query_as(AssertSqlSafe(READ)).fetch_all(&mut *transaction).await.unwrap();
        if read(rows) != world.seen_by(*viewer) {
            return true;
        }
    }
    false
}
