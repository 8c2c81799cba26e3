//! Servers that stand still, die, and have no room: a clear answer in time, and recovery without help.

use std::{
    io::Write,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use persistence::{Changes, Store, Truth, Wake};
use persistence_postgres::PostgresStore;
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use super::{in_time, is_unavailable};
use crate::fixture::{self, Home, named, put, put_user, put_users, status};

/// What a case waits for, at most, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until the store answers again, as the hub does.
async fn recovers(store: &PostgresStore) -> Duration {
    let begun = Instant::now();
    while let Err(error) = store.probe().await {
        assert!(error.is_retryable(), "{error:?}");
        assert!(begun.elapsed() < PATIENCE, "it does not recover: {error}");
        sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

async fn wakes(store: &PostgresStore, expected: Wake) {
    let woken = async { while store.woken().await != expected {} };
    timeout(PATIENCE, woken).await.unwrap_or_else(|_| panic!("{expected:?} never comes"));
}

async fn on_cluster(home: &Home, act: fn(&postgres_cluster::Cluster)) {
    let cluster = home.database.cluster().clone();
    spawn_blocking(move || act(&cluster)).await.expect("the cluster obeys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stands_still_is_answered_for_in_time() {
    let home = fixture::private_home(&[]).await;
    let store = home.store().await;
    put_users(&store, 20).await;
    on_cluster(&home, postgres_cluster::Cluster::freeze).await;
    let mut calls = JoinSet::new();
    for n in 1..=20 {
        let (writing, asking) = (store.clone(), store.clone());
        calls.spawn(async move { in_time(writing.change_settings(named(n, "frozen", n))).await.map(drop) });
        calls.spawn(async move { in_time(asking.cursor()).await.map(drop) });
    }
    while let Some(outcome) = calls.join_next().await {
        let outcome = outcome.expect("no panic");
        assert!(is_unavailable(&outcome), "{outcome:?}");
    }
    on_cluster(&home, postgres_cluster::Cluster::thaw).await;
    recovers(&store).await;
    for n in 1..=20 {
        store.change_settings(named(n, "frozen", n)).await.expect("it is done once");
    }
    assert_eq!(home.count("SELECT count(*) FROM presence_audit WHERE kind = 'settings'"), 20);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_was_killed_is_found_again() {
    let home = fixture::private_home(&[]).await;
    let store = home.store().await;
    put_users(&store, 2).await;
    let cursor = store.cursor().await.expect("a cursor");
    store.change_settings(named(1, "before", 1)).await.expect("it is done");
    on_cluster(&home, postgres_cluster::Cluster::kill9).await;
    let gone = in_time(store.change_settings(named(2, "while", 2))).await;
    assert!(is_unavailable(&gone), "{gone:?}");
    on_cluster(&home, postgres_cluster::Cluster::start_again).await;
    recovers(&store).await;
    wakes(&store, Wake::Deaf).await;
    let Changes { all, .. } = store.changes(&cursor).await.expect("changes");
    assert!(all, "another server, for all that is known");
    for (n, text) in [(1, "before"), (2, "while")] {
        store.change_settings(named(n, text, n)).await.expect("it is done");
    }
    assert_eq!(home.count("SELECT count(*) FROM presence_audit WHERE kind = 'settings'"), 2);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listener_comes_back_and_says_that_it_was_deaf() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 1).await;
    let listening = "pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let count = || home.count(&format!("SELECT count(*) FROM (SELECT {listening}) AS p"));
    for round in 0..5 {
        while count() == 0 {
            tokio::task::yield_now().await;
        }
        // Not asked for: what was heard before it is told stays.
        home.psql(&format!("UPDATE users SET display_name = 'Round {round}'"));
        wakes(&store, Wake::Changed).await;
        home.psql(&format!("SELECT pg_terminate_backend(p.pid) FROM (SELECT {listening}) AS p"));
        wakes(&store, Wake::Deaf).await;
    }
    store.close().await;
}

#[tokio::test]
async fn connections_that_an_administrator_ends_are_replaced() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 1).await;
    for n in 0..5 {
        home.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        store.change_settings(status(1, &format!("{n}"))).await.expect("nobody notices");
    }
    store.close().await;
}

/// A small disk, where this may mount one; elsewhere there is nothing to fill.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// One that belongs to whom the server's data belong to.
    fn mount(home: &Home) -> Option<Self> {
        let data = home.psql("SHOW data_directory");
        let owner = std::fs::metadata(data.trim()).expect("the server's data").uid();
        let directory = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size=24m,mode=0700,uid={owner}"), "tmpfs"]);
        let mounted = mount.arg(directory.path()).output().is_ok_and(|done| done.status.success());
        mounted.then(|| Self(directory))
    }

    /// Takes what is left of it, and returns with what.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("ballast");
        let mut ballast = std::fs::File::create(&path).expect("a file");
        let block = vec![7; 64 * 1024];
        while ballast.write_all(&block).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_refuses_and_recovers() {
    let home = fixture::private_home(&[]).await;
    let Some(disk) = SmallDisk::mount(&home) else { return };
    let (cluster, name) = (home.database.cluster(), home.database.name());
    let place = disk.0.path().display();
    cluster.psql("postgres", &format!("CREATE TABLESPACE small LOCATION '{place}'")).expect("a tablespace");
    cluster.psql("postgres", &format!("ALTER DATABASE \"{name}\" SET TABLESPACE small")).expect("it fits");
    let store = home.store().await;
    put_users(&store, 1).await;
    let ballast = disk.fill();
    let acknowledged = put_until_full(&store).await;
    let users = || home.count("SELECT count(*) FROM users") - 1;
    let entries = || home.count("SELECT count(*) FROM presence_audit WHERE kind = 'directory'") - 1;
    assert_eq!((users(), entries()), (acknowledged, acknowledged / BATCH), "nothing half, nothing lost");
    std::fs::remove_file(ballast).expect("the ballast can go");
    put(&store, vec![put_user(500_000)]).await.expect("there is room");
    store.close().await;
    // The server lets go of the disk before the disk goes.
    cluster
        .psql("postgres", &format!("ALTER DATABASE \"{name}\" SET TABLESPACE pg_default"))
        .expect("it fits");
    cluster.psql("postgres", "DROP TABLESPACE small").expect("it is empty");
}

/// Users put at once; their entry in the audit is of some pages.
const BATCH: u64 = 500;

/// Puts users until there is no room for more; returns how many were acknowledged.
async fn put_until_full(store: &PostgresStore) -> u64 {
    for batch in 0..200 {
        let first = 1_000 + u128::from(batch * BATCH);
        match put(store, (first..first + u128::from(BATCH)).map(put_user).collect()).await {
            Ok(()) => {}
            Err(error) => {
                assert!(error.is_retryable() && error.to_string().contains("space"), "{error:?}");
                return batch * BATCH;
            }
        }
    }
    panic!("the disk is never full");
}
