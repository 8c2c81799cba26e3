//! Faults of the server and of the way to it: a clear answer in time or the first result again, never half a change.

mod outage;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use model::DirectoryChange;
use persistence::{Behind, Store, StoreError};
use persistence_postgres::{PostgresOptions, PostgresStore};
use postgres_cluster::Session;
use tokio::task::JoinSet;

use crate::{
    fixture::{self, Home, START, hide, named, put, put_user, put_users, status, text_of},
    proxy::{COMMIT, Fault, Proxy},
};

/// What a durable call may take, whatever the server does.
const IN_TIME: Duration = Duration::from_secs(2);

/// A store that reaches its server by way of a proxy, and another one that does not.
struct Broken {
    home: Home,
    proxy: Proxy,
    store: PostgresStore,
}

impl Broken {
    async fn with_connections(connections: u32) -> Self {
        let home = fixture::private_home(&[]).await;
        let server = home.database.cluster().port();
        let proxy = Proxy::start(server).await;
        let url = proxy.url(&home.url(), server);
        let store = fixture::open(PostgresOptions { connections, ..PostgresOptions::new(url) }).await;
        put_users(&store, 8).await;
        Self { home, proxy, store }
    }

    fn entries(&self, text: &str) -> u64 {
        let sql = "SELECT count(*) FROM presence_audit WHERE after_json ->> 'customStatus' =";
        self.home.count(&format!("{sql} '{text}'"))
    }

    fn results(&self) -> u64 {
        self.home.count("SELECT count(*) FROM operation_results")
    }
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    assert!(begun.elapsed() < IN_TIME, "it took {:?}", begun.elapsed());
    done
}

fn is_unavailable<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
async fn a_lost_reply_to_a_commit_is_the_first_result() {
    let broken = Broken::with_connections(2).await;
    for (round, fault) in [Fault::CutReply, Fault::CutBefore].into_iter().cycle().take(20).enumerate() {
        let (name, text) = (100 + round as u128, format!("round {round}"));
        broken.proxy.plan(COMMIT, fault, 1);
        let done = in_time(broken.store.change_settings(named(1, &text, name))).await.expect("it is done");
        assert_eq!(text_of(&done), text);
        let again = broken.store.change_settings(named(1, &text, name)).await.expect("it was done");
        assert_eq!(again, done);
        assert_eq!(broken.entries(&text), 1, "{fault:?}");
    }
    assert_eq!((broken.proxy.befallen(), broken.results()), (20, 20));
    broken.store.close().await;
}

#[tokio::test]
async fn a_lost_reply_to_a_change_without_a_name_is_the_first_result_too() {
    let broken = Broken::with_connections(2).await;
    broken.proxy.plan(COMMIT, Fault::CutReply, 2);
    broken.store.change_settings(status(1, "nameless")).await.expect("it is done");
    assert_eq!((broken.proxy.befallen(), broken.entries("nameless")), (2, 1));
    broken.store.close().await;
}

#[tokio::test]
async fn when_every_reply_is_lost_the_next_call_has_the_first_result() {
    let broken = Broken::with_connections(2).await;
    broken.proxy.plan(COMMIT, Fault::CutReply, 3);
    let lost = in_time(broken.store.change_settings(named(1, "lost", 7))).await;
    assert!(is_unavailable(&lost), "{lost:?}");
    let found = broken.store.change_settings(named(1, "lost", 7)).await.expect("it was done");
    assert_eq!((text_of(&found), broken.entries("lost"), broken.results()), ("lost", 1, 1));
    broken.store.close().await;
}

#[tokio::test]
async fn a_directory_is_changed_once() {
    let broken = Broken::with_connections(2).await;
    let entries = || broken.home.count("SELECT count(*) FROM presence_audit WHERE kind = 'directory'");
    let before = entries();
    for (n, fault) in [(50, Fault::CutReply), (51, Fault::CutBefore)] {
        broken.proxy.plan(COMMIT, fault, 1);
        in_time(put(&broken.store, vec![put_user(n)])).await.expect("it is done");
    }
    assert_eq!((entries() - before, broken.proxy.befallen()), (2, 2));
    broken.store.close().await;
}

#[tokio::test]
async fn a_reply_that_never_comes_is_answered_in_time() {
    let broken = Broken::with_connections(2).await;
    for (word, text) in [("BEGIN", "begun"), (COMMIT, "committed"), ("advisory", "locked")] {
        broken.proxy.plan(word, Fault::HoldReply, 1);
        let held = in_time(broken.store.change_settings(named(2, text, 9))).await;
        assert!(is_unavailable(&held), "{text}: {held:?}");
        let done = broken.store.change_settings(named(2, text, 9)).await;
        assert_eq!(done.as_ref().map(text_of).ok(), Some(text), "{done:?}");
        assert_eq!(broken.entries(text), 1);
        broken.home.psql("DELETE FROM operation_results");
    }
    broken.store.close().await;
}

/// The caller goes away while `BEGIN` is under way, on the only connection there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_borrower_is_in_no_transaction_of_somebody_who_left() {
    let broken = Broken::with_connections(1).await;
    let store = Arc::new(broken.store.clone());
    for round in 0..20 {
        broken.proxy.plan("BEGIN", Fault::Delay(Duration::from_millis(20)), 1);
        let (leaver, name) = (store.clone(), 1_000 + round);
        let left = tokio::spawn(async move { leaver.change_settings(named(1, "left", name)).await });
        while broken.proxy.befallen() <= u64::try_from(round).expect("a small number") {
            tokio::task::yield_now().await;
        }
        left.abort();
        let text = format!("stayed {round}");
        store.change_settings(named(2, &text, 2_000 + round)).await.expect("the connection is as new");
        // Acknowledged is committed: another connection sees it, and nobody is left in a transaction.
        assert_eq!(broken.entries(&text), 1);
    }
    broken.store.close().await;
    assert_eq!(broken.results(), 40, "also what was begun for those who left was finished");
}

/// Holds what a statement locks until it is dropped.
fn hold(home: &Home, statement: &str) -> Session {
    let mut session = home.database.session();
    session.run("BEGIN").expect("a transaction");
    session.run(statement).expect("a lock");
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exhausted_pool_refuses_in_time_and_still_hides() {
    let home = fixture::shared_home().await;
    // Who meets the lock waits for it to the end, and keeps the connection.
    let patient = PostgresOptions {
        connections: 2,
        lock_timeout: Duration::from_secs(9),
        statement_timeout: Duration::from_secs(9),
        ..home.options()
    };
    let store = Arc::new(fixture::open(patient).await);
    put_users(&store, 3).await;
    store.change_settings(status(1, "held")).await.expect("settings can be changed");
    let held = hold(&home, "SELECT 1 FROM presence_settings FOR UPDATE");
    let mut stuck = JoinSet::new();
    for n in 0..12 {
        let store = store.clone();
        stuck.spawn(async move { in_time(store.change_settings(named(1, "stuck", n))).await });
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND \
                   datname = current_database()";
    while home.count(waiting) < 2 {
        tokio::task::yield_now().await;
    }
    let (usual, tightening) = tokio::join!(
        in_time(store.change_settings(status(2, "usual"))),
        in_time(store.change_settings(hide(3)))
    );
    assert!(is_unavailable(&usual), "{usual:?}");
    assert!(tightening.expect("hiding has a connection of its own").appear_offline);
    while let Some(outcome) = stuck.join_next().await {
        let outcome = outcome.expect("no panic");
        assert!(is_unavailable(&outcome), "{outcome:?}");
    }
    drop(held);
    store.change_settings(status(2, "free")).await.expect("the pool is free again");
    assert_eq!(home.count("SELECT count(*) FROM presence_audit WHERE after_json::text LIKE '%stuck%'"), 0);
    store.close().await;
}

#[tokio::test]
async fn a_locked_table_refuses_in_time_and_nothing_is_half_done() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 2).await;
    let entries = home.count("SELECT count(*) FROM presence_audit");
    for table in ["presence_settings", "operation_results", "presence_changes", "presence_audit", "users"] {
        let held = hold(&home, &format!("LOCK TABLE {table}"));
        let settings = in_time(store.change_settings(named(1, table, 5))).await;
        let directory = in_time(put(&store, vec![put_user(77)])).await;
        assert!(is_unavailable(&settings), "{table}: {settings:?}");
        assert!(
            is_unavailable(&directory) || table == "operation_results" || table == "presence_settings",
            "{table}"
        );
        drop(held);
    }
    // Two of them do not stand in the way of the directory; the second time, it is as it was.
    assert_eq!(home.count("SELECT count(*) FROM presence_audit"), entries + 2);
    assert_eq!(home.count("SELECT count(*) FROM presence_settings"), 0);
    store.change_settings(named(1, "free", 5)).await.expect("no result was left behind");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deadlocks_are_undone_and_done_again() {
    const ROUNDS: u32 = 5;
    let home = fixture::shared_home().await;
    home.psql(&format!("ALTER DATABASE \"{}\" SET deadlock_timeout = '10ms'", home.database.name()));
    let (one, two) = tokio::join!(home.store(), home.store());
    put_users(&one, 2).await;
    // Each has its first row before the other asks for it. A sequence counts on, whatever is rolled back.
    home.psql(
        "CREATE SEQUENCE renamed; GRANT USAGE ON SEQUENCE renamed TO PUBLIC; \
         CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM nextval('public.renamed'), pg_sleep(0.05); RETURN NEW; END $$; \
         CREATE TRIGGER linger AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION linger();",
    );
    let rename = |n: u128, name: String| DirectoryChange::PutUser {
        id: fixture::user(n),
        display_name: name,
        disabled: false,
    };
    for round in 0..ROUNDS {
        let (there, here) = (format!("there {round}"), format!("here {round}"));
        let forth = put(&one, vec![rename(1, there.clone()), rename(2, there)]);
        let back = put(&two, vec![rename(2, here.clone()), rename(1, here)]);
        let (forth, back) = tokio::join!(in_time(forth), in_time(back));
        forth.and(back).expect("both are done in the end");
    }
    let renamed = home.count("SELECT last_value FROM renamed");
    assert!(renamed > u64::from(4 * ROUNDS), "{renamed} renamings: nothing was done again");
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn a_serialization_failure_is_done_again() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 2).await;
    // A sequence counts on, whatever is rolled back.
    home.psql(
        "CREATE SEQUENCE tried; GRANT USAGE ON SEQUENCE tried TO PUBLIC; \
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('public.tried') % 3 <> 0 THEN RAISE serialization_failure; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON presence_settings FOR EACH ROW EXECUTE FUNCTION fail();",
    );
    let done = in_time(store.change_settings(status(1, "third"))).await.expect("the third try succeeds");
    assert_eq!(text_of(&done), "third");
    assert_eq!(home.count("SELECT count(*) FROM presence_audit WHERE kind = 'settings'"), 1);
    home.psql("ALTER SEQUENCE tried INCREMENT BY 3");
    home.psql("SELECT setval('tried', 1)");
    let never = in_time(store.change_settings(status(1, "never"))).await;
    assert!(is_unavailable(&never), "{never:?}");
    store.close().await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    let home = fixture::shared_home().await;
    let store = home.store().await;
    put_users(&store, 1).await;
    home.psql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; \
         END $$; \
         CREATE TRIGGER slow BEFORE INSERT ON user_last_seen FOR EACH ROW EXECUTE FUNCTION slow();",
    );
    let slow = in_time(store.write_last_seen(&[fixture::seen(1, START)])).await;
    assert!(is_unavailable(&slow), "{slow:?}");
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO user_last%'";
    assert_eq!(home.count(busy), 0, "nobody sleeps on");
    store.probe().await.expect("the store is well");
    store.close().await;
}
