//! A clock-in and plain SQL that takes away what it rests on, at the same time: whichever comes first, nobody holds what
//! they may not.

use persistence::{Person, Store, StoreError};
use persistence_postgres::PostgresStore;

use super::{clock_in, patient, staffed, state};
use crate::{
    behind::erasure::{until_somebody_waits, until_waiting},
    fixture::{self, Home, START, user},
    schema::with_ids,
};

/// Each, and whether it makes the code invalid. Else it takes the account away.
const REMOVALS: [(&str, bool); 7] = [
    ("DELETE FROM user_organizations WHERE user_id = #2", true),
    ("UPDATE user_organizations SET organization_id = #101 WHERE user_id = #2", true),
    ("DELETE FROM users WHERE id = #2", true),
    ("UPDATE users SET disabled = true WHERE id = #2", true),
    ("DELETE FROM organizations WHERE id = #100", true),
    ("DELETE FROM accounts WHERE id = #300", false),
    ("UPDATE accounts SET organization_id = #101 WHERE id = #300", false),
];

async fn patient_agency() -> (Home, PostgresStore) {
    let home = fixture::shared_home().await;
    let store = staffed(&home, patient(&home), 1).await;
    (home, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_is_under_way_is_waited_for() {
    for (sql, is_of_the_code) in REMOVALS {
        for end in ["COMMIT", "ROLLBACK"] {
            let (home, store) = patient_agency().await;
            let mut platform = home.database.session();
            platform.run("BEGIN").expect("a transaction");
            platform.run(&with_ids(sql)).expect(sql);
            let coming = tokio::spawn({
                let store = store.clone();
                async move { clock_in(&store, 0, 0).await }
            });
            until_somebody_waits(&home);
            platform.run(end).expect("it ends");
            let outcome = coming.await.expect("no panic");
            match (end, outcome) {
                ("ROLLBACK", Ok(_)) => {}
                ("COMMIT", Err(StoreError::InvalidCode)) if is_of_the_code => {}
                ("COMMIT", Err(StoreError::UnknownAccount)) if !is_of_the_code => {}
                (_, outcome) => panic!("{sql}, {end}: {outcome:?}"),
            }
            let holds = home.count("SELECT count(*) FROM account_presence");
            assert_eq!(holds, u64::from(end == "ROLLBACK"), "{sql}, {end}");
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_waits_for_a_clock_in_and_ends_it() {
    for (sql, _) in REMOVALS {
        let (home, store) = patient_agency().await;
        let mut holder = home.database.session();
        holder.run("BEGIN").expect("a transaction");
        // The clock-in has locked the directory's rows when it comes to the code.
        holder.run("SELECT id FROM access_codes FOR UPDATE").expect("locks");
        let coming = tokio::spawn({
            let store = store.clone();
            async move { clock_in(&store, 0, 0).await }
        });
        until_somebody_waits(&home);
        std::thread::scope(|scope| {
            let removing = scope.spawn(|| home.psql(&with_ids(sql)));
            until_waiting(&home, 2);
            holder.run("COMMIT").expect("it ends");
            removing.join().expect("the removal is done");
        });
        coming.await.expect("no panic").expect("it came first");
        let is_disabled = sql.contains("disabled");
        assert_eq!(home.count("SELECT count(*) FROM account_presence"), u64::from(is_disabled), "{sql}");
        if let Some(state) = state(&store, 0).await {
            assert_eq!(
                (state.occupancy.is_some(), state.ended.is_some()),
                (is_disabled, !is_disabled),
                "{sql}"
            );
        }
        store.close().await;
    }
}

/// Of somebody who stays in the directory. What comes first is there when the rest is removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_waits_for_a_clock_in_and_ends_it() {
    let (home, store) = patient_agency().await;
    let mut holder = home.database.session();
    holder.run("BEGIN").expect("a transaction");
    holder.run("SELECT id FROM access_codes FOR UPDATE").expect("locks");
    let call = store.clone();
    let coming = tokio::spawn(async move { clock_in(&call, 0, 0).await });
    until_somebody_waits(&home);
    let call = store.clone();
    let erasing = tokio::spawn(async move { call.erase(user(2), START).await });
    until_waiting(&home, 2);
    holder.run("COMMIT").expect("it ends");
    coming.await.expect("no panic").expect("it came first");
    erasing.await.expect("no panic").expect("they are erased");
    assert_eq!(home.count("SELECT count(*) FROM account_presence"), 0);
    let left = home.psql("SELECT a FROM presence_audit AS a");
    assert!(!left.contains(&user(2).to_string()), "{left}");
    store.close().await;
}
