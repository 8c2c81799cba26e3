//! Last-seen: never backwards, never for those who are not there.

use model::{CleanText, Device, Wall};

use super::{Shared, facts, later, put, put_user, remove_user, user, world};
use crate::{Actor, LastSeen};

fn note(n: u128, at: Wall) -> LastSeen {
    LastSeen {
        user: user(n),
        at,
        page: CleanText::parse_page("/o'brien/\"quoted\"?x=1", "page", 512).unwrap(),
        device: Some(Device::Desktop),
    }
}

async fn seen(store: &Shared, n: u128) -> Option<Wall> {
    facts(store, n).await.expect("the user is there").last_seen
}

/// With page and device, and without.
pub async fn last_seen_is_read(store: Shared) {
    put(&store, vec![put_user(1), put_user(2), put_user(3)]).await;
    let bare = LastSeen { page: None, device: None, ..note(2, later(2)) };
    store.write_last_seen(&[note(1, later(1)), bare]).await.unwrap();
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
        store.write_last_seen(&batch).await.unwrap();
        assert_eq!(seen(&store, 1).await, Some(later(expected)));
    }
}

/// A note of somebody unknown neither fails nor hinders the others.
pub async fn strangers_are_passed_over(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    store.write_last_seen(&[note(8, later(1)), note(1, later(1)), note(9, later(1))]).await.unwrap();
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
    store.write_last_seen(&[]).await.unwrap();
    assert_eq!(world(&store).await.0, []);
}
