//! After an erasure nothing of a person is left, wherever it was on its way.

use super::*;

/// Ids of which no other id's text is a part.
const ADA: u128 = 0xada0_0000_0000_4000_8000_0000_0000_ada0;

fn note_all(bench: &Bench, n: u128, id: u128) {
    bench.note(Note::LastSeen(seen(n, 5)));
    bench.note(Note::Stretch(stretch(n, 5, false)));
    bench.note(Note::Activity(activity(n, id, 5)));
}

async fn assert_gone(bench: &mut Bench) {
    assert!(!bench.holds(&user(ADA).to_string()));
    bench.store.set(Mood::Works);
    pass(25_000).await;
    let rows = bench.store.rows.lock().unwrap();
    assert!(
        !rows.last_seen.contains_key(&user(ADA)) && rows.activity.values().all(|row| row.user != user(ADA))
    );
    assert!(rows.stretches.values().all(|row| row.user != user(ADA)));
    assert_eq!((rows.last_seen.len(), rows.stretches.len(), rows.activity.len()), (1, 1, 1), "others stay");
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_memory_is_forgotten() {
    let mut bench = Bench::start();
    note_all(&bench, ADA, 1);
    note_all(&bench, 2, 2);
    bench.handle().forget([user(ADA)].into()).await.unwrap();
    assert_eq!(bench.stats().pending, 3);
    assert_gone(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_on_the_disk_is_forgotten_also_by_the_next_hub() {
    for kill in [false, true] {
        let mut bench = Bench::start();
        bench.store.set(Mood::Away);
        for _ in 0..3 {
            note_all(&bench, ADA, 1);
            note_all(&bench, 2, 2);
            pass(5_100).await;
        }
        assert!(bench.holds(&user(ADA).to_string()));
        bench.handle().forget([user(ADA)].into()).await.unwrap();
        assert!(!bench.holds(&user(ADA).to_string()) && bench.holds(&user(2).to_string()));
        pass(11_000).await;
        if kill {
            bench.kill().await;
            bench.boot();
        }
        assert_gone(&mut bench).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_under_way_is_waited_for_and_does_not_come_back() {
    let mut bench = Bench::start();
    bench.store.set(Mood::Hangs(Duration::from_secs(9)));
    note_all(&bench, ADA, 1);
    note_all(&bench, 2, 2);
    pass(5_100).await;
    let begun = tokio::time::Instant::now();
    bench.handle().forget([user(ADA)].into()).await.unwrap();
    assert!(begun.elapsed() > Duration::from_secs(8), "the store had not answered yet");
    assert_gone(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_set_aside_is_forgotten() {
    let bench = Bench::start();
    bench.store.bad.lock().unwrap().insert(user(ADA));
    note_all(&bench, ADA, 1);
    note_all(&bench, 2, 2);
    pass(5_100).await;
    assert!(bench.holds(&user(ADA).to_string()), "refused rows are kept");
    bench.handle().forget([user(ADA)].into()).await.unwrap();
    assert!(!bench.holds(&user(ADA).to_string()));
}

#[tokio::test(start_paused = true)]
async fn damaged_lines_with_the_id_are_forgotten() {
    let mut bench = Bench::start();
    bench.store.set(Mood::Away);
    note_all(&bench, ADA, 1);
    note_all(&bench, 2, 2);
    bench.shutdown().await;
    let segment = bench.files().into_iter().find(|name| name.starts_with("activity")).unwrap();
    let mut bytes = fs::read(bench.path().join(&segment)).unwrap();
    bytes[0] ^= 1;
    fs::write(bench.path().join(&segment), bytes).unwrap();
    bench.boot();
    bench.store.set(Mood::Works);
    pass(5_100).await;
    assert_eq!(bench.stats().corrupt_lines, 1);
    assert!(bench.holds(&user(ADA).to_string()), "set aside");
    bench.handle().forget([user(ADA)].into()).await.unwrap();
    assert!(!bench.holds(&user(ADA).to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_said_to_whoever_forgets() {
    let bench = Bench::start();
    bench.store.set(Mood::Away);
    note_all(&bench, ADA, 1);
    note_all(&bench, 2, 2);
    pass(5_100).await;
    let segment = bench.files().into_iter().find(|name| name.starts_with("activity")).unwrap();
    let path = bench.path().join(&segment);
    fs::rename(&path, bench.path().join("kept")).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(bench.handle().forget([user(ADA)].into()).await, Err(BacklogError::Io { .. })));
    fs::remove_dir(&path).unwrap();
    fs::rename(bench.path().join("kept"), &path).unwrap();
    bench.handle().forget([user(ADA)].into()).await.unwrap();
    assert!(!bench.holds(&user(ADA).to_string()));
}
