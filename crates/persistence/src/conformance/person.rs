//! A person's data: read out whole and nobody else's, and erased everywhere.

use std::collections::BTreeSet;

use model::{ActivityType, Hold, SettingsPatch, UserId, Visibility, Wall};
use serde_json::{Value, json};

use super::{
    Shared, account, be_seen,
    behind::{activity, page, stretch},
    change,
    clocked::{clear, code, code_id, hold, mint, put_agency, revocation},
    exported::{exported, now, soon, utc},
    facts,
    follower::Follower,
    noted, operation, organization, put, put_user, put_world, remove_user, settings_of, status, user,
};
use crate::{
    ActivityRow, Actor, BATCH_ROWS, BUCKET_MS, EXPORT_ROWS, ExportPart, ForceClear, LastSeen, NewCode,
    OpenErasure, Revocation, SettingsChange, StoreError, WEEK_MS, Week,
};

/// Before every instant of next week.
const ERASED: i64 = 50_000;

/// The parts that the world of these cases fills. Nobody holds an account or has a code in it.
const FILLED: [ExportPart; 11] = [
    ExportPart::User,
    ExportPart::Memberships,
    ExportPart::Collaborations,
    ExportPart::Settings,
    ExportPart::LastSeen,
    ExportPart::Activity,
    ExportPart::Sessions,
    ExportPart::Rollups,
    ExportPart::Pages,
    ExportPart::Operations,
    ExportPart::Audit,
];
/// What the directory says, which an erasure leaves as it is.
const DIRECTORY: [ExportPart; 3] = [ExportPart::User, ExportPart::Memberships, ExportPart::Collaborations];

/// The world, in which users 1 and 2 left something everywhere.
async fn put_lives(store: &Shared) {
    put_world(store).await;
    for n in 1..=2 {
        let chosen = SettingsChange { operation: operation(n), ..change(n, status(format!("words of {n}"))) };
        store.change_settings(chosen).await.unwrap();
        let seen = LastSeen {
            user: user(n),
            at: soon(1),
            page: page(&format!("/seen/{n}")),
            device: None,
            activity: Some(ActivityType::Focus),
            session_minutes: 1,
        };
        store.write_last_seen(&[seen]).await.unwrap();
        let viewed = ActivityRow {
            kind: ActivityType::PageView,
            page: page(&format!("/viewed/{n}")),
            ..activity(n, n, soon(2))
        };
        store.write_activity(&[viewed]).await.unwrap();
        store.write_stretches(&[stretch(n, n, soon(1), soon(5))]).await.unwrap();
    }
    while store.roll_up(64).await.unwrap().more {}
}

async fn all_of(store: &Shared, n: u128) -> Vec<(ExportPart, Vec<Value>)> {
    let mut parts = Vec::new();
    for part in ExportPart::ALL {
        parts.push((*part, exported(store, n, *part).await));
    }
    parts
}

fn text(parts: &[(ExportPart, Vec<Value>)]) -> String {
    format!("{parts:?}")
}

/// Each part with something, nothing of anybody else, and no id of another person.
pub async fn an_export_is_one_persons(store: Shared) {
    put_lives(&store).await;
    for (n, others) in [(1, [2, 3, 4]), (2, [1, 3, 4])] {
        let parts = all_of(&store, n).await;
        let filled: Vec<_> =
            parts.iter().filter(|(_, rows)| !rows.is_empty()).map(|(part, _)| *part).collect();
        assert_eq!(filled, FILLED);
        let all = text(&parts);
        for other in others {
            assert!(!all.contains(&user(other).to_string()), "{other} in the export of {n}: {all}");
        }
        let other = others[0];
        for own in ["words of", "/seen/", "/viewed/"] {
            let word = |n: u128| if own.ends_with('/') { format!("{own}{n}") } else { format!("{own} {n}") };
            assert!(all.contains(&word(n)) && !all.contains(&word(other)), "{own}: {all}");
        }
    }
    assert_eq!(
        text(&all_of(&store, 9).await),
        text(&ExportPart::ALL.iter().map(|p| (*p, vec![])).collect::<Vec<_>>())
    );
}

/// Every row once, page by page.
pub async fn pages_of_an_export_go_on(store: Shared) {
    put_world(&store).await;
    let count = 2 * EXPORT_ROWS as u128 + 1;
    // Many at one instant: the place between two pages is between two rows, not between two times.
    let rows: Vec<_> = (0..count).map(|id| activity(id, 1, soon(id as i64 / 700))).collect();
    for batch in rows.chunks(BATCH_ROWS) {
        store.write_activity(batch).await.unwrap();
    }
    store.write_activity(&[activity(count, 2, soon(1))]).await.unwrap();
    let found = exported(&store, 1, ExportPart::Activity).await;
    let ids: BTreeSet<String> = found.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!((found.len() as u128, ids.len() as u128), (count, count));
}

async fn erase(store: &Shared, n: u128, at: Wall) -> Result<(), StoreError> {
    store.erase(user(n), at).await
}

/// What the directory says stays, and that they are hidden; the rest is gone, of them alone.
pub async fn the_erased_are_nowhere(store: Shared) {
    put_lives(&store).await;
    let (of_other, directory) = (all_of(&store, 2).await, all_of(&store, 1).await);
    let mut follower = Follower::new(&store).await;
    erase(&store, 1, soon(ERASED)).await.unwrap();
    assert_eq!(follower.found().await.users, [user(1)]);
    for ((part, rows), (_, before)) in all_of(&store, 1).await.into_iter().zip(directory) {
        match part {
            ExportPart::Settings => assert_eq!(rows.len(), 1),
            part if DIRECTORY.contains(&part) => assert_eq!(rows, before),
            part => assert_eq!(rows, [] as [Value; 0], "{part:?}"),
        }
    }
    let settings = settings_of(&store, 1).await;
    assert_eq!((settings.visibility, settings.show_activity), (Visibility::Nobody, false));
    assert_eq!((settings.custom_status, facts(&store, 1).await.unwrap().last_seen), (None, None));
    assert_eq!(store.settings_history(user(1)).await.unwrap(), []);
    let but_audit = |parts: Vec<(ExportPart, Vec<Value>)>| {
        parts.into_iter().filter(|(part, _)| *part != ExportPart::Audit).collect::<Vec<_>>()
    };
    assert_eq!(text(&but_audit(all_of(&store, 2).await)), text(&but_audit(of_other)));
}

/// Choices made afterwards hold; what was done under a name before is forgotten; and an erasure can be made again. The
/// audit's entry of it names nobody, so it is in nobody's export.
pub async fn the_erased_begin_anew(store: Shared) {
    put_lives(&store).await;
    erase(&store, 1, soon(ERASED)).await.unwrap();
    let again = SettingsChange { operation: operation(1), ..change(1, status("another body")) };
    let settings = store.change_settings(again).await.unwrap();
    assert_eq!(settings.visibility, Visibility::Nobody, "hidden until they choose otherwise");
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 1);
    be_seen(&store, 1).await;
    let late = activity(7, 1, soon(ERASED + 1));
    assert_eq!(store.write_activity(&[late]).await.unwrap().written, 1);
    for n in 1..=2 {
        let audit = exported(&store, n, ExportPart::Audit).await;
        assert!(audit.iter().all(|entry| entry["kind"] != "erasure"), "{audit:?}");
    }
    erase(&store, 1, soon(2 * ERASED)).await.unwrap();
    assert_eq!(exported(&store, 1, ExportPart::Activity).await, [] as [Value; 0]);
    assert_eq!(settings_of(&store, 1).await.custom_status, None);
    let late = activity(8, 1, soon(ERASED + 2));
    assert_eq!(store.write_activity(&[late]).await.unwrap().passed_over, 1);
}

async fn passed_over(store: &Shared, n: u128, at: Wall) -> [u64; 3] {
    [
        store.write_last_seen(&[noted(n, at)]).await.unwrap().passed_over,
        store.write_activity(&[activity(at.0 as u128, n, at)]).await.unwrap().passed_over,
        store.write_stretches(&[stretch(n, n, at, at)]).await.unwrap().passed_over,
    ]
}

async fn is_erased(store: &Shared, n: u128) -> bool {
    facts(store, n).await.expect("the user is there").erased
}

/// However late it was noted, by a hub that has not heard of it; until they choose to be seen, and nothing else. After that,
/// what was noted before the choice is not.
pub async fn of_the_erased_nothing_is_written(store: Shared) {
    put_lives(&store).await;
    assert!(!is_erased(&store, 1).await);
    erase(&store, 1, now()).await.unwrap();
    assert!(is_erased(&store, 1).await && !is_erased(&store, 2).await);
    assert_eq!(passed_over(&store, 1, soon(WEEK_MS)).await, [1; 3]);
    assert_eq!(passed_over(&store, 2, soon(WEEK_MS)).await, [0; 3]);
    store.change_settings(change(1, status("still hidden"))).await.unwrap();
    let hidden = SettingsPatch {
        visibility: Some(Visibility::Nobody),
        show_activity: Some(true),
        ..SettingsPatch::default()
    };
    store.change_settings(change(1, hidden)).await.unwrap();
    assert!(is_erased(&store, 1).await);
    assert_eq!(passed_over(&store, 1, soon(WEEK_MS)).await, [1; 3]);
    let mut follower = Follower::new(&store).await;
    be_seen(&store, 1).await;
    assert_eq!(follower.found().await.users, [user(1)]);
    assert!(!is_erased(&store, 1).await);
    assert_eq!(passed_over(&store, 1, Wall(now().0 - 60_000)).await, [1; 3]);
    assert_eq!(passed_over(&store, 1, soon(WEEK_MS)).await, [0; 3]);
    store.change_settings(change(1, status("seen"))).await.unwrap();
    assert_eq!(passed_over(&store, 1, soon(WEEK_MS + 1)).await, [0; 3], "nothing is marked again");
}

/// Nobody is erased who is not there.
pub async fn a_stranger_is_not_erased(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let error = erase(&store, 9, soon(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::UnknownUser), "{error}");
    assert_eq!(store.open_erasures().await.unwrap(), []);
}

async fn open_users(store: &Shared) -> Vec<UserId> {
    store.open_erasures().await.unwrap().iter().map(|erasure| erasure.user).collect()
}

/// By either way, until they are closed.
pub async fn erasures_are_open_until_the_archives_are_clean(store: Shared) {
    put(&store, vec![put_user(1), put_user(2), put_user(3)]).await;
    erase(&store, 1, soon(0)).await.unwrap();
    erase(&store, 1, soon(0)).await.unwrap();
    store.change_directory(vec![remove_user(2)], soon(1), Actor::Service).await.unwrap();
    let mut users = open_users(&store).await;
    users.sort();
    assert_eq!(users, [user(1), user(2)]);
    let first = OpenErasure { user: user(1), at: soon(0) };
    let open = store.open_erasures().await.unwrap();
    assert!(open.contains(&first) && open.is_sorted_by_key(|erasure| erasure.at), "{open:?}");
    store.close_erasure(first).await.unwrap();
    store.close_erasure(first).await.unwrap();
    assert_eq!(open_users(&store).await, [user(2)]);
}

/// What is of that person and from before it, also in a week that is set aside: whatever broke off or came in between. What
/// is later, or another's, stays.
pub async fn what_was_left_goes_when_an_erasure_is_closed(store: Shared) {
    put_lives(&store).await;
    erase(&store, 1, soon(ERASED)).await.unwrap();
    be_seen(&store, 1).await;
    let quarters = |n: i64| soon(n * BUCKET_MS);
    let rows = [activity(10, 1, soon(3)), activity(11, 1, quarters(2)), activity(12, 2, soon(3))];
    store.write_activity(&rows).await.unwrap();
    let stretches = [stretch(10, 1, soon(4), soon(9)), stretch(11, 1, quarters(2), quarters(3))];
    store.write_stretches(&stretches).await.unwrap();
    while store.roll_up(64).await.unwrap().more {}
    let of_other = all_of(&store, 2).await;
    let week = Week::of(soon(0));
    store.set_week_aside(week).await.unwrap();
    store.close_erasure(OpenErasure { user: user(1), at: soon(ERASED) }).await.unwrap();
    while store.roll_up(64).await.unwrap().more {}
    let one = async |part, column: &str| {
        let rows = exported(&store, 1, part).await;
        let [row] = rows.as_slice() else { panic!("{part:?}: {rows:?}") };
        row[column].clone()
    };
    assert_eq!(one(ExportPart::Activity, "timestamp").await, utc(quarters(2)));
    assert_eq!(one(ExportPart::Sessions, "started_at").await, utc(quarters(2)));
    assert_eq!(one(ExportPart::Rollups, "bucket").await, utc(quarters(2)));
    assert_eq!(
        store.week_rows(week, None, 10).await.unwrap().len(),
        3,
        "two of the other, and the later one"
    );
    assert_eq!(text(&all_of(&store, 2).await), text(&of_other));
    assert_eq!(open_users(&store).await, []);
    assert_eq!(settings_of(&store, 1).await.visibility, Visibility::Everyone);
}

/// What somebody supplies to a wedding is theirs; a client of it reads that there is somebody.
pub async fn a_client_does_not_learn_what_others_supply(store: Shared) {
    put_world(&store).await;
    for (n, supplies) in [(1, true), (3, false)] {
        let found = exported(&store, n, ExportPart::Collaborations).await;
        assert_eq!(found.iter().any(|row| row["supplier_type"] == "photographer"), supplies, "{found:?}");
        let all = text(&all_of(&store, n).await);
        assert_eq!(all.contains("photographer"), supplies, "{all}");
    }
}

/// Their own, and of what they did with others not who those are; of a code nothing that opens anything.
pub async fn an_export_has_the_hold_and_the_codes(store: Shared) {
    put_agency(&store).await;
    mint(&store, NewCode { operation: operation(1), ..code(20, 2) }).await;
    let held = hold(&store, 2, 1).await;
    hold(&store, 5, 2).await;
    let clear = ForceClear { operation: operation(2), holder: Some(user(5)), ..clear(1, 2) };
    store.force_clear(clear).await.unwrap();
    let revoke = Revocation { operation: operation(3), ..revocation(1, 6, true) };
    store.revoke_code(revoke).await.unwrap();
    let rows = exported(&store, 2, ExportPart::Occupancy).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&row["account_id"], &row["epoch"]), (&json!(account(1)), &json!(held.epoch)));
    let codes = exported(&store, 2, ExportPart::AccessCodes).await;
    let ids: BTreeSet<_> = codes.iter().map(|code| code["id"].to_string()).collect();
    assert_eq!(ids, [2, 20].map(|n| json!(code_id(n)).to_string()).into());
    assert_eq!(exported(&store, 1, ExportPart::Operations).await.len(), 3);
    for (n, others) in [(1, [2, 5, 6]), (2, [1, 5, 6]), (5, [1, 2, 6])] {
        let all = text(&all_of(&store, n).await);
        for other in others {
            assert!(!all.contains(&user(other).to_string()), "{other} in the export of {n}: {all}");
        }
        assert!(!all.contains("hash"), "{all}");
    }
}

/// Hold and codes end with them, whoever they are of; who made a code for others is forgotten.
pub async fn the_erased_hold_nothing(store: Shared) {
    put_agency(&store).await;
    mint(&store, NewCode { by: user(7).into(), ..code(20, 2) }).await;
    mint(&store, NewCode { by: user(7).into(), ..code(70, 7) }).await;
    let (of_member, of_admin) = (hold(&store, 2, 1).await, hold(&store, 70, 2).await);
    let (revoke, clear) = (revocation(7, 20, false), ForceClear { operation: operation(1), ..clear(7, 1) });
    store.revoke_code(revoke).await.unwrap();
    store.force_clear(clear).await.unwrap();
    let of_member = Hold { epoch: hold(&store, 2, 1).await.epoch, ..of_member };
    let mut follower = Follower::new(&store).await;
    for (n, held) in [(2, of_member), (7, of_admin)] {
        erase(&store, n, now()).await.unwrap();
        assert_eq!(follower.found().await.accounts, [held.account]);
        let error = store.find_hold(held).await.unwrap_err();
        assert!(matches!(error, StoreError::NotHeld), "{error}");
        for part in
            [ExportPart::Occupancy, ExportPart::AccessCodes, ExportPart::Operations, ExportPart::Audit]
        {
            assert_eq!(exported(&store, n, part).await, [] as [Value; 0], "{part:?}");
        }
    }
    let listed = store.access_codes(user(1), organization(1)).await.unwrap();
    assert_eq!(listed.iter().map(|code| code.user).collect::<BTreeSet<_>>(), [user(5), user(6)].into());
}
