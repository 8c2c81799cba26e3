//! What may lag: written once though it is given twice, and only where it has a place.

use model::{
    ActivityType, CleanText, Device, DirectoryChange, Metadata, MetadataKey, MetadataValue, Role, SessionId,
    Wall,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    START, Shared, be_seen,
    exported::{exported, now, pick, soon, utc},
    organization, put, put_member, put_organization, put_user, remove_user, user,
};
use crate::{
    ActivityRow, Actor, BATCH_ROWS, ExportPart, Gap, GapReason, Stretch, StretchId, WEEK_MS, Week, Written,
};

/// Users 1 to 3 in the organizations 1 and 2.
pub(super) async fn put_offices(store: &Shared) {
    let mut changes: Vec<_> = (1..=3).map(put_user).collect();
    changes.extend([put_organization(1), put_organization(2)]);
    changes.extend((1..=3).map(|n| put_member(1, n, Role::Member)));
    changes.extend((1..=3).map(|n| put_member(2, n, Role::Member)));
    put(store, changes).await;
}

pub(super) fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(5_000 + n))
}

/// A bare row of user `n` in organization 1.
pub(super) fn activity(id: u128, n: u128, at: Wall) -> ActivityRow {
    ActivityRow {
        id: Uuid::from_u128(6_000_000 + id),
        organization: organization(1),
        user: user(n),
        kind: ActivityType::Interaction,
        page: None,
        at,
        device: None,
        session: None,
        metadata: Metadata::new(),
    }
}

/// A stretch of user `n` in organization 1 that goes on.
pub(super) fn stretch(of: u128, n: u128, started: Wall, seen: Wall) -> Stretch {
    Stretch {
        id: StretchId { organization: organization(1), session: session(of), started },
        user: user(n),
        seen,
        ended: false,
        device: Some(Device::Desktop),
    }
}

pub(super) fn page(path: &str) -> Option<CleanText> {
    CleanText::parse_page(path, "page", 512).expect("a page of the tests is short")
}

async fn log_of(store: &Shared, n: u128) -> Vec<Value> {
    exported(store, n, ExportPart::Activity).await
}

/// Whose rows, by their ids, are in the log.
async fn ids_of(store: &Shared, n: u128) -> Vec<u128> {
    let id = |row: &Value| {
        let id: Uuid = serde_json::from_value(row["id"].clone()).expect("an id");
        id.as_u128() - 6_000_000
    };
    log_of(store, n).await.iter().map(id).collect()
}

/// Start, last sign of life, end and device of all stretches, in the order of their starts.
async fn stretches_of(store: &Shared, n: u128) -> Vec<Value> {
    let rows = exported(store, n, ExportPart::Sessions).await;
    let mut rows: Vec<_> =
        rows.iter().map(|row| pick(row, &["started_at", "seen_at", "ended", "device_type"])).collect();
    rows.sort_by_key(Value::to_string);
    rows
}

fn stretch_row(started: i64, seen: i64, ended: bool, device: Option<&str>) -> Value {
    json!([utc(soon(started)), utc(soon(seen)), ended, device])
}

fn counts(written: u64, passed_over: u64) -> Written {
    Written { written, passed_over }
}

/// Every column, with letters of all kinds and the largest number, and with nothing.
pub async fn activity_is_read_as_it_was_written(store: Shared) {
    put_offices(&store).await;
    let text = |text: &str| MetadataValue::Text(text.into());
    let full = ActivityRow {
        kind: ActivityType::PageView,
        page: page("/weddings/Zoë & Åsa's \"Гарten\" 💐\\n?token=1"),
        device: Some(Device::Tablet),
        session: Some(session(1)),
        metadata: Metadata::from([
            (MetadataKey::Section, text("o'brien \"quoted\" {\\} 日本 💐")),
            (MetadataKey::DurationMs, MetadataValue::Number(u64::from(u32::MAX) * 1_000)),
            (MetadataKey::Count, MetadataValue::Number(0)),
        ]),
        ..activity(1, 1, soon(1))
    };
    let bare = ActivityRow { organization: organization(2), ..activity(2, 1, soon(2)) };
    assert_eq!(store.write_activity(&[full.clone(), bare]).await.unwrap(), counts(2, 0));
    let expected = [
        json!({
            "id": full.id, "organization_id": organization(1), "user_id": user(1), "activity_type": "page_view",
            "page_viewed": "/weddings/Zoë & Åsa's \"Гарten\" 💐\\n", "timestamp": utc(soon(1)),
            "device_type": "tablet", "session_id": session(1), "metadata": full.metadata,
        }),
        json!({
            "id": Uuid::from_u128(6_000_002), "organization_id": organization(2), "user_id": user(1),
            "activity_type": "interaction", "page_viewed": null, "timestamp": utc(soon(2)),
            "device_type": null, "session_id": null, "metadata": {},
        }),
    ];
    assert_eq!(log_of(&store, 1).await, expected);
    assert_eq!(log_of(&store, 2).await, Vec::<Value>::new());
}

/// A batch that is made again, and rows that are in it twice.
pub async fn activity_is_written_once(store: Shared) {
    put_offices(&store).await;
    let batch = [activity(1, 1, soon(1)), activity(2, 1, soon(2))];
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(2, 0));
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(0, 0));
    let twice = [activity(3, 1, soon(3)), activity(1, 1, soon(1)), activity(3, 1, soon(3))];
    assert_eq!(store.write_activity(&twice).await.unwrap(), counts(1, 0));
    assert_eq!(ids_of(&store, 1).await, [1, 2, 3]);
}

/// Of an unknown user or an unknown organization; what is beside them is written.
pub async fn strangers_rows_are_passed_over(store: Shared) {
    put_offices(&store).await;
    let elsewhere = ActivityRow { organization: organization(9), ..activity(2, 1, soon(1)) };
    let batch = [activity(1, 9, soon(1)), elsewhere, activity(3, 1, soon(1))];
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(1, 2));
    assert_eq!(ids_of(&store, 1).await, [3]);
    let mut strange = stretch(2, 1, soon(0), soon(1));
    strange.id.organization = organization(9);
    let batch = [stretch(1, 9, soon(0), soon(1)), strange, stretch(3, 1, soon(0), soon(1))];
    assert_eq!(store.write_stretches(&batch).await.unwrap(), counts(1, 2));
    assert_eq!(stretches_of(&store, 1).await, [stretch_row(0, 1, false, Some("desktop"))]);
}

/// They are of somebody else who had the same id.
pub async fn rows_from_before_their_user_are_passed_over(store: Shared) {
    put_offices(&store).await;
    let new = vec![remove_user(1), put_user(1), put_member(1, 1, Role::Member)];
    store.change_directory(new, soon(100), Actor::Service).await.unwrap();
    let batch = [activity(1, 1, soon(99)), activity(2, 1, soon(100)), activity(3, 2, soon(99))];
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(2, 1));
    assert_eq!((ids_of(&store, 1).await, ids_of(&store, 2).await), (vec![2], vec![3]));
    let batch = [stretch(1, 1, soon(99), soon(200)), stretch(2, 1, soon(100), soon(200))];
    assert_eq!(store.write_stretches(&batch).await.unwrap(), counts(1, 1));
}

/// They waited while the person's data was erased; what is noted afterwards is written.
pub async fn rows_from_before_an_erasure_are_passed_over(store: Shared) {
    put_offices(&store).await;
    store.write_activity(&[activity(1, 1, soon(1)), activity(2, 2, soon(1))]).await.unwrap();
    store.write_stretches(&[stretch(1, 1, soon(0), soon(1))]).await.unwrap();
    store.erase(user(1), soon(100)).await.unwrap();
    be_seen(&store, 1).await;
    assert_eq!((ids_of(&store, 1).await, ids_of(&store, 2).await), (vec![], vec![2]));
    let before = Wall(now().0 - 60_000);
    let batch = [activity(3, 1, before), activity(4, 1, soon(101)), activity(5, 2, soon(99))];
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(2, 1));
    assert_eq!((ids_of(&store, 1).await, ids_of(&store, 2).await), (vec![4], vec![2, 5]));
    // It began before: its later signs of life do not bring it back.
    let batch = [stretch(1, 1, before, soon(200)), stretch(1, 1, soon(101), soon(200))];
    assert_eq!(store.write_stretches(&batch).await.unwrap(), counts(1, 1));
    assert_eq!(stretches_of(&store, 1).await, [stretch_row(101, 200, false, Some("desktop"))]);
}

/// In a week that was taken out of the log, and further ahead than any clock is wrong.
pub async fn times_without_a_place_are_passed_over(store: Shared) {
    put_offices(&store).await;
    let far = Wall(now().0 + 5 * WEEK_MS + 60_000);
    store.set_week_aside(Week::of(soon(0))).await.unwrap();
    let free = soon(WEEK_MS);
    let batch = [activity(1, 1, soon(1)), activity(2, 1, far), activity(3, 1, free)];
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(1, 2));
    assert_eq!(ids_of(&store, 1).await, [3]);
    let batch = [stretch(1, 1, soon(0), soon(1)), stretch(2, 1, far, far), stretch(3, 1, free, free)];
    assert_eq!(store.write_stretches(&batch).await.unwrap(), counts(1, 2));
    assert_eq!(stretches_of(&store, 1).await.len(), 1);
}

/// Neither the last sign of life nor the end nor the device; and the same session may begin anew.
pub async fn stretches_never_go_back(store: Shared) {
    put_offices(&store).await;
    let on = |device, seen| Stretch { device, ..stretch(1, 1, soon(0), soon(seen)) };
    let ended = |device, seen| Stretch { ended: true, ..on(device, seen) };
    let (desktop, mobile, tablet) = (Some(Device::Desktop), Some(Device::Mobile), Some(Device::Tablet));
    for (note, expected) in [
        (on(desktop, 10), stretch_row(0, 10, false, Some("desktop"))),
        (on(tablet, 5), stretch_row(0, 10, false, Some("desktop"))),
        (on(mobile, 20), stretch_row(0, 20, false, Some("mobile"))),
        (ended(mobile, 30), stretch_row(0, 30, true, Some("mobile"))),
        (on(mobile, 25), stretch_row(0, 30, true, Some("mobile"))),
        (on(mobile, 40), stretch_row(0, 40, true, Some("mobile"))),
    ] {
        store.write_stretches(&[note]).await.unwrap();
        assert_eq!(stretches_of(&store, 1).await, [expected]);
    }
    store.write_stretches(&[stretch(1, 1, soon(50), soon(60))]).await.unwrap();
    let both = [stretch_row(0, 40, true, Some("mobile")), stretch_row(50, 60, false, Some("desktop"))];
    assert_eq!(stretches_of(&store, 1).await, both);
}

/// A batch that is made again; and several notes of one stretch in a batch are the furthest of them.
pub async fn stretches_are_written_once(store: Shared) {
    put_offices(&store).await;
    let batch =
        [stretch(1, 1, soon(0), soon(20)), stretch(1, 1, soon(0), soon(10)), stretch(2, 2, soon(0), soon(0))];
    assert_eq!(store.write_stretches(&batch).await.unwrap(), counts(2, 0));
    assert_eq!(store.write_stretches(&batch).await.unwrap().passed_over, 0);
    assert_eq!(stretches_of(&store, 1).await, [stretch_row(0, 20, false, Some("desktop"))]);
    assert_eq!(stretches_of(&store, 2).await, [stretch_row(0, 0, false, Some("desktop"))]);
}

/// Those that have not been heard of end at their last sign of life; the others go on.
pub async fn lost_stretches_end(store: Shared) {
    put_offices(&store).await;
    let batch = [stretch(1, 1, soon(0), soon(99)), stretch(2, 2, soon(0), soon(100))];
    store.write_stretches(&batch).await.unwrap();
    assert_eq!(store.end_lost_stretches(soon(100)).await.unwrap(), 1);
    assert_eq!(store.end_lost_stretches(soon(100)).await.unwrap(), 0);
    assert_eq!(stretches_of(&store, 1).await, [stretch_row(0, 99, true, Some("desktop"))]);
    assert_eq!(stretches_of(&store, 2).await, [stretch_row(0, 100, false, Some("desktop"))]);
}

/// Whoever is created again under the id has nothing of it, and the others keep theirs.
pub async fn the_removed_leave_no_row(store: Shared) {
    put_offices(&store).await;
    let viewed =
        |id, n| ActivityRow { kind: ActivityType::PageView, page: page("/x"), ..activity(id, n, soon(1)) };
    store.write_activity(&[viewed(1, 1), viewed(2, 2)]).await.unwrap();
    let batch = [stretch(1, 1, soon(0), soon(1)), stretch(2, 2, soon(0), soon(1))];
    store.write_stretches(&batch).await.unwrap();
    store.roll_up(10).await.unwrap();
    put(&store, vec![remove_user(1), put_user(1)]).await;
    use ExportPart::{Activity, LastSeen, Pages, Rollups, Sessions};
    for part in [LastSeen, Activity, Sessions, Rollups, Pages] {
        assert_eq!(exported(&store, 1, part).await, Vec::<Value>::new(), "{part:?}");
        assert_eq!(exported(&store, 2, part).await.len(), usize::from(part != LastSeen), "{part:?}");
    }
}

/// Of its members the rows in other logs stay.
pub async fn a_removed_organization_takes_its_log_along(store: Shared) {
    put_offices(&store).await;
    let elsewhere = ActivityRow { organization: organization(2), ..activity(2, 1, soon(1)) };
    store.write_activity(&[activity(1, 1, soon(1)), elsewhere]).await.unwrap();
    store.write_stretches(&[stretch(1, 1, soon(0), soon(1))]).await.unwrap();
    store.roll_up(10).await.unwrap();
    put(&store, vec![DirectoryChange::RemoveOrganization { id: organization(1) }]).await;
    assert_eq!(ids_of(&store, 1).await, [2]);
    assert_eq!(stretches_of(&store, 1).await, Vec::<Value>::new());
    assert_eq!(exported(&store, 1, ExportPart::Rollups).await.len(), 1);
}

/// Given twice, it neither fails nor is anybody's.
pub async fn a_gap_is_marked_once(store: Shared) {
    put_offices(&store).await;
    for reason in [GapReason::Full, GapReason::Corrupt, GapReason::Refused] {
        let gap = Gap { id: Uuid::new_v4(), from: START, until: soon(0), rows: 7, reason };
        store.write_gap(&gap).await.unwrap();
        store.write_gap(&gap).await.unwrap();
    }
    assert_eq!(log_of(&store, 1).await, Vec::<Value>::new());
}

/// Nothing to write is fine.
pub async fn empty_batches_are_nothing(store: Shared) {
    assert_eq!(store.write_activity(&[]).await.unwrap(), Written::default());
    assert_eq!(store.write_stretches(&[]).await.unwrap(), Written::default());
    assert!(!store.roll_up(1).await.unwrap().more);
}

/// All rows of the largest batch, whole in the export.
pub async fn a_full_batch_is_written(store: Shared) {
    put_offices(&store).await;
    let rows = BATCH_ROWS as u128;
    let batch: Vec<_> = (0..rows).map(|id| activity(id, 1, soon(id as i64 / 7))).collect();
    assert_eq!(store.write_activity(&batch).await.unwrap(), counts(rows as u64, 0));
    let more: Vec<_> = (rows..rows + 5).map(|id| activity(id, 1, soon(0))).collect();
    assert_eq!(store.write_activity(&more).await.unwrap(), counts(5, 0));
    let mut ids = ids_of(&store, 1).await;
    ids.sort_unstable();
    assert_eq!(ids, (0..rows + 5).collect::<Vec<_>>());
    let stretches: Vec<_> = (0..rows).map(|of| stretch(of, 2, soon(0), soon(of as i64))).collect();
    assert_eq!(store.write_stretches(&stretches).await.unwrap(), counts(rows as u64, 0));
    assert_eq!(stretches_of(&store, 2).await.len(), BATCH_ROWS);
}
