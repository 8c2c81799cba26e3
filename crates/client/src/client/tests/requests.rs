use model::{EndReason, RequestId};
use wire::{Ended, Subscribed};

use super::*;

fn failure(re: RequestId, code: ErrorCode, retry_after_ms: Option<u64>) -> ServerFrame {
    ServerFrame::Error(Failure { re: Some(re), code, message: "no".to_owned(), retry_after_ms })
}

async fn tracked(peer: &mut Peer) -> (RequestId, Status) {
    match peer.receive().await {
        ClientFrame::Track(frame) => (frame.id, frame.track.status),
        other => panic!("a track had to come, not {other:?}"),
    }
}

#[tokio::test]
async fn requests_await_their_answers() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let serve = async {
        for _ in 0..3 {
            match peer.receive().await {
                ClientFrame::SetSettings(frame) => {
                    assert_eq!(frame.settings.appear_offline, Some(true));
                    assert!(frame.op_id.is_some());
                    peer.ack(frame.id).await;
                }
                ClientFrame::Ping(frame) => peer.send(failure(frame.id, ErrorCode::Internal, None)).await,
                ClientFrame::Untrack(frame) => peer.ack(frame.id).await,
                other => panic!("{other:?}"),
            }
        }
    };
    let settings = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
    let (set, pinged, untracked, ()) =
        tokio::join!(client.set_settings(settings), client.ping(), client.untrack(), soon(serve));
    assert_eq!(set, Ok(()));
    let Err(RequestFailed::Refused(error)) = pinged else { panic!("the ping failed") };
    assert_eq!(error.code, ErrorCode::Internal);
    assert_eq!(untracked, Ok(()));
}

#[tokio::test]
async fn a_request_has_a_deadline() {
    let hub = TestHub::new().await;
    let options = Options { request_timeout: Duration::from_millis(20), ..options(&hub) };
    let (client, _events, _peer, _) = started(&hub, options).await;
    assert_eq!(soon(client.ping()).await, Err(RequestFailed::Timeout));
}

#[tokio::test]
async fn what_a_cut_left_unanswered_is_asked_again_under_the_same_name() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let asked = tokio::spawn(async move { client.set_settings(SettingsPatch::default()).await });
    let ClientFrame::SetSettings(first) = peer.receive().await else { panic!("settings had to come") };
    drop(peer);
    let (mut peer, _) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    let ClientFrame::SetSettings(second) = peer.receive().await else { panic!("settings had to come again") };
    assert_eq!(first.op_id, second.op_id);
    peer.ack(second.id).await;
    assert_eq!(soon(asked).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn while_one_track_is_on_its_way_the_last_of_the_others_wins() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let track = |status| {
        let client = client.clone();
        async move { client.track(TrackRequest::of(status)).await }
    };
    let first = tokio::spawn(track(Status::Busy));
    let (id, status) = tracked(&mut peer).await;
    assert_eq!(status, Status::Busy);
    let serve = async {
        // A round trip: both were taken before it.
        let ClientFrame::Ping(ping) = peer.receive().await else { panic!("a ping had to come") };
        peer.ack(ping.id).await;
        peer.ack(id).await;
        let (id, status) = tracked(&mut peer).await;
        assert_eq!(status, Status::Idle);
        peer.ack(id).await;
    };
    let (second, third, pinged, ()) =
        tokio::join!(biased; track(Status::Away), track(Status::Idle), client.ping(), soon(serve));
    assert_eq!((second, third, pinged, first.await.unwrap()), (Ok(()), Ok(()), Ok(()), Ok(())));
}

#[tokio::test]
async fn a_track_that_comes_too_soon_is_sent_again_in_time_as_it_is_then() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let serve = async {
        let (id, _) = tracked(&mut peer).await;
        peer.send(failure(id, ErrorCode::RateLimited, Some(10))).await;
        let (id, status) = tracked(&mut peer).await;
        peer.ack(id).await;
        status
    };
    let (tracked, status) = tokio::join!(client.track(TrackRequest::of(Status::Away)), soon(serve));
    assert_eq!((tracked, status), (Ok(()), Status::Away));
}

#[tokio::test]
async fn a_track_that_is_refused_is_told_and_not_said_in_a_hello() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let serve = async {
        let (id, _) = tracked(&mut peer).await;
        peer.send(failure(id, ErrorCode::InvalidValue, None)).await;
    };
    let (refused, ()) = tokio::join!(client.track(TrackRequest::of(Status::Away)), soon(serve));
    assert!(matches!(refused, Err(RequestFailed::Refused(_))));
    soon(client.cut(Duration::ZERO)).await;
    let (_peer, hello) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    assert_eq!(hello.track, Some(TrackRequest::of(Status::Online)));
}

#[tokio::test]
async fn what_is_tracked_while_there_is_no_connection_is_said_as_soon_as_there_is_one() {
    let hub = TestHub::new().await;
    let (client, _events) = Client::start(options(&hub).track(TrackRequest::of(Status::Online)));
    let tracking = client.clone();
    let asked = tokio::spawn(async move { tracking.track(TrackRequest::of(Status::Busy)).await });
    let (mut peer, hello) = hub.welcome(welcome_to(7)).await;
    assert_eq!(hello.track, Some(TrackRequest::of(Status::Online)));
    let (id, status) = tracked(&mut peer).await;
    assert_eq!(status, Status::Busy);
    peer.ack(id).await;
    assert_eq!(soon(asked).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn nothing_is_announced_again_after_an_untrack() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    let serve = async {
        let ClientFrame::Untrack(frame) = peer.receive().await else { panic!("an untrack had to come") };
        peer.ack(frame.id).await;
    };
    let (untracked, ()) = tokio::join!(client.untrack(), soon(serve));
    assert_eq!(untracked, Ok(()));
    soon(client.cut(Duration::ZERO)).await;
    let (_peer, hello) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    assert_eq!(hello.track, None);
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_refused_and_not_asked_for_again() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer, _) = started(&hub, options(&hub)).await;
    let serve = async {
        let ClientFrame::Subscribe(subscribe) = peer.receive().await else {
            panic!("a subscribe had to come")
        };
        let outcome = Err(ErrorCode::UnknownChannel);
        let channels = vec![model::SubscribedChannel { channel: wedding(5), outcome }];
        peer.send(ServerFrame::Subscribed(Subscribed { re: subscribe.id, channels })).await;
    };
    let (refused, ()) = tokio::join!(client.subscribe(SubscribeRequest::of(wedding(5))), soon(serve));
    let Err(RequestFailed::Refused(error)) = refused else { panic!("it was refused") };
    assert_eq!(error.code, ErrorCode::UnknownChannel);
    assert_eq!(channel_event(&mut events).await.standing, Standing::Gone(ErrorCode::UnknownChannel));
    soon(client.cut(Duration::ZERO)).await;
    let (mut peer, _) = hub.welcome(resumed(&[])).await;
    peer.send(ServerFrame::Heartbeat).await;
    assert_eq!(peer.receive().await, ClientFrame::Heartbeat);
}

#[tokio::test]
async fn a_subscribe_that_fails_whole_is_told() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer, _) = started(&hub, options(&hub)).await;
    let serve = async {
        let ClientFrame::Subscribe(subscribe) = peer.receive().await else {
            panic!("a subscribe had to come")
        };
        peer.send(failure(subscribe.id, ErrorCode::InvalidValue, None)).await;
    };
    let (refused, ()) = tokio::join!(client.subscribe(SubscribeRequest::of(wedding(5))), soon(serve));
    assert!(matches!(refused, Err(RequestFailed::Refused(_))));
}

#[tokio::test]
async fn lists_that_cannot_be_followed_again_are_tried_on_the_next_connection() {
    let hub = TestHub::new().await;
    let (_client, _events, peer) = following(&hub).await;
    drop(peer);
    let (mut peer, _) = hub.welcome(welcome_to(8)).await;
    let ClientFrame::Subscribe(subscribe) = peer.receive().await else { panic!("a subscribe had to come") };
    peer.send(failure(subscribe.id, ErrorCode::Unavailable, Some(5))).await;
    let (mut peer, _) = hub.welcome(resumed(&[])).await;
    assert_eq!(peer.subscribe(1).await, [wedding(1)]);
}

#[tokio::test]
async fn a_channel_that_ends_leaves_with_its_entries() {
    let hub = TestHub::new().await;
    let (_client, mut events, mut peer) = following(&hub).await;
    channel_event(&mut events).await;
    let ended = Ended { subscription: SubscriptionId(1), reason: EndReason::UnknownChannel };
    peer.send(ServerFrame::Ended(ended)).await;
    let event = channel_event(&mut events).await;
    assert_eq!(event.standing, Standing::Gone(ErrorCode::UnknownChannel));
    let change = Change { id: person(1), before: Some(record(1, Status::Online)), now: None };
    assert_eq!(event.changes, [change]);
    drop(peer);
    let (_peer, hello) = hub.welcome(resumed(&[])).await;
    assert!(hello.resume.unwrap().subscriptions.is_empty());
}

#[tokio::test]
async fn unsubscribed_a_channel_is_left() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    channel_event(&mut events).await;
    let serve = async {
        let ClientFrame::Unsubscribe(frame) = peer.receive().await else {
            panic!("an unsubscribe had to come")
        };
        // Under way when the client asked.
        peer.send(crate::testing::frame(1, 2, LIVE).leave(1).said()).await;
        peer.ack(frame.id).await;
        frame.subscription
    };
    let (done, subscription) = tokio::join!(client.unsubscribe(wedding(1)), soon(serve));
    assert_eq!((done, subscription), (Ok(()), SubscriptionId(1)));
    assert_eq!(channel_event(&mut events).await.standing, Standing::Left);
    assert_eq!(client.snapshot(wedding(1)), None);
    assert_eq!(client.unsubscribe(wedding(1)).await, Ok(()));
}

#[tokio::test]
async fn a_subscription_given_too_late_is_given_back() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer, _) = started(&hub, options(&hub)).await;
    let subscribing = client.clone();
    let asked = tokio::spawn(async move { subscribing.subscribe(SubscribeRequest::of(wedding(1))).await });
    let ClientFrame::Subscribe(subscribe) = peer.receive().await else { panic!("a subscribe had to come") };
    assert_eq!(client.unsubscribe(wedding(1)).await, Ok(()));
    peer.send(crate::testing::subscribed(subscribe.id, 3, &[wedding(1)])).await;
    let ClientFrame::Unsubscribe(frame) = peer.receive().await else { panic!("an unsubscribe had to come") };
    assert_eq!(frame.subscription, SubscriptionId(3));
    assert_eq!(soon(asked).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn signing_out_ends_the_client() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    let serve = async {
        let ClientFrame::SignOut(frame) = peer.receive().await else { panic!("a sign-out had to come") };
        peer.ack(frame.id).await;
        peer.close(1000, None).await;
    };
    let (done, ()) = tokio::join!(client.sign_out(), soon(serve));
    assert_eq!(done, Ok(()));
    assert_eq!(ended(&client, &mut events).await, Ending::SignedOut);
}

#[tokio::test]
async fn a_sign_out_is_done_when_the_connection_was_closed_for_it() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    let serve = async {
        let ClientFrame::SignOut(_) = peer.receive().await else { panic!("a sign-out had to come") };
        peer.close(1000, None).await;
    };
    let (done, ()) = tokio::join!(client.sign_out(), soon(serve));
    assert_eq!(done, Ok(()));
    assert_eq!(ended(&client, &mut events).await, Ending::SignedOut);
}
