//! Rows that the store will never take, and stores that take none.

use super::*;
use crate::GapReason;

fn refused_lines(bench: &Bench) -> usize {
    let lines = fs::read_to_string(bench.path().join("refused.ndjson")).unwrap_or_default();
    lines.lines().count()
}

#[tokio::test(start_paused = true)]
async fn one_bad_row_is_set_aside_and_marked_and_the_rest_is_written() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().insert(user(333));
    (0..1_000).for_each(|n| bench.note(Note::Activity(activity(n, n, n as i64))));
    pass(5_100).await;
    assert_eq!(bench.store.activity_ids(), (0..1_000).filter(|n| *n != 333).collect::<Vec<_>>());
    let stats = bench.stats();
    assert_eq!((stats.written, stats.refused, stats.pending, stats.failed_batches), (999, 1, 0, 0));
    assert!(bench.store.calls().len() <= 26, "{} calls", bench.store.calls().len());
    assert_eq!(refused_lines(&bench), 1);
    let rows = bench.store.rows.lock().unwrap();
    let gap = rows.gaps.values().next().unwrap();
    assert_eq!((gap.from.0, gap.rows, gap.reason), (333, 1, GapReason::Refused));
}

#[tokio::test(start_paused = true)]
async fn bad_last_seen_is_no_hole_in_a_log_but_a_bad_stretch_is() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().insert(user(1));
    for n in 1..=2 {
        bench.note(Note::LastSeen(seen(n, 1)));
        bench.note(Note::Stretch(stretch(n, 1, false)));
    }
    pass(5_100).await;
    assert_eq!((bench.stats().refused, bench.store.gap_rows(), refused_lines(&bench)), (2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_everything_is_at_fault_and_not_the_rows() {
    for mood in [Mood::RefusesAll, Mood::Corrupt] {
        let bench = Bench::start();
        (0..20).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
        pass(5_100).await;
        bench.store.set(mood);
        (20..40).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
        pass(20_000).await;
        assert_eq!((bench.stats().refused, bench.stats().backlog_rows), (0, 20), "{mood:?}");
        bench.store.set(Mood::Works);
        pass(5_100).await;
        assert_eq!(bench.store.activity_ids(), (0..40).collect::<Vec<_>>(), "{mood:?}");
    }
}

/// Whenever a privilege is gone, and however soon it is back.
#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_everything_for_some_calls_costs_no_row_but_the_bad_one() {
    for (from, to) in (0..30).flat_map(|from| (from + 1..32).map(move |to| (from, to))) {
        let bench = Bench::start();
        bench.store.bad.lock().unwrap().insert(user(3));
        *bench.store.refuses.lock().unwrap() = from..to;
        (0..8).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
        pass(60_000).await;
        (8..10).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
        pass(60_000).await;
        let good: Vec<_> = (0..10).filter(|n| *n != 3).collect();
        assert_eq!(bench.store.activity_ids(), good, "calls {from} to {to} refused");
        let stats = bench.stats();
        assert_eq!(
            (stats.refused, stats.backlog_rows, stats.pending),
            (1, 0, 0),
            "calls {from} to {to} refused"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_row_alone_waits_until_the_store_took_another_of_its_kind() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().insert(user(1));
    bench.note(Note::Activity(activity(1, 1, 1)));
    pass(11_000).await;
    assert_eq!((bench.stats().refused, bench.stats().backlog_rows), (0, 1));
    bench.note(Note::Activity(activity(2, 2, 1)));
    pass(11_000).await;
    assert_eq!((bench.stats().refused, bench.stats().backlog_rows, bench.stats().pending), (1, 0, 0));
    assert_eq!(bench.store.activity_ids(), [2]);
}

#[tokio::test(start_paused = true)]
async fn bad_rows_on_the_disk_do_not_block_those_behind_them() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().extend([user(3), user(700), user(2_999)]);
    bench.store.set(Mood::Away);
    (0..3_000).for_each(|n| bench.note(Note::Activity(activity(n, n, 1))));
    pass(5_100).await;
    bench.store.set(Mood::Works);
    pass(10_200).await;
    let stats = bench.stats();
    assert_eq!((stats.written, stats.refused, stats.backlog_rows), (2_997, 3, 0));
    assert_eq!((refused_lines(&bench), bench.store.gap_rows()), (3, 3));
}

/// A table that takes nothing is one table: the others are written, and what it refuses is safe on the disk.
#[tokio::test(start_paused = true)]
async fn a_table_that_refuses_everything_does_not_stop_the_others() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().extend((0..1_500).map(user));
    for n in 0..1_500 {
        bench.note(Note::LastSeen(seen(n, 1)));
        bench.note(Note::Activity(activity(n + 5_000, n, 1)));
    }
    pass(11_000).await;
    let stats = bench.stats();
    assert_eq!((stats.written, stats.refused, stats.dropped), (1_500, 0, 0));
    assert_eq!(stats.pending, 0, "last-seen is on the disk");
    let calls = bench.store.calls().len();
    bench.note(Note::LastSeen(seen(1, 2)));
    pass(100).await;
    assert_eq!(bench.store.calls().len(), calls, "asked again at the next tick, not at the next note");
    bench.store.bad.lock().unwrap().clear();
    pass(5_100).await;
    assert_eq!(bench.stats().written, 3_000);
}

/// Whoever adds up sessions is to know that some are missing.
#[tokio::test(start_paused = true)]
async fn a_stretch_that_is_dropped_leaves_a_mark() {
    let options = WriterOptions { pending_stretches: 2, ..WriterOptions::default() };
    let bench = Bench::with(options, 1 << 20);
    (0..3).for_each(|n| bench.note(Note::Stretch(stretch(n, 1, false))));
    pass(10_100).await;
    assert_eq!((bench.stats().dropped, bench.store.gap_rows()), (1, 1));
}
