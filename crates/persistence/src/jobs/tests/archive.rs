//! The archive, whoever is killed wherever.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use model::{UserId, Wall};
use uuid::Uuid;

use super::double::{DAY_MS, Double, Kill, NOW, StoredWeek};
use crate::{
    ArchiveError, ArchiveFolder, Job, JobError, OpenErasure, Report, WEEK_MS, Week,
    archive::Row,
    jobs::{LeftWeek, RestoredWeek},
};

const ARCHIVE: Job = Job::Archive { adopt: false };
const RESTORE: Job = Job::RestoreArchive { weeks: Vec::new() };

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 + n))
}

/// The monday of so many weeks ago.
fn monday(weeks_ago: i64) -> Week {
    Week::of(Wall(NOW.0 - weeks_ago * WEEK_MS))
}

fn row(n: u128, user: UserId, at: Wall, page: &str) -> Row {
    let fields = serde_json::json!({
        "id": Uuid::from_u128(n), "user_id": user, "timestamp": at.0, "page_viewed": page,
    });
    Row::parse(fields.to_string()).unwrap()
}

/// `count` rows of a week, of three people.
fn rows(week: Week, count: u128) -> Vec<Row> {
    let at = |n: u128| Wall(week.start().0 + i64::try_from(n).unwrap() * 1_000);
    let seed = u128::from(week.start().0.unsigned_abs()) << 64;
    (0..count).map(|n| row(seed + n, user(n % 3), at(n), &format!("/pages/{n}"))).collect()
}

fn texts(rows: &[Row]) -> BTreeMap<Uuid, String> {
    rows.iter().map(|row| (row.id, row.text.clone())).collect()
}

fn in_file(archive: &Path, week: Week) -> BTreeMap<Uuid, String> {
    let folder = ArchiveFolder::open(archive).unwrap();
    let mut rows = BTreeMap::new();
    let Some(mut file) = folder.read(week).unwrap() else { return rows };
    while let Some(row) = file.next_row().unwrap() {
        rows.insert(row.id, row.text);
    }
    rows
}

fn in_log(store: &Double, week: Week) -> Option<BTreeMap<Uuid, String>> {
    store.with(|state| state.weeks.get(&week).filter(|it| !it.is_aside).map(|it| it.rows.clone()))
}

fn archive_of(home: &tempfile::TempDir) -> std::path::PathBuf {
    home.path().join("archive")
}

/// Long enough for the lease of whoever was killed to end.
async fn lease_ends() {
    tokio::time::sleep(Duration::from_millis(crate::LEASE_MS as u64 + 1)).await;
}

#[tokio::test(start_paused = true)]
async fn old_weeks_are_moved_into_files_and_young_ones_stay() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let (old, young) = (rows(monday(20), 2_500), rows(monday(2), 10));
    store.log(old.iter().chain(&young).cloned());
    let report = store.runner(&archive_of(&home)).run(&ARCHIVE, NOW).await.unwrap();
    let text = format!("archived: {} (2500 rows, 2500 in its file)", monday(20));
    assert_eq!((report.to_string(), report.is_complete()), (text, true));
    assert_eq!(in_file(&archive_of(&home), monday(20)), texts(&old));
    assert_eq!(store.with(|state| state.weeks.len()), 1);
    assert_eq!(in_log(&store, monday(2)), Some(texts(&young)));
}

/// Runs `job` with a kill at every one of its calls of the store, each time in a new world, and then once more to its
/// end; in how many worlds it was killed.
async fn killed_everywhere(
    prepare: impl AsyncFn(&Double, &Path),
    job: Job,
    check: impl Fn(&Double, &Path),
) -> u64 {
    let mut worlds = 0;
    for kill in [Kill::Before, Kill::After] {
        for call in 1.. {
            let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
            let archive = archive_of(&home);
            prepare(&store, &archive).await;
            store.with(|state| state.kill = Some((state.calls + call, kill)));
            let done = store.runner(&archive).run(&job, NOW).await;
            let was_killed = store.with(|state| state.is_down);
            assert_eq!(done.is_err(), was_killed, "{done:?}");
            store.revive();
            lease_ends().await;
            if was_killed {
                store.runner(&archive).run(&job, NOW).await.unwrap();
            }
            check(&store, &archive);
            if !was_killed {
                break;
            }
            worlds += 1;
        }
    }
    worlds
}

#[tokio::test(start_paused = true)]
async fn whoever_is_killed_while_archiving_loses_and_doubles_nothing() {
    let weeks = [monday(20), monday(21)];
    let logged = weeks.map(|week| rows(week, 1_100));
    let prepare = async |store: &Double, _: &Path| store.log(logged.iter().flatten().cloned());
    let worlds = killed_everywhere(prepare, ARCHIVE, |store, archive| {
        for (week, rows) in weeks.iter().zip(&logged) {
            assert_eq!(in_file(archive, *week), texts(rows));
        }
        assert!(store.with(|state| state.weeks.is_empty()));
    });
    assert!(worlds.await > 40, "two weeks of two pages each");
}

async fn archived(store: &Arc<Double>, archive: &Path) -> Report {
    store.runner(archive).run(&ARCHIVE, NOW).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn whoever_is_killed_while_restoring_loses_and_doubles_nothing() {
    let logged = rows(monday(20), 2_100);
    // What a hub has archived, another world begins with.
    let (home, first) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    first.log(logged.clone());
    archived(&first, &archive_of(&home)).await;
    let file = format!("activity-{}.ndjson.gz", monday(20));
    let prepare = async |_: &Double, archive: &Path| {
        drop(ArchiveFolder::open(archive).unwrap());
        fs::copy(archive_of(&home).join(&file), archive.join(&file)).unwrap();
    };
    let worlds = killed_everywhere(prepare, RESTORE, |store, archive| {
        assert_eq!(in_log(store, monday(20)), Some(texts(&logged)));
        assert_eq!(in_file(archive, monday(20)), texts(&logged), "the file stays");
        assert!(store.with(|state| !state.weeks[&monday(20)].is_restoring));
    });
    assert!(worlds.await > 10);
}

/// Until the last row is back the store knows that some are missing.
#[tokio::test(start_paused = true)]
async fn a_restoration_that_broke_off_has_not_ended() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    let logged = rows(monday(20), 2_100);
    store.log(logged.clone());
    archived(&store, &archive).await;
    let is_restoring = || store.with(|state| state.weeks.get(&monday(20)).is_some_and(|it| it.is_restoring));
    // Known archive, lease, and of the store two calls a step: the week, and the first of three pages.
    store.with(|state| state.kill = Some((state.calls + 6, Kill::After)));
    store.runner(&archive).run(&RESTORE, NOW).await.unwrap_err();
    store.revive();
    assert!(is_restoring());
    assert_eq!(in_log(&store, monday(20)).map(|rows| rows.len()), Some(1_000));
    lease_ends().await;
    store.runner(&archive).run(&RESTORE, NOW).await.unwrap();
    assert!(!is_restoring());
    assert_eq!(in_log(&store, monday(20)), Some(texts(&logged)));
}

#[tokio::test(start_paused = true)]
async fn a_week_that_cannot_be_set_aside_keeps_no_other_from_it() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    store.log([20, 21, 22].into_iter().flat_map(|ago| rows(monday(ago), 5)));
    store.with(|state| (state.stuck, state.quarters) = (Some(monday(21)), 100));
    let report = archived(&store, &archive_of(&home)).await;
    let Report::Archive { weeks, left, .. } = &report else { panic!("{report:?}") };
    assert_eq!((weeks.len(), left.len(), report.is_complete()), (2, 1, false));
    assert!(left[0].week == monday(21).to_string() && left[0].reason.contains("reads it"), "{left:?}");
    assert_eq!(in_log(&store, monday(21)), Some(texts(&rows(monday(21), 5))));
}

#[tokio::test(start_paused = true)]
async fn a_restored_week_is_archived_again_and_merged() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    let logged = rows(monday(20), 30);
    store.log(logged.clone());
    archived(&store, &archive).await;
    // In between somebody has left the directory: their rows are not taken back, and not lost either.
    store.with(|state| state.gone.push(user(1)));
    let job = Job::RestoreArchive { weeks: vec![monday(20)] };
    let restored = store.runner(&archive).run(&job, NOW).await.unwrap();
    let week = RestoredWeek { week: monday(20).to_string(), written: 20, passed_over: 10 };
    assert_eq!(restored, Report::RestoreArchive { weeks: vec![week] });
    let run_after = async |days: i64| store.runner(&archive).run(&ARCHIVE, Wall(NOW.0 + days * DAY_MS)).await;
    assert_eq!(run_after(6).await.unwrap().to_string(), "no week is old enough");
    let report = run_after(7).await.unwrap().to_string();
    assert!(report.ends_with("(20 rows, 30 in its file)"), "{report}");
    assert_eq!(in_file(&archive, monday(20)), texts(&logged));
}

#[tokio::test(start_paused = true)]
async fn an_empty_week_is_dropped_without_a_file() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    store.with(|state| state.weeks.insert(monday(20), StoredWeek::default()));
    let report = archived(&store, &archive_of(&home)).await.to_string();
    assert!(report.ends_with("(0 rows, 0 in its file)"), "{report}");
    assert!(store.with(|state| state.weeks.is_empty()));
    assert_eq!(ArchiveFolder::open(&archive_of(&home)).unwrap().weeks().unwrap(), []);
    let restore = Job::RestoreArchive { weeks: vec![monday(20)] };
    let restored = store.runner(&archive_of(&home)).run(&restore, NOW).await;
    assert!(matches!(restored, Err(JobError::NotArchived { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_is_left_and_so_are_its_week_s_rows() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    drop(ArchiveFolder::open(&archive).unwrap());
    let file = archive.join(format!("activity-{}.ndjson.gz", monday(21)));
    fs::write(&file, "damaged").unwrap();
    store.log(rows(monday(21), 5).into_iter().chain(rows(monday(20), 5)));
    let report = archived(&store, &archive).await;
    let Report::Archive { weeks, left, .. } = &report else { panic!("{report:?}") };
    assert_eq!((weeks.len(), left.len(), report.is_complete()), (1, 1, false));
    assert!(
        matches!(&left[..], [LeftWeek { week, reason }] if *week == monday(21).to_string() && reason.contains("damaged"))
    );
    assert_eq!(in_log(&store, monday(21)), Some(texts(&rows(monday(21), 5))), "not even set aside");
    assert_eq!(fs::read_to_string(file).unwrap(), "damaged");
    let restored = store.runner(&archive).run(&Job::RestoreArchive { weeks: vec![monday(21)] }, NOW).await;
    assert!(matches!(restored, Err(JobError::Archive(ArchiveError::Damaged { .. }))));
}

#[tokio::test(start_paused = true)]
async fn a_hub_with_another_folder_leaves_the_archive_alone_until_it_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (mine, other) = (home.path().join("mine"), home.path().join("other"));
    let store = Arc::new(Double::default());
    archived(&store, &mine).await;
    store.log(rows(monday(20), 5));
    store.with(|state| state.erasures.push(OpenErasure { user: user(0), at: NOW }));
    for job in [ARCHIVE, RESTORE, Job::Erasures] {
        let error = store.runner(&other).run(&job, NOW).await.unwrap_err();
        assert!(error.to_string().contains("adopt"), "{error}");
    }
    assert_eq!(store.with(|state| (state.weeks.len(), state.erasures.len())), (1, 1));
    store.runner(&mine).run(&Job::Erasures, NOW).await.unwrap();
    store.runner(&other).run(&Job::Archive { adopt: true }, NOW).await.unwrap();
    assert!(store.runner(&mine).run(&ARCHIVE, NOW).await.is_err());
    store.runner(&other).run(&ARCHIVE, NOW).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_was_erased_is_in_no_file_and_who_came_back_is() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    let (start, erased_at) = (monday(20).start(), Wall(monday(20).start().0 + 1_000));
    let (gone, other) = (user(1), user(2));
    let told = format!("/users/{}", gone.0);
    let before = row(1, gone, start, "/a");
    let (after, named) = (row(2, gone, Wall(erased_at.0 + 1), "/b"), row(3, other, start, &told));
    let kept = row(4, other, start, "/c");
    store.log([before, after.clone(), named.clone(), kept.clone()].into_iter().chain(rows(monday(25), 3)));
    archived(&store, &archive).await;
    let erasures = [erased_at, Wall(0)].map(|at| OpenErasure { user: gone, at });
    store.with(|state| state.erasures = erasures.to_vec());
    let report = store.runner(&archive).run(&Job::Erasures, NOW).await.unwrap();
    // Of the five-weeks-older file one row is of user 1.
    assert_eq!(report, Report::Erasures { erasures: 2, files: 2, removed: 2, changed: 1 });
    let left = in_file(&archive, monday(20));
    let blank = named.text.replace(&gone.0.to_string(), &Uuid::nil().to_string());
    assert_eq!(left.into_values().collect::<Vec<_>>(), [after.text, blank, kept.text]);
    assert_eq!(in_file(&archive, monday(25)).len(), 2);
    assert!(store.with(|state| state.erasures.is_empty()));
    let again = store.runner(&archive).run(&Job::Erasures, NOW).await.unwrap();
    assert_eq!(again.to_string(), "nobody to erase");
}

#[tokio::test(start_paused = true)]
async fn an_erasure_is_open_until_every_file_is_clean() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    store.log(rows(monday(20), 3).into_iter().chain(rows(monday(21), 3)));
    archived(&store, &archive).await;
    store.with(|state| state.erasures.push(OpenErasure { user: user(1), at: NOW }));
    let file = archive.join(format!("activity-{}.ndjson.gz", monday(21)));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    let error = store.runner(&archive).run(&Job::Erasures, NOW).await.unwrap_err();
    assert!(matches!(&error, JobError::NotCleaned(files) if files.len() == 1), "{error}");
    assert_eq!(in_file(&archive, monday(20)).len(), 2, "the others are clean");
    assert_eq!(store.with(|state| state.erasures.len()), 1);
    fs::write(&file, whole).unwrap();
    lease_ends().await;
    store.runner(&archive).run(&Job::Erasures, NOW).await.unwrap();
    assert_eq!(in_file(&archive, monday(21)).len(), 2);
    assert!(store.with(|state| state.erasures.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_killed_while_erasing_leaves_no_trace_in_the_end() {
    let logged = [monday(20), monday(21)].map(|week| rows(week, 300));
    let prepare = async |store: &Double, archive: &Path| {
        let first = Arc::new(Double::default());
        first.log(logged.iter().flatten().cloned());
        archived(&first, archive).await;
        store.with(|state| state.erasures.push(OpenErasure { user: user(1), at: NOW }));
    };
    let worlds = killed_everywhere(prepare, Job::Erasures, |store, archive| {
        for week in [monday(20), monday(21)] {
            let left = in_file(archive, week);
            assert_eq!(left.len(), 200);
            assert!(left.values().all(|row| !row.contains(&user(1).0.to_string())));
        }
        assert!(store.with(|state| state.erasures.is_empty()));
    });
    assert!(worlds.await >= 12);
}

/// Of what an erasure removed while its week was read, nothing is dropped unseen, and nothing stays.
#[tokio::test(start_paused = true)]
async fn a_week_that_changes_while_it_is_read_stays_until_the_next_time() {
    let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
    let archive = archive_of(&home);
    store.log(rows(monday(20), 3));
    // The call that drops it is the last but one.
    let calls = {
        let (home, other) = (tempfile::tempdir().unwrap(), Arc::new(Double::default()));
        other.log(rows(monday(20), 3));
        archived(&other, &archive_of(&home)).await;
        other.with(|state| state.calls)
    };
    store.with(|state| state.kill = Some((calls - 1, Kill::Before)));
    store.runner(&archive).run(&ARCHIVE, NOW).await.unwrap_err();
    store.revive();
    store.with(|state| drop(state.weeks.get_mut(&monday(20)).unwrap().rows.pop_first()));
    store.with(|state| state.erasures.push(OpenErasure { user: user(0), at: NOW }));
    lease_ends().await;
    let report = archived(&store, &archive).await.to_string();
    assert!(report.ends_with("(2 rows, 3 in its file)"), "{report}");
    store.runner(&archive).run(&Job::Erasures, NOW).await.unwrap();
    assert_eq!(in_file(&archive, monday(20)).len(), 2);
}
