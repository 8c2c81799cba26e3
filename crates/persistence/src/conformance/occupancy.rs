//! Holds of accounts: how they are made and changed, who may end them, and what is told of it.

use model::{AccountId, CleanText, ClockOutReason, EndedHold, Hold, Occupancy, OrganizationId, Role, limits};

use super::{
    Shared, account,
    clocked::{
        assert_untold, clear, clock_in, code, code_id, ended, hold, mint, occupancy, put_agency, refused,
        revocation, state, uses,
    },
    exported::now,
    follower::Follower,
    organization, put, put_account, put_member, put_user, user,
};
use crate::{ClockedIn, ForceClear, StoreError};

fn over(hold: Hold, reason: ClockOutReason) -> Option<EndedHold> {
    Some(EndedHold { epoch: hold.epoch, reason })
}

/// Free, after this hold.
async fn assert_ended(store: &Shared, hold: Hold, reason: ClockOutReason) {
    let found = store.accounts(crate::Pick::These(vec![hold.account])).await.unwrap();
    let (_, state) = found.first().expect("the account is there");
    assert_eq!((&state.occupancy, state.ended), (&None, over(hold, reason)));
    refused!(store.find_hold(hold).await, NotHeld);
}

/// Shown, told, found, and one use.
pub async fn a_clock_in_holds_the_account(store: Shared) {
    put_agency(&store).await;
    let mut follower = Follower::new(&store).await;
    let before = now();
    let clocked_in = clock_in(&store, 2, 1).await.unwrap();
    let ClockedIn { hold, since, left, new } = clocked_in.clone();
    assert_eq!((hold.user, hold.organization, hold.account), (user(2), organization(1), account(1)));
    assert!((left, new) == (None, true) && since >= before && hold.epoch <= 1 << 53, "{clocked_in:?}");
    let shown = Occupancy { user: user(2), since, stale_since: None, epoch: hold.epoch };
    let state = state(&store, 1).await.unwrap();
    assert_eq!((state.occupancy.as_ref(), state.ended), (Some(&shown), None));
    let learned = follower.learn().await;
    assert_eq!((learned.users, learned.accounts), (vec![], vec![(account(1), Some(state))]));
    assert_eq!(store.find_hold(hold).await.unwrap(), ClockedIn { new: false, ..clocked_in });
    assert_eq!(uses(&store, 2).await, 1);
    assert_untold(&mut follower).await;
}

/// With whichever of their codes: same epoch, same time, no use.
pub async fn clocking_in_again_changes_nothing(store: Shared) {
    put_agency(&store).await;
    mint(&store, code(20, 2)).await;
    let first = clock_in(&store, 2, 1).await.unwrap();
    let mut follower = Follower::new(&store).await;
    for n in [2, 20] {
        let again = clock_in(&store, n, 1).await.unwrap();
        assert_eq!(again, ClockedIn { new: false, ..first.clone() });
    }
    assert_eq!((uses(&store, 2).await, uses(&store, 20).await), (1, 0));
    assert_untold(&mut follower).await;
}

/// Who comes second changes nothing, uses nothing up, and stays where they are.
pub async fn an_account_is_one_holders(store: Shared) {
    put_agency(&store).await;
    let (first, second) = (hold(&store, 2, 1).await, hold(&store, 5, 2).await);
    let mut follower = Follower::new(&store).await;
    refused!(clock_in(&store, 5, 1).await, Occupied);
    refused!(clock_in(&store, 6, 1).await, Occupied);
    refused!(store.change_account(second, account(1), None).await, Occupied);
    assert_eq!((uses(&store, 5).await, uses(&store, 6).await), (1, 0));
    for held in [first, second] {
        assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    }
    assert_untold(&mut follower).await;
}

/// Both accounts are told as one, each with its state after it.
pub async fn a_move_is_one_change(store: Shared) {
    put_agency(&store).await;
    let first = hold(&store, 2, 1).await;
    let mut follower = Follower::new(&store).await;
    let moved = clock_in(&store, 2, 2).await.unwrap();
    assert_eq!((moved.left, moved.new, moved.hold.account), (Some(account(1)), true, account(2)));
    let learned = follower.learn().await.accounts;
    assert_eq!(learned, [(account(1), state(&store, 1).await), (account(2), state(&store, 2).await)]);
    assert_ended(&store, first, ClockOutReason::Moved).await;
    assert_eq!(occupancy(&store, 2).await.map(|it| (it.user, it.epoch)), Some((user(2), moved.hold.epoch)));
    assert_eq!(uses(&store, 2).await, 2);
    let back = store.change_account(moved.hold, account(1), None).await.unwrap();
    assert_eq!((back.left, back.new), (Some(account(2)), true));
    assert!(back.hold.epoch > first.epoch);
    assert_eq!(uses(&store, 2).await, 2, "a move from the hold uses nothing up");
    assert_eq!(follower.found().await.accounts, [account(1), account(2)]);
}

/// The hold is looked at first, then the code they came with, then where to.
pub async fn only_who_holds_moves(store: Shared) {
    put_agency(&store).await;
    let old = hold(&store, 2, 1).await;
    let held = clock_in(&store, 2, 2).await.unwrap();
    let mut follower = Follower::new(&store).await;
    refused!(store.change_account(old, account(4), None).await, NotHeld);
    refused!(store.change_account(Hold { user: user(5), ..held.hold }, account(4), None).await, NotHeld);
    for unknown in [3, 9] {
        refused!(store.change_account(held.hold, account(unknown), None).await, UnknownAccount);
    }
    let stays = store.change_account(held.hold, account(2), None).await.unwrap();
    assert_eq!(stays, ClockedIn { left: None, new: false, ..held.clone() });
    store.revoke_code(revocation(1, 2, false)).await.unwrap();
    refused!(store.change_account(held.hold, account(4), None).await, InvalidCode);
    refused!(store.change_account(old, account(4), None).await, NotHeld);
    assert_eq!(store.find_hold(held.hold).await.unwrap().since, held.since);
    assert_untold(&mut follower).await;
}

/// Once, by who holds it as it is now; then it is free for anybody.
pub async fn a_clock_out_ends_one_hold(store: Shared) {
    put_agency(&store).await;
    let old = hold(&store, 2, 1).await;
    store.clock_out(old, None).await.unwrap();
    let held = hold(&store, 2, 1).await;
    let mut follower = Follower::new(&store).await;
    let others = [
        old,
        Hold { user: user(5), ..held },
        Hold { organization: organization(2), ..held },
        Hold { account: account(2), ..held },
    ];
    for other in others {
        refused!(store.clock_out(other, None).await, NotHeld);
    }
    assert_untold(&mut follower).await;
    assert_eq!(store.clock_out(held, None).await.unwrap(), ended(held, true));
    assert_eq!(follower.found().await.accounts, [account(1)]);
    assert_ended(&store, held, ClockOutReason::ClockedOut).await;
    refused!(store.clock_out(held, None).await, NotHeld);
    hold(&store, 5, 1).await;
    assert_eq!(state(&store, 1).await.unwrap().ended, None, "as long as nobody holds it again");
}

/// By an owner or admin of its organization, whom it is about or whoever it is.
pub async fn an_account_is_cleared_by_force(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let mut follower = Follower::new(&store).await;
    let of = |by, of_account, holder| ForceClear { holder: Some(user(holder)), ..clear(by, of_account) };
    for member in [2, 5] {
        refused!(store.force_clear(clear(member, 1)).await, Forbidden);
    }
    for stranger in [3, 4, 9] {
        refused!(store.force_clear(clear(stranger, 1)).await, UnknownAccount);
    }
    refused!(store.force_clear(clear(1, 9)).await, UnknownAccount);
    refused!(store.force_clear(clear(1, 2)).await, NotHeld);
    refused!(store.force_clear(of(1, 1, 5)).await, NotHeld);
    assert_untold(&mut follower).await;
    let reason = CleanText::parse("Left for the day", "reason", limits::REASON_CHARS).unwrap();
    assert_eq!(store.force_clear(ForceClear { reason, ..of(7, 1, 2) }).await.unwrap(), ended(held, true));
    assert_eq!(follower.found().await.accounts, [account(1)]);
    assert_ended(&store, held, ClockOutReason::ForceCleared).await;
    refused!(store.clock_out(held, None).await, NotHeld);
    let next = hold(&store, 2, 1).await;
    assert_eq!(store.force_clear(clear(1, 1)).await.unwrap(), ended(next, true));
}

/// Of another organization, removed, or never there; and nobody learns which without a code that is good.
pub async fn accounts_of_others_are_unknown(store: Shared) {
    put_agency(&store).await;
    put(&store, vec![model::DirectoryChange::RemoveAccount { id: account(4) }]).await;
    for unknown in [3, 4, 9] {
        refused!(clock_in(&store, 2, unknown).await, UnknownAccount);
        refused!(clock_in(&store, 99, unknown).await, InvalidCode);
    }
    hold(&store, 2, 1).await;
    refused!(clock_in(&store, 99, 1).await, InvalidCode);
    assert_eq!(uses(&store, 2).await, 1);
}

/// Whoever does it, and however: what is not there any more holds nothing.
pub async fn the_directory_ends_holds(store: Shared) {
    use model::DirectoryChange as Change;
    put_agency(&store).await;
    let removed = ClockOutReason::Removed;
    let left = Change::RemoveMember { organization: organization(1), user: user(2) };
    for (change, back) in [(left, vec![]), (super::remove_user(2), vec![put_user(2)])] {
        let held = hold(&store, 2, 1).await;
        let mut follower = Follower::new(&store).await;
        put(&store, vec![change]).await;
        assert_eq!(follower.found().await.accounts, [account(1)]);
        assert_ended(&store, held, removed).await;
        put(&store, back).await;
        put(&store, vec![put_member(1, 2, Role::Member)]).await;
        refused!(store.find_hold(held).await, NotHeld);
    }
    let held = hold(&store, 5, 1).await;
    put(&store, vec![put_account(1, 2)]).await;
    assert_ended(&store, held, removed).await;
    put(&store, vec![put_account(1, 1)]).await;
    let held = hold(&store, 5, 1).await;
    put(&store, vec![Change::RemoveAccount { id: account(1) }]).await;
    assert_eq!(state(&store, 1).await, None);
    refused!(store.find_hold(held).await, NotHeld);
    let held = hold(&store, 5, 2).await;
    put(&store, vec![Change::RemoveOrganization { id: OrganizationId(held.organization.0) }]).await;
    assert_eq!(state(&store, 2).await, None);
    refused!(store.find_hold(held).await, NotHeld);
    refused!(store.clock_out(held, None).await, NotHeld);
}

/// Other changes of the directory end nothing: a new name, a new role, another member, another account.
pub async fn what_stays_is_held(store: Shared) {
    use model::DirectoryChange as Change;
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let renamed = Change::PutAccount { id: account(1), organization: organization(1), name: "New".into() };
    let others = vec![
        renamed,
        put_user(2),
        put_member(1, 2, Role::Admin),
        super::put_organization(1),
        super::remove_user(5),
        Change::RemoveAccount { id: account(2) },
        Change::RemoveMember { organization: organization(1), user: user(6) },
    ];
    put(&store, others).await;
    assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    assert_eq!(state(&store, 1).await.unwrap().facts.name, "New");
}

/// Who is disabled keeps the hold, can do nothing with it, and may be cleared.
pub async fn the_disabled_keep_their_hold(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let disable =
        |disabled| model::DirectoryChange::PutUser { id: user(2), display_name: "User 2".into(), disabled };
    put(&store, vec![disable(true)]).await;
    assert_eq!(occupancy(&store, 1).await.map(|it| it.epoch), Some(held.epoch));
    refused!(store.find_hold(held).await, NotHeld);
    refused!(clock_in(&store, 2, 1).await, InvalidCode);
    refused!(clock_in(&store, 2, 2).await, InvalidCode);
    put(&store, vec![disable(false)]).await;
    assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    put(&store, vec![disable(true)]).await;
    assert_eq!(store.force_clear(clear(1, 1)).await.unwrap(), ended(held, true));
}

/// Of an account over all that is done with it, also where it was removed and put again in between.
pub async fn epochs_always_rise(store: Shared) {
    put_agency(&store).await;
    let mut last = [0_u64; 3];
    let mut rises = |hold: Hold| {
        let last = &mut last[usize::from(hold.account == account(2))];
        assert!(hold.epoch > *last, "{hold:?} after {last}");
        *last = hold.epoch;
    };
    for _ in 0..10 {
        let first = hold(&store, 2, 1).await;
        rises(first);
        let moved = store.change_account(first, account(2), None).await.unwrap().hold;
        rises(moved);
        store.clock_out(moved, None).await.unwrap();
        rises(hold(&store, 5, 1).await);
        store.force_clear(clear(1, 1)).await.unwrap();
        rises(hold(&store, 6, 2).await);
        let back = clock_in(&store, 6, 1).await.unwrap().hold;
        rises(back);
        store.clock_out(back, None).await.unwrap();
    }
    let gone: AccountId = account(1);
    let held = hold(&store, 2, 1).await;
    rises(held);
    put(&store, vec![model::DirectoryChange::RemoveAccount { id: gone }]).await;
    // An epoch is a time, but for those who came within the same millisecond.
    super::clocked::until(async || now().0.unsigned_abs() > held.epoch).await;
    put(&store, vec![put_account(1, 1)]).await;
    rises(hold(&store, 2, 1).await);
    assert_eq!(uses(&store, 2).await, 12, "{:?}", code_id(2));
}
