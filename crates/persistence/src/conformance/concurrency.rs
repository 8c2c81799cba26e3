//! Many at once, callers that go away, and the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use model::{DirectoryChange, Settings, UserFacts, UserId, Wall};
use tokio::task::JoinSet;

use super::{
    START, Shared, change, change_status, facts, follower::Follower, operation, put, put_organization,
    put_user, settings_of, status, status_text, user, world,
};
use crate::{Actor, Pick, SettingsChange, SettingsEntry, StoreError};

/// From the default to the settings in force, each entry beginning where the one before it ended.
fn assert_chain(history: &[SettingsEntry]) {
    let mut before = Settings::default();
    for entry in history {
        assert_eq!(entry.before, before);
        before = entry.after.clone();
    }
}

/// 50 concurrent changes of one user: all are there, none overwrites another unseen.
pub async fn concurrent_changes_are_a_chain(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let calls: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { change_status(&store, 1, &format!("status {n}")).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let history = store.settings_history(user(1)).await.unwrap();
    assert_chain(&history);
    assert_eq!(history.iter().map(|entry| status_text(&entry.after)).collect::<BTreeSet<_>>().len(), 50);
    assert_eq!(settings_of(&store, 1).await, history[49].after);
}

/// 20 concurrent calls under one name: one change, one answer.
pub async fn concurrent_calls_of_one_operation_are_one(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let once = SettingsChange { operation: operation(1), ..change(1, status("once")) };
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (store, once) = (store.clone(), once.clone());
            tokio::spawn(async move { store.change_settings(once).await })
        })
        .collect();
    for call in calls {
        assert_eq!(status_text(&call.await.unwrap().unwrap()), "once");
    }
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 1);
}

/// Writers of that many users, and how many changes each of them makes.
const WRITERS: u128 = 20;
const VERSIONS: u64 = 12;

/// 20 writers, some of them of settings and some of names, and one who follows all the time. Whatever was acknowledged
/// before an answer was asked for is shown after it: also where commits overtake each other.
pub async fn a_follower_misses_nobody(store: Shared) {
    put(&store, (1..=WRITERS).map(|n| write_version(n, 0)).collect()).await;
    let acknowledged: Arc<Vec<AtomicU64>> = Arc::new((0..=WRITERS).map(|_| AtomicU64::new(0)).collect());
    let mut follower = Follower::new(&store).await;
    let mut writers = JoinSet::new();
    for n in 1..=WRITERS {
        writers.spawn(write_versions(store.clone(), n, acknowledged.clone()));
    }
    let mut shown: BTreeMap<UserId, u64> = BTreeMap::new();
    loop {
        let finished = writers.is_empty();
        let due: Vec<u64> = acknowledged.iter().map(|version| version.load(SeqCst)).collect();
        for (id, facts) in follower.learn().await.users {
            shown.insert(id, version(&facts.expect("nobody is removed")));
        }
        for n in 1..=WRITERS {
            let (due, shown) = (due[n as usize], shown.get(&user(n)).copied().unwrap_or(0));
            assert!(shown >= due, "version {due} of user {n} was acknowledged, {shown} is shown");
        }
        if finished {
            return assert!(shown.values().all(|version| *version == VERSIONS), "{shown:?}");
        }
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
    }
}

/// Makes one user's versions one after the other.
async fn write_versions(store: Shared, n: u128, acknowledged: Arc<Vec<AtomicU64>>) {
    for version in 1..=VERSIONS {
        if n.is_multiple_of(2) {
            change_status(&store, n, &version.to_string()).await.unwrap();
        } else {
            put(&store, vec![write_version(n, version)]).await;
        }
        acknowledged[n as usize].store(version, SeqCst);
    }
}

fn write_version(n: u128, version: u64) -> DirectoryChange {
    DirectoryChange::PutUser { id: user(n), display_name: version.to_string(), disabled: false }
}

/// The version in the name or in the status, whichever its writer writes.
fn version(facts: &UserFacts) -> u64 {
    let settings = facts.settings.as_ref().map(status_text).unwrap_or_default();
    [settings, &facts.display_name].iter().filter_map(|text| text.parse().ok()).max().unwrap_or(0)
}

/// Callers give up at all moments of a change. What was acknowledged is there; what was not is there whole or not
/// at all, with its history; and the store goes on.
pub async fn dropped_calls_are_whole_or_nothing(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let mut acknowledged = Vec::new();
    for n in 0..100_u64 {
        let text = format!("status {n}");
        let patience = Duration::from_micros(n * 40);
        if let Ok(done) = tokio::time::timeout(patience, change_status(&store, 1, &text)).await {
            done.unwrap();
            acknowledged.push(text);
        }
    }
    change_status(&store, 1, "last").await.unwrap();
    acknowledged.push("last".into());
    let history = settled_history(&store).await;
    assert_chain(&history);
    let there: BTreeSet<&str> = history.iter().map(|entry| status_text(&entry.after)).collect();
    assert!(acknowledged.iter().all(|text| there.contains(text.as_str())), "{acknowledged:?} in {there:?}");
}

/// The history at a moment at which the settings in force are its last entry. Changes whose callers went away may
/// still land: each at most once, so that this ends.
async fn settled_history(store: &Shared) -> Vec<SettingsEntry> {
    loop {
        let history = store.settings_history(user(1)).await.unwrap();
        let in_force = settings_of(store, 1).await;
        if history == store.settings_history(user(1)).await.unwrap() {
            assert_eq!(history.last().map(|entry| &entry.after), Some(&in_force));
            return history;
        }
    }
}

/// Pairs of users are put by callers that give up: no pair is ever half there.
pub async fn dropped_directory_calls_are_whole_or_nothing(store: Shared) {
    put(&store, vec![put_organization(1)]).await;
    let mut acknowledged = Vec::new();
    for n in 1..=60_u64 {
        let pair = vec![put_user(u128::from(2 * n)), put_user(u128::from(2 * n + 1))];
        let call = store.change_directory(pair, START, Actor::Service);
        if let Ok(done) = tokio::time::timeout(Duration::from_micros(n * 60), call).await {
            done.unwrap();
            acknowledged.push(u128::from(2 * n));
        }
    }
    put(&store, vec![put_user(1)]).await;
    let there: BTreeSet<_> = world(&store).await.0.into_iter().map(|(id, _)| id).collect();
    assert!((1..=60).all(|n| there.contains(&user(2 * n)) == there.contains(&user(2 * n + 1))));
    assert!(acknowledged.iter().all(|n| there.contains(&user(*n))));
    assert!(facts(&store, 1).await.is_some());
}

/// After the end every call says so, and closing again does nothing.
pub async fn a_closed_store_is_unavailable(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    store.probe().await.unwrap();
    let cursor = store.cursor().await.unwrap();
    store.close().await;
    store.close().await;
    let answers = [
        store.cursor().await.map(|_| ()),
        store.changes(&cursor).await.map(|_| ()),
        store.users(Pick::Next(None, 1)).await.map(|_| ()),
        store.accounts(Pick::These(vec![])).await.map(|_| ()),
        change_status(&store, 1, "late").await.map(|_| ()),
        store.change_directory(vec![put_user(2)], START, Actor::Service).await,
        store.write_last_seen(&[]).await.map(|_| ()),
        store.settings_history(user(1)).await.map(|_| ()),
        store.expire(Wall(0)).await.map(|_| ()),
        store.token_key().await.map(|_| ()),
        store.mark_stale(Duration::ZERO).await.map(|_| ()),
        store.probe().await,
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)) && error.is_retryable(), "{error}");
    }
}
