use model::{AccountFacts, EndedHold, Occupancy, OrganizationId, Wall};
use tokio::time::advance;
use uuid::Uuid;

use super::*;

const EPOCH: u64 = 1_700_000_000_000;

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(100 + n))
}

fn hold(of: u128, epoch: u64) -> Hold {
    let organization = OrganizationId(Uuid::from_u128(7));
    Hold { user: user(1), organization, account: account(of), epoch: EPOCH + epoch }
}

fn state(held: Option<u64>, ended: Option<(u64, ClockOutReason)>) -> AccountState {
    let occupancy =
        |epoch| Occupancy { user: user(1), since: Wall(0), stale_since: None, epoch: EPOCH + epoch };
    AccountState {
        facts: AccountFacts { organization: OrganizationId(Uuid::from_u128(7)), name: "Shop".into() },
        occupancy: held.map(occupancy),
        ended: ended.map(|(epoch, reason)| EndedHold { epoch: EPOCH + epoch, reason }),
    }
}

/// What the seat is told already.
fn told(seat: &ExtensionSeat) -> Option<Parting> {
    *seat.parting.borrow()
}

#[tokio::test]
async fn every_connection_of_a_hold_is_told_how_it_ended() {
    let extensions = Extensions::default();
    let (mut one, mut other) = (extensions.join(hold(1, 5)), extensions.join(hold(1, 5)));
    let elsewhere = extensions.join(hold(2, 5));
    extensions.show_account(account(1), Some(&state(Some(5), None)));
    assert_eq!(told(&one), None, "it lasts");
    extensions.show_account(account(1), Some(&state(None, Some((5, ClockOutReason::ForceCleared)))));
    let cleared = Parting::Ended(Some(ClockOutReason::ForceCleared));
    assert_eq!((one.parting().await, other.parting().await), (cleared, cleared));
    assert_eq!(told(&elsewhere), None);
    extensions.show_account(account(2), None);
    assert_eq!(told(&elsewhere), Some(Parting::Ended(Some(ClockOutReason::Removed))));
}

#[tokio::test]
async fn what_was_overtaken_is_over_for_an_unknown_reason_and_what_is_not_seen_yet_lasts() {
    let extensions = Extensions::default();
    let (old, new) = (extensions.join(hold(1, 5)), extensions.join(hold(1, 8)));
    extensions.show_account(account(1), Some(&state(Some(7), None)));
    assert_eq!(told(&old), Some(Parting::Ended(None)));
    assert_eq!(told(&new), None, "committed a moment ago, and not read yet");
    extensions.show_account(account(1), Some(&state(None, Some((7, ClockOutReason::Inactive)))));
    assert_eq!(told(&new), None);
}

#[tokio::test]
async fn who_comes_too_late_is_told_at_once() {
    let extensions = Extensions::default();
    extensions.show_account(account(1), Some(&state(None, Some((5, ClockOutReason::Moved)))));
    assert_eq!(told(&extensions.join(hold(1, 5))), Some(Parting::Ended(Some(ClockOutReason::Moved))));
    assert_eq!(told(&extensions.join(hold(1, 4))), Some(Parting::Ended(None)));
    assert_eq!(told(&extensions.join(hold(1, 6))), None);
    let reconnect = Reconnect { after_ms: 1, spread_ms: 2 };
    extensions.close_all(reconnect);
    assert_eq!(told(&extensions.join(hold(1, 6))), Some(Parting::Restarting(reconnect)));
}

#[tokio::test]
async fn the_first_parting_holds() {
    let extensions = Extensions::default();
    let seat = extensions.join(hold(1, 5));
    extensions.show_disabled(user(2));
    assert_eq!(told(&seat), None, "somebody else");
    extensions.show_disabled(user(1));
    extensions.close_all(Reconnect { after_ms: 1, spread_ms: 2 });
    extensions.show_account(account(1), None);
    assert_eq!(told(&seat), Some(Parting::Disabled));
}

#[tokio::test(start_paused = true)]
async fn signs_tell_ages_and_go_when_nobody_is_left() {
    const SECOND: Duration = Duration::from_secs(1);
    let extensions = Extensions::default();
    let seat = extensions.join(hold(1, 5));
    advance(3 * SECOND).await;
    seat.active();
    advance(2 * SECOND).await;
    seat.heard();
    advance(SECOND).await;
    let signs = extensions.signs();
    assert_eq!(signs, [Sign { hold: hold(1, 5), heard: SECOND, active: Some(3 * SECOND) }]);
    drop(seat);
    assert_eq!(extensions.connections(), 0);
    extensions.forget_lost(5 * SECOND);
    assert_eq!(extensions.signs().len(), 1, "the last sign is still to be written");
    // Back in the meantime: it stays.
    let back = extensions.join(hold(1, 5));
    advance(6 * SECOND).await;
    extensions.forget_lost(5 * SECOND);
    assert_eq!(extensions.signs().len(), 1);
    drop(back);
    extensions.forget_lost(5 * SECOND);
    assert!(extensions.signs().is_empty());
}

#[tokio::test]
async fn who_was_told_once_may_come_again() {
    let extensions = Extensions::default();
    let seat = extensions.join(hold(1, 5));
    extensions.show_disabled(user(1));
    assert_eq!(told(&seat), Some(Parting::Disabled));
    drop(seat);
    assert_eq!(told(&extensions.join(hold(1, 5))), None, "let in again");
}
