//! Signs of life of extensions: who is lost, who is back, and who did nothing.

use std::time::Duration;

use model::{ClockOutReason, EndedHold, Hold, Wall, limits};

use super::{
    Shared, account,
    clocked::{HOUR, assert_untold, clock_in, hold, occupancy, put_agency, refused, state},
    exported::{exported, instant, now},
    follower::Follower,
    put, user,
};
use crate::{ExportPart, Sign, StoreError};

const MINUTE: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::ZERO;

fn sign(hold: Hold, heard: Duration, active: Option<Duration>) -> Sign {
    Sign { hold, heard, active }
}

/// The last sign and the last activity of a user's hold.
async fn times(store: &Shared, n: u128) -> [Wall; 2] {
    let rows = exported(store, n, ExportPart::Occupancy).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    ["last_sign_at", "last_activity_at"].map(|column| instant(&row[column]))
}

async fn is_stale(store: &Shared, n: u128) -> bool {
    occupancy(store, n).await.expect("it is held").stale_since.is_some()
}

/// Written with nobody lost and nobody idle.
async fn write(store: &Shared, signs: &[Sign]) {
    assert_eq!(store.write_signs(signs, MINUTE, HOUR).await.unwrap(), []);
}

/// Neither is told to anybody; and what was said later about an earlier time changes nothing.
pub async fn signs_never_go_back(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let [began, _] = times(&store, 2).await;
    super::clocked::until(async || now() > began).await;
    let mut follower = Follower::new(&store).await;
    write(&store, &[sign(held, NOW, None)]).await;
    let [heard, idle] = times(&store, 2).await;
    assert!(heard > began && idle == began, "{heard:?} {idle:?} {began:?}");
    write(&store, &[sign(held, NOW, Some(NOW))]).await;
    let after = times(&store, 2).await;
    assert!(after[1] > began, "{after:?}");
    write(&store, &[sign(held, MINUTE / 2, Some(MINUTE / 2))]).await;
    assert_eq!(times(&store, 2).await, after);
    let twice = [sign(held, NOW, None), sign(held, MINUTE / 2, None)];
    write(&store, &twice).await;
    assert!(times(&store, 2).await[0] >= after[0]);
    assert_untold(&mut follower).await;
}

/// Of which the store knows nothing any more, or never did: others are written all the same.
pub async fn signs_of_what_is_over_are_passed_over(store: Shared) {
    put_agency(&store).await;
    let old = hold(&store, 2, 1).await;
    store.clock_out(old, None).await.unwrap();
    let held = hold(&store, 2, 1).await;
    let other = hold(&store, 5, 2).await;
    assert_eq!(store.mark_stale(NOW).await.unwrap(), 2);
    let strange = [old, Hold { user: user(5), ..held }, Hold { account: account(9), ..held }];
    let mut signs: Vec<_> = strange.map(|it| sign(it, NOW, Some(NOW))).into();
    assert_eq!(store.write_signs(&signs, MINUTE, NOW).await.unwrap(), []);
    assert!(is_stale(&store, 1).await && is_stale(&store, 2).await);
    signs.extend((1..limits::SIGNS_AT_ONCE as u64 - 3).map(|n| sign(Hold { epoch: n, ..old }, NOW, None)));
    signs.push(sign(other, NOW, None));
    write(&store, &signs).await;
    assert!(is_stale(&store, 1).await && !is_stale(&store, 2).await);
    assert_eq!(store.write_signs(&[], MINUTE, NOW).await.unwrap(), []);
}

/// Marked once, told once, and it lasts.
pub async fn who_is_lost_is_marked(store: Shared) {
    put_agency(&store).await;
    let (lost, other) = (hold(&store, 2, 1).await, hold(&store, 5, 2).await);
    let mut follower = Follower::new(&store).await;
    assert_eq!(store.mark_stale(MINUTE).await.unwrap(), 0);
    assert_untold(&mut follower).await;
    assert_eq!(store.mark_stale(NOW).await.unwrap(), 2);
    assert_eq!(follower.found().await.accounts, [account(1), account(2)]);
    assert_eq!(store.mark_stale(NOW).await.unwrap(), 0);
    assert_untold(&mut follower).await;
    let shown = occupancy(&store, 1).await.unwrap();
    let [heard, _] = times(&store, 2).await;
    assert_eq!((shown.user, shown.stale_since, shown.epoch), (user(2), Some(heard), lost.epoch));
    for held in [lost, other] {
        assert_eq!(store.find_hold(held).await.unwrap().hold, held);
    }
    refused!(clock_in(&store, 6, 1).await, Occupied);
    let again = clock_in(&store, 2, 1).await.unwrap();
    assert_eq!((again.hold, again.new), (lost, false));
    assert!(is_stale(&store, 1).await, "a clock-in to where one is changes nothing");
}

/// As if nothing had been, and what was not done meanwhile does not count.
pub async fn who_is_back_is_not_lost(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    store.mark_stale(NOW).await.unwrap();
    let since = occupancy(&store, 1).await.unwrap().since;
    let [_, idle] = times(&store, 2).await;
    super::clocked::until(async || now() > idle).await;
    let mut follower = Follower::new(&store).await;
    write(&store, &[sign(held, NOW, None)]).await;
    assert_eq!(follower.found().await.accounts, [account(1)]);
    let shown = occupancy(&store, 1).await.unwrap();
    assert_eq!((shown.stale_since, shown.since, shown.epoch), (None, since, held.epoch));
    assert!(times(&store, 2).await[1] > idle, "inactivity is counted from now");
    write(&store, &[sign(held, NOW, None)]).await;
    assert_untold(&mut follower).await;
}

/// Who was lost without anybody noticing is back all the same: what was not done meanwhile does not count.
pub async fn who_was_lost_unnoticed_is_back(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let (began, moment) = (times(&store, 2).await, Duration::from_millis(20));
    super::clocked::until(async || now().0 > began[0].0 + 50).await;
    assert_eq!(store.write_signs(&[sign(held, NOW, None)], moment, HOUR).await.unwrap(), []);
    let back = times(&store, 2).await;
    assert!(back[1] > began[1], "inactivity is counted from now: {back:?} {began:?}");
    write(&store, &[sign(held, NOW, None)]).await;
    assert_eq!(times(&store, 2).await[1], back[1], "nothing was done, and nobody was lost");
}

/// What is heard of too long ago is no return; and a lost connection never clocks out.
pub async fn a_late_sign_is_no_return(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    store.mark_stale(NOW).await.unwrap();
    let mut follower = Follower::new(&store).await;
    assert_eq!(store.write_signs(&[sign(held, MINUTE, None)], MINUTE, NOW).await.unwrap(), []);
    assert!(is_stale(&store, 1).await);
    assert_untold(&mut follower).await;
}

/// Nobody noticed that they were lost: for as long as nobody was there, nothing could be done.
pub async fn who_is_lost_is_not_idle(store: Shared) {
    put_agency(&store).await;
    let (lost, there) = (hold(&store, 2, 1).await, hold(&store, 5, 2).await);
    let signs = [sign(lost, MINUTE, None), sign(there, NOW, None)];
    assert_eq!(store.write_signs(&signs, MINUTE, NOW).await.unwrap(), [there]);
    assert_eq!(store.find_hold(lost).await.unwrap().hold, lost);
}

/// Of those who are there, and no others; each is told of once.
pub async fn who_does_nothing_is_clocked_out(store: Shared) {
    put_agency(&store).await;
    let (idle, other) = (hold(&store, 2, 1).await, hold(&store, 5, 2).await);
    let mut follower = Follower::new(&store).await;
    write(&store, &[sign(idle, NOW, None), sign(other, NOW, None)]).await;
    assert_untold(&mut follower).await;
    assert_eq!(store.write_signs(&[sign(idle, NOW, None)], MINUTE, NOW).await.unwrap(), [idle]);
    assert_eq!(follower.found().await.accounts, [account(1)]);
    let ended = EndedHold { epoch: idle.epoch, reason: ClockOutReason::Inactive };
    assert_eq!(state(&store, 1).await.unwrap().ended, Some(ended));
    refused!(store.find_hold(idle).await, NotHeld);
    assert_eq!(store.find_hold(other).await.unwrap().hold, other, "nobody said anything of it");
    assert_eq!(store.write_signs(&[sign(idle, NOW, None)], MINUTE, NOW).await.unwrap(), []);
}

/// Who is disabled cannot come back, and is not clocked out for doing nothing.
pub async fn the_disabled_do_not_come_back(store: Shared) {
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let disabled =
        model::DirectoryChange::PutUser { id: user(2), display_name: "User 2".into(), disabled: true };
    put(&store, vec![disabled]).await;
    assert_eq!(store.mark_stale(NOW).await.unwrap(), 1);
    assert_eq!(store.write_signs(&[sign(held, NOW, Some(NOW))], MINUTE, NOW).await.unwrap(), []);
    assert!(is_stale(&store, 1).await);
}
