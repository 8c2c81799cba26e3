//! When what is written, while all is well; and the bounds of memory.

use super::*;
use crate::writer::activity::weight;

#[tokio::test(start_paused = true)]
async fn notes_are_written_within_the_interval_and_the_disk_is_left_alone() {
    let bench = Bench::start();
    let noted = LastSeen { page: activity(1, 1, 1).page, ..seen(1, 10) };
    bench.note(Note::LastSeen(noted.clone()));
    bench.note(Note::Stretch(stretch(1, 10, false)));
    bench.note(Note::Activity(activity(1, 1, 10)));
    pass(4_999).await;
    assert_eq!((bench.store.seen_at(1), bench.stats().pending), (None, 3));
    pass(2).await;
    assert_eq!(bench.store.calls(), [("last-seen", 1), ("stretches", 1), ("activity", 1)]);
    assert_eq!(bench.store.rows.lock().unwrap().last_seen.get(&noted.user), Some(&noted));
    assert_eq!(bench.stats(), WriterStats { noted: 3, written: 3, ..WriterStats::default() });
    assert!(bench.files().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_newest_state_wins_in_any_order_and_an_end_is_never_taken_back() {
    let mut bench = Bench::start();
    for at in [10, 30, 20] {
        bench.note(Note::LastSeen(seen(1, at)));
        bench.note(Note::Stretch(stretch(1, at, at == 20)));
    }
    let stats = bench.shutdown().await;
    assert_eq!(bench.store.seen_at(1), Some(30));
    let rows = bench.store.rows.lock().unwrap();
    let written: Vec<_> = rows.stretches.values().map(|row| (row.seen.0, row.ended)).collect();
    assert_eq!(written, [(30, true)]);
    assert_eq!((stats.noted, stats.coalesced, stats.written), (6, 4, 2));
}

#[tokio::test(start_paused = true)]
async fn enough_rows_of_a_kind_do_not_wait_for_the_interval() {
    let bench = Bench::start();
    (0..999).for_each(|n| bench.note(Note::LastSeen(seen(n, 1))));
    (0..999).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
    pass(100).await;
    assert!(bench.store.calls().is_empty());
    bench.note(Note::LastSeen(seen(999, 1)));
    pass(100).await;
    assert_eq!(bench.store.calls(), [("last-seen", 1_000), ("activity", 999)]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded_and_the_oldest_goes_first() {
    let mut bench = Bench::start();
    (0..2_500).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
    assert_eq!(bench.shutdown().await.written, 2_500);
    assert_eq!(bench.store.calls(), [("activity", 1_000), ("activity", 1_000), ("activity", 500)]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_users_are_one_flush() {
    let bench = Bench::start();
    bench.store.set(Mood::Slow(Duration::from_millis(20)));
    (0..100_000).for_each(|n| bench.note(Note::LastSeen(seen(n, 1))));
    pass(5_000).await;
    assert_eq!((bench.stats().written, bench.stats().dropped, bench.stats().syncs), (100_000, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_key_too_many_is_dropped_but_never_those_who_wait() {
    let options = WriterOptions { pending_users: 2, pending_stretches: 2, ..WriterOptions::default() };
    let mut bench = Bench::with(options, MAX_BYTES);
    for (n, at) in [(1, 1), (2, 1), (3, 1), (1, 9)] {
        bench.note(Note::LastSeen(seen(n, at)));
        bench.note(Note::Stretch(stretch(n, at, false)));
    }
    assert_eq!((bench.stats().pending, bench.stats().dropped), (4, 2));
    let stats = bench.shutdown().await;
    let at = |n| bench.store.seen_at(n);
    assert_eq!((at(1), at(2), at(3)), (Some(9), Some(1), None));
    assert_eq!((stats.noted, stats.written), (8, 4));
}

#[tokio::test(start_paused = true)]
async fn a_batch_under_way_keeps_its_places() {
    let options = WriterOptions { pending_users: 2, ..WriterOptions::default() };
    let bench = Bench::with(options, MAX_BYTES);
    bench.store.set(Mood::Away);
    (1..=2).for_each(|n| bench.note(Note::LastSeen(seen(n, 1))));
    let later = bench.handle();
    bench.store.during_write(move || (3..=4).for_each(|n| later.note(Note::LastSeen(seen(n, 1)))));
    pass(5_100).await;
    assert_eq!((bench.stats().backlog_rows, bench.stats().dropped), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn half_of_the_memory_sends_activity_to_the_disk_ahead_of_time() {
    let row = weight(&activity(1, 1, 1));
    let options = WriterOptions { pending_activity_bytes: row * 10, ..WriterOptions::default() };
    let bench = Bench::with(options, MAX_BYTES);
    bench.store.set(Mood::Away);
    (0..5).for_each(|n| bench.note(Note::Activity(activity(1, n, 1))));
    pass(100).await;
    assert_eq!((bench.stats().pending, bench.stats().backlog_rows), (5, 0));
    bench.note(Note::Activity(activity(1, 5, 1)));
    pass(100).await;
    assert_eq!((bench.stats().pending, bench.stats().backlog_rows), (0, 6));
}

#[tokio::test(start_paused = true)]
async fn past_the_memory_the_oldest_activity_is_dropped_counted_and_marked() {
    let row = weight(&activity(1, 1, 1));
    let options = WriterOptions { pending_activity_bytes: row * 10, ..WriterOptions::default() };
    let bench = Bench::with(options, MAX_BYTES);
    // All at one instant: the task has no time to take anything to the disk.
    (0..13).for_each(|n| bench.note(Note::Activity(activity(1, n, n as i64))));
    assert_eq!((bench.stats().pending, bench.stats().dropped), (10, 3));
    pass(5_100).await;
    assert_eq!(bench.store.activity_ids(), (3..13).collect::<Vec<_>>());
    let rows = bench.store.rows.lock().unwrap();
    let gaps: Vec<_> =
        rows.gaps.values().map(|gap| (gap.from.0, gap.until.0, gap.rows, gap.reason)).collect();
    assert_eq!(gaps, [(0, 2, 3, crate::GapReason::Full)]);
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_notes_are_dropped_and_a_second_one_returns() {
    let bench = Bench::start();
    let writer = bench.writer.as_ref().unwrap();
    writer.shutdown().await;
    bench.note(Note::LastSeen(seen(1, 10)));
    assert_eq!(writer.shutdown().await, WriterStats { noted: 1, dropped: 1, ..WriterStats::default() });
    assert!(matches!(bench.handle().forget([user(1)].into()).await, Err(BacklogError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_writer_still_flushes() {
    let mut bench = Bench::start();
    bench.note(Note::LastSeen(seen(1, 10)));
    drop(bench.writer.take());
    pass(1).await;
    assert_eq!(bench.store.seen_at(1), Some(10));
}
