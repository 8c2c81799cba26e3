use std::{fs, path::Path, sync::atomic::Ordering::Relaxed};

use model::{ActivityType, Metadata, OrganizationId, SettingsPatch, Visibility, Wall};
use persistence::{ActivityRow, Actor, ExportPart, LastSeen, Note, Person, Store};
use uuid::Uuid;

use super::*;
use crate::testing::{Place, Running, eventually, put_user, user};

fn seen(n: u128, at: Wall) -> Note {
    let (page, device, activity) = (None, None, None);
    Note::LastSeen(LastSeen { user: user(n), at, page, device, activity, session_minutes: 0 })
}

fn done(n: u128, at: Wall) -> Note {
    Note::Activity(ActivityRow {
        id: Uuid::new_v4(),
        organization: OrganizationId(Uuid::from_u128(7)),
        user: user(n),
        kind: ActivityType::Focus,
        page: None,
        at,
        device: None,
        session: None,
        metadata: Metadata::new(),
    })
}

/// Whether a file under a directory names this user.
fn names(directory: &Path, n: u128) -> bool {
    let id = user(n).to_string();
    fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok).any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            names(&path, n)
        } else {
            fs::read_to_string(&path).is_ok_and(|text| text.contains(&id))
        }
    })
}

async fn last_seen(place: &Place, n: u128) -> usize {
    let page = place.line.store.export_page(user(n), ExportPart::LastSeen, None).await.unwrap();
    page.rows.len()
}

fn now(hub: &Running) -> Wall {
    hub.hub.clock().now().wall
}

#[tokio::test]
async fn nothing_is_left_in_memory_and_nothing_of_before_is_written() {
    let place = Place::new().await;
    let hub = place.start().await;
    let note = seen(1, now(&hub));
    hub.writer.handle().note(note);
    hub.writer.handle().note(seen(2, now(&hub)));
    hub.operations.erase(user(1)).await.unwrap();
    assert_eq!(hub.shown(1).await.map(|settings| settings.visibility), Some(Visibility::Nobody));
    hub.writer.shutdown().await;
    assert_eq!((last_seen(&place, 1).await, last_seen(&place, 2).await), (0, 1));
}

/// Refused at once, and nothing has happened.
#[tokio::test]
async fn without_the_store_nobody_is_erased() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.cut(true);
    let refused = hub.operations.erase(user(1)).await;
    assert!(matches!(refused, Err(OperationError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    assert_eq!(hub.shown(1).await.map(|settings| settings.visibility), Some(Visibility::Contacts));
    let nobody = hub.operations.erase(user(99)).await;
    assert!(nobody.is_err());
}

/// What waits on the disk goes too: rows of an outage, and a tightening that was never committed.
#[tokio::test]
async fn what_waits_on_the_disk_is_erased() {
    let place = Place::new().await;
    let hub = place.start().await;
    place.line.writes.store(false, Relaxed);
    for n in [1, 2] {
        for _ in 0..1_000 {
            hub.writer.handle().note(done(n, now(&hub)));
        }
    }
    let hide = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
    hub.operations.change_settings(user(1), hide, None).await.unwrap();
    eventually(async || names(&place.home(), 1) && names(&place.home(), 2)).await;
    // The store is back for the erasure alone: the writer looks for it every five seconds only.
    place.line.writes.store(true, Relaxed);
    hub.operations.erase(user(1)).await.unwrap();
    assert_eq!(hub.operations.spooled(), 0);
    assert!(!names(&place.home(), 1), "in a file");
}

#[tokio::test]
async fn who_is_removed_from_the_directory_is_forgotten_by_the_writer() {
    let place = Place::new().await;
    place.line.store.change_directory(vec![put_user(9)], Wall(2), Actor::Service).await.unwrap();
    let hub = place.start().await;
    hub.writer.handle().note(seen(9, now(&hub)));
    assert_eq!(hub.writer.stats().pending, 1);
    let gone = vec![DirectoryChange::RemoveUser { id: user(9) }];
    hub.operations.change_directory(gone, Actor::Service).await.unwrap();
    assert_eq!(hub.writer.stats().pending, 0);

    // Behind the hub's back too.
    hub.writer.handle().note(seen(2, now(&hub)));
    let gone = vec![DirectoryChange::RemoveUser { id: user(2) }];
    place.line.store.change_directory(gone, Wall(3), Actor::Service).await.unwrap();
    eventually(async || hub.writer.stats().pending == 0).await;
}
