use model::{SettingsPatch, Visibility, Wall};
use uuid::Uuid;

use super::*;

fn change(user: u128, operation: u128) -> SettingsChange {
    let patch = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
    SettingsChange {
        user: UserId(Uuid::from_u128(user)),
        by_back_end: false,
        patch,
        operation: Some(OperationId(Uuid::from_u128(operation))),
        at: Wall(1_700_000_000_000),
        tightens: true,
        belated: true,
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn remove(spool: &Spool, change: &SettingsChange) {
    spool.remove(change.user, change.operation.unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_waits_survives_the_process_in_order() {
    let home = directory();
    let path = home.path().join("deep/spool");
    let spool = Spool::open(&path).unwrap();
    let changes = [change(1, 10), change(2, 20), change(1, 11)];
    for change in &changes {
        spool.put(change.clone()).await.unwrap();
    }
    drop(spool);
    let spool = Spool::open(&path).unwrap();
    assert_eq!(spool.waiting(), changes);
    assert_eq!(spool.waiting_of(changes[0].user), [changes[0].clone(), changes[2].clone()]);
    remove(&spool, &changes[0]).await;
    drop(spool);
    let spool = Spool::open(&path).unwrap();
    assert_eq!(spool.waiting(), changes[1..]);
    spool.put(change(3, 30)).await.unwrap();
    assert_eq!(spool.waiting().last(), Some(&change(3, 30)), "numbers go on");
}

#[tokio::test]
async fn one_name_waits_once_and_going_twice_is_nothing() {
    let home = directory();
    let spool = Spool::open(home.path()).unwrap();
    spool.put(change(1, 10)).await.unwrap();
    spool.put(change(1, 10)).await.unwrap();
    spool.put(change(2, 10)).await.unwrap();
    assert_eq!(spool.len(), 2, "names of different users never meet");
    let other = SettingsChange { patch: SettingsPatch::default(), ..change(1, 10) };
    assert!(matches!(spool.put(other).await, Err(SpoolError::Conflict)));
    assert!(spool.holds(change(1, 10).user, change(1, 10).operation.unwrap()));
    remove(&spool, &change(1, 10)).await;
    remove(&spool, &change(1, 10)).await;
    assert_eq!(spool.waiting(), [change(2, 10)]);
    assert!(!spool.holds(change(1, 10).user, change(1, 10).operation.unwrap()));
}

#[tokio::test]
async fn a_spool_has_one_owner() {
    let home = directory();
    let spool = Spool::open(home.path()).unwrap();
    let second = Spool::open(home.path()).unwrap_err();
    assert!(matches!(second, SpoolError::Locked { .. }), "{second}");
    drop(spool);
    Spool::open(home.path()).unwrap();
}

#[tokio::test]
async fn a_write_that_broke_off_is_nothing_and_a_foreign_file_is_refused() {
    let home = directory();
    fs::write(home.path().join("new"), "{\"user\":").unwrap();
    assert!(Spool::open(home.path()).unwrap().is_empty());
    for (name, text) in
        [("00000000000000000001.json", "{}"), ("first.json", &entry::write(&change(1, 1)).unwrap())]
    {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        let error = Spool::open(home.path()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn a_full_spool_refuses_and_takes_again() {
    let home = directory();
    let spool = Spool::open(home.path()).unwrap();
    // On the disk each would be synced; in memory the last places are what is to be tested.
    spool.shared.waiting(|waiting| {
        waiting.extend((0..limits::SPOOLED_CHANGES as u64 - 1).map(|n| (n, change(u128::from(n), 1))));
    });
    spool.put(change(u128::MAX, 1)).await.unwrap();
    assert!(matches!(spool.put(change(u128::MAX, 2)).await, Err(SpoolError::Full)));
    remove(&spool, &change(u128::MAX, 1)).await;
    spool.put(change(u128::MAX, 2)).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_is_gone_is_an_error_and_nothing_waits() {
    let home = directory();
    let path = home.path().join("spool");
    let spool = Spool::open(&path).unwrap();
    fs::remove_dir_all(&path).unwrap();
    assert!(matches!(spool.put(change(1, 1)).await, Err(SpoolError::Io { .. })));
    assert!(spool.is_empty());
}

#[tokio::test]
async fn one_user_takes_only_so_many_places() {
    let home = directory();
    let spool = Spool::open(home.path()).unwrap();
    for n in 0..limits::SPOOLED_CHANGES_OF_A_USER as u128 {
        spool.put(change(1, n)).await.unwrap();
    }
    assert!(matches!(spool.put(change(1, 1_000)).await, Err(SpoolError::Full)));
    spool.put(change(2, 1_000)).await.unwrap();
    remove(&spool, &change(1, 0)).await;
    spool.put(change(1, 1_000)).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_gone_already_is_removed() {
    let home = directory();
    let spool = Spool::open(home.path()).unwrap();
    spool.put(change(1, 1)).await.unwrap();
    fs::remove_file(spool.shared.path(0)).unwrap();
    remove(&spool, &change(1, 1)).await;
    assert!(spool.is_empty());
}
