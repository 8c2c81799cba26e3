//! After an erasure: what other hubs still note, what was left, and how much there may be.

use model::{DirectoryChange, SettingsPatch, UserFacts, Visibility, Wall};
use persistence::{Actor, Archive, Behind, OpenErasure, Person, Pick, SettingsChange, Store, Truth, Week};
use persistence_postgres::{PostgresOptions, PostgresStore};
use rand::{SeedableRng, rngs::SmallRng};

use super::{
    activities, activity,
    erasure::{rows_of_the_erased, until_somebody_waits},
    populated, this_week, user,
};
use crate::fixture::{self, Home};

const HOUR_MS: i64 = 60 * 60 * 1_000;

fn now() -> Wall {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Wall(i64::try_from(now.as_millis()).expect("in our age"))
}

async fn facts(store: &PostgresStore) -> UserFacts {
    store.users(Pick::These(vec![user(0)])).await.expect("facts").remove(0).1
}

/// Whether a note of the erased of so many hours after `at` is written.
async fn is_written(store: &PostgresStore, at: Wall, hours: i64) -> bool {
    let row = activity(&mut SmallRng::seed_from_u64(rand::random()), 1, Wall(at.0 + hours * HOUR_MS));
    let written = store.write_activity(&[row]).await.expect("an answer");
    assert_eq!(written.written + written.passed_over, 1);
    written.written == 1
}

async fn choose(store: &PostgresStore, at: Wall) {
    let patch = SettingsPatch { visibility: Some(Visibility::Everyone), ..SettingsPatch::default() };
    let change = SettingsChange {
        user: user(0),
        by_back_end: false,
        patch,
        operation: None,
        at,
        tightens: false,
        belated: false,
    };
    store.change_settings(change).await.expect("they may choose");
}

/// Another hub does not know it yet, and its clock is ahead.
#[tokio::test]
async fn no_hub_writes_of_the_erased_until_they_choose() {
    for by_sql in [false, true] {
        let (home, one) = populated(60).await;
        let (other, at) = (home.store().await, now());
        assert!(is_written(&other, at, -1).await && !facts(&other).await.erased);
        one.erase(user(0), at).await.expect("they are erased");
        assert!(facts(&other).await.erased);
        assert!(!is_written(&other, at, 1).await);
        home.psql("UPDATE presence_settings SET show_activity = true, updated_at = now()");
        assert!(!is_written(&other, at, 24).await, "they are still hidden");
        if by_sql {
            home.psql(&format!(
                "UPDATE presence_settings SET visibility = 'team' WHERE user_id = '{}'",
                user(0)
            ));
        } else {
            choose(&one, now()).await;
        }
        assert!(
            !facts(&other).await.erased && !is_written(&other, at, 0).await,
            "it was noted before they chose"
        );
        assert!(is_written(&other, at, 1).await);
        choose(&one, now()).await;
        assert!(is_written(&other, at, 1).await, "that they chose once is enough");
        one.close().await;
        other.close().await;
    }
}

#[tokio::test]
async fn the_audit_has_an_erasure_and_nobody_in_it() {
    let (home, store) = populated(60).await;
    choose(&store, now()).await;
    store.erase(user(0), now()).await.expect("they are erased");
    let erasures = "SELECT count(*) FROM presence_audit WHERE kind = 'erasure' AND subject IS NULL";
    assert_eq!(home.count(erasures), 1);
    let naming = format!("SELECT count(*) FROM presence_audit AS a WHERE a::text LIKE '%{}%'", user(0));
    assert_eq!(home.count(&naming), 0);
    store.close().await;
}

/// A right of the hub's that is good for the erased only.
#[tokio::test]
async fn nobody_else_is_forgotten_by_the_audit() {
    let (home, store) = populated(60).await;
    choose(&store, now()).await;
    let naming = format!("SELECT count(*) FROM presence_audit WHERE subject = '{}'", user(0));
    let forget = format!("SELECT presence_forget_person('{}')", user(0));
    let mut hub = home.database.session();
    hub.run("SET ROLE presence_hub").expect("a role");
    hub.run(&forget).expect("it does nothing");
    assert_eq!(home.count(&naming), 1);
    store.close().await;
}

async fn open_erasure(store: &PostgresStore) -> OpenErasure {
    let open = store.open_erasures().await.expect("an answer");
    assert_eq!(open.len(), 1);
    open[0]
}

async fn close(store: &PostgresStore) {
    let erasure = open_erasure(store).await;
    store.close_erasure(erasure).await.expect("it is closed");
    assert_eq!(store.open_erasures().await.expect("an answer"), []);
}

/// The hub that erased was killed after the first step.
#[tokio::test]
async fn an_erasure_that_was_broken_off_is_ended() {
    let (home, store) = populated(60).await;
    let rows = activities(&mut SmallRng::seed_from_u64(10), 500, 60, 0);
    store.write_activity(&rows).await.expect("it is written");
    choose(&store, now()).await;
    home.psql(&format!(
        "UPDATE presence_settings SET visibility = 'nobody', erased_at = 'infinity' WHERE user_id = '{id}';
         INSERT INTO presence_erasures (user_id, at, finished) VALUES ('{id}', date_trunc('milliseconds', now()), false)",
        id = user(0)
    ));
    assert!(home.count(&rows_of_the_erased()) > 0);
    close(&store).await;
    assert_eq!(home.count(&rows_of_the_erased()), 0);
    let naming = format!(
        "SELECT (SELECT count(*) FROM presence_audit WHERE subject = '{id}') \
         + (SELECT count(*) FROM operation_results WHERE user_id = '{id}')",
        id = user(0)
    );
    assert_eq!(home.count(&naming), 0);
    store.close().await;
}

/// The platform's transaction deletes by what it saw when it began. What it overlooked is found later, also in a week that
/// was taken out since; and that they were there is forgotten.
#[tokio::test]
async fn what_an_old_snapshot_overlooked_is_removed() {
    let (home, store) = populated(60).await;
    let mut platform = home.database.session();
    platform.run("BEGIN ISOLATION LEVEL REPEATABLE READ").expect("a transaction");
    platform.run("SELECT count(*) FROM users").expect("a snapshot");
    let rows = activities(&mut SmallRng::seed_from_u64(11), 500, 60, 0);
    store.write_activity(&rows).await.expect("it is written");
    platform.run(&format!("DELETE FROM users WHERE id = '{}'", user(0))).expect("they are deleted");
    platform.run("COMMIT").expect("it ends");
    let of_the_log = rows_of_the_erased();
    assert!(home.count(&of_the_log) > 0, "an old snapshot overlooks them");
    store.set_week_aside(Week::of(this_week())).await.expect("it is set aside");
    home.psql("UPDATE presence_changes SET at = at - interval '2 minutes'");
    close(&store).await;
    assert_eq!(mentions(&home), "");
    store.close().await;
}

/// Tables with a row that mentions the erased.
fn mentions(home: &Home) -> String {
    let tables = home.psql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
         AND relname <> 'presence_migrations'",
    );
    let of = |table: &str| {
        format!(
            "SELECT '{table}' WHERE EXISTS (SELECT FROM {table} AS t WHERE t::text LIKE '%{}%');",
            user(0)
        )
    };
    home.psql(&tables.lines().map(of).collect::<String>())
}

/// They are hidden at once; what else was begun before is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn they_are_hidden_before_anything_is_waited_for() {
    let (home, store) = populated(60).await;
    let mut quarter = home.database.session();
    quarter.run("BEGIN").expect("a transaction");
    quarter
        .run("SELECT pg_advisory_xact_lock_shared(presence_lock_key('presence_erasure'))")
        .expect("a lock");
    let erasing = tokio::spawn({
        let store = store.clone();
        async move { store.erase(user(0), now()).await }
    });
    until_somebody_waits(&home);
    let facts = facts(&store).await;
    assert!(facts.erased && facts.settings.is_some_and(|settings| settings.visibility == Visibility::Nobody));
    quarter.run("COMMIT").expect("it ends");
    erasing.await.expect("a task").expect("they are erased");
    store.close().await;
}

/// Somebody with half a million rows is removed through the hub, in one transaction, which takes longer than others may.
#[tokio::test]
async fn however_much_they_did_they_are_removed() {
    let (home, usual) = populated(60).await;
    usual.close().await;
    let hasty = std::time::Duration::from_millis(150);
    let store =
        fixture::open(PostgresOptions { statement_timeout: hasty, deadline: hasty, ..home.options() }).await;
    home.psql(&format!(
        "INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, \"timestamp\")
            SELECT gen_random_uuid(), '{}', '{}', 'focus', date_trunc('week', now()) + n * interval '1 ms'
            FROM generate_series(1, 500000) AS n",
        super::organization(0),
        user(0)
    ));
    let began = std::time::Instant::now();
    let removal = vec![DirectoryChange::RemoveUser { id: user(0) }];
    store.change_directory(removal, now(), Actor::Service).await.expect("they are removed");
    assert!(began.elapsed() > hasty, "too few to tell");
    assert_eq!(home.count(&rows_of_the_erased()), 0);
    store.close().await;
}
