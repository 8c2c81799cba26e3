use std::sync::atomic::Ordering::Relaxed;

use model::{DirectoryChange, SettingsPatch, Visibility, Wall};
use persistence::{Actor, OperationId, SettingsChange, Truth};
use uuid::Uuid;

use super::*;
use crate::testing::{Place, eventually, put_user, user};

fn see(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

#[tokio::test]
async fn what_others_write_is_shown_without_being_told() {
    let place = Place::new().await;
    let hub = place.start().await;
    let change = SettingsChange {
        user: user(1),
        by_back_end: false,
        patch: see(Visibility::Everyone),
        operation: Some(OperationId(Uuid::nil())),
        at: Wall(2),
        tightens: false,
        belated: false,
    };
    place.line.store.change_settings(change).await.unwrap();
    hub.eventually(1, |shown| shown.is_some_and(|it| it.visibility == Visibility::Everyone)).await;
    let changes = vec![put_user(9), DirectoryChange::RemoveUser { id: user(1) }];
    place.line.store.change_directory(changes, Wall(3), Actor::Service).await.unwrap();
    hub.eventually(1, |shown| shown.is_none()).await;
    hub.eventually(9, |shown| shown.is_some()).await;
}

/// Changes that no question finds are found by reading everything again, also that somebody is gone.
#[tokio::test]
async fn after_deafness_everything_is_read_again() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.hears.store(false, Relaxed);
    let changes = vec![put_user(9), DirectoryChange::RemoveUser { id: user(2) }];
    hub.operations.change_directory(changes, Actor::Service).await.unwrap();
    assert!(hub.shown(2).await.is_some() && hub.shown(9).await.is_none(), "nobody has found it");
    place.line.deaf.notify_one();
    hub.eventually(2, |shown| shown.is_none()).await;
    hub.eventually(9, |shown| shown.is_some()).await;
}

/// A round that broke off is asked for again from where it began: nothing is lost with it.
#[tokio::test]
async fn what_changed_while_the_store_was_away_is_shown_when_it_is_back() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.reads.store(false, Relaxed);
    place.line.store.change_directory(vec![put_user(7)], Wall(3), Actor::Service).await.unwrap();
    eventually(async || !hub.operations.follows()).await;
    place.line.reads.store(true, Relaxed);
    hub.eventually(7, |shown| shown.is_some()).await;
    assert!(hub.operations.follows());
}

/// More than a page of people, and nobody knows what changed: what is acknowledged is in force all the same.
#[tokio::test]
async fn what_is_acknowledged_is_shown_also_where_everything_is_read_again() {
    let place = Place::new().await;
    let people = (10..10 + 3 * PAGE as u128).map(put_user).collect();
    place.line.store.change_directory(people, Wall(2), Actor::Service).await.unwrap();
    let hub = place.start().await;
    place.line.knows.store(false, Relaxed);
    let last = 9 + 3 * PAGE as u128;
    for visibility in [Visibility::Everyone, Visibility::Nobody] {
        hub.operations.change_settings(user(last), see(visibility), None).await.unwrap();
        assert_eq!(hub.shown(last).await.map(|it| it.visibility), Some(visibility));
    }
    let gone = vec![DirectoryChange::RemoveUser { id: user(last) }];
    let known_again = async {
        // Committed, and still nobody knows it.
        eventually(async || place.line.store.users(Pick::These(vec![user(last)])).await.unwrap().is_empty())
            .await;
        place.line.knows.store(true, Relaxed);
    };
    let (removed, ()) = tokio::join!(hub.operations.change_directory(gone, Actor::Service), known_again);
    removed.unwrap();
    assert!(hub.shown(last).await.is_none(), "the directory waits until everything was read");
}

/// Asked for by several in one round, and changed in it too: they are there as before.
#[tokio::test]
async fn who_is_asked_for_twice_is_still_there() {
    let place = Place::new().await;
    let hub = place.start().await;
    for _ in 0..50 {
        let changes = [Visibility::Everyone, Visibility::Team, Visibility::Contacts].map(|visibility| {
            let asked = hub.operations.change_settings(user(1), see(visibility), None);
            let again = hub.operations.0.following.read_again(user(1), Duration::from_secs(20));
            async move { tokio::join!(asked, again).0.unwrap() }
        });
        for change in changes {
            change.await;
            assert!(hub.shown(1).await.is_some());
        }
    }
}

#[tokio::test]
async fn without_the_store_nothing_starts() {
    let place = Place::new().await;
    place.line.reads.store(false, Relaxed);
    let writer = place.writer();
    let (hub, _task) = Hub::start(model::Limits::default(), writer.handle());
    let options = FollowerOptions::default();
    let started =
        crate::Operations::start(hub, place.line.clone(), place.spool(), writer.handle(), options).await;
    assert!(matches!(started.err(), Some(crate::OperationError::Store(_))));
}

#[test]
fn who_is_not_on_a_page_is_missing_from_its_stretch_alone() {
    let known: BTreeSet<u32> = (0..3_000).collect();
    let full: Vec<u32> = (0..=PAGE as u32).filter(|n| *n != 500).collect();
    assert_eq!(full.len(), PAGE);
    assert_eq!(missing(&known, None, &full), [500]);
    let next: Vec<u32> = (1_001..2_001).collect();
    assert_eq!(missing(&known, Some(1_000), &next), Vec::<u32>::new());
    assert_eq!(missing(&known, Some(2_997), &[2_999]), [2_998], "the last page covers the rest");
    assert_eq!(missing(&known, Some(2_998), &[]), [2_999]);
}
