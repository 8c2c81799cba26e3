//! More holds than one statement has time for: they are changed bit by bit.

use persistence::{Occupancies, Upkeep};

use super::{MINUTE, agency};
use crate::{
    fixture::{Home, START},
    schema::with_ids,
};

const MANY: u64 = 3_000;

/// So many who were heard of an hour ago, and nothing of it among the changes.
fn put_lost(home: &Home) {
    home.psql(&with_ids(&format!(
        "CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
         INSERT INTO users (id, display_name)
            SELECT pg_temp.id(10000 + n), 'Lost' FROM generate_series(1, {MANY}) AS n;
         INSERT INTO user_organizations
            SELECT pg_temp.id(10000 + n), #100, 'member' FROM generate_series(1, {MANY}) AS n;
         INSERT INTO accounts
            SELECT pg_temp.id(20000 + n), #100, 'Lost' FROM generate_series(1, {MANY}) AS n;
         INSERT INTO account_presence
            SELECT pg_temp.id(20000 + n), #100, pg_temp.id(10000 + n), at, at, at, NULL, 1
            FROM generate_series(1, {MANY}) AS n, (VALUES (now() - interval '1 hour')) AS lost (at);
         DELETE FROM presence_changes"
    )));
}

/// In how many transactions how many accounts were changed.
fn changed(home: &Home) -> String {
    home.psql("SELECT count(DISTINCT xid), count(DISTINCT id) FROM presence_changes WHERE kind = 'account'")
}

#[tokio::test]
async fn many_are_marked_stale_bit_by_bit() {
    let (home, store) = agency(0).await;
    put_lost(&home);
    assert_eq!(store.mark_stale(MINUTE).await.expect("they are marked"), MANY);
    assert_eq!(changed(&home).trim(), "3|3000");
    let stale = "SELECT count(*) FROM presence_audit WHERE after_json ->> 'event' = 'stale'";
    assert_eq!(home.count(stale), MANY);
    assert_eq!(store.mark_stale(MINUTE).await.expect("nobody is left"), 0);
    persistence::Store::close(&store).await;
}

#[tokio::test]
async fn many_without_a_ground_end_bit_by_bit() {
    let (home, store) = agency(0).await;
    put_lost(&home);
    home.psql(&with_ids(
        "SET session_replication_role = replica; DELETE FROM user_organizations WHERE organization_id = #100",
    ));
    store.expire(START).await.expect("a sweep");
    assert_eq!(home.count("SELECT count(*) FROM account_presence"), 0);
    assert_eq!(changed(&home).trim(), "3|3000");
    persistence::Store::close(&store).await;
}
