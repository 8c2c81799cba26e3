//! Whoever's turn it is on a pooled connection: no statement is ever made as anybody else.

use std::{sync::Arc, time::Duration};

use persistence::{Store, StoreError, Truth};
use persistence_postgres::{PostgresOptions, PostgresStore};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{task::JoinSet, time::timeout};

use crate::fixture::{self, Home, put_users, status, text_of};

const USERS: u128 = 20;
/// Requests under way at once, on four connections.
const AT_ONCE: usize = 32;

/// How many requests are made; `PRESENCE_HUB_IDENTITY_REQUESTS` says otherwise.
fn requests() -> usize {
    let said = std::env::var("PRESENCE_HUB_IDENTITY_REQUESTS").ok();
    said.map_or(4_000, |said| said.parse().expect("PRESENCE_HUB_IDENTITY_REQUESTS is a number"))
}

/// The history fails for every fifth user in the middle of the transaction, and every write notes as whom it is made.
const WATCHED: &str = "
    CREATE OR REPLACE FUNCTION public.presence_settings_history(newest bigint) RETURNS TABLE (
        nth bigint, at timestamptz, before_json jsonb, after_json jsonb
    ) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF right(auth.uid()::text, 1) IN ('5', 'a') THEN RAISE division_by_zero; END IF;
        RETURN QUERY SELECT row_number() OVER (ORDER BY a.id DESC), a.at, a.before_json, a.after_json
            FROM public.presence_audit AS a
            WHERE a.subject = auth.uid() AND a.kind = 'settings' ORDER BY a.id DESC LIMIT newest;
    END $$;
    CREATE TABLE public.made_as (who text, uid uuid);
    GRANT INSERT ON public.made_as TO PUBLIC;
    CREATE FUNCTION public.note_maker() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO public.made_as VALUES (current_user, auth.uid()); RETURN NEW; END $$;
    CREATE TRIGGER note_maker BEFORE INSERT OR UPDATE ON public.presence_settings
        FOR EACH ROW EXECUTE FUNCTION public.note_maker();";

async fn watched_home() -> (Home, Arc<PostgresStore>) {
    let home = fixture::shared_home().await;
    let store = fixture::open(PostgresOptions { connections: 4, ..home.options() }).await;
    put_users(&store, USERS).await;
    for n in 1..=USERS {
        store.change_settings(status(n, &own_text(n, 0))).await.expect("settings can be changed");
    }
    home.psql(WATCHED);
    (home, Arc::new(store))
}

fn own_text(n: u128, change: usize) -> String {
    format!("{n} of {change}")
}

/// One request; what it returned is that user's own.
async fn request(store: Arc<PostgresStore>, n: u128, change: usize, writes: bool) {
    if writes {
        match store.change_settings(status(n, &own_text(n, change))).await {
            Ok(settings) => assert_eq!(text_of(&settings), own_text(n, change)),
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
        return;
    }
    match store.settings_history(fixture::user(n)).await {
        Ok(history) => {
            assert!(!history.is_empty(), "user {n} has a history");
            let own = history.iter().all(|entry| text_of(&entry.after).starts_with(&format!("{n} of ")));
            assert!(own, "user {n} read somebody else's: {history:?}");
        }
        Err(error) => assert!(error.is_retryable() || n.is_multiple_of(5), "user {n}: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_statement_is_made_as_somebody_else() {
    let seed: u64 = rand::random();
    let (home, store) = watched_home().await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut under_way = JoinSet::new();
    for change in 1..=requests() {
        let n = random.random_range(1..=USERS);
        let request = request(store.clone(), n, change, random.random_bool(0.1));
        // A third of all callers go away, most of them in the middle.
        let patience = if random.random_bool(0.3) { random.random_range(0..2_000) } else { 10_000_000 };
        under_way.spawn(timeout(Duration::from_micros(patience), request));
        if under_way.len() >= AT_ONCE {
            let ended = under_way.join_next().await.expect("some are under way");
            assert!(ended.is_ok(), "seed {seed}: {ended:?}");
        }
    }
    while let Some(ended) = under_way.join_next().await {
        assert!(ended.is_ok(), "seed {seed}: {ended:?}");
    }
    store.close().await;
    let foreign = format!("SELECT count(*) FROM made_as WHERE who <> '{}' OR uid IS NOT NULL", home.role);
    assert_eq!(home.count(&foreign), 0, "seed {seed}: a write was made as somebody");
    assert!(home.count("SELECT count(*) FROM made_as") > 0);
}

#[tokio::test]
async fn an_identity_ends_with_its_transaction() {
    let (home, store) = {
        let (home, store) = watched_home().await;
        store.close().await;
        let store = fixture::open(PostgresOptions { connections: 1, ..home.options() }).await;
        (home, store)
    };
    for n in [1, 5] {
        let outcome = store.settings_history(fixture::user(n)).await;
        assert_eq!(
            matches!(outcome, Err(StoreError::Unavailable(_) | StoreError::Refused(_))),
            n == 5,
            "{outcome:?}"
        );
        store.change_settings(status(2, &format!("after {n}"))).await.expect("settings can be changed");
        assert_eq!(home.count("SELECT count(*) FROM made_as WHERE uid IS NOT NULL"), 0);
        store.cursor().await.expect("the hub has its own rights again");
    }
    store.close().await;
}

#[tokio::test]
async fn who_is_nobody_reads_nothing() {
    let (_home, store) = watched_home().await;
    assert!(store.settings_history(fixture::user(99)).await.expect("an answer").is_empty());
    store.close().await;
}

/// The advisory locks that anybody sees while the settings of user 1 are being changed.
async fn locks_of_a_change(home: &Home) -> String {
    let options = PostgresOptions { lock_timeout: Duration::from_secs(9), ..home.options() };
    let store = fixture::open(options).await;
    let mut holder = home.database.session();
    holder.run("BEGIN").expect("a transaction");
    holder.run("LOCK TABLE presence_settings").expect("a lock");
    let changing = tokio::spawn({
        let store = store.clone();
        async move { store.change_settings(status(1, "seen in the locks")).await }
    });
    let locks = "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    let seen = loop {
        let seen = home.psql(locks);
        if !seen.is_empty() || changing.is_finished() {
            break seen;
        }
    };
    tokio::task::spawn_blocking(move || holder.run("COMMIT")).await.expect("a task").expect("it ends");
    changing.await.expect("a task").expect("settings can be changed");
    store.close().await;
    seen
}

/// Whoever may log in reads `pg_locks`. The same user has one lock in one database, and another one elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_does_not_tell_whose_it_is() {
    let homes = [fixture::shared_home().await, fixture::shared_home().await];
    // Both databases are copies of one: each migration draws its own.
    homes[1].psql("UPDATE presence_installation SET lock_salt = gen_random_uuid()");
    for home in &homes {
        let store = home.store().await;
        put_users(&store, 1).await;
        store.close().await;
    }
    let first = locks_of_a_change(&homes[0]).await;
    assert_eq!(locks_of_a_change(&homes[0]).await, first, "it keeps two hubs apart");
    assert!(!first.is_empty());
    assert_ne!(locks_of_a_change(&homes[1]).await, first);
}
