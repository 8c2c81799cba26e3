//! Access codes: who makes and ends them, what they are good for, and that no answer tells why one is not.

use std::{collections::BTreeSet, time::Duration};

use model::{DirectoryChange, Hold, Wall, limits};

use super::{
    Shared, account,
    clocked::{
        HOUR, assert_untold, clock_in, code, code_id, ended, enter, hold, listed, mint, occupancy,
        put_agency, refused, revocation, until, uses,
    },
    exported::now,
    follower::Follower,
    organization, put, put_member, put_user, remove_user, user,
};
use crate::{AccessCode, CODE_KEPT_MS, NewCode, StoreError};

/// As it was asked for, for as long as it was asked for.
pub async fn a_code_is_what_was_asked_for(store: Shared) {
    put_agency(&store).await;
    let before = now();
    let new = NewCode { max_uses: Some(3), by: user(7).into(), ..code(1, 6) };
    let made = mint(&store, new).await;
    assert!((before..=now()).contains(&made.created_at), "{made:?}");
    let expected = AccessCode {
        id: code_id(1),
        organization: organization(1),
        user: user(6),
        created_at: made.created_at,
        expires_at: Wall(made.created_at.0 + HOUR.as_millis() as i64),
        revoked_at: None,
        max_uses: Some(3),
        uses: 0,
    };
    assert_eq!(made, expected);
    assert_eq!(listed(&store, 1).await, expected);
}

/// Owners and admins, for members; to who is not in it there is no organization.
pub async fn only_an_office_has_codes(store: Shared) {
    put_agency(&store).await;
    let by = |n| NewCode { by: user(n).into(), ..code(1, 2) };
    for member in [2, 5] {
        refused!(store.mint_code(by(member)).await, Forbidden);
        refused!(store.access_codes(user(member), organization(1)).await, Forbidden);
        refused!(store.revoke_code(revocation(member, 2, true)).await, Forbidden);
    }
    for stranger in [3, 4, 9] {
        refused!(store.mint_code(by(stranger)).await, UnknownOrganization);
        refused!(store.access_codes(user(stranger), organization(1)).await, UnknownOrganization);
        refused!(store.revoke_code(revocation(stranger, 2, true)).await, UnknownCode);
    }
    let elsewhere = NewCode { organization: organization(9), ..by(1) };
    refused!(store.mint_code(elsewhere).await, UnknownOrganization);
    refused!(store.access_codes(user(1), organization(9)).await, UnknownOrganization);
    refused!(store.revoke_code(revocation(1, 9, true)).await, UnknownCode);
    for nobody in [3, 9] {
        refused!(store.mint_code(NewCode { user: user(nobody), ..by(1) }).await, UnknownUser);
    }
    assert_eq!(listed(&store, 2).await.revoked_at, None);
    assert_eq!(store.access_codes(user(3), organization(2)).await.unwrap(), []);
}

/// So many that are good, of one member; one that ended makes room.
pub async fn a_member_has_so_many_codes(store: Shared) {
    put_agency(&store).await;
    let most = limits::ACCESS_CODES_OF_A_MEMBER as u128;
    mint(&store, NewCode { max_uses: Some(1), ..code(100, 2) }).await;
    for n in 102..100 + most {
        mint(&store, code(n, 2)).await;
    }
    refused!(store.mint_code(code(1, 2)).await, TooManyCodes);
    mint(&store, code(50, 5)).await;
    hold(&store, 100, 1).await;
    mint(&store, code(1, 2)).await;
    refused!(store.mint_code(code(3, 2)).await, TooManyCodes);
    store.revoke_code(revocation(1, 1, false)).await.unwrap();
    mint(&store, NewCode { lasts: Duration::ZERO, ..code(3, 2) }).await;
    mint(&store, code(4, 2)).await;
    refused!(store.mint_code(code(51, 2)).await, TooManyCodes);
}

/// The newest first, of this organization, the others of it left out.
pub async fn codes_are_listed_newest_first(store: Shared) {
    put_agency(&store).await;
    let members = limits::ACCESS_CODES_LISTED.div_ceil(limits::ACCESS_CODES_OF_A_MEMBER) as u128 + 1;
    let changes = (0..members).flat_map(|n| [put_user(100 + n), put_member(1, 100 + n, model::Role::Member)]);
    put(&store, changes.collect()).await;
    mint(&store, NewCode { organization: organization(2), by: user(3).into(), ..code(1, 3) }).await;
    for n in 0..limits::ACCESS_CODES_LISTED as u128 {
        mint(&store, code(100 + n, 100 + n % members)).await;
    }
    let codes = store.access_codes(user(7), organization(1)).await.unwrap();
    assert!(codes.is_sorted_by(|newer, older| newer.created_at >= older.created_at), "not in order");
    let ids: BTreeSet<_> = codes.iter().map(|code| code.id).collect();
    let expected = (0..limits::ACCESS_CODES_LISTED as u128).map(|n| code_id(100 + n)).collect();
    assert!(ids == expected && codes.len() == ids.len(), "not the newest");
    assert_eq!(store.access_codes(user(3), organization(2)).await.unwrap().len(), 1);
}

/// Clock-ins and moves, and no more of them; for the hold they made it is still good.
pub async fn a_code_has_so_many_uses(store: Shared) {
    put_agency(&store).await;
    mint(&store, NewCode { max_uses: Some(2), ..code(1, 2) }).await;
    hold(&store, 1, 1).await;
    let second = hold(&store, 1, 2).await;
    assert_eq!(uses(&store, 1).await, 2);
    let mut follower = Follower::new(&store).await;
    assert_eq!(clock_in(&store, 1, 2).await.unwrap().hold, second);
    for other in [1, 3, 9] {
        refused!(clock_in(&store, 1, other).await, InvalidCode);
    }
    assert_eq!(uses(&store, 1).await, 2);
    assert_untold(&mut follower).await;
    let moved = store.change_account(second, account(1), None).await.unwrap().hold;
    assert_eq!(clock_in(&store, 1, 1).await.unwrap().hold, moved);
    store.clock_out(moved, None).await.unwrap();
    refused!(clock_in(&store, 1, 1).await, InvalidCode);
    hold(&store, 2, 1).await;
    refused!(clock_in(&store, 1, 1).await, InvalidCode);
}

/// Unknown, revoked, expired, of who is disabled or gone: alike, and before anything else is looked at.
pub async fn what_is_no_good_is_invalid(store: Shared) {
    put_agency(&store).await;
    let held: Vec<Hold> = vec![hold(&store, 2, 1).await, hold(&store, 5, 2).await, hold(&store, 6, 4).await];
    store.revoke_code(revocation(1, 2, false)).await.unwrap();
    mint(&store, NewCode { lasts: Duration::ZERO, ..code(50, 5) }).await;
    let disabled = DirectoryChange::PutUser { id: user(6), display_name: "Six".into(), disabled: true };
    put(&store, vec![disabled]).await;
    let mut follower = Follower::new(&store).await;
    for bad in [2, 50, 6, 99] {
        for to in [1, 2, 3, 4, 9] {
            refused!(clock_in(&store, bad, to).await, InvalidCode);
        }
    }
    assert_untold(&mut follower).await;
    for hold in held {
        assert_eq!(occupancy(&store, hold.account.0.as_u128() - 3_000).await.unwrap().epoch, hold.epoch);
    }
    put(&store, vec![DirectoryChange::RemoveMember { organization: organization(1), user: user(5) }]).await;
    refused!(clock_in(&store, 5, 2).await, InvalidCode);
    put(&store, vec![remove_user(5)]).await;
    refused!(clock_in(&store, 5, 2).await, InvalidCode);
}

/// Good until it expires, and then no more, not for the hold it made either; which lasts.
pub async fn a_code_expires(store: Shared) {
    put_agency(&store).await;
    mint(&store, NewCode { lasts: Duration::from_secs(1), ..code(1, 2) }).await;
    let held = hold(&store, 1, 1).await;
    until(async || match clock_in(&store, 1, 1).await {
        Ok(again) => {
            assert_eq!(again.hold, held);
            false
        }
        Err(error) => {
            assert!(matches!(error, StoreError::InvalidCode), "{error:?}");
            true
        }
    })
    .await;
    refused!(clock_in(&store, 1, 2).await, InvalidCode);
    refused!(store.change_account(held, account(2), None).await, InvalidCode);
    assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    assert!(now() >= listed(&store, 1).await.expires_at);
}

/// It ends; the hold only where that is asked for, with whichever code it was made. Again is no mistake.
pub async fn a_code_is_revoked(store: Shared) {
    put_agency(&store).await;
    mint(&store, code(20, 2)).await;
    let held = hold(&store, 2, 1).await;
    let other = hold(&store, 5, 2).await;
    let mut follower = Follower::new(&store).await;
    assert_eq!(store.revoke_code(revocation(1, 20, false)).await.unwrap(), None);
    refused!(clock_in(&store, 20, 1).await, InvalidCode);
    let revoked = listed(&store, 20).await.revoked_at;
    assert!(revoked.is_some_and(|at| at <= now()));
    assert_untold(&mut follower).await;
    assert_eq!(store.revoke_code(revocation(7, 20, true)).await.unwrap(), Some(ended(held, true)));
    assert_eq!(follower.found().await.accounts, [account(1)]);
    refused!(store.find_hold(held).await, NotHeld);
    let last = super::clocked::state(&store, 1).await.unwrap().ended.unwrap();
    assert_eq!((last.epoch, last.reason), (held.epoch, model::ClockOutReason::CodeRevoked));
    assert_eq!(store.revoke_code(revocation(7, 20, true)).await.unwrap(), None);
    assert_eq!(listed(&store, 20).await.revoked_at, revoked, "the first time counts");
    assert_eq!(store.find_hold(other).await.unwrap().hold, other);
    assert!(store.clock_in(enter(2, 1)).await.unwrap().new, "the other code is as good as it was");
}

/// A month after their end, with everything else that they opened left as it is.
pub async fn old_codes_are_dropped(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    store.revoke_code(revocation(1, 5, false)).await.unwrap();
    let (revoked, expires) =
        (listed(&store, 5).await.revoked_at.unwrap(), listed(&store, 6).await.expires_at);
    let expire = async |at: i64| store.expire(Wall(at + CODE_KEPT_MS)).await.unwrap().access_codes;
    assert_eq!(expire(revoked.0 - 1).await, 0);
    assert_eq!(expire(revoked.0 + 1).await, 1);
    let mut follower = Follower::new(&store).await;
    assert_eq!(expire(expires.0 + 1).await, 2);
    assert_eq!(store.access_codes(user(1), organization(1)).await.unwrap(), []);
    assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    refused!(store.change_account(held, account(2), None).await, InvalidCode);
    assert_untold(&mut follower).await;
}
