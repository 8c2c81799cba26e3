use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{AccountFacts, AccountId, CleanText, Device, DirectoryChange, Settings, UserFacts, UserId};
use uuid::Uuid;

use super::*;
use crate::{Actor, Changes, Cursor, Pick, SettingsChange, SettingsEntry, Truth};

/// A store that only knows last-seen, and can be switched off.
#[derive(Default)]
struct Fake {
    rows: Mutex<BTreeMap<UserId, LastSeen>>,
    batches: Mutex<Vec<usize>>,
    sweeps: Mutex<Vec<Wall>>,
    down: Mutex<Option<Outage>>,
    during_write: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

#[derive(Clone, Copy)]
enum Outage {
    Passing,
    Lasting,
}

impl Fake {
    fn check(&self) -> Result<(), StoreError> {
        match *self.down.lock().unwrap() {
            None => Ok(()),
            Some(Outage::Passing) => Err(StoreError::Unavailable("switched off".into())),
            Some(Outage::Lasting) => Err(StoreError::Corrupt("damaged".into())),
        }
    }

    fn set_down(&self, outage: Option<Outage>) {
        *self.down.lock().unwrap() = outage;
    }

    fn at(&self, user: u128) -> Option<Wall> {
        self.rows.lock().unwrap().get(&UserId(Uuid::from_u128(user))).map(|row| row.at)
    }
}

#[async_trait]
impl Truth for Fake {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        unreachable!("the writer follows no changes")
    }
    async fn changes(&self, _: &Cursor) -> Result<Changes, StoreError> {
        unreachable!("the writer follows no changes")
    }
    async fn users(&self, _: Pick<UserId>) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
        unreachable!("the writer does not read")
    }
    async fn accounts(&self, _: Pick<AccountId>) -> Result<Vec<(AccountId, AccountFacts)>, StoreError> {
        unreachable!("the writer does not read")
    }
}

#[async_trait]
impl Store for Fake {
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<(), StoreError> {
        self.batches.lock().unwrap().push(batch.len());
        if let Some(act) = self.during_write.lock().unwrap().take() {
            act();
        }
        self.check()?;
        let mut rows = self.rows.lock().unwrap();
        rows.extend(batch.iter().map(|note| (note.user, note.clone())));
        Ok(())
    }

    async fn expire_operations(&self, now: Wall) -> Result<u64, StoreError> {
        self.sweeps.lock().unwrap().push(now);
        self.check().map(|()| 3)
    }

    async fn change_settings(&self, _: SettingsChange) -> Result<Settings, StoreError> {
        unreachable!("the writer changes no settings")
    }
    async fn change_directory(&self, _: Vec<DirectoryChange>, _: Wall, _: Actor) -> Result<(), StoreError> {
        unreachable!("the writer changes no directory")
    }
    async fn settings_history(&self, _: UserId) -> Result<Vec<SettingsEntry>, StoreError> {
        unreachable!("the writer reads no history")
    }
    async fn probe(&self) -> Result<(), StoreError> {
        self.check()
    }
    async fn close(&self) {}
}

fn note(user: u128, at: i64) -> LastSeen {
    LastSeen { user: UserId(Uuid::from_u128(user)), at: Wall(at), page: None, device: None }
}

fn start(options: WriterOptions) -> (Arc<Fake>, LastSeenWriter) {
    let store = Arc::new(Fake::default());
    let writer = LastSeenWriter::start(store.clone(), options);
    (store, writer)
}

fn options() -> WriterOptions {
    WriterOptions { wall: || Wall(77), ..WriterOptions::default() }
}

/// Lets the task run until virtual time has passed by `ms`.
async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

#[tokio::test(start_paused = true)]
async fn a_note_is_written_within_the_interval() {
    let (store, writer) = start(options());
    let noted = LastSeen {
        page: CleanText::parse_page("/a?token=1", "page", 512).unwrap(),
        device: Some(Device::Mobile),
        ..note(1, 10)
    };
    writer.handle().note(noted.clone());
    pass(4_999).await;
    assert_eq!((store.at(1), writer.stats().pending), (None, 1));
    pass(2).await;
    assert_eq!(store.rows.lock().unwrap().get(&noted.user), Some(&noted));
    assert_eq!(writer.stats(), WriterStats { noted: 1, written: 1, ..WriterStats::default() });
}

#[tokio::test(start_paused = true)]
async fn the_newest_note_of_a_user_wins_in_any_order() {
    let (store, writer) = start(options());
    for at in [10, 30, 20] {
        writer.handle().note(note(1, at));
    }
    let stats = writer.shutdown().await;
    assert_eq!(store.at(1), Some(Wall(30)));
    assert_eq!((stats.noted, stats.coalesced, stats.written), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn enough_users_do_not_wait_for_the_interval() {
    let (store, writer) = start(options());
    (0..1_000).for_each(|user| writer.handle().note(note(user, 1)));
    pass(1).await;
    assert_eq!(*store.batches.lock().unwrap(), [1_000]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded() {
    let (store, writer) = start(options());
    (0..2_500).for_each(|user| writer.handle().note(note(user, 1)));
    assert_eq!(writer.shutdown().await.written, 2_500);
    assert_eq!(*store.batches.lock().unwrap(), [1_000, 1_000, 500]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_loses_nothing_and_is_not_hammered() {
    let (store, writer) = start(options());
    store.set_down(Some(Outage::Passing));
    for second in 0..600 {
        (0..1_200).for_each(|user| writer.handle().note(note(user, second)));
        pass(1_000).await;
    }
    let attempts = store.batches.lock().unwrap().len();
    assert!((120..=121).contains(&attempts), "{attempts} attempts in 600 s at one each 5 s");
    store.set_down(None);
    pass(5_001).await;
    assert_eq!(store.rows.lock().unwrap().len(), 1_200);
    assert!((0..1_200).all(|user| store.at(user) == Some(Wall(599))));
    assert_eq!(writer.stats().failed_batches, attempts as u64);
    assert_eq!((writer.stats().pending, writer.stats().dropped), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_noted_during_a_failed_write_wins() {
    let (store, writer) = start(options());
    let handle = writer.handle();
    store.set_down(Some(Outage::Passing));
    handle.note(note(1, 10));
    let later = handle.clone();
    *store.during_write.lock().unwrap() = Some(Box::new(move || later.note(note(1, 20))));
    pass(5_001).await;
    store.set_down(None);
    pass(5_000).await;
    assert_eq!(store.at(1), Some(Wall(20)));
}

#[tokio::test(start_paused = true)]
async fn too_many_users_are_dropped_and_counted_but_never_those_who_wait() {
    let (store, writer) = start(WriterOptions { pending_users: 2, ..options() });
    for (user, at) in [(1, 1), (2, 1), (3, 1), (1, 9)] {
        writer.handle().note(note(user, at));
    }
    assert_eq!((writer.stats().pending, writer.stats().dropped), (2, 1));
    let stats = writer.shutdown().await;
    assert_eq!((store.at(1), store.at(2), store.at(3)), (Some(Wall(9)), Some(Wall(1)), None));
    assert_eq!((stats.noted, stats.written), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_full_map_stays_bounded_when_a_batch_comes_back() {
    let (store, writer) = start(WriterOptions { pending_users: 2, ..options() });
    let handle = writer.handle();
    store.set_down(Some(Outage::Passing));
    (1..=2).for_each(|user| handle.note(note(user, 1)));
    let later = handle.clone();
    *store.during_write.lock().unwrap() =
        Some(Box::new(move || (3..=4).for_each(|user| later.note(note(user, 1)))));
    pass(5_001).await;
    assert_eq!((handle.stats().pending, handle.stats().dropped), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_a_store_that_comes_back() {
    let (store, writer) = start(options());
    store.set_down(Some(Outage::Passing));
    writer.handle().note(note(1, 10));
    let back = async {
        pass(1_500).await;
        store.set_down(None);
    };
    let (stats, ()) = tokio::join!(writer.shutdown(), back);
    assert_eq!((stats.pending, stats.failed_batches, store.at(1)), (0, 2, Some(Wall(10))));
}

#[tokio::test(start_paused = true)]
async fn shutdown_says_what_was_lost() {
    for (outage, attempts) in [(Outage::Passing, 3), (Outage::Lasting, 1)] {
        let (store, writer) = start(options());
        store.set_down(Some(outage));
        writer.handle().note(note(1, 10));
        let stats = writer.shutdown().await;
        assert_eq!((stats.pending, stats.failed_batches), (1, attempts));
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_notes_are_dropped_and_a_second_one_returns() {
    let (_store, writer) = start(options());
    writer.shutdown().await;
    writer.handle().note(note(1, 10));
    assert_eq!(writer.shutdown().await, WriterStats { noted: 1, dropped: 1, ..WriterStats::default() });
}

#[tokio::test(start_paused = true)]
async fn a_dropped_writer_still_flushes() {
    let (store, writer) = start(options());
    writer.handle().note(note(1, 10));
    drop(writer);
    pass(1).await;
    assert_eq!(store.at(1), Some(Wall(10)));
}

#[tokio::test(start_paused = true)]
async fn operations_are_swept_by_the_hour_whatever_the_store_says() {
    let (store, writer) = start(options());
    pass(3_600_001).await;
    store.set_down(Some(Outage::Passing));
    pass(3_600_000).await;
    assert_eq!(*store.sweeps.lock().unwrap(), [Wall(77), Wall(77)]);
    assert_eq!(writer.stats().expired_operations, 3);
}

#[test]
fn the_default_clock_is_the_system_s() {
    assert!((WriterOptions::default().wall)() > Wall(1_700_000_000_000));
}
