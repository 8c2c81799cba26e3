use std::sync::atomic::Ordering::Relaxed;

use model::Visibility;

use super::*;
use crate::testing::{Place, Running, eventually, put_user, user};

fn see(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

fn name(n: u128) -> Option<OperationId> {
    Some(OperationId(Uuid::from_u128(n)))
}

async fn change(hub: &Running, patch: SettingsPatch, n: u128) -> Result<Changed, OperationError> {
    hub.operations.change_settings(user(1), patch, name(n)).await
}

async fn visible_as(hub: &Running) -> Visibility {
    hub.shown(1).await.expect("a user").visibility
}

async fn entries(place: &Place) -> Vec<Visibility> {
    let history = place.line.store.settings_history(user(1)).await.unwrap();
    history.iter().map(|entry| entry.after.visibility).collect()
}

async fn spool_empty(hub: &Running) {
    eventually(async || hub.operations.spooled() == 0).await;
}

#[tokio::test]
async fn what_is_acknowledged_is_committed_and_shown() {
    let place = Place::new().await;
    let hub = place.start().await;
    for (n, visibility) in [(1, Visibility::Everyone), (2, Visibility::Nobody), (3, Visibility::Team)] {
        let changed = change(&hub, see(visibility), n).await.unwrap();
        assert_eq!((changed.settings.visibility, changed.kept), (visibility, Kept::Durably));
        assert_eq!(visible_as(&hub).await, visibility);
    }
    let again = change(&hub, see(Visibility::Everyone), 1).await.unwrap();
    assert_eq!(again.settings.visibility, Visibility::Everyone, "what it came to then");
    assert_eq!(visible_as(&hub).await, Visibility::Team, "what is in force");
    hub.operations.change_directory(vec![put_user(8)], Actor::Service).await.unwrap();
    assert!(hub.shown(8).await.is_some());
}

#[tokio::test]
async fn without_the_store_hiding_works_and_showing_is_refused() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.cut(true);
    let refused = change(&hub, see(Visibility::Everyone), 1).await.unwrap_err();
    assert!(matches!(refused, OperationError::Store(StoreError::Unavailable(_))), "{refused}");
    assert_eq!(visible_as(&hub).await, Visibility::Contacts);
    let hidden = change(&hub, see(Visibility::Nobody), 2).await.unwrap();
    assert_eq!((hidden.settings.visibility, hidden.kept), (Visibility::Nobody, Kept::Spooled));
    assert_eq!((visible_as(&hub).await, hub.operations.spooled()), (Visibility::Nobody, 1));
    let again = change(&hub, see(Visibility::Nobody), 2).await.unwrap();
    assert_eq!((again.kept, hub.operations.spooled()), (Kept::Spooled, 1), "one name waits once");
    let other = SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() };
    let conflict = change(&hub, other, 2).await.unwrap_err();
    assert!(matches!(conflict, OperationError::Store(StoreError::OperationConflict)), "{conflict}");
    assert_eq!(visible_as(&hub).await, Visibility::Nobody, "a refused change lifts nothing");
    assert!(change(&hub, see(Visibility::Contacts), 3).await.is_err(), "showing again has to be durable");
    place.line.cut(false);
    spool_empty(&hub).await;
    assert_eq!(entries(&place).await, [Visibility::Nobody], "once, and nothing of what was refused");
    assert_eq!(visible_as(&hub).await, Visibility::Nobody);
    change(&hub, see(Visibility::Everyone), 4).await.unwrap();
    hub.eventually(1, |shown| shown.is_some_and(|it| it.visibility == Visibility::Everyone)).await;
}

/// A change that comes when the store is back does not overtake what waits of the same user.
#[tokio::test]
async fn what_waits_is_committed_before_what_comes() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.writes.store(false, Relaxed);
    change(&hub, see(Visibility::Nobody), 1).await.unwrap();
    place.line.writes.store(true, Relaxed);
    change(&hub, see(Visibility::Everyone), 2).await.unwrap();
    assert_eq!(entries(&place).await, [Visibility::Nobody, Visibility::Everyone]);
    hub.eventually(1, |shown| shown.is_some_and(|it| it.visibility == Visibility::Everyone)).await;
}

#[tokio::test]
async fn after_a_restart_who_waits_is_hidden_until_it_is_committed() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.writes.store(false, Relaxed);
    let team = SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() };
    change(&hub, team, 1).await.unwrap();
    assert_eq!(visible_as(&hub).await, Visibility::Contacts, "only what was asked is hidden here");
    drop(hub);
    let hub = restarted(&place).await;
    assert_eq!(visible_as(&hub).await, Visibility::Nobody);
    place.line.writes.store(true, Relaxed);
    let committed = |shown: Option<&Settings>| {
        shown.is_some_and(|it| it.visibility == Visibility::Contacts && !it.show_activity)
    };
    hub.eventually(1, committed).await;
    spool_empty(&hub).await;
}

/// The spool and the backlog are let go of when the tasks of the hub before have ended.
async fn restarted(place: &Place) -> Running {
    eventually(async || persistence::Spool::open(place.spool_path()).is_ok()).await;
    eventually(async || place.backlog().is_ok()).await;
    place.start().await
}

/// Committed, but it cannot be read back: what it hides is hidden when it is acknowledged.
#[tokio::test]
async fn what_cannot_be_read_back_is_hidden_all_the_same() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.reads.store(false, Relaxed);
    let changed = change(&hub, see(Visibility::Nobody), 1).await.unwrap();
    assert_eq!((changed.kept, visible_as(&hub).await), (Kept::Durably, Visibility::Nobody));
    assert_eq!(hub.operations.spooled(), 0);
    let changed = change(&hub, see(Visibility::Everyone), 2).await.unwrap();
    assert_eq!((changed.kept, visible_as(&hub).await), (Kept::Durably, Visibility::Nobody));
    place.line.reads.store(true, Relaxed);
    hub.eventually(1, |shown| shown.is_some_and(|it| it.visibility == Visibility::Everyone)).await;
}

/// Who is gone when the store is back takes nothing along.
#[tokio::test]
async fn what_can_never_be_committed_is_dropped() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.writes.store(false, Relaxed);
    change(&hub, see(Visibility::Nobody), 1).await.unwrap();
    let gone = vec![DirectoryChange::RemoveUser { id: user(1) }];
    place.line.store.change_directory(gone, model::Wall(5), Actor::Service).await.unwrap();
    place.line.writes.store(true, Relaxed);
    spool_empty(&hub).await;
    hub.eventually(1, |shown| shown.is_none()).await;
}

/// A database that refuses what was acknowledged does not bring anybody to light.
#[tokio::test]
async fn what_cannot_be_committed_goes_on_hiding() {
    let place = Place::new().await;
    let hub = place.start().await;
    change(&hub, see(Visibility::Everyone), 1).await.unwrap();
    place.line.writes.store(false, Relaxed);
    change(&hub, see(Visibility::Nobody), 2).await.unwrap();
    place.line.refuses.store(true, Relaxed);
    place.line.writes.store(true, Relaxed);
    hub.operations.0.commit_waiting().await;
    assert_eq!((hub.operations.spooled(), visible_as(&hub).await), (1, Visibility::Nobody));
    place.line.refuses.store(false, Relaxed);
    spool_empty(&hub).await;
    assert_eq!(entries(&place).await, [Visibility::Everyone, Visibility::Nobody]);
}

/// What was acknowledged under a name that turns out to be taken is committed under another one.
#[tokio::test]
async fn a_name_that_was_taken_loses_nothing() {
    let place = Place::new().await;
    let hub = place.start().await;
    change(&hub, see(Visibility::Everyone), 1).await.unwrap();
    place.line.writes.store(false, Relaxed);
    change(&hub, see(Visibility::Nobody), 1).await.unwrap();
    place.line.writes.store(true, Relaxed);
    spool_empty(&hub).await;
    assert_eq!(entries(&place).await, [Visibility::Everyone, Visibility::Nobody]);
}

/// Another hub has hidden the user more since: what waited here does not undo it.
#[tokio::test]
async fn what_waited_shows_nothing_that_was_hidden_meanwhile() {
    let place = Place::new().await;
    let hub = place.start().await;
    change(&hub, see(Visibility::Everyone), 1).await.unwrap();
    place.line.writes.store(false, Relaxed);
    change(&hub, see(Visibility::Team), 2).await.unwrap();
    let elsewhere = SettingsChange {
        user: user(1),
        by_back_end: false,
        patch: see(Visibility::Nobody),
        operation: name(3),
        at: model::Wall(9),
        tightens: true,
        belated: false,
    };
    place.line.store.change_settings(elsewhere).await.unwrap();
    place.line.writes.store(true, Relaxed);
    spool_empty(&hub).await;
    assert_eq!(entries(&place).await, [Visibility::Everyone, Visibility::Nobody]);
}

/// A hiding may be faster than the showing before it, but does not overtake it.
#[tokio::test]
async fn changes_of_a_user_are_made_in_their_order() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.stuck.store(true, Relaxed);
    let show = hub.operations.change_settings(user(1), see(Visibility::Everyone), None);
    eventually(async || place.line.standing.load(Relaxed) == 1).await;
    place.line.stuck.store(false, Relaxed);
    let hide = hub.operations.change_settings(user(1), see(Visibility::Nobody), None);
    // Whatever the hiding does at once, it has done when a change of somebody else is through.
    hub.operations.change_settings(user(2), see(Visibility::Nobody), None).await.unwrap();
    place.line.thaw.notify_one();
    let (hidden, shown) = tokio::join!(hide, show);
    assert_eq!((hidden.unwrap().kept, shown.unwrap().kept), (Kept::Durably, Kept::Durably));
    assert_eq!(entries(&place).await, [Visibility::Everyone, Visibility::Nobody]);
    assert_eq!(visible_as(&hub).await, Visibility::Nobody);
}

/// A showing that was given up by its caller goes on in the store: a hiding asked for after it is not overtaken by it,
/// whether it was spooled meanwhile or waits for its turn.
#[tokio::test]
async fn a_change_that_outlives_its_caller_is_not_overtaken() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.stuck.store(true, Relaxed);
    let show = change(&hub, see(Visibility::Everyone), 1).await;
    assert!(matches!(show, Err(OperationError::Store(StoreError::Unavailable(_)))));
    let hide = change(&hub, see(Visibility::Nobody), 2).await.unwrap();
    assert_eq!((hide.kept, visible_as(&hub).await), (Kept::Spooled, Visibility::Nobody));
    place.line.stuck.store(false, Relaxed);
    place.line.thaw.notify_waiters();
    spool_empty(&hub).await;
    assert_eq!(entries(&place).await, [Visibility::Everyone, Visibility::Nobody]);
    assert_eq!(visible_as(&hub).await, Visibility::Nobody);
}

/// What is asked before has to be in force for what is asked after to be a hiding.
#[tokio::test]
async fn what_hides_is_judged_in_its_turn() {
    let place = Place::new().await;
    let hub = place.start().await;
    change(&hub, see(Visibility::Everyone), 1).await.unwrap();
    let hide = hub.operations.change_settings(user(1), see(Visibility::Nobody), None);
    let team = hub.operations.change_settings(user(1), see(Visibility::Team), None);
    hide.await.unwrap();
    place.line.writes.store(false, Relaxed);
    match team.await {
        Ok(changed) => assert_eq!(changed.kept, Kept::Durably, "it was in time"),
        Err(refused) => assert!(matches!(refused, OperationError::Store(StoreError::Unavailable(_)))),
    }
}

/// An earlier change that the database refuses is no answer to a later one.
#[tokio::test]
async fn what_is_refused_stands_in_nobodys_way() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.writes.store(false, Relaxed);
    let quiet = SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() };
    change(&hub, quiet, 1).await.unwrap();
    place.line.refuses.store(true, Relaxed);
    place.line.writes.store(true, Relaxed);
    let hidden = change(&hub, see(Visibility::Nobody), 2).await.unwrap();
    assert_eq!((hidden.kept, visible_as(&hub).await), (Kept::Spooled, Visibility::Nobody));
    assert!(change(&hub, see(Visibility::Everyone), 3).await.is_err());
}
