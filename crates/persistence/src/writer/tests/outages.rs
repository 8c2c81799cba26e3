//! A store that is away, and a disk that fails.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outage_is_synced_in_the_rhythm_and_the_store_is_not_hammered() {
    let bench = Bench::start();
    bench.store.set(Mood::Away);
    for second in 0..120 {
        (0..1_200).for_each(|n| bench.note(Note::LastSeen(seen(n, second))));
        (0..10).for_each(|n| bench.note(Note::Activity(activity(n, second as u128 * 10 + n, second))));
        pass(1_000).await;
    }
    let attempts = bench.store.calls().len();
    assert!((24..=25).contains(&attempts), "{attempts} attempts in 120 s at one each 5 s");
    let stats = bench.stats();
    assert!(stats.backlog_rows >= 1_150 && stats.failed_batches == attempts as u64, "{stats:?}");
    assert!(stats.backlog_bytes < 3 * 1024 * 1024, "old states do not pile up: {stats:?}");
    bench.store.set(Mood::Works);
    pass(5_001).await;
    assert!((0..1_200).all(|n| bench.store.seen_at(n) == Some(119)));
    assert_eq!(bench.store.activity_ids(), (0..1_200).collect::<Vec<_>>());
    let stats = bench.stats();
    assert_eq!((stats.pending, stats.backlog_rows, stats.backlog_bytes, stats.dropped), (0, 0, 0, 0));
    assert_eq!(bench.store.rows.lock().unwrap().doubled, 0);
    assert!(bench.files().is_empty());
}

/// A hub is killed in an outage; what it noted at each second, as the seconds that the next one writes.
async fn survivors(mood: Mood, seconds: u64) -> Vec<u128> {
    let mut bench = Bench::start();
    bench.store.set(mood);
    for second in 0..seconds {
        bench.note(Note::Activity(activity(1, u128::from(second), second as i64)));
        bench.note(Note::LastSeen(seen(1, second as i64)));
        bench.note(Note::Stretch(stretch(1, second as i64, false)));
        pass(1_000).await;
    }
    bench.kill().await;
    bench.store.set(Mood::Works);
    bench.boot();
    pass(5_001).await;
    let last = bench.store.activity_ids().last().map(|last| *last as i64);
    let stretched = bench.store.rows.lock().unwrap().stretches.values().map(|row| row.seen.0).max();
    assert_eq!((bench.store.seen_at(1), stretched), (last, last), "all kinds alike");
    bench.store.activity_ids()
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_an_outage_loses_at_most_the_last_six_seconds() {
    let away = [Mood::Away, Mood::Hangs(Duration::from_secs(2)), Mood::Hangs(Duration::from_secs(60))];
    for mood in away {
        for seconds in [7, 23, 64] {
            let written = survivors(mood, seconds).await;
            let safe: Vec<u128> = (0..u128::from(seconds) - 6).collect();
            assert!(written.starts_with(&safe), "{mood:?} for {seconds} s left {written:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_does_not_make_memory_the_only_place() {
    let mut bench = Bench::start();
    bench.store.set(Mood::Slow(Duration::from_secs(4)));
    (0..10_000).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
    pass(6_000).await;
    assert_eq!(bench.stats().pending, 0);
    bench.kill().await;
    bench.store.set(Mood::Works);
    bench.boot();
    pass(100).await;
    assert_eq!(bench.store.activity_ids(), (0..10_000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_is_noted_during_a_failed_write_wins() {
    let bench = Bench::start();
    let handle = bench.handle();
    bench.store.set(Mood::Away);
    bench.note(Note::LastSeen(seen(1, 10)));
    bench.store.during_write(move || handle.note(Note::LastSeen(seen(1, 20))));
    pass(5_001).await;
    bench.store.set(Mood::Works);
    pass(5_000).await;
    assert_eq!(bench.store.seen_at(1), Some(20));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_an_outage_loses_nothing() {
    for mood in [Mood::Away, Mood::Hangs(Duration::from_secs(600)), Mood::Corrupt] {
        let mut bench = Bench::start();
        bench.store.set(mood);
        (0..1_500).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
        (0..1_500).for_each(|n| bench.note(Note::LastSeen(seen(n, 1))));
        (0..1_500).for_each(|n| bench.note(Note::Stretch(stretch(n, 1, true))));
        let begun = tokio::time::Instant::now();
        let stats = bench.shutdown().await;
        assert_eq!((stats.pending, stats.backlog_rows), (0, 4_500), "{mood:?}");
        assert!(begun.elapsed() < Duration::from_secs(7), "{mood:?}");
        bench.store.set(Mood::Works);
        bench.boot();
        pass(5_001).await;
        assert_eq!(bench.store.activity_ids(), (0..1_500).collect::<Vec<_>>());
        let rows = bench.store.rows.lock().unwrap();
        assert_eq!((rows.last_seen.len(), rows.stretches.len()), (1_500, 1_500));
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_costs_nothing_but_safety_and_is_used_again() {
    let bench = Bench::start();
    fs::remove_dir_all(bench.path()).unwrap();
    bench.store.set(Mood::Away);
    bench.note(Note::LastSeen(seen(1, 1)));
    bench.note(Note::Activity(activity(1, 1, 1)));
    pass(11_000).await;
    let stats = bench.stats();
    assert_eq!((stats.pending, stats.backlog_rows), (2, 0));
    assert!(stats.disk_failures >= 2, "{stats:?}");
    fs::create_dir(bench.path()).unwrap();
    pass(5_000).await;
    assert_eq!((bench.stats().pending, bench.stats().backlog_rows), (0, 2));
    bench.store.set(Mood::Works);
    pass(5_000).await;
    assert_eq!((bench.store.seen_at(1), bench.store.activity_ids()), (Some(1), vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_without_store_and_disk_says_what_is_lost_and_waits_a_little() {
    let mut bench = Bench::start();
    fs::remove_dir_all(bench.path()).unwrap();
    bench.store.set(Mood::Away);
    bench.note(Note::LastSeen(seen(1, 1)));
    assert_eq!(bench.shutdown().await.pending, 1);

    let mut bench = Bench::start();
    fs::remove_dir_all(bench.path()).unwrap();
    bench.store.set(Mood::Away);
    bench.note(Note::LastSeen(seen(1, 1)));
    let store = bench.store.clone();
    let back = async {
        pass(1_500).await;
        store.set(Mood::Works);
    };
    let (stats, ()) = tokio::join!(bench.shutdown(), back);
    assert_eq!((stats.pending, bench.store.seen_at(1)), (0, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_drops_the_oldest_activity_and_marks_it() {
    let bench = Bench::with(WriterOptions::default(), 64 * 1024);
    bench.store.set(Mood::Away);
    for n in 0..1_000 {
        bench.note(Note::Activity(activity(1, n, n as i64)));
        pass(100).await;
    }
    assert!(bench.stats().backlog_bytes <= 64 * 1024);
    bench.store.set(Mood::Works);
    pass(10_000).await;
    let written = bench.store.activity_ids();
    let dropped = 1_000 - written.len() as u64;
    assert_eq!(written, (u128::from(dropped)..1_000).collect::<Vec<_>>(), "the newest are there");
    assert!(dropped > 0);
    assert_eq!((bench.stats().dropped, bench.store.gap_rows()), (dropped, dropped));
    let rows = bench.store.rows.lock().unwrap();
    let (from, until) = (rows.gaps.values().map(|gap| gap.from.0), rows.gaps.values().map(|gap| gap.until.0));
    assert_eq!((from.min(), until.max()), (Some(0), Some(dropped as i64 - 1)));
    assert!(rows.gaps.len() <= 2, "the one that the store was asked for, and the one that grew since");
}

#[tokio::test(start_paused = true)]
async fn marks_survive_a_kill_and_are_written_once() {
    let mut bench = Bench::with(WriterOptions::default(), 16 * 1024);
    bench.store.set(Mood::Away);
    (0..200).for_each(|n| bench.note(Note::Activity(activity(1, n, n as i64))));
    pass(5_100).await;
    let dropped = bench.stats().dropped;
    assert!(dropped > 0);
    bench.kill().await;
    bench.boot();
    pass(6_000).await;
    bench.store.set(Mood::Works);
    pass(5_100).await;
    assert_eq!((bench.store.gap_rows(), bench.stats().gaps), (dropped, 1));
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}
