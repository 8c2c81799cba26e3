//! Operations on codes and holds under a name: done once, and told again as they were told then.

use std::time::Duration;

use model::{ClockOutReason, DirectoryChange, Hold, Role};

use super::{
    Shared, account,
    clocked::{
        assert_untold, clear, clock_in, code, code_id, ended, enter, hold, listed, mint, occupancy,
        put_agency, refused, revocation, state, until, uses,
    },
    exported::now,
    follower::Follower,
    operation, organization, put, user,
};
use crate::{ClockIn, ClockedIn, ForceClear, Minted, NewCode, Revocation, StoreError};

/// The text of the second call is worth nothing: the code is the first one, as it is by now.
pub async fn a_code_is_made_once(store: Shared) {
    put_agency(&store).await;
    let asked = |n, of| NewCode { operation: operation(1), ..code(n, of) };
    assert!(!store.mint_code(asked(20, 2)).await.unwrap().again);
    hold(&store, 20, 1).await;
    let Minted { code: again, again: true } = store.mint_code(asked(21, 2)).await.unwrap() else {
        panic!("it was made before")
    };
    assert_eq!((again.id, again.uses), (code_id(20), 1));
    assert_eq!(again, listed(&store, 20).await);
    refused!(clock_in(&store, 21, 2).await, InvalidCode);
    refused!(store.mint_code(asked(21, 5)).await, OperationConflict);
    refused!(store.mint_code(NewCode { max_uses: Some(1), ..asked(21, 2) }).await, OperationConflict);
    let of_another = NewCode { by: user(7).into(), ..asked(21, 5) };
    assert!(!store.mint_code(of_another).await.unwrap().again, "names of users are apart");
}

/// With the hold it ended; again it ends nothing.
pub async fn a_code_is_revoked_once(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let asked = Revocation { operation: operation(1), ..revocation(1, 2, true) };
    assert_eq!(store.revoke_code(asked.clone()).await.unwrap(), Some(ended(held, true)));
    store.mint_code(code(20, 2)).await.unwrap();
    let newer = hold(&store, 20, 1).await;
    assert_eq!(store.revoke_code(asked.clone()).await.unwrap(), Some(ended(held, false)));
    assert_eq!(store.find_hold(newer).await.unwrap().hold, newer);
    refused!(store.revoke_code(Revocation { clock_out: false, ..asked }).await, OperationConflict);
}

/// What was answered then, also after the hold ended, with nothing done.
pub async fn a_clock_in_is_done_once(store: Shared) {
    put_agency(&store).await;
    let asked = ClockIn { operation: operation(1), ..enter(2, 1) };
    let first = store.clock_in(asked.clone()).await.unwrap();
    let then = ClockedIn { new: false, ..first.clone() };
    assert_eq!(store.clock_in(asked.clone()).await.unwrap(), then);
    refused!(store.clock_in(ClockIn { operation: operation(1), ..enter(2, 2) }).await, OperationConflict);
    store.clock_out(first.hold, None).await.unwrap();
    let mut follower = Follower::new(&store).await;
    assert_eq!(store.clock_in(asked.clone()).await.unwrap(), then);
    store.revoke_code(revocation(1, 2, false)).await.unwrap();
    refused!(store.clock_in(asked).await, InvalidCode);
    refused!(store.clock_in(ClockIn { operation: operation(1), ..enter(2, 2) }).await, InvalidCode);
    assert_eq!((occupancy(&store, 1).await, uses(&store, 2).await), (None, 1));
    assert_untold(&mut follower).await;
    let of_another = ClockIn { operation: operation(1), ..enter(5, 2) };
    assert!(store.clock_in(of_another).await.unwrap().new, "names of users are apart");
}

/// What they were told once lets nobody in again: who is disabled or no member any more, or comes with a code that expired.
/// One that is used up has done what it was for.
pub async fn a_clock_in_is_told_again_to_who_may_come(store: Shared) {
    put_agency(&store).await;
    mint(&store, NewCode { max_uses: Some(1), ..code(20, 2) }).await;
    mint(&store, NewCode { lasts: Duration::from_secs(1), ..code(50, 5) }).await;
    let asked = |code, to| ClockIn { operation: operation(code), ..enter(code, to) };
    let first = store.clock_in(asked(20, 1)).await.unwrap();
    let then = ClockedIn { new: false, ..first.clone() };
    let disable = |disabled| DirectoryChange::PutUser { id: user(2), display_name: "Two".into(), disabled };
    let leave = DirectoryChange::RemoveMember { organization: organization(1), user: user(2) };
    let back = super::put_member(1, 2, Role::Member);
    for (change, undone) in [(disable(true), disable(false)), (leave, back)] {
        assert_eq!(store.clock_in(asked(20, 1)).await.unwrap(), then);
        put(&store, vec![change]).await;
        refused!(store.clock_in(asked(20, 1)).await, InvalidCode);
        put(&store, vec![undone]).await;
    }
    assert_eq!((store.clock_in(asked(20, 1)).await.unwrap(), uses(&store, 20).await), (then, 1));
    store.clock_in(asked(50, 2)).await.unwrap();
    let is_over = async || matches!(store.clock_in(asked(50, 2)).await, Err(StoreError::InvalidCode));
    until(is_over).await;
}

/// To who may make codes still, and as long as there is one.
pub async fn a_code_is_told_again_to_an_office(store: Shared) {
    put_agency(&store).await;
    let asked = || NewCode { by: user(7).into(), operation: operation(1), ..code(20, 2) };
    mint(&store, asked()).await;
    put(&store, vec![super::put_member(1, 7, Role::Member)]).await;
    refused!(store.mint_code(asked()).await, Forbidden);
    put(&store, vec![DirectoryChange::RemoveMember { organization: organization(1), user: user(7) }]).await;
    refused!(store.mint_code(asked()).await, UnknownOrganization);
    put(&store, vec![super::put_member(1, 7, Role::Admin)]).await;
    assert!(store.mint_code(asked()).await.is_ok());
    let members = [1, 2, 7].map(|n| super::put_member(1, n, Role::Admin));
    put(&store, vec![DirectoryChange::RemoveOrganization { id: organization(1) }]).await;
    put(&store, [vec![super::put_organization(1)], members.into()].concat()).await;
    refused!(store.mint_code(asked()).await, UnknownUser);
    assert_eq!(store.access_codes(user(1), organization(1)).await.unwrap(), [], "it is not made anew");
}

/// What an admin did with somebody who was erased since, or removed, is told again without them.
pub async fn the_erased_are_told_of_to_nobody(store: Shared) {
    put_agency(&store).await;
    let cleared = ForceClear { operation: operation(1), ..clear(1, 1) };
    let revoked = Revocation { operation: operation(2), ..revocation(1, 5, true) };
    let (two, five) = (hold(&store, 2, 1).await, hold(&store, 5, 2).await);
    store.force_clear(cleared.clone()).await.unwrap();
    store.revoke_code(revoked.clone()).await.unwrap();
    store.mint_code(NewCode { operation: operation(3), ..code(20, 2) }).await.unwrap();
    store.erase(user(2), now()).await.unwrap();
    put(&store, vec![super::remove_user(5)]).await;
    let told = store.force_clear(cleared).await.unwrap().hold;
    assert_eq!(Hold { user: user(2), ..told }, two);
    assert_ne!(told.user, user(2));
    let told = store.revoke_code(revoked).await.unwrap().expect("it ended one").hold;
    assert_eq!(Hold { user: user(5), ..told }, five);
    assert_ne!(told.user, user(5));
    refused!(store.mint_code(NewCode { operation: operation(3), ..code(20, 2) }).await, OperationConflict);
}

/// With what it left, however far the hold has moved since.
pub async fn a_move_is_made_once(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let first = store.change_account(held, account(2), operation(1)).await.unwrap();
    assert_eq!((first.left, first.new), (Some(account(1)), true));
    let then = ClockedIn { new: false, ..first.clone() };
    assert_eq!(store.change_account(held, account(2), operation(1)).await.unwrap(), then);
    let far = store.change_account(first.hold, account(4), operation(2)).await.unwrap().hold;
    assert_eq!(store.change_account(held, account(2), operation(1)).await.unwrap(), then);
    assert_eq!(store.find_hold(far).await.unwrap().hold, far);
    refused!(store.change_account(far, account(2), operation(1)).await, OperationConflict);
    refused!(store.change_account(held, account(4), operation(9)).await, NotHeld);
}

/// The second call ends nothing of whoever is in by then.
pub async fn a_clock_out_is_done_once(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    assert_eq!(store.clock_out(held, operation(1)).await.unwrap(), ended(held, true));
    let newer = hold(&store, 2, 1).await;
    assert_eq!(store.clock_out(held, operation(1)).await.unwrap(), ended(held, false));
    assert_eq!(store.find_hold(newer).await.unwrap().hold, newer);
    refused!(store.clock_out(newer, operation(1)).await, OperationConflict);
    refused!(store.clock_out(Hold { user: user(5), ..newer }, operation(1)).await, NotHeld);
}

/// So does a force-clear.
pub async fn an_account_is_cleared_once(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let asked = ForceClear { operation: operation(1), ..clear(1, 1) };
    assert_eq!(store.force_clear(asked.clone()).await.unwrap(), ended(held, true));
    let newer = hold(&store, 5, 1).await;
    assert_eq!(store.force_clear(asked.clone()).await.unwrap(), ended(held, false));
    assert_eq!(store.find_hold(newer).await.unwrap().hold, newer);
    refused!(
        store.force_clear(ForceClear { holder: Some(user(5)), ..asked.clone() }).await,
        OperationConflict
    );
    store.force_clear(ForceClear { by: user(7).into(), ..asked }).await.unwrap();
    assert_eq!(state(&store, 1).await.unwrap().ended.map(|it| it.reason), Some(ClockOutReason::ForceCleared));
}

/// A name stands for one operation, whichever kind it is of.
pub async fn a_name_is_of_one_kind(store: Shared) {
    put_agency(&store).await;
    let held = store.clock_in(ClockIn { operation: operation(1), ..enter(2, 1) }).await.unwrap().hold;
    refused!(store.clock_out(held, operation(1)).await, OperationConflict);
    refused!(store.change_account(held, account(2), operation(1)).await, OperationConflict);
    let settings = crate::SettingsChange { operation: operation(1), ..super::change(2, super::status("x")) };
    refused!(store.change_settings(settings).await, OperationConflict);
    assert_eq!(store.find_hold(held).await.unwrap().hold, held);
}
