//! Connections that break and clients that come back: within grace, after it, with and without something lost.

use std::sync::Arc;

use model::{NotResumed, Phase, ResumeOutcome, ResumeRequest, Status, TrackRequest};
use wire::Hello;

use crate::fixture::{Launch, Tab, World, expiring_at, online, seconds_from_now, token, track};

fn outcome(tab: &Tab) -> &ResumeOutcome {
    tab.replica.welcome().and_then(|welcome| welcome.resume.as_ref()).expect("an outcome")
}

#[tokio::test]
async fn back_within_grace_nobody_notices() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let finn = world.enter_present(world.finn).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    anna.forget();
    let mut replica = finn.lose();
    for _ in 0..3 {
        let back = world.back(replica, Some(online())).await;
        assert!(back.resumed());
        replica = back.lose();
    }
    let mut rosa = world.enter(world.rosa).await;
    rosa.track(online()).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    assert!(!anna.heard_of(world.finn), "{:?}", anna.heard);
    assert_eq!(anna.status(world.wedding_a, world.finn), Some(Status::Online));
}

#[tokio::test]
async fn after_grace_there_is_a_leave_and_then_a_join() {
    let launch = Launch::new().set("presence.grace_ms", 150);
    let world = World::on(Arc::new(launch.start())).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut finn = world.enter_present(world.finn).await;
    finn.watch(world.wedding_a).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    let lost = finn.lose();
    anna.loses(world.wedding_a, world.finn).await;
    // The session and its views wait longer than its presence.
    let mut back = world.back(lost, Some(online())).await;
    assert!(back.resumed());
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    back.sees(world.wedding_a, world.finn, Status::Online).await;
}

#[tokio::test]
async fn the_close_code_says_whether_the_client_comes_back() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let reload = world.enter_present(world.finn).await;
    let goodbye = world.enter_present(world.rosa).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    let reloaded = reload.close(1001).await;
    let left = goodbye.close(1000).await;
    anna.loses(world.wedding_a, world.rosa).await;
    assert!(world.back(reloaded, None).await.resumed());
    let back = world.back(left, None).await;
    assert_eq!(*outcome(&back), ResumeOutcome::NotResumed(NotResumed::UnknownSession));
    anna.ping().await;
    assert_eq!(anna.status(world.wedding_a, world.finn), Some(Status::Online));
}

/// What changed meanwhile is told, as it is now; what came and went is not mentioned.
#[tokio::test]
async fn a_resume_tells_what_changed_and_no_more() {
    let world = World::new().await;
    let mut rosa = world.enter_present(world.rosa).await;
    let vera = world.enter_present(world.vera).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    anna.sees(world.wedding_a, world.vera, Status::Online).await;
    anna.ping().await;
    let lost = anna.lose();
    rosa.track(track(Status::Away)).await;
    rosa.track(track(Status::Busy)).await;
    vera.sign_out().await;
    world.enter_present(world.finn).await.sign_out().await;
    let mut back = world.back(lost, None).await;
    assert!(back.resumed());
    back.sees(world.wedding_a, world.rosa, Status::Busy).await;
    back.loses(world.wedding_a, world.vera).await;
    back.ping().await;
    assert!(!back.heard_of(world.finn));
    assert!(back.views().all(|view| view.phase == Phase::Live), "no snapshot");
}

#[tokio::test]
async fn a_frame_that_was_lost_with_the_connection_is_told_again() {
    let world = World::new().await;
    let mut rosa = world.enter_present(world.rosa).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    anna.ping().await;
    // Sent, and by this client never applied.
    let before = anna.replica.clone();
    rosa.track(track(Status::Busy)).await;
    anna.sees(world.wedding_a, world.rosa, Status::Busy).await;
    drop(anna);
    let mut back = world.back(before, None).await;
    assert!(back.resumed());
    back.sees(world.wedding_a, world.rosa, Status::Busy).await;
    assert!(back.views().all(|view| view.phase == Phase::Live), "no snapshot");
}

#[tokio::test]
async fn a_number_that_was_never_sent_starts_the_view_anew() {
    let world = World::new().await;
    let _rosa = world.enter_present(world.rosa).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    let mut resume = anna.replica.resume().unwrap();
    resume.subscriptions[0].sequence += 7;
    let subscription = resume.subscriptions[0].subscription;
    let lost = anna.lose();
    let hello = Hello { token: Some(token(world.anna)), resume: Some(resume), ..Hello::default() };
    let mut back = Tab::back(&world.hub, model::Encoding::Json, lost, hello).await.unwrap();
    assert_eq!(*outcome(&back), ResumeOutcome::Resumed(vec![(subscription, Err(NotResumed::Sequence))]));
    back.until("the snapshot", |tab| tab.views().any(|view| view.sequence == 1)).await;
    assert_eq!(back.status(world.wedding_a, world.rosa), Some(Status::Online));
}

#[tokio::test]
async fn a_session_of_somebody_else_is_unknown() {
    let world = World::new().await;
    let mut finn = world.enter_present(world.finn).await;
    let session = finn.replica.session().unwrap();
    let resume = Some(ResumeRequest { session, subscriptions: Vec::new() });
    let rosa = world.hello(Hello { token: Some(token(world.rosa)), resume, ..Hello::default() }).await;
    assert_eq!(*outcome(&rosa), ResumeOutcome::NotResumed(NotResumed::UnknownSession));
    assert_ne!(rosa.replica.session(), Some(session));
    finn.ping().await;
}

#[tokio::test]
async fn a_session_lives_on_one_connection() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut first = world.enter_present(world.finn).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    anna.forget();
    let mut second = world.back(first.replica.clone(), Some(online())).await;
    assert!(second.resumed());
    assert_eq!(first.end().await.code, Some(4001));
    second.ping().await;
    anna.ping().await;
    assert!(!anna.heard_of(world.finn));
}

#[tokio::test]
async fn a_connection_that_does_not_answer_heartbeats_is_dead() {
    let launch = Launch::new().set("presence.heartbeat_ms", 200).set("presence.heartbeat_timeout_ms", 200);
    let world = World::on(Arc::new(launch.start())).await;
    let url = world.hub.socket_url();
    let (mut deaf, _) = client::Socket::open(&url, model::Encoding::Json, token(world.finn)).await.unwrap();
    let closed = loop {
        match crate::fixture::in_time("an end", deaf.receive()).await {
            Ok(_) => {}
            Err(client::SocketError::Closed(closed)) => break closed,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(closed.code, Some(4000));
}

/// More sessions than a user may have: the one lost longest gives way, live ones do not.
#[tokio::test]
async fn a_user_may_have_so_many_sessions_and_no_more() {
    let launch = Launch::new().set("presence.sessions_per_user", 2);
    let world = World::on(Arc::new(launch.start())).await;
    let first = world.enter(world.finn).await;
    let mut second = world.enter(world.finn).await;
    let refused = world.try_enter(model::Encoding::Json, token(world.finn)).await.map(drop);
    assert!(matches!(refused, Err(client::SocketError::Closed(closed)) if closed.code == Some(4103)));
    // The hub learns of the loss in its own time.
    drop(first);
    crate::fixture::eventually("room for another", async || {
        world.try_enter(model::Encoding::Json, token(world.finn)).await.ok().map(drop)
    })
    .await;
    second.ping().await;
}

#[tokio::test]
async fn a_typing_track_in_a_hello_costs_nothing() {
    let world = World::on(Arc::new(Launch::as_delivered().start())).await;
    let track = TrackRequest { is_typing: Some(true), ..online() };
    let good = expiring_at(world.finn, seconds_from_now(600));
    let mut finn =
        world.hello(Hello { token: Some(good), track: Some(track.clone()), ..Hello::default() }).await;
    finn.try_track(track).await.expect("an identical track is free");
    finn.try_track(online()).await.expect("typing that ends is free");
    finn.try_track(crate::fixture::track(Status::Busy)).await.expect("the first update");
}
