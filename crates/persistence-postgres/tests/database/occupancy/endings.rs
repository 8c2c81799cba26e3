//! What the directory takes away ends the hold in the same transaction, whoever writes, and is in the audit once.

use model::{ClockOutReason, DirectoryChange, EndedHold};
use persistence::{Actor, Occupancies, Person, Store, StoreError, Truth, Upkeep};

use super::{AGENCY, account, agency, clock_in, entries, hold, state};
use crate::{
    fixture::{START, put, user},
    schema::{id, with_ids},
};

/// Each, and whether the account is there afterwards.
const ENDINGS: [(&str, bool); 13] = [
    ("DELETE FROM user_organizations WHERE user_id = #2", true),
    ("UPDATE user_organizations SET organization_id = #101 WHERE user_id = #2", true),
    ("UPDATE user_organizations SET user_id = #3 WHERE user_id = #2", true),
    ("TRUNCATE user_organizations", true),
    ("DELETE FROM accounts WHERE id = #300", false),
    ("UPDATE accounts SET organization_id = #101 WHERE id = #300", true),
    ("TRUNCATE accounts CASCADE", false),
    ("DELETE FROM users WHERE id = #2", true),
    ("DELETE FROM users", true),
    ("TRUNCATE users CASCADE", true),
    ("DELETE FROM organizations WHERE id = #100", false),
    ("DELETE FROM account_presence", true),
    ("TRUNCATE account_presence", true),
];

#[tokio::test]
async fn plain_sql_ends_a_hold_in_every_way() {
    for (sql, stays) in ENDINGS {
        let (home, store) = agency(1).await;
        home.psql(&with_ids("INSERT INTO users (id, display_name) VALUES (#3, 'Another')"));
        let held = hold(&store, 0, 0).await;
        let cursor = store.cursor().await.expect("a cursor");
        home.psql(&with_ids(sql));
        assert!(matches!(store.find_hold(held).await, Err(StoreError::NotHeld)), "{sql}");
        let ended = Some(EndedHold { epoch: held.epoch, reason: ClockOutReason::Removed });
        let found = state(&store, 0).await;
        assert_eq!(
            found.map(|state| (state.occupancy, state.ended)),
            stays.then_some((None, ended)),
            "{sql}"
        );
        let changes = store.changes(&cursor).await.expect("changes");
        assert!(changes.all || changes.accounts.contains(&account(0)), "{sql}: nobody is told");
        let [clocked_in, removed] = entries(&home).try_into().expect(sql);
        assert_eq!(removed[..3], ["directory".to_owned(), "removed".to_owned(), id(300)], "{sql}");
        assert_eq!((&clocked_in[1], &clocked_in[4]), (&"clocked_in".to_owned(), &removed[4]), "{sql}");
        assert_eq!(clocked_in[3], removed[3], "one pseudonym, or the id: {sql}");
        if sql.contains(" users") {
            let text = home.psql("SELECT a FROM presence_audit AS a");
            assert!(!text.contains(&id(2)), "{sql}: {text}");
        }
        store.close().await;
    }
}

const NO_ENDINGS: [&str; 7] = [
    "UPDATE user_organizations SET role = 'admin'",
    "UPDATE accounts SET name = 'Another'",
    "UPDATE users SET disabled = true, display_name = 'Another'",
    "UPDATE organizations SET plan = 'enterprise'",
    "DELETE FROM user_organizations WHERE user_id = #1",
    "BEGIN; DELETE FROM user_organizations; ROLLBACK",
    "DELETE FROM access_codes",
];

#[tokio::test]
async fn what_takes_nothing_away_ends_nothing() {
    let (home, store) = agency(1).await;
    let held = hold(&store, 0, 0).await;
    for sql in NO_ENDINGS {
        home.psql(&with_ids(sql));
        let found = state(&store, 0).await.expect("the account is there").occupancy;
        assert_eq!(
            found.map(|occupancy| (occupancy.user, occupancy.epoch)),
            Some((held.user, held.epoch)),
            "{sql}"
        );
    }
    assert_eq!(entries(&home).len(), 1);
    store.close().await;
}

/// A platform's table may have a membership twice.
#[tokio::test]
async fn a_membership_that_is_there_twice_ends_with_the_second() {
    let (home, store) = agency(1).await;
    home.psql(&with_ids(
        "ALTER TABLE user_organizations DROP CONSTRAINT user_organizations_pkey;
         INSERT INTO user_organizations VALUES (#2, #100, 'admin')",
    ));
    hold(&store, 0, 0).await;
    for (role, left) in [("admin", 1), ("member", 0)] {
        home.psql(&with_ids(&format!(
            "DELETE FROM user_organizations WHERE user_id = #2 AND role = '{role}'"
        )));
        assert_eq!(home.count("SELECT count(*) FROM account_presence"), left);
    }
    store.close().await;
}

#[tokio::test]
async fn the_hubs_own_changes_are_audited_as_whoever_asked_for_them() {
    let (home, store) = agency(2).await;
    hold(&store, 0, 0).await;
    hold(&store, 1, 1).await;
    put(&store, vec![DirectoryChange::RemoveMember { organization: AGENCY, user: user(2) }])
        .await
        .expect("it is done");
    let import = vec![DirectoryChange::RemoveAccount { id: account(1) }];
    store.change_directory(import, START, Actor::Import).await.expect("it is done");
    let actors: Vec<_> =
        entries(&home).into_iter().map(|entry| [entry[0].clone(), entry[1].clone()]).collect();
    let (two, three) = (format!("user:{}", id(2)), format!("user:{}", id(3)));
    let expected =
        [[&two, "clocked_in"], [&three, "clocked_in"], ["service", "removed"], ["import", "removed"]];
    assert_eq!(actors, expected.map(|pair| pair.map(str::to_owned)));
    store.close().await;
}

#[tokio::test]
async fn the_audit_of_the_erased_has_their_pseudonym() {
    let (home, store) = agency(2).await;
    let held = hold(&store, 0, 0).await;
    store.change_account(held, account(1), None).await.expect("it is free");
    store.erase(user(2), START).await.expect("they are erased");
    let text = home.psql("SELECT a FROM presence_audit AS a");
    assert!(!text.contains(&id(2)), "{text}");
    let people: std::collections::BTreeSet<_> =
        entries(&home).into_iter().map(|entry| entry[3].clone()).collect();
    assert_eq!((people.len(), entries(&home).len()), (1, 3), "one pseudonym");
    assert_eq!(home.count("SELECT count(*) FROM account_presence"), 0);
    store.close().await;
}

#[tokio::test]
async fn a_code_that_is_dropped_leaves_the_hold() {
    let (home, store) = agency(2).await;
    let held = hold(&store, 0, 0).await;
    home.psql(
        "UPDATE access_codes SET created_at = created_at - interval '40 days', \
               expires_at = expires_at - interval '40 days'",
    );
    let now = home.count("SELECT (extract(epoch FROM now()) * 1000)::bigint");
    let now = model::Wall(i64::try_from(now).expect("a time"));
    assert_eq!(store.expire(now).await.expect("a sweep").access_codes, 2);
    assert_eq!(store.find_hold(held).await.expect("it lasts").hold, held);
    let moved = store.change_account(held, account(1), None).await;
    assert!(matches!(moved, Err(StoreError::InvalidCode)), "{moved:?}");
    store.close().await;
}

/// What no trigger saw, such as a removal by a transaction with an old snapshot, is found by the sweep.
#[tokio::test]
async fn a_hold_without_a_member_ends_with_the_next_sweep() {
    let (home, store) = agency(3).await;
    for n in 0..3 {
        hold(&store, n, n).await;
    }
    home.psql(&with_ids(
        "SET session_replication_role = replica;
         DELETE FROM user_organizations WHERE user_id = #2;
         UPDATE accounts SET organization_id = #101 WHERE id = #301",
    ));
    assert_eq!(home.count("SELECT count(*) FROM account_presence"), 3);
    store.expire(START).await.expect("a sweep");
    assert_eq!(home.psql("SELECT account_id FROM account_presence").trim(), id(302));
    assert_eq!(entries(&home).len(), 5);
    store.close().await;
}

/// Before the sweep: whoever comes to the account finds it free, also where it is their own hold of the other organization.
#[tokio::test]
async fn who_comes_ends_a_hold_without_a_ground() {
    let (home, store) = agency(2).await;
    for n in 0..2 {
        let held = hold(&store, n, 0).await;
        home.psql(&with_ids(
            "SET session_replication_role = replica; INSERT INTO user_organizations VALUES (#2, #101, 'member')
                ON CONFLICT DO NOTHING;
             UPDATE account_presence SET organization_id = #101 WHERE account_id = #300",
        ));
        let came = clock_in(&store, 0, 0).await.expect("it is nobody's");
        assert!(came.new && came.left.is_none() && came.hold.epoch > held.epoch, "{came:?}");
        let [.., removed, clocked_in] = &entries(&home)[..] else { panic!("two entries") };
        assert_eq!(removed[..2], ["directory".to_owned(), "removed".to_owned()]);
        assert_eq!(clocked_in[..2], [format!("user:{}", id(2)), "clocked_in".to_owned()]);
        store.clock_out(came.hold, None).await.expect("it is held");
    }
    store.close().await;
}

#[tokio::test]
async fn an_epoch_outlives_its_hold() {
    let (home, store) = agency(1).await;
    let held = hold(&store, 0, 0).await;
    // As if the clock of the server had been put back.
    home.psql("UPDATE account_epochs SET epoch = epoch + 3600000");
    store.clock_out(held, None).await.expect("it is held");
    let next = clock_in(&store, 0, 0).await.expect("it is free").hold;
    assert_eq!(next.epoch, held.epoch + 3_600_001);
    store.close().await;
}
