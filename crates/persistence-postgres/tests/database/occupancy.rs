//! Who holds which account: what the directory ends, what is told of it, and whoever else writes at the same time.

mod deadlocks;
mod endings;
mod many;
mod plans;
mod races;
mod retried;
mod rights;
mod signs;
mod turns;
mod waits;

use std::time::Duration;

use model::{AccessCodeId, AccountId, AccountState, Hold, OrganizationId};
use persistence::{ClockIn, ClockedIn, CodeHash, NewCode, Occupancies, Pick, Sign, StoreError, Truth};
use persistence_postgres::{PostgresOptions, PostgresStore};
use uuid::Uuid;

use crate::{
    fixture::{self, Home, user},
    schema::with_ids,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The organization whose owner is user 1, and whose accounts are 300 and on.
const AGENCY: OrganizationId = OrganizationId(Uuid::from_u128(100));

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(300 + n))
}

/// The agency and another one, 101, that has nobody in it; users 2 and on are assistants with accounts and codes of the
/// same number, from 0 on.
async fn agency(assistants: u128) -> (Home, PostgresStore) {
    let home = fixture::shared_home().await;
    let store = staffed(&home, home.options(), assistants).await;
    (home, store)
}

async fn staffed(home: &Home, options: PostgresOptions, assistants: u128) -> PostgresStore {
    home.psql(&with_ids(&format!(
        "CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
         INSERT INTO users (id, display_name) SELECT pg_temp.id(n), 'User' FROM generate_series(1, {assistants} + 1) AS n;
         INSERT INTO organizations (id, name) VALUES (#100, 'Agency'), (#101, 'Another');
         INSERT INTO user_organizations
            SELECT id, #100, CASE id WHEN #1 THEN 'owner' ELSE 'member' END FROM users;
         INSERT INTO accounts
            SELECT pg_temp.id(300 + n), #100, 'Account ' || n FROM generate_series(0, {assistants} - 1) AS n;"
    )));
    let store = fixture::open(options).await;
    for n in 0..assistants {
        store.mint_code(code(n)).await.expect("a code");
    }
    store
}

/// Waits as long as a case takes that says itself when others are to go on.
fn patient(home: &Home) -> PostgresOptions {
    let patience = Duration::from_secs(20);
    PostgresOptions {
        lock_timeout: patience,
        statement_timeout: patience,
        deadline: patience,
        ..home.options()
    }
}

fn hash(n: u128) -> CodeHash {
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(&n.to_be_bytes());
    CodeHash(hash)
}

/// The code of the assistant with that number: user `n + 2`.
fn code(n: u128) -> NewCode {
    NewCode {
        id: AccessCodeId(Uuid::from_u128(500 + n)),
        hash: hash(n),
        organization: AGENCY,
        user: user(n + 2),
        by: user(1).into(),
        lasts: HOUR,
        max_uses: None,
        operation: None,
    }
}

async fn clock_in(store: &PostgresStore, n: u128, to: u128) -> Result<ClockedIn, StoreError> {
    store.clock_in(ClockIn { code: hash(n), account: account(to), operation: None }).await
}

async fn hold(store: &PostgresStore, n: u128, of: u128) -> Hold {
    clock_in(store, n, of).await.expect("the account is free").hold
}

async fn state(store: &PostgresStore, n: u128) -> Option<AccountState> {
    let found = store.accounts(Pick::These(vec![account(n)])).await.expect("accounts can be read");
    found.into_iter().next().map(|(_, state)| state)
}

fn heard_now(hold: Hold) -> Sign {
    Sign { hold, heard: Duration::ZERO, active: None }
}

/// The entries of the audit about holds, oldest first: actor, event, account, user, epoch.
fn entries(home: &Home) -> Vec<[String; 5]> {
    let rows = home.psql(
        "SELECT actor, after_json ->> 'event', after_json ->> 'account', after_json ->> 'user', after_json ->> 'epoch' \
         FROM presence_audit WHERE kind = 'occupancy' ORDER BY id",
    );
    let entry = |row: &str| {
        let fields: Vec<String> = row.split('|').map(str::to_owned).collect();
        fields.try_into().expect("five fields")
    };
    rows.lines().map(entry).collect()
}
