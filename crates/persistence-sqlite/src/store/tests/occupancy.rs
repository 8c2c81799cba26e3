//! What the file shows of codes and holds: the key, the entries of the audit, and what plain SQL ends.

use std::time::Duration;

use model::{AccessCodeId, AccountId, ClockOutReason, Hold};
use persistence::{
    ClockIn, CodeHash, ForceClear, NewCode, Occupancies, OperationId, Person, Revocation, Sign, Upkeep,
};
use serde_json::{Value, json};

use super::{
    erasure::found_in_files,
    office::{OFFICE, put_office},
    *,
};

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(3_000 + n))
}

fn code(n: u128) -> NewCode {
    NewCode {
        id: AccessCodeId(Uuid::from_u128(5_000 + n)),
        hash: CodeHash([n as u8; 32]),
        organization: OFFICE,
        user: user(n),
        by: user(1).into(),
        lasts: Duration::from_secs(3_600),
        max_uses: None,
        operation: Some(OperationId(Uuid::from_u128(6_000 + n))),
    }
}

/// The admin 1 and the assistants 2 and 3 with their codes, and the accounts 1 and 2.
async fn put_agency(store: &SqliteStore) {
    put_office(store, 3).await;
    let admin = DirectoryChange::PutMember { organization: OFFICE, user: user(1), role: Role::Admin };
    let accounts = [1, 2].map(|n| DirectoryChange::PutAccount {
        id: account(n),
        organization: OFFICE,
        name: "Account".into(),
    });
    put(store, [vec![admin], accounts.into()].concat()).await;
    for n in 2..=3 {
        store.mint_code(code(n)).await.unwrap();
    }
}

async fn hold(store: &SqliteStore, n: u128, to: u128) -> Hold {
    let clock_in = ClockIn { code: code(n).hash, account: account(to), operation: None };
    store.clock_in(clock_in).await.unwrap().hold
}

type Entry = (String, String, Option<String>, Option<Value>, Value);

/// The entries of holds and codes in their order: kind, actor, organization, before and after.
async fn entries(folder: &TempDir) -> Vec<Entry> {
    type Row = (String, String, Option<String>, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT kind, actor, organization_id, before_json, after_json FROM presence_audit \
         WHERE kind IN ('occupancy', 'access_code') ORDER BY id",
    )
    .fetch_all(&mut raw(&file(folder)).await)
    .await
    .unwrap();
    let parse = |text: String| serde_json::from_str(&text).unwrap();
    rows.into_iter()
        .map(|(kind, actor, organization, before, after)| {
            (kind, actor, organization, before.map(parse), parse(after))
        })
        .collect()
}

#[tokio::test]
async fn the_key_stays_the_same() {
    let (folder, store) = open_new().await;
    let key = store.token_key().await.unwrap();
    assert_eq!(store.token_key().await.unwrap(), key);
    store.close().await;
    let again = SqliteStore::open(file(&folder), OpenMode::ExistingOnly).await.unwrap();
    assert_eq!(again.token_key().await.unwrap(), key);
    let (_other_folder, other) = open_new().await;
    assert_ne!(other.token_key().await.unwrap(), key);
    assert_eq!(format!("{key:?}"), "TokenKey(…)");
}

/// Whoever changes a hold, and how: one entry each, in the order in which it happened.
#[tokio::test]
async fn every_change_of_a_hold_has_an_entry() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    let minted = entries(&folder).await.len();
    let first = hold(&store, 2, 1).await;
    hold(&store, 2, 1).await;
    let moved = hold(&store, 2, 2).await;
    store.mark_stale(Duration::ZERO).await.unwrap();
    let sign = Sign { hold: moved, heard: Duration::ZERO, active: None };
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
    store.write_signs(&[sign], minute, hour).await.unwrap();
    store.write_signs(&[sign], minute, Duration::ZERO).await.unwrap();
    let second = hold(&store, 2, 1).await;
    let reason = CleanText::parse("Gone home", "reason", 200).unwrap();
    let clear = ForceClear { by: user(1).into(), account: account(1), holder: None, reason, operation: None };
    store.force_clear(clear).await.unwrap();
    let third = hold(&store, 2, 1).await;
    store.clock_out(third, None).await.unwrap();
    let fourth = hold(&store, 2, 1).await;
    put(&store, vec![DirectoryChange::RemoveAccount { id: account(1) }]).await;

    let fields = |hold: Hold| json!({ "account": hold.account, "user": hold.user, "epoch": hold.epoch });
    let by = |n| format!("user:{}", user(n));
    let expect = |actor: &str, event: &str, before: Option<Hold>, hold: Hold, reason: Option<&str>| {
        let mut after = fields(hold);
        after["event"] = event.into();
        if let Some(reason) = reason {
            after["reason"] = reason.into();
        }
        let place = Some(OFFICE.0.hyphenated().to_string());
        ("occupancy".to_owned(), actor.to_owned(), place, before.map(fields), after)
    };
    let (va, admin) = (by(2), by(1));
    let expected = [
        expect(&va, "clocked_in", None, first, None),
        expect(&va, "moved", Some(first), moved, None),
        expect("hub", "stale", Some(moved), moved, None),
        expect("hub", "returned", Some(moved), moved, None),
        expect("hub", "inactive", Some(moved), moved, None),
        expect(&va, "clocked_in", None, second, None),
        expect(&admin, "force_cleared", Some(second), second, Some("Gone home")),
        expect(&va, "clocked_in", None, third, None),
        expect(&va, "clocked_out", Some(third), third, None),
        expect(&va, "clocked_in", None, fourth, None),
        expect("import", "removed", Some(fourth), fourth, None),
    ];
    assert_eq!(entries(&folder).await[minted..], expected);
}

/// Made and revoked, by whom and whose; once each, and with nothing of which anybody could make one.
#[tokio::test]
async fn every_change_of_a_code_has_an_entry() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    store.mint_code(code(2)).await.unwrap();
    let held = hold(&store, 2, 1).await;
    let revocation = Revocation { by: user(1).into(), code: code(2).id, clock_out: true, operation: None };
    store.revoke_code(revocation.clone()).await.unwrap();
    store.revoke_code(revocation).await.unwrap();
    let entries = entries(&folder).await;
    let event = |after: &Value| after["event"].as_str().unwrap().to_owned();
    let told: Vec<_> = entries.iter().map(|(kind, .., after)| (kind.as_str(), event(after))).collect();
    let expected = [
        ("access_code", "minted"),
        ("access_code", "minted"),
        ("occupancy", "clocked_in"),
        ("access_code", "revoked"),
        ("occupancy", "code_revoked"),
    ];
    assert_eq!(told, expected.map(|(kind, event)| (kind, event.to_owned())));
    let (_, actor, organization, before, after) = &entries[0];
    assert_eq!(
        (actor, organization),
        (&format!("user:{}", user(1)), &Some(OFFICE.0.hyphenated().to_string()))
    );
    assert_eq!((before, &after["code"], &after["user"]), (&None, &json!(code(2).id), &json!(user(2))));
    assert!(after["expiresAt"].as_str().unwrap().ends_with('Z'), "{after}");
    assert_eq!(entries[4].3.as_ref().unwrap()["epoch"], held.epoch);
    let hash: String = code(2).hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!format!("{entries:?}").contains(&hash));
}

/// Times are epochs only where they are higher than the last one.
#[tokio::test]
async fn a_clock_that_is_set_back_lowers_no_epoch() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    store.clock_out(held, None).await.unwrap();
    let ahead = "UPDATE account_epochs SET epoch = epoch + 1000000000";
    sqlx::raw_sql(ahead).execute(&mut raw(&file(&folder)).await).await.unwrap();
    for n in 1..=3 {
        let next = hold(&store, 2, 1).await;
        assert_eq!(next.epoch, held.epoch + 1_000_000_000 + n);
        store.clock_out(next, None).await.unwrap();
    }
}

/// From an operator's shell, with foreign keys or by the triggers alone: what is not there any more holds nothing.
#[tokio::test]
async fn plain_sql_ends_holds() {
    let ways = [
        format!("DELETE FROM user_organizations WHERE user_id = '{}'", user(2)),
        format!("DELETE FROM users WHERE id = '{}'", user(2)),
        format!("DELETE FROM organizations WHERE id = '{OFFICE}'"),
        format!("DELETE FROM accounts WHERE id = '{}'", account(1)),
        format!(
            "INSERT INTO organizations VALUES ('{0}', 'B', 'standard'); \
             UPDATE accounts SET organization_id = '{0}' WHERE id = '{1}'",
            Uuid::from_u128(8),
            account(1)
        ),
        format!("DELETE FROM account_presence WHERE account_id = '{}'", account(1)),
    ];
    for way in ways {
        let (folder, store) = open_new().await;
        put_agency(&store).await;
        let held = hold(&store, 2, 1).await;
        let cursor = store.cursor().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(way.clone()))
            .execute(&mut raw(&file(&folder)).await)
            .await
            .unwrap();
        assert!(matches!(store.find_hold(held).await, Err(StoreError::NotHeld)), "{way}");
        assert_eq!(store.changes(&cursor).await.unwrap().accounts.first(), Some(&account(1)), "{way}");
        let accounts = store.accounts(Pick::These(vec![account(1)])).await.unwrap();
        for (_, state) in accounts {
            let ended = state.ended.unwrap();
            assert_eq!((ended.epoch, ended.reason), (held.epoch, ClockOutReason::Removed), "{way}");
        }
        let entries = entries(&folder).await;
        let (_, actor, _, before, after) = entries.last().unwrap();
        assert_eq!((actor.as_str(), &after["event"]), ("directory", &json!("removed")), "{way}");
        assert_eq!(before.as_ref().unwrap()["epoch"], held.epoch, "{way}");
    }
}

/// What nobody may do, whatever writes: two in an account, one in two accounts, somebody who is no member.
#[tokio::test]
async fn the_tables_refuse_a_second_holder() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    hold(&store, 2, 1).await;
    let row = |to: u128, of: u128| {
        format!(
            "INSERT INTO account_presence (account_id, organization_id, user_id, clocked_in_at, last_sign_at, \
             last_activity_at, epoch) VALUES ('{}', '{OFFICE}', '{}', 1, 1, 1, 1)",
            account(to),
            user(of)
        )
    };
    let mut outside = raw(&file(&folder)).await;
    for (to, of, words) in [(1, 3, "UNIQUE"), (2, 2, "UNIQUE"), (2, 9, "FOREIGN KEY")] {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(row(to, of))).execute(&mut outside).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// The assistant with holds, codes and entries, and the admin who made them: removed or erased, neither is found.
#[tokio::test]
async fn no_byte_of_who_was_there_is_left() {
    for n in [2, 1] {
        let (folder, store) = open_new().await;
        put_agency(&store).await;
        hold(&store, 2, 1).await;
        let operation = Some(OperationId(Uuid::new_v4()));
        let clear = ForceClear {
            by: user(1).into(),
            account: account(1),
            holder: Some(user(2)),
            reason: None,
            operation,
        };
        store.force_clear(clear).await.unwrap();
        hold(&store, 2, 2).await;
        assert!(!found_in_files(&folder, &user(n).to_string()).is_empty());
        put(&store, vec![DirectoryChange::RemoveUser { id: user(n) }]).await;
        for erasure in store.open_erasures().await.unwrap() {
            store.close_erasure(erasure).await.unwrap();
        }
        let minute = "UPDATE presence_changes SET at = at - 61000";
        sqlx::raw_sql(minute).execute(&mut raw(&file(&folder)).await).await.unwrap();
        store.expire(Wall(i64::MAX / 2)).await.unwrap();
        assert_eq!(found_in_files(&folder, &user(n).to_string()), [] as [String; 0]);
    }
}

/// Before results run out, too: what an admin did with somebody who was erased is told again without them.
#[tokio::test]
async fn results_forget_the_erased() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    hold(&store, 2, 1).await;
    let operation = Some(OperationId(Uuid::new_v4()));
    let clear = ForceClear { by: user(1).into(), account: account(1), holder: None, reason: None, operation };
    let cleared = store.force_clear(clear.clone()).await.unwrap().hold;
    store.erase(user(2), Wall(7)).await.unwrap();
    let again = store.force_clear(clear).await.unwrap().hold;
    assert_eq!((again.account, again.epoch, again.user == user(2)), (cleared.account, cleared.epoch, false));
    let named = "SELECT (SELECT count(*) FROM operation_results WHERE instr(body_json || result_json, ?1)) + \
                 (SELECT count(*) FROM presence_audit WHERE instr(coalesce(before_json, '') || after_json, ?1) \
                      AND kind <> 'directory')";
    let named: i64 = sqlx::query_scalar(named)
        .bind(user(2).to_string())
        .fetch_one(&mut raw(&file(&folder)).await)
        .await
        .unwrap();
    assert_eq!(named, 0);
}

/// The clock was set back: what was written before is ahead of it.
#[tokio::test]
async fn no_sign_is_later_than_now() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    let held = hold(&store, 2, 1).await;
    let mut outside = raw(&file(&folder)).await;
    let ahead = "UPDATE account_presence SET last_sign_at = last_sign_at + 3600000, last_activity_at = last_sign_at + 3600000";
    sqlx::query(ahead).execute(&mut outside).await.unwrap();
    let sign = Sign { hold: held, heard: Duration::ZERO, active: None };
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
    assert_eq!(store.write_signs(&[sign], minute, hour).await.unwrap(), []);
    let ahead =
        "SELECT max(last_sign_at, last_activity_at) > unixepoch('subsec') * 1000 FROM account_presence";
    let ahead: bool = sqlx::query_scalar(ahead).fetch_one(&mut outside).await.unwrap();
    assert!(!ahead);
}

/// More than are changed in one transaction.
#[tokio::test]
async fn many_are_marked_stale_bit_by_bit() {
    let (folder, store) = open_new().await;
    put_agency(&store).await;
    let people = (10_001..=13_000).map(|n| DirectoryChange::PutUser {
        id: user(n),
        display_name: "Lost".into(),
        disabled: false,
    });
    put(&store, people.collect()).await;
    let fill = format!(
        "INSERT INTO user_organizations SELECT id, '{OFFICE}', 'member' FROM users WHERE display_name = 'Lost';
         INSERT INTO accounts SELECT id, '{OFFICE}', 'Lost' FROM users WHERE display_name = 'Lost';
         INSERT INTO account_presence SELECT id, '{OFFICE}', id, 1, 1, 1, NULL, 1, NULL FROM users
             WHERE display_name = 'Lost'",
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&mut raw(&file(&folder)).await).await.unwrap();
    assert_eq!(store.mark_stale(Duration::from_secs(60)).await.unwrap(), 3_000);
    assert_eq!(store.mark_stale(Duration::from_secs(60)).await.unwrap(), 0);
    let stale = entries(&folder).await.into_iter().filter(|(.., after)| after["event"] == "stale");
    assert_eq!(stale.count(), 3_000);
}
