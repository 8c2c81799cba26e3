//! Weeks in one table: set aside, dropped in slices, and put back.

use persistence::{Archive, ExportPart, Person, WEEK_MS, Week, Written};

use super::{
    office::{put_office, view},
    *,
};

/// A Monday.
const MONDAY: Wall = Wall(1_794_787_200_000);

fn week(n: i64) -> Week {
    Week::of(Wall(MONDAY.0 + n * WEEK_MS))
}

async fn rows_of(store: &SqliteStore, week: Week) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.week_rows(week, after, 700).await.unwrap();
        let Some(last) = page.last() else { return all };
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        after = Some(last["id"].as_str().unwrap().parse().unwrap());
        all.extend(page);
    }
}

async fn write(store: &SqliteStore, first: Wall, rows: usize, step: i64) {
    let rows: Vec<_> = (0..rows).map(|n| view(1 + n as u128 % 3, first.0 + n as i64 * step)).collect();
    for batch in rows.chunks(persistence::BATCH_ROWS) {
        assert_eq!(store.write_activity(batch).await.unwrap().written, batch.len() as u64);
    }
}

async fn in_the_log(folder: &TempDir) -> i64 {
    let sql = "SELECT count(*) FROM presence_activity_logs";
    sqlx::query_scalar(sql).fetch_one(&mut raw(&file(folder)).await).await.unwrap()
}

/// More rows than one transaction drops, and not one of the weeks beside it; put back, each is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_week_goes_and_comes_back_whole() {
    let (folder, store) = open_new().await;
    put_office(&store, 3).await;
    const ROWS: usize = 12_345;
    write(&store, week(0).start(), ROWS, 40_000).await;
    write(&store, Wall(week(0).start().0 - 1), 1, 0).await;
    write(&store, week(0).end(), 1, 0).await;
    assert!(!store.drop_week(week(0), ROWS as u64).await.unwrap(), "it was not set aside");
    store.set_week_aside(week(0)).await.unwrap();
    store.set_week_aside(week(0)).await.unwrap();
    let rows = rows_of(&store, week(0)).await;
    assert_eq!(rows.len(), ROWS);
    assert!(!store.drop_week(week(0), ROWS as u64 - 1).await.unwrap());
    assert!(store.drop_week(week(0), ROWS as u64).await.unwrap());
    assert_eq!((in_the_log(&folder).await, rows_of(&store, week(0)).await.len()), (2, 0));
    assert!(store.drop_week(week(0), 0).await.unwrap(), "nothing is left to drop");
    store.restore_week(week(0), Wall(5)).await.unwrap();
    for batch in rows.chunks(1_000) {
        let whole = Written { written: batch.len() as u64, passed_over: 0 };
        assert_eq!(store.restore_rows(week(0), batch).await.unwrap(), whole);
        assert_eq!(store.restore_rows(week(0), batch).await.unwrap(), Written::default());
    }
    assert_eq!(rows_of(&store, week(0)).await, rows);
}

/// The same rows by the list of a week that is aside as before there was one, also where some have gone since; and when the
/// week is taken back or dropped, nothing is left of the list.
#[tokio::test]
async fn a_week_that_is_aside_is_listed() {
    let (folder, store) = open_new().await;
    put_office(&store, 3).await;
    write(&store, week(0).start(), 2_500, WEEK_MS / 2_500).await;
    write(&store, week(1).start(), 2, 1).await;
    let listed = async || -> i64 {
        let sql = "SELECT count(*) FROM presence_week_rows";
        sqlx::query_scalar(sql).fetch_one(&mut raw(&file(&folder)).await).await.unwrap()
    };
    let rows = rows_of(&store, week(0)).await;
    store.set_week_aside(week(0)).await.unwrap();
    assert_eq!((listed().await, rows_of(&store, week(0)).await), (2_500, rows.clone()));
    store.restore_week(week(0), Wall(5)).await.unwrap();
    assert_eq!((listed().await, rows_of(&store, week(0)).await), (0, rows.clone()));
    for n in [0, 0, 1] {
        store.set_week_aside(week(n)).await.unwrap();
    }
    store.erase(user(1), week(2).start()).await.unwrap();
    let left: Vec<_> = rows.into_iter().filter(|row| !row.contains(&user(1).to_string())).collect();
    assert_eq!((listed().await, rows_of(&store, week(0)).await), (2_502, left.clone()));
    assert!(store.drop_week(week(0), left.len() as u64).await.unwrap());
    assert_eq!(listed().await, 2, "those of the other week");
}

/// By the hub's clock, without those that were restored a while ago; a week that was killed on its way out is one of
/// them as long as it has rows.
#[tokio::test]
async fn old_weeks_are_those_with_rows() {
    let (_folder, store) = open_new().await;
    put_office(&store, 3).await;
    for n in [0, 1, 3] {
        write(&store, week(n).end(), 1, 0).await;
        write(&store, Wall(week(n).start().0), 2, WEEK_MS - 1).await;
    }
    let old = async |before: Wall, restored| store.old_weeks(before, Wall(restored)).await.unwrap();
    assert_eq!(old(week(3).end(), 0).await, [0, 1, 2, 3].map(week));
    assert_eq!(old(Wall(week(3).end().0 - 1), 0).await, [0, 1, 2].map(week));
    store.restore_week(week(1), Wall(100)).await.unwrap();
    assert_eq!(old(week(3).end(), 99).await, [0, 2, 3].map(week));
    assert_eq!(old(week(3).end(), 100).await, [0, 1, 2, 3].map(week));
    for n in [0, 1] {
        store.set_week_aside(week(n)).await.unwrap();
    }
    assert_eq!(old(week(3).end(), 0).await, [0, 1, 2, 3].map(week));
    assert!(store.drop_week(week(0), 2).await.unwrap());
    assert_eq!(old(week(3).end(), 0).await, [1, 2, 3].map(week));
}

/// Not written, and read only by whom it is about; and their rows go also while it is aside.
#[tokio::test]
async fn a_week_that_is_aside_is_out_of_the_log() {
    let (folder, store) = open_new().await;
    put_office(&store, 3).await;
    write(&store, week(0).start(), 6, 1).await;
    write(&store, week(1).start(), 3, 1).await;
    store.set_week_aside(week(0)).await.unwrap();
    let late = store.write_activity(&[view(1, week(0).end().0 - 1)]).await.unwrap();
    assert_eq!(late, Written { written: 0, passed_over: 1 });
    let export = store.export_page(user(1), ExportPart::Activity, None).await.unwrap();
    assert_eq!(export.rows.len(), 3);
    store.erase(user(1), week(2).start()).await.unwrap();
    assert_eq!((in_the_log(&folder).await, rows_of(&store, week(0)).await.len()), (6, 4));
}

/// Of people who are gone or were erased since; and what is no row of that week is refused with all that is beside it.
#[tokio::test]
async fn only_what_has_a_place_comes_back() {
    let (folder, store) = open_new().await;
    put_office(&store, 3).await;
    write(&store, week(0).start(), 6, 1).await;
    store.set_week_aside(week(0)).await.unwrap();
    let rows = rows_of(&store, week(0)).await;
    assert!(store.drop_week(week(0), 6).await.unwrap());
    store.restore_week(week(0), Wall(0)).await.unwrap();
    let foreign = rows[0]
        .replace(&user(1).to_string(), "x")
        .replace(&user(2).to_string(), "x")
        .replace(&user(3).to_string(), "x");
    let unknown_kind = rows[0].replace("page_view", "nap");
    for bad in ["", "{}", "[1]", &foreign, &unknown_kind] {
        let refused = store.restore_rows(week(0), &[rows[1].clone(), bad.into()]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{bad}: {refused}");
    }
    let elsewhere = store.restore_rows(week(1), &rows).await.unwrap_err();
    assert!(matches!(elsewhere, StoreError::Corrupt(_)), "{elsewhere}");
    assert_eq!(in_the_log(&folder).await, 0);
    put(&store, vec![DirectoryChange::RemoveUser { id: user(1) }]).await;
    store.erase(user(2), week(1).start()).await.unwrap();
    assert_eq!(store.restore_rows(week(0), &rows).await.unwrap(), Written { written: 2, passed_over: 4 });
    assert_eq!(in_the_log(&folder).await, 2);
}

/// How long it takes to read a whole week page by page, for whoever asks with `PRESENCE_HUB_TIMED_ROWS`.
#[tokio::test(flavor = "multi_thread")]
async fn reading_a_week_is_timed() {
    let (_folder, store) = open_new().await;
    put_office(&store, 3).await;
    let count = behind::timed_rows();
    write(&store, week(0).start(), count, WEEK_MS / count as i64).await;
    let begun = std::time::Instant::now();
    store.set_week_aside(week(0)).await.unwrap();
    behind::say(format!("{count} rows set aside in {:?}", begun.elapsed()));
    let begun = std::time::Instant::now();
    assert_eq!(rows_of(&store, week(0)).await.len(), count);
    behind::say(format!("and read in pages of 700 in {:?}", begun.elapsed()));
    let begun = std::time::Instant::now();
    assert!(store.drop_week(week(0), count as u64).await.unwrap());
    behind::say(format!("and dropped in {:?}", begun.elapsed()));
}
