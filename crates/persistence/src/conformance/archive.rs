//! Weeks of the log: out, counted, dropped, and back as they were.

use model::Wall;
use serde_json::Value;

use super::{
    Shared,
    behind::{activity, put_offices},
    exported::{exported, soon},
    put, remove_user, user,
};
use crate::{ActivityRow, ArchivedRows, BATCH_ROWS, ExportPart, StoreError, WEEK_MS, Week, Written};

fn week() -> Week {
    Week::of(soon(0))
}

/// Rows of users 1 to 3 in the week, a few of them at its bounds; and one in the week before.
async fn put_rows(store: &Shared, count: u128) {
    put_offices(store).await;
    let mut rows: Vec<ActivityRow> =
        (0..count).map(|id| activity(id, 1 + id % 3, soon((id * id % 604_800_000) as i64))).collect();
    rows.push(activity(count, 1, soon(WEEK_MS - 1)));
    rows.push(activity(count + 1, 1, soon(-1)));
    for batch in rows.chunks(BATCH_ROWS) {
        let written = store.write_activity(batch).await.unwrap();
        assert_eq!(written, Written { written: batch.len() as u64, passed_over: 0 });
    }
}

/// All rows of the week, in pages.
async fn rows_of(store: &Shared, week: Week, limit: usize) -> ArchivedRows {
    let (mut rows, mut after) = (ArchivedRows::new(), None);
    loop {
        let page = store.week_rows(week, after, limit).await.expect("the store can be read");
        assert!(page.len() <= limit);
        let Some(last) = page.last() else { return rows };
        let last: Value = serde_json::from_str(last).expect("a row is JSON");
        let id = serde_json::from_value(last["id"].clone()).expect("a row has an id");
        assert!(after.is_none_or(|after| after < id), "rows come by their ids");
        after = Some(id);
        rows.extend(page);
    }
}

async fn logs(store: &Shared) -> Vec<Vec<Value>> {
    let mut logs = Vec::new();
    for n in 1..=3 {
        logs.push(exported(store, n, ExportPart::Activity).await);
    }
    logs
}

async fn restore(store: &Shared, rows: &[String]) -> Written {
    let mut restored = Written::default();
    for batch in rows.chunks(BATCH_ROWS) {
        let some = store.restore_rows(week(), batch).await.expect("the rows can be put back");
        restored.written += some.written;
        restored.passed_over += some.passed_over;
    }
    restored
}

/// No row is lost or changed, whichever step is done twice.
pub async fn a_week_goes_and_comes_back(store: Shared) {
    put_rows(&store, 2_100).await;
    let (before, in_log) = (logs(&store).await, rows_of(&store, week(), 700).await);
    assert_eq!(in_log.len(), 2_101);
    for _ in 0..2 {
        store.set_week_aside(week()).await.unwrap();
    }
    let aside = rows_of(&store, week(), 1_000).await;
    assert_eq!(aside, in_log);
    assert_eq!(logs(&store).await, before, "it is in no archive yet, so it is exported");
    assert!(!store.drop_week(week(), 2_100).await.unwrap(), "one was not counted");
    assert!(store.drop_week(week(), 2_101).await.unwrap());
    assert_eq!(rows_of(&store, week(), 10).await, [] as [String; 0]);
    assert_eq!(logs(&store).await.iter().map(Vec::len).sum::<usize>(), 1, "the week before is not touched");
    for written in [2_101, 0] {
        store.restore_week(week(), soon(0)).await.unwrap();
        assert_eq!(restore(&store, &aside).await, Written { written, passed_over: 0 });
        store.end_restoration(week()).await.unwrap();
    }
    assert_eq!(logs(&store).await, before);
    assert_eq!(rows_of(&store, week(), 1_000).await, aside);
}

/// It has no place for rows, until it is taken back; what came of it in between is kept.
pub async fn a_week_set_aside_takes_no_rows(store: Shared) {
    put_rows(&store, 3).await;
    store.set_week_aside(week()).await.unwrap();
    let late = [activity(50, 1, soon(5)), activity(51, 1, soon(-5))];
    assert_eq!(store.write_activity(&late).await.unwrap(), Written { written: 1, passed_over: 1 });
    assert_eq!(rows_of(&store, week(), 10).await.len(), 4);
    store.restore_week(week(), soon(0)).await.unwrap();
    assert_eq!(store.write_activity(&late).await.unwrap(), Written { written: 1, passed_over: 0 });
    assert_eq!(logs(&store).await[0].len(), 5);
}

/// What is in the log is not dropped, whatever its count.
pub async fn only_what_was_set_aside_is_dropped(store: Shared) {
    put_rows(&store, 3).await;
    assert!(!store.drop_week(week(), 4).await.unwrap());
    assert_eq!(rows_of(&store, week(), 10).await.len(), 4);
    let nowhere = Week::named("1999-01-04").unwrap();
    assert!(!store.drop_week(nowhere, 7).await.unwrap());
    assert_eq!(rows_of(&store, nowhere, 10).await, [] as [String; 0]);
}

async fn is_old(store: &Shared, before: Wall, restored_before: Wall) -> bool {
    let weeks = store.old_weeks(before, restored_before).await.unwrap();
    assert!(weeks.is_sorted(), "{weeks:?}");
    weeks.contains(&week())
}

/// A week is old as a whole; one that was set aside and not dropped is still to be done; one that was restored is left
/// alone for a while.
pub async fn old_weeks_are_named(store: Shared) {
    put_rows(&store, 3).await;
    let (end, never) = (week().end(), soon(0));
    assert!(!is_old(&store, Wall(end.0 - 1), never).await);
    assert!(is_old(&store, end, never).await);
    store.set_week_aside(week()).await.unwrap();
    assert!(is_old(&store, end, never).await);
    assert!(store.drop_week(week(), 4).await.unwrap());
    assert!(!is_old(&store, end, never).await);
    store.restore_week(week(), soon(1_000)).await.unwrap();
    restore(&store, &[]).await;
    store.write_activity(&[activity(60, 1, soon(3))]).await.unwrap();
    assert!(!is_old(&store, end, soon(999)).await);
    assert!(is_old(&store, end, soon(1_001)).await);
}

/// A week that was set aside is erased from like the log; and nobody who is gone comes back out of an archive.
pub async fn the_erased_do_not_come_back(store: Shared) {
    put_rows(&store, 9).await;
    let archived = rows_of(&store, week(), 10).await;
    store.set_week_aside(week()).await.unwrap();
    store.erase(user(1), soon(WEEK_MS)).await.unwrap();
    put(&store, vec![remove_user(2)]).await;
    let left = rows_of(&store, week(), 10).await;
    let is_of = |row: &String, n: u128| row.contains(&user(n).to_string());
    assert!(left.len() == 3 && left.iter().all(|row| is_of(row, 3)), "{left:?}");
    assert!(store.drop_week(week(), 3).await.unwrap());
    store.restore_week(week(), soon(0)).await.unwrap();
    assert_eq!(restore(&store, &archived).await, Written { written: 3, passed_over: 7 });
    assert_eq!(rows_of(&store, week(), 10).await, left);
}

/// What no store wrote is not put back.
pub async fn what_is_no_row_is_corrupt(store: Shared) {
    put_rows(&store, 3).await;
    let row = rows_of(&store, week(), 1).await.remove(0);
    for no_row in ["", "{}", "[1]", row.replace("timestamp", "time").as_str()] {
        let error = store.restore_rows(week(), &[no_row.to_owned()]).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{no_row}: {error}");
    }
}
