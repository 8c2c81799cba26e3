use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use persistence::DateRange;
use tokio::{sync::Notify, task::JoinHandle, time::advance};
use uuid::Uuid;

use super::*;

const PLACES: usize = 10;
const LASTS: Duration = Duration::from_secs(900);

fn of(n: u128) -> OrganizationId {
    OrganizationId(Uuid::from_u128(n))
}

fn query(n: u128) -> AnalyticsQuery {
    let range = DateRange::parse("2026-01-01", "2026-01-31", None).unwrap();
    AnalyticsQuery { organization: of(n), range }
}

/// Reports, and a store that makes one when it is told to.
#[derive(Clone)]
struct Desk {
    reports: Arc<Reports>,
    release: Arc<Notify>,
    begun: Arc<AtomicUsize>,
}

impl Desk {
    fn with(turns: usize) -> Self {
        let reports = Arc::new(Reports::with(PLACES, turns, LASTS));
        Self { reports, release: Arc::default(), begun: Arc::default() }
    }

    fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    /// Asks; the report has the number of those that were begun.
    async fn ask(&self, n: u128, waits: bool) -> Result<u64, RequestError> {
        let this = self.clone();
        let work = async move {
            let nth = this.begun.fetch_add(1, Relaxed) as u64 + 1;
            if waits {
                this.release.notified().await;
            }
            Ok(Report { total_sessions: nth, ..Report::default() })
        };
        self.reports.report(query(n), work).await.map(|report| report.total_sessions)
    }

    /// Asks in a task of its own, which has begun to wait when this returns.
    async fn begin(&self, n: u128) -> JoinHandle<Result<u64, RequestError>> {
        let this = self.clone();
        let asking = tokio::spawn(async move { this.ask(n, true).await });
        settle().await;
        asking
    }
}

/// Lets all tasks do what they can do now.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn so_many_are_made_at_once_and_no_more() {
    let desk = Desk::with(PLACES);
    let mut asking = Vec::new();
    for n in 0..PLACES as u128 {
        asking.push(desk.begin(n).await);
    }
    assert_eq!(desk.begun(), PLACES);
    let refused = desk.ask(99, false).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::Unavailable, Some(RETRY_AFTER_MS)));
    let joining = desk.begin(3).await;
    assert_eq!(desk.begun(), PLACES, "one that is being made takes no place");
    desk.release.notify_one();
    settle().await;
    assert!(desk.ask(99, false).await.is_ok(), "one place is free");
    desk.release.notify_waiters();
    for asking in asking.into_iter().chain([joining]) {
        asking.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_database_works_on_some_of_them() {
    let desk = Desk::with(4);
    let mut asking = Vec::new();
    for n in 0..PLACES as u128 {
        asking.push(desk.begin(n).await);
    }
    assert_eq!(desk.begun(), 4);
    for nth in 1..=PLACES {
        desk.release.notify_one();
        settle().await;
        assert_eq!(desk.begun(), PLACES.min(4 + nth));
    }
    for asking in asking {
        asking.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_is_made_once_for_all_and_kept_for_a_while() {
    let desk = Desk::with(PLACES);
    let first = desk.begin(1).await;
    let second = desk.begin(1).await;
    // Who asked first goes away: the others get theirs.
    first.abort();
    settle().await;
    desk.release.notify_waiters();
    assert_eq!(second.await.unwrap(), Ok(1));
    advance(LASTS - Duration::from_millis(1)).await;
    assert_eq!(desk.ask(1, false).await, Ok(1));
    assert_eq!(desk.ask(2, false).await, Ok(2), "of another organization");
    advance(Duration::from_millis(1)).await;
    assert_eq!(desk.ask(1, false).await, Ok(3), "it is too old");
}

#[tokio::test]
async fn what_was_begun_before_somebody_was_erased_is_not_kept() {
    let desk = Desk::with(PLACES);
    assert_eq!(desk.ask(1, false).await, Ok(1));
    let begun_before = desk.begin(2).await;
    desk.reports.forget();
    assert_eq!(desk.ask(1, false).await, Ok(2 + 1));
    assert_eq!(desk.ask(2, false).await, Ok(4), "the one that is being made is not for who asks now");
    desk.release.notify_waiters();
    assert_eq!(begun_before.await.unwrap(), Ok(2));
    assert_eq!(desk.ask(2, false).await, Ok(4));
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let reports = Reports::with(1, 1, LASTS);
    let away = async { Err(StoreError::Unavailable("away".into())) };
    assert_eq!(reports.report(query(1), away).await.unwrap_err().code, ErrorCode::Unavailable);
    let broken = async { panic!("a report that breaks off") };
    assert_eq!(reports.report(query(1), broken).await.unwrap_err().code, ErrorCode::Internal);
    assert!(reports.report(query(1), async { Ok(Report::default()) }).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_is_active_is_asked_again_soon() {
    let reports = Reports::with(1, 1, LASTS);
    let ask = async |found| reports.active_now(of(1), async move { Ok(found) }).await;
    assert_eq!(ask(1).await, Ok(1));
    advance(COUNT_LASTS - Duration::from_millis(1)).await;
    assert_eq!(ask(2).await, Ok(1));
    advance(Duration::from_millis(1)).await;
    assert_eq!(ask(3).await, Ok(3));
}

#[tokio::test]
async fn no_more_is_kept_than_there_is_room_for() {
    let kept = Shared::new(LASTS, 3);
    let ask = async |key, value| kept.get(key, || Ok(async move { Ok(value) })).await;
    for key in 0..3 {
        assert_eq!(ask(key, 1).await, Ok(1));
    }
    assert_eq!(ask(3, 1).await, Ok(1));
    assert_eq!((ask(1, 2).await, ask(2, 2).await, ask(3, 2).await), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(ask(0, 2).await, Ok(2), "the oldest has made room");
}
