//! Who was erased is found nowhere, not even in the bytes of the files.

use persistence::{BUCKET_MS, ExportPart, OpenErasure, Person, Stretch, Truth, Upkeep};

use super::{
    office::{HOUR_MS, put_office, stretch, view},
    *,
};

pub(super) fn found_in_files(folder: &TempDir, words: &str) -> Vec<String> {
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        fs::read(path).unwrap().windows(words.len()).filter(|bytes| *bytes == words.as_bytes()).count()
    };
    files
        .map(|path| (holds(&path), path))
        .filter(|(n, _)| *n > 0)
        .map(|(n, path)| format!("{n} in {path:?}"))
        .collect()
}

/// Much is written about many, in an order that splits pages; one of them goes.
#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_the_removed_is_left() {
    let (folder, store) = open_new().await;
    put_office(&store, 50).await;
    store.change_settings(hide(1)).await.unwrap();
    for batch in 0..20_i64 {
        let rows: Vec<_> =
            (0..500_i64).map(|n| view(1 + (n * 7 % 50) as u128, n * 7_919 % HOUR_MS * 9 + batch)).collect();
        store.write_activity(&rows).await.unwrap();
        let stretches: Vec<_> = (1..=50).map(|n| stretch(n, batch * HOUR_MS / 2)).collect();
        store.write_stretches(&stretches).await.unwrap();
        let seen = |n| LastSeen {
            user: user(n),
            at: Wall(batch + 1),
            page: None,
            device: None,
            activity: None,
            session_minutes: 0,
        };
        store.write_last_seen(&(1..=50).map(seen).collect::<Vec<_>>()).await.unwrap();
        store.roll_up(10).await.unwrap();
    }
    assert!(store.roll_up(1_000).await.unwrap().buckets > 0);
    assert!(!found_in_files(&folder, &user(1).to_string()).is_empty());
    put(&store, vec![DirectoryChange::RemoveUser { id: user(1) }]).await;
    for erasure in store.open_erasures().await.unwrap() {
        assert_eq!(erasure.user, user(1));
        store.close_erasure(erasure).await.unwrap();
    }
    store.expire(Wall(i64::MAX)).await.unwrap();
    assert_eq!(found_in_files(&folder, &user(1).to_string()), [] as [String; 0]);
    assert!(!found_in_files(&folder, &user(2).to_string()).is_empty());
}

/// Broken off after its first transaction, or before its last: what follows finds the rest.
#[tokio::test]
async fn an_erasure_that_broke_off_is_finished() {
    let (folder, store) = open_new().await;
    put_office(&store, 2).await;
    store.change_settings(hide(1)).await.unwrap();
    // More than goes in one transaction.
    for batch in 0..11_i64 {
        let rows: Vec<_> = (0..1_000_i64).map(|n| view(1, 1 + batch * 1_000 + n)).collect();
        store.write_activity(&rows).await.unwrap();
    }
    store.write_stretches(&[stretch(1, 1), stretch(2, 1)]).await.unwrap();
    store.roll_up(10).await.unwrap();
    let at = Wall(HOUR_MS);
    let remains = crate::person::Remains::of(user(1), Wall(i64::MAX));
    store
        .write(move |connection| Box::pin(crate::person::begin_erasure(connection, (remains, at))))
        .await
        .unwrap();
    assert_eq!(store.open_erasures().await.unwrap(), [OpenErasure { user: user(1), at }]);
    assert_eq!(store.write_activity(&[view(1, i64::MAX / 2)]).await.unwrap().written, 0);
    store.close_erasure(OpenErasure { user: user(1), at }).await.unwrap();
    let mut connection = raw(&file(&folder)).await;
    for table in ["presence_activity_logs", "presence_sessions", "activity_rollups", "activity_pages"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE user_id = ?1");
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(user(1).to_string());
        let left: i64 = query.fetch_one(&mut connection).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let named: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM presence_audit WHERE instr(actor || coalesce(subject, '') || coalesce(after_json, ''), ?1)",
    )
    .bind(user(1).to_string())
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(named, 0);
}

/// A row of its own, with a pseudonym in the place of the person.
#[tokio::test]
async fn the_audit_has_an_entry_that_names_nobody() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ann")]).await;
    store.erase(user(1), Wall(7)).await.unwrap();
    let sql = "SELECT at, actor, subject, before_json, after_json FROM presence_audit WHERE kind = 'erasure'";
    type Row = (i64, String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(&mut raw(&file(&folder)).await).await.unwrap();
    let [(7, actor, None, None, None)] = rows.as_slice() else { panic!("{rows:?}") };
    let pseudonym: Uuid = actor.strip_prefix("user:").unwrap().parse().unwrap();
    assert_ne!(pseudonym, user(1).0);
}

/// What is later in the same quarter of an hour is added up anew, and so is one into which something from before reached.
#[tokio::test]
async fn totals_of_what_is_later_stay_right() {
    let (folder, store) = open_new().await;
    put_office(&store, 1).await;
    let at = Wall(10 * BUCKET_MS + 500);
    store.erase(user(1), at).await.unwrap();
    let seen = SettingsPatch { visibility: Some(Visibility::Team), ..SettingsPatch::default() };
    store.change_settings(SettingsChange { patch: seen, ..hide(1) }).await.unwrap();
    // As if that had been long ago.
    let chosen = "UPDATE presence_settings SET erased_at = 1";
    sqlx::raw_sql(chosen).execute(&mut raw(&file(&folder)).await).await.unwrap();
    store.write_activity(&[view(1, at.0 - 1), view(1, at.0 + 1), view(1, at.0 + 2)]).await.unwrap();
    let reaching = Stretch { seen: Wall(at.0 + 3 * BUCKET_MS), ..stretch(1, at.0 - 1) };
    store.write_stretches(&[reaching]).await.unwrap();
    store.roll_up(100).await.unwrap();
    store.close_erasure(OpenErasure { user: user(1), at }).await.unwrap();
    store.roll_up(100).await.unwrap();
    let totals = store.export_page(user(1), ExportPart::Rollups, None).await.unwrap().rows;
    let [row] = totals.as_slice() else { panic!("{totals:?}") };
    assert!(row.contains(r#""events":2,"sessions":0,"millis":0"#), "{row}");
    let pages = store.export_page(user(1), ExportPart::Pages, None).await.unwrap().rows;
    assert!(pages.len() == 1 && pages[0].contains(r#""views":2"#), "{pages:?}");
}

/// After a minute no change names who is gone; whoever has not read it by then reads everything.
#[tokio::test]
async fn the_changes_of_the_gone_are_forgotten() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ann"), put_user(2, "Bo")]).await;
    let (before, gone) = (store.cursor().await.unwrap(), OpenErasure { user: user(1), at: Wall(1) });
    put(&store, vec![DirectoryChange::RemoveUser { id: user(1) }]).await;
    store.close_erasure(gone).await.unwrap();
    let changes = store.changes(&before).await.unwrap();
    assert_eq!((changes.users, changes.all), (vec![user(1)], false), "hubs have yet to read it");
    let earlier = "UPDATE presence_changes SET at = at - 61000";
    sqlx::raw_sql(earlier).execute(&mut raw(&file(&folder)).await).await.unwrap();
    put(&store, vec![put_user(3, "Cy")]).await;
    let read = store.cursor().await.unwrap();
    store.close_erasure(gone).await.unwrap();
    assert!(store.changes(&before).await.unwrap().all);
    let changes = store.changes(&read).await.unwrap();
    assert_eq!((changes.users, changes.all), (vec![], false));
    let named = "SELECT count(*) FROM presence_changes WHERE user_id = ?1";
    let named = sqlx::query_scalar::<_, i64>(named).bind(user(1).to_string());
    assert_eq!(named.fetch_one(&mut raw(&file(&folder)).await).await.unwrap(), 0);
}
