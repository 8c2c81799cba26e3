//! An agency whose assistants clock in: what the cases of codes, holds and signs share.

use std::time::Duration;

use model::{AccessCodeId, AccountState, Hold, Occupancy, Role};
use uuid::Uuid;

use super::{
    Shared, account, follower::Follower, organization, put, put_account, put_member, put_user, put_world,
    user,
};
use crate::{
    AccessCode, ClockIn, ClockedIn, CodeHash, Ended, ForceClear, NewCode, Pick, Revocation, StoreError,
};

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
/// Far longer than what is waited for takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// The call is refused with that error.
macro_rules! refused {
    ($call:expr, $error:ident) => {{
        let error = $call.expect_err("it is refused");
        assert!(matches!(error, StoreError::$error), "{error:?}");
    }};
}
pub(super) use refused;

/// The world, in which 5, 6 and 7 are in organization 1 too, 7 as an admin; it has account 4 too. Each of the assistants 2,
/// 5 and 6 has a code of that number.
pub(super) async fn put_agency(store: &Shared) {
    put_world(store).await;
    let mut changes: Vec<_> = (5..=7).map(put_user).collect();
    changes.extend([5, 6].map(|n| put_member(1, n, Role::Member)));
    changes.extend([put_member(1, 7, Role::Admin), put_account(4, 1)]);
    put(store, changes).await;
    for n in [2, 5, 6] {
        mint(store, code(n, n)).await;
    }
}

pub(super) fn code_id(n: u128) -> AccessCodeId {
    AccessCodeId(Uuid::from_u128(5_000 + n))
}

fn hash(n: u128) -> CodeHash {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(&n.to_be_bytes());
    CodeHash(hash)
}

/// A code of organization 1 for a member, by its owner.
pub(super) fn code(n: u128, of: u128) -> NewCode {
    NewCode {
        id: code_id(n),
        hash: hash(n),
        organization: organization(1),
        user: user(of),
        by: user(1).into(),
        lasts: HOUR,
        max_uses: None,
        operation: None,
    }
}

pub(super) async fn mint(store: &Shared, code: NewCode) -> AccessCode {
    let minted = store.mint_code(code).await.expect("the code is possible");
    assert!(!minted.again);
    minted.code
}

pub(super) fn enter(code: u128, to: u128) -> ClockIn {
    ClockIn { code: hash(code), account: account(to), operation: None }
}

/// With the code `n` to the account `to`.
pub(super) async fn clock_in(store: &Shared, n: u128, to: u128) -> Result<ClockedIn, StoreError> {
    store.clock_in(enter(n, to)).await
}

/// As [`clock_in`], where it is possible and makes a hold.
pub(super) async fn hold(store: &Shared, n: u128, to: u128) -> Hold {
    let clocked_in = clock_in(store, n, to).await.expect("the code is good and the account is free");
    assert!(clocked_in.new && clocked_in.hold.account == account(to), "{clocked_in:?}");
    clocked_in.hold
}

pub(super) fn clear(by: u128, of_account: u128) -> ForceClear {
    ForceClear {
        by: user(by).into(),
        account: account(of_account),
        holder: None,
        reason: None,
        operation: None,
    }
}

pub(super) fn revocation(by: u128, code: u128, clock_out: bool) -> Revocation {
    Revocation { by: user(by).into(), code: code_id(code), clock_out, operation: None }
}

pub(super) fn ended(hold: Hold, new: bool) -> Ended {
    Ended { hold, new }
}

/// A code as it is listed.
pub(super) async fn listed(store: &Shared, n: u128) -> AccessCode {
    let codes = store.access_codes(user(1), organization(1)).await.expect("they can be listed");
    codes.into_iter().find(|code| code.id == code_id(n)).expect("the code is kept")
}

pub(super) async fn uses(store: &Shared, n: u128) -> u32 {
    listed(store, n).await.uses
}

pub(super) async fn state(store: &Shared, n: u128) -> Option<AccountState> {
    let mut found = store.accounts(Pick::These(vec![account(n)])).await.expect("the store can be read");
    found.pop().map(|(_, state)| state)
}

pub(super) async fn occupancy(store: &Shared, n: u128) -> Option<Occupancy> {
    state(store, n).await.expect("the account is there").occupancy
}

/// Nothing was changed that anybody is told of.
pub(super) async fn assert_untold(follower: &mut Follower) {
    let found = follower.found().await;
    assert_eq!((found.users, found.accounts), (vec![], vec![]));
}

/// Asks until it is so.
pub(super) async fn until(so: impl AsyncFn() -> bool) {
    let asked = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.expect("so in time");
}
