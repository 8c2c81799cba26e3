//! Who has a job, and what an operator says.

use std::{sync::Arc, time::Duration};

use model::Wall;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::double::{Double, Kill, NOW};
use crate::{Job, JobError, JobName, Jobs, LEASE_MS, Report, Week};

fn store() -> (tempfile::TempDir, Arc<Double>) {
    (tempfile::tempdir().unwrap(), Arc::new(Double::default()))
}

#[tokio::test(start_paused = true)]
async fn a_job_is_one_hub_s_until_nothing_is_heard_of_it() {
    let (home, store) = store();
    assert!(store.take_job("rollups", Uuid::from_u128(1), 0).await.unwrap());
    let runner = store.runner(home.path());
    let error = runner.run(&Job::Rollups, NOW).await.unwrap_err();
    assert!(matches!(error, JobError::Taken(JobName::Rollups)), "{error}");
    runner.run(&Job::Expire, NOW).await.expect("another job is free");
    sleep(Duration::from_millis(LEASE_MS as u64)).await;
    runner.run(&Job::Rollups, NOW).await.unwrap();
    runner.run(&Job::Rollups, NOW).await.expect("left when it is done");
}

/// Where two hubs begin at once, each does all its jobs at once.
#[tokio::test(start_paused = true)]
async fn who_asks_for_a_job_waits_a_little_for_whoever_does_it() {
    let (home, store) = store();
    let other = Uuid::from_u128(1);
    assert!(store.take_job("rollups", other, 0).await.unwrap());
    let runner = store.runner(home.path());
    let leaves = async {
        sleep(Duration::from_secs(4)).await;
        store.with(|state| state.jobs.get_mut("rollups").expect("a job under way").holder = None);
    };
    let (done, ()) = tokio::join!(runner.run(&Job::Rollups, NOW), leaves);
    done.expect("done after the other one");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_lost_in_the_middle_ends() {
    let (home, store) = store();
    store.with(|state| state.quarters = 1_000);
    let runner = store.runner(home.path());
    let thief = async {
        while store.with(|state| state.quarters == 1_000) {
            tokio::task::yield_now().await;
        }
        let thief = Some((Uuid::from_u128(9), Instant::now()));
        store.with(|state| state.jobs.get_mut("rollups").expect("a job under way").holder = thief);
    };
    let (done, ()) = tokio::join!(runner.run(&Job::Rollups, NOW), thief);
    assert!(matches!(done, Err(JobError::Lost(JobName::Rollups))), "{done:?}");
    assert!(store.with(|state| (1..1_000).contains(&state.quarters)));
    assert_eq!(store.times("rollups"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_job_has_done_is_known_afterwards() {
    let (home, store) = store();
    store.with(|state| (state.lost, state.old, state.quarters) = (7, 8, 130));
    let runner = store.runner(home.path());
    let rebuild = Job::RebuildRollups { from: None, until: None };
    let table = [
        (Job::StalePresence, "7 sessions ended whose hub is gone"),
        (Job::DeadSessions, "0 lost sessions ended, 8 sessions and totals older than 400 days dropped"),
        (Job::Partitions, "there is room for four weeks"),
        (Job::Expire, "1 results of operations and 2 access codes dropped"),
        (Job::Rollups, "130 quarters of an hour added up"),
        (rebuild, "100 quarters of an hour marked, 100 added up"),
        (Job::RestoreArchive { weeks: Vec::new() }, "no week is archived"),
        (Job::Erasures, "nobody to erase"),
        (Job::from(JobName::Archive), "no week is old enough"),
    ];
    for (job, text) in &table {
        assert_eq!(runner.run(job, NOW).await.unwrap().to_string(), *text);
    }
    let list = runner.list().await.unwrap();
    assert_eq!(list.len(), JobName::ALL.len());
    for (status, name) in list.iter().zip(JobName::ALL) {
        let (_, text) = table.iter().find(|(job, _)| job.name() == *name).unwrap();
        assert_eq!(status.report.as_ref().map(Report::to_string).as_deref(), Some(*text));
        assert_eq!((status.finished, status.name.as_str()), (Some(NOW.0), name.name()));
    }
}

/// Whoever was killed keeps it until the lease ends; whoever failed gives it back.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_said_and_the_lease_ends_by_itself() {
    let (home, store) = store();
    store.with(|state| state.kill = Some((2, Kill::Before)));
    let runner = store.runner(home.path());
    assert!(matches!(runner.run(&Job::Expire, NOW).await, Err(JobError::Store(_))));
    store.revive();
    assert!(matches!(runner.run(&Job::Expire, NOW).await, Err(JobError::Taken(_))));
    sleep(Duration::from_millis(LEASE_MS as u64)).await;
    runner.run(&Job::Expire, NOW).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_free_at_once() {
    let (home, store) = store();
    let runner = store.runner(home.path());
    let restore = Job::RestoreArchive { weeks: vec![Week::of(NOW)] };
    for _ in 0..2 {
        let error = runner.run(&restore, NOW).await.unwrap_err();
        assert!(matches!(error, JobError::NotArchived { .. }), "{error}");
    }
    assert_eq!(store.times("restore-archive"), 0);
}

/// Nobody else gets the job while the store is at work on one step of it for longer than a lease.
#[tokio::test(start_paused = true)]
async fn a_long_step_of_the_store_keeps_the_job() {
    let (home, store) = store();
    let long = Duration::from_millis(LEASE_MS as u64 * 5);
    store.with(|state| {
        state.weeks.entry(Week::of(Wall(0))).or_default();
        state.dropping_takes = long;
    });
    let runner = store.runner(home.path());
    let thief = async {
        sleep(long / 2).await;
        assert!(!store.take_job("archive", Uuid::from_u128(9), 0).await.unwrap());
    };
    let archive = Job::from(JobName::Archive);
    let (done, ()) = tokio::join!(runner.run(&archive, NOW), thief);
    assert!(done.unwrap().is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_ends_waits_for_no_long_step() {
    let (home, store) = store();
    let long = Duration::from_millis(LEASE_MS as u64 * 5);
    store.with(|state| {
        state.weeks.entry(Week::of(Wall(0))).or_default();
        state.dropping_takes = long;
    });
    let (runner, archive) = (store.runner(home.path()), Job::from(JobName::Archive));
    let begun = Instant::now();
    let stop = async {
        sleep(long / 2).await;
        runner.stop().await;
    };
    let (done, ()) = tokio::join!(runner.run(&archive, NOW), stop);
    assert!(matches!(done, Err(JobError::Stopped(JobName::Archive))), "{done:?}");
    assert!(begun.elapsed() < long * 3 / 4, "{:?}", begun.elapsed());
    assert!(store.take_job("archive", Uuid::from_u128(9), 0).await.unwrap(), "given back");
}

#[test]
fn jobs_are_named_as_operators_name_them() {
    let parse = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Job::parse(&words[0], &words[1..])
    };
    for job in JobName::ALL {
        assert_eq!(parse(&[job.name()]).unwrap().name(), *job);
    }
    assert_eq!(parse(&["archive", "adopt"]).unwrap(), Job::Archive { adopt: true });
    let weeks = vec![Week::named("2026-11-09").unwrap(), Week::named("2026-11-16").unwrap()];
    assert_eq!(
        parse(&["restore-archive", "2026-11-09", "2026-11-16"]).unwrap(),
        Job::RestoreArchive { weeks }
    );
    let (from, until) = (Some(Wall(1_796_774_400_000)), Some(Wall(1_796_774_400_000 + 5_400_000)));
    let rebuild = ["rebuild-rollups", "2026-12-09", "2026-12-09T02:30:00+01:00"];
    assert_eq!(parse(&rebuild).unwrap(), Job::RebuildRollups { from, until });
    assert_eq!(parse(&rebuild[..2]).unwrap(), Job::RebuildRollups { from, until: None });
    let table: [(&[&str], &str); 6] = [
        (&["sweep"], "restore-archive"),
        (&["rollups", "now"], "nothing"),
        (&["archive", "all"], "adopt"),
        (&["restore-archive", "2026-11-17"], "Monday"),
        (&["rebuild-rollups", "yesterday"], "2026-11-16"),
        (&["rebuild-rollups", "2026-12-09", "2026-12-09", "2026-12-09"], "FROM"),
    ];
    for (words, wanted) in table {
        let error = parse(words).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
