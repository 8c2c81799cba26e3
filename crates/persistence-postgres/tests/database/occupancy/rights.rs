//! What is nobody's but the hub's: hashes of codes and the key of tokens. And what the hub itself may not do.

use persistence::{Occupancies, Store};

use super::agency;
use crate::{
    rls::{FORBIDDEN, execute, refusal},
    schema::{connect, hub_url, migrated},
};

/// Roles of the cluster that may read a column, but for those that nothing binds and those that are the hub's.
const READERS: &str = "
    SELECT string_agg(rolname || ' reads ' || name || '.' || part, ', ')
    FROM (VALUES ('access_codes', 'code_hash'), ('presence_installation', 'token_key'),
        ('account_presence', 'code_id')) AS secret (name, part), pg_roles
    WHERE has_column_privilege(rolname, 'public.' || name, part, 'SELECT') AND NOT rolsuper
      AND rolname NOT LIKE 'pg\\_%' AND NOT pg_has_role(oid, 'presence_hub', 'USAGE')
      AND NOT (name = 'account_presence' AND pg_has_role(oid, 'presence_definer', 'USAGE'))";

#[tokio::test]
async fn hashes_and_the_key_are_the_hubs_alone() {
    let (home, store) = agency(1).await;
    assert_eq!(home.psql(READERS).trim(), "");
    assert_eq!(home.count("SELECT count(*) FROM access_codes WHERE octet_length(code_hash) = 32"), 1);
    let said = home.psql("SELECT string_agg(a::text, ' ') FROM presence_audit AS a");
    let hash = home.psql("SELECT encode(code_hash, 'hex') FROM access_codes");
    assert!(said.contains("minted") && !said.contains(hash.trim()), "{said}");
    store.close().await;
}

#[tokio::test]
async fn every_installation_has_a_key_of_its_own_and_keeps_it() {
    let (home, store) = agency(0).await;
    let other = home.store().await;
    let key = store.token_key().await.expect("a key");
    assert_eq!(other.token_key().await.expect("a key"), key);
    let (_elsewhere, foreign) = agency(0).await;
    assert_eq!(foreign.token_key().await.expect("a key").0.len(), key.0.len());
    home.psql("DELETE FROM presence_installation; INSERT INTO presence_installation DEFAULT VALUES");
    assert_ne!(store.token_key().await.expect("a key"), key, "a row that is made anew has another");
    for store in [store, other, foreign] {
        store.close().await;
    }
}

/// Epochs and endings are the triggers' own.
const TOO_MUCH: [&str; 6] = [
    "UPDATE account_epochs SET epoch = 1",
    "INSERT INTO account_epochs VALUES (gen_random_uuid(), 1)",
    "DELETE FROM account_epochs",
    "UPDATE presence_installation SET token_key = sha256('')",
    "TRUNCATE account_presence",
    "SELECT presence_hold_changed(NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
];

#[tokio::test]
async fn the_hub_writes_no_epoch() {
    let database = migrated();
    let mut hub = connect(&hub_url(&database)).await;
    execute(&mut hub, "BEGIN").await.expect("a transaction");
    for sql in TOO_MUCH {
        assert_eq!(refusal(&mut hub, sql).await.as_deref(), Some(FORBIDDEN), "{sql}");
    }
}
