//! Whoever has no right takes nobody's turn: they do not wait for it, and do not learn that somebody else does.

use std::time::Duration;

use model::UserId;
use persistence::{ForceClear, NewCode, Occupancies, Revocation, Store, StoreError};

use super::{AGENCY, account, agency, clock_in, code, hold};
use crate::{
    fixture::user,
    schema::{id, with_ids},
};

fn clear(by: UserId) -> ForceClear {
    ForceClear { by: by.into(), account: account(0), holder: None, reason: None, operation: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_right_waits_for_nobody() {
    let (home, store) = agency(2).await;
    let held = hold(&store, 0, 0).await;
    home.psql(&with_ids("INSERT INTO users (id, display_name) VALUES (#9, 'Stranger')"));
    let revoke = |by, of: u128| Revocation {
        by: UserId::into(by),
        code: code(of).id,
        clock_out: true,
        operation: None,
    };
    store.revoke_code(Revocation { clock_out: false, ..revoke(user(1), 1) }).await.expect("it is revoked");
    let mut other = home.database.session();
    other.run("BEGIN").expect("a transaction");
    let turn = format!("SELECT pg_advisory_xact_lock(presence_lock_key('presence_occupancy:{}'))", id(100));
    other.run(&turn).expect("the turn");
    let (stranger, member) = (user(9), user(3));
    let mint = |by| NewCode { by: UserId::into(by), ..code(7) };
    let refusals = [
        store.force_clear(clear(stranger)).await.map(drop),
        store.revoke_code(revoke(stranger, 0)).await.map(drop),
        store.mint_code(mint(stranger)).await.map(drop),
        store.force_clear(clear(member)).await.map(drop),
        store.revoke_code(revoke(member, 0)).await.map(drop),
        store.mint_code(mint(member)).await.map(drop),
        clock_in(&store, 1, 1).await.map(drop),
    ];
    use StoreError as E;
    let expected = [
        Err(E::UnknownAccount),
        Err(E::UnknownCode),
        Err(E::UnknownOrganization),
        Err(E::Forbidden),
        Err(E::Forbidden),
        Err(E::Forbidden),
        Err(E::InvalidCode),
    ];
    assert_eq!(format!("{refusals:?}"), format!("{:?}", expected as [Result<(), E>; 7]));
    let waits = tokio::time::timeout(Duration::from_millis(200), store.force_clear(clear(user(1)))).await;
    assert!(waits.is_err(), "who has the right waits: {waits:?}");
    other.run("COMMIT").expect("it ends");
    assert_eq!(AGENCY, held.organization);
    store.close().await;
}
