//! The rhythm, in virtual time.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::double::{Double, NOW};
use crate::{Job, JobError};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn store() -> (tempfile::TempDir, Arc<Double>) {
    (tempfile::tempdir().unwrap(), Arc::new(Double::default()))
}

#[tokio::test(start_paused = true)]
async fn each_job_has_its_rhythm() {
    let (home, store) = store();
    let runner = store.runner(&home.path().join("archive"));
    let task = tokio::spawn(runner.clone().schedule());
    sleep(Duration::from_secs(60) + 24 * HOUR - Duration::from_secs(61)).await;
    let table = [
        ("stale-presence", 280..=289),
        ("dead-sessions", 23..=25),
        ("partitions", 23..=25),
        ("expire", 23..=25),
        // The archive says first which folder it is.
        ("archive", 2..=2),
        ("rollups", 1_400..=1_441),
        ("erasures", 1_400..=1_441),
        ("rebuild-rollups", 0..=0),
        ("restore-archive", 0..=0),
    ];
    for (job, times) in table {
        assert!(times.contains(&store.times(job)), "{job}: {} times a day", store.times(job));
    }
    runner.stop().await;
    task.await.unwrap();
    assert!(matches!(runner.run(&Job::Expire, NOW).await, Err(JobError::Stopped(_))));
}

#[tokio::test(start_paused = true)]
async fn two_hubs_do_not_do_it_twice_as_often() {
    let (home, store) = store();
    let runners = [(); 2].map(|()| store.runner(&home.path().join("archive")));
    runners.iter().for_each(|runner| drop(tokio::spawn(runner.clone().schedule())));
    sleep(6 * HOUR).await;
    for (job, most) in [("stale-presence", 72), ("expire", 6), ("rollups", 360), ("archive", 2)] {
        let times = store.times(job);
        assert!(times <= most * 4 / 3 + 2 && times * 10 >= most * 9, "{job}: {times} times in 6 h");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_and_not_hammered() {
    let (home, store) = store();
    store.with(|state| state.is_down = true);
    let runner = store.runner(&home.path().join("archive"));
    let task = tokio::spawn(runner.clone().schedule());
    sleep(HOUR).await;
    let calls = store.with(|state| state.calls);
    assert!((120..200).contains(&calls), "{calls} calls in an hour");
    store.revive();
    sleep(Duration::from_secs(11 * 60)).await;
    for job in ["stale-presence", "dead-sessions", "partitions", "archive", "expire", "rollups", "erasures"] {
        assert!(store.times(job) > 0, "{job}");
    }
    runner.stop().await;
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_starts_again_and_again_does_nothing_more_often() {
    let (home, store) = store();
    for _ in 0..10 {
        let runner = store.runner(&home.path().join("archive"));
        let task = tokio::spawn(runner.clone().schedule());
        sleep(Duration::from_secs(90)).await;
        runner.stop().await;
        task.await.unwrap();
    }
    assert_eq!((store.times("expire"), store.times("archive")), (1, 2));
}
