//! Last-seen: never backwards, never for those who are not there.

use model::{ActivityType, CleanText, Device, Wall};
use serde_json::{Value, json};

use super::{
    Shared, be_seen,
    exported::{exported, pick, soon, utc},
    facts, later, noted, put, put_user, remove_user, user, world,
};
use crate::{Actor, ExportPart, LastSeen, Written};

fn note(n: u128, at: Wall) -> LastSeen {
    LastSeen {
        page: CleanText::parse_page("/o'brien/\"quoted\"?x=1", "page", 512).unwrap(),
        device: Some(Device::Desktop),
        activity: Some(ActivityType::PageView),
        session_minutes: 7,
        ..noted(n, at)
    }
}

async fn seen(store: &Shared, n: u128) -> Option<Wall> {
    facts(store, n).await.expect("the user is there").last_seen
}

/// With page and device, and without.
pub async fn last_seen_is_read(store: Shared) {
    put(&store, vec![put_user(1), put_user(2), put_user(3)]).await;
    let written = store.write_last_seen(&[note(1, later(1)), noted(2, later(2))]).await.unwrap();
    assert_eq!(written, Written { written: 2, passed_over: 0 });
    assert_eq!(seen(&store, 1).await, Some(later(1)));
    assert_eq!(seen(&store, 2).await, Some(later(2)));
    assert_eq!(seen(&store, 3).await, None);
}

/// Over batches and within one.
pub async fn last_seen_never_goes_back(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    for (batch, expected) in [
        (vec![note(1, later(20))], 20),
        (vec![note(1, later(10))], 20),
        (vec![note(1, later(20))], 20),
        (vec![note(1, later(30)), note(1, later(25))], 30),
    ] {
        assert_eq!(store.write_last_seen(&batch).await.unwrap().passed_over, 0);
        assert_eq!(seen(&store, 1).await, Some(later(expected)));
    }
}

/// A note of somebody unknown neither fails nor hinders the others.
pub async fn strangers_are_passed_over(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let batch = [note(8, later(1)), note(1, later(1)), note(9, later(1))];
    assert_eq!(store.write_last_seen(&batch).await.unwrap(), Written { written: 1, passed_over: 2 });
    assert_eq!(seen(&store, 1).await, Some(later(1)));
    assert_eq!(world(&store).await.0.len(), 1);
}

/// A note that waited while its user was removed writes nothing: neither into the void nor to whoever was created
/// again under the id.
pub async fn the_erased_are_not_resurrected(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    store.write_last_seen(&[note(1, later(5))]).await.unwrap();
    store.change_directory(vec![remove_user(1)], later(10), Actor::Service).await.unwrap();
    store.write_last_seen(&[note(1, later(9))]).await.unwrap();
    assert_eq!(world(&store).await.0, []);
    store.change_directory(vec![put_user(1)], later(20), Actor::Service).await.unwrap();
    store.write_last_seen(&[note(1, later(9))]).await.unwrap();
    assert_eq!(seen(&store, 1).await, None);
    store.write_last_seen(&[note(1, later(20))]).await.unwrap();
    assert_eq!(seen(&store, 1).await, Some(later(20)));
}

/// Nothing to write is fine.
pub async fn an_empty_batch_is_nothing(store: Shared) {
    assert_eq!(store.write_last_seen(&[]).await.unwrap(), Written::default());
    assert_eq!(world(&store).await.0, []);
}

async fn row(store: &Shared, n: u128) -> Value {
    let rows = exported(store, n, ExportPart::LastSeen).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let names =
        ["last_seen_at", "last_page", "last_device", "last_activity_type", "session_duration_minutes"];
    pick(row, &names)
}

/// Page, device, activity and minutes go together: none is left of an older note.
pub async fn a_note_replaces_the_one_before_whole(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    store.write_last_seen(&[note(1, later(1))]).await.unwrap();
    let first = json!([utc(later(1)), "/o'brien/\"quoted\"", "desktop", "page_view", 7]);
    assert_eq!(row(&store, 1).await, first);
    store.write_last_seen(&[noted(1, later(0))]).await.unwrap();
    assert_eq!(row(&store, 1).await, first);
    store.write_last_seen(&[noted(1, later(2))]).await.unwrap();
    assert_eq!(row(&store, 1).await, json!([utc(later(2)), null, null, null, 0]));
}

/// A note that waited while its user's data was erased is not written, and neither is a later one, until they choose to be
/// seen.
pub async fn an_erasure_ends_what_was_noted_before(store: Shared) {
    put(&store, vec![put_user(1), put_user(2)]).await;
    store.write_last_seen(&[note(1, later(1)), note(2, later(1))]).await.unwrap();
    store.erase(user(1), later(10)).await.unwrap();
    assert_eq!((seen(&store, 1).await, seen(&store, 2).await), (None, Some(later(1))));
    let late = store.write_last_seen(&[note(1, later(9)), note(2, later(9))]).await.unwrap();
    assert_eq!(late, Written { written: 1, passed_over: 1 });
    assert_eq!(seen(&store, 1).await, None);
    let late = store.write_last_seen(&[note(1, soon(0))]).await.unwrap();
    assert_eq!((late.passed_over, seen(&store, 1).await), (1, None));
    be_seen(&store, 1).await;
    let late = store.write_last_seen(&[note(1, later(11))]).await.unwrap();
    assert_eq!((late.passed_over, seen(&store, 1).await), (1, None), "from before the choice");
    store.write_last_seen(&[note(1, soon(0))]).await.unwrap();
    assert_eq!(seen(&store, 1).await, Some(soon(0)));
}
