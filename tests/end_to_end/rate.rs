//! How often one may change what others see: counted by user, not by connection.

use std::sync::Arc;

use model::{ErrorCode, RequestId, SettingsPatch, Status, TrackRequest};
use reqwest::{Method, StatusCode};
use wire::{ClientFrame, TrackFrame};

use crate::fixture::{Launch, World, online, track};

/// One a minute: whatever a busy machine does to this test, the second update comes too soon.
fn strict() -> Launch {
    Launch::as_delivered().set("limits.update_interval_ms", 60_000).set("limits.typing_interval_ms", 60_000)
}

fn frame(status: Status) -> impl FnOnce(RequestId) -> ClientFrame {
    move |id| ClientFrame::Track(TrackFrame { id, track: track(status) })
}

#[tokio::test]
async fn of_five_rapid_updates_over_two_sockets_one_is_applied() {
    let world = World::on(Arc::new(strict().start())).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut tabs = [world.enter(world.finn).await, world.enter(world.finn).await];
    let statuses = [Status::Busy, Status::Away, Status::Idle, Status::Online, Status::Away];
    let mut asked = Vec::new();
    for (n, status) in statuses.into_iter().enumerate() {
        asked.push((n % 2, tabs[n % 2].send(frame(status)).await));
    }
    let mut refused = 0;
    for (tab, id) in asked {
        if let Err(failure) = tabs[tab].answer(id).await {
            assert_eq!(failure.code, ErrorCode::RateLimited);
            assert!((1..=60_000).contains(&failure.retry_after_ms.expect("a time to wait")));
            refused += 1;
        }
    }
    assert_eq!(refused, 4);
    // Exactly one of them is seen; Rosa, another user, has a second of her own.
    let mut rosa = world.enter(world.rosa).await;
    rosa.track(online()).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    anna.ping().await;
    let of_finn =
        |record: &&Arc<model::SharedRecord>| record.record().id() == model::EntryId::Person(world.finn);
    let shown = anna.views().flat_map(|view| view.join.iter().chain(&view.update)).filter(of_finn).count();
    assert_eq!(shown, 1);
}

/// They are counted together.
#[tokio::test]
async fn of_five_rapid_updates_over_rest_and_two_sockets_one_is_applied() {
    let world = World::on(Arc::new(strict().start())).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut tabs = [world.enter(world.finn).await, world.enter(world.finn).await];
    let by_rest = world.call(Method::POST, "/api/presence/track", world.finn);
    let by_rest = by_rest.json(&track(Status::Busy)).send().await.expect("an answer");
    assert_eq!(by_rest.status(), StatusCode::OK);
    let mut refused = Vec::new();
    let statuses = [Status::Away, Status::Idle, Status::Online];
    for (n, status) in statuses.into_iter().enumerate() {
        if let Err(failure) = tabs[n % 2].try_track(track(status)).await {
            assert_eq!(failure.code, ErrorCode::RateLimited);
            refused.push(failure.retry_after_ms.expect("a time to wait"));
        }
    }
    let again = world.call(Method::POST, "/api/presence/track", world.finn);
    let again = again.json(&track(Status::Away)).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::TOO_MANY_REQUESTS);
    let header = again.headers()["retry-after"].to_str().expect("text").parse::<u64>().expect("seconds");
    let problem: serde_json::Value = again.json().await.expect("a problem");
    assert_eq!(problem["code"], "rate_limited");
    let wait_ms = problem["retryAfterMs"].as_u64().expect("a time to wait");
    assert_eq!(header, wait_ms.div_ceil(1000));
    refused.push(wait_ms);
    assert_eq!(refused.len(), 4);
    assert!(refused.iter().all(|wait_ms| (1..=60_000).contains(wait_ms)), "{refused:?}");
    anna.sees(world.wedding_a, world.finn, Status::Busy).await;
}

#[tokio::test]
async fn what_is_not_an_update_is_not_counted() {
    let world = World::on(Arc::new(strict().start())).await;
    let mut finn = world.enter_present(world.finn).await;
    let typing = |is_typing| TrackRequest { is_typing: Some(is_typing), ..online() };
    for _ in 0..3 {
        finn.try_track(online()).await.expect("an identical track");
    }
    finn.try_track(typing(true)).await.expect("typing has a second of its own");
    finn.try_track(typing(false)).await.expect("typing that ends");
    let refused = finn.try_track(typing(true)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited, "typing again");
    finn.try_track(track(Status::Busy)).await.expect("the one update");
    let refused = finn.try_track(track(Status::Away)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    finn.try_track(track(Status::Busy)).await.expect("what is in force already");
    // Hiding is never limited, and neither is leaving.
    for hide in [true, false, true] {
        finn.set(SettingsPatch { appear_offline: Some(hide), ..SettingsPatch::default() }).await;
    }
    finn.untrack().await;
    finn.sign_out().await;
    let mut back = world.enter_present(world.finn).await;
    back.ping().await;
}

#[tokio::test]
async fn whoever_waits_as_told_is_served() {
    let world = World::on(Arc::new(Launch::as_delivered().start())).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut finn = world.enter(world.finn).await;
    finn.track(track(Status::Busy)).await;
    let refused = finn.try_track(track(Status::Away)).await.unwrap_err();
    let wait = refused.retry_after_ms.expect("a time to wait");
    assert!((1..=1_000).contains(&wait));
    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    finn.try_track(track(Status::Idle)).await.expect("waited as told");
    anna.sees(world.wedding_a, world.finn, Status::Idle).await;
}
