mod coming_back;
mod requests;

use std::sync::atomic::{AtomicUsize, Ordering};

use model::{CloseCode, Encoding, NotResumed, ResumeOutcome, Status, SubscriptionId};
use wire::{ClientFrame, Closing, Expiring, Failure, Hello, ServerFrame, Welcome};

use wire::Token;

use super::*;
use crate::{
    Backoff, Change, ChannelEvent, Standing, TokenSource,
    testing::{
        LAST_PAGE, PAGE, Peer, TestHub, ViewFrameExt, frame, person, record, soon, wedding, welcome_to,
    },
};

const LIVE: model::Phase = model::Phase::Live;

fn options(hub: &TestHub) -> Options {
    let backoff = Backoff { first: Duration::from_millis(5), most: Duration::from_millis(20) };
    Options { backoff, ..Options::new(hub.url(), Token::new("one")) }
}

/// A client that was welcome.
async fn started(hub: &TestHub, options: Options) -> (Client, Events, Peer, Hello) {
    let (client, events) = Client::start(options);
    let (peer, hello) = hub.welcome(welcome_to(7)).await;
    assert!(soon(client.until(|replica| replica.user().is_some())).await);
    (client, events, peer, hello)
}

/// A client that follows a wedding as subscription 1, with 1 in it.
async fn following(hub: &TestHub) -> (Client, Events, Peer) {
    let options =
        options(hub).channel(SubscribeRequest::of(wedding(1))).track(TrackRequest::of(Status::Online));
    let (client, events, mut peer, _) = started(hub, options).await;
    assert_eq!(peer.subscribe(1).await, [wedding(1)]);
    peer.send(frame(1, 1, LAST_PAGE).join(1, Status::Online).said()).await;
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Live))).await);
    (client, events, peer)
}

fn resumed(outcomes: &[(u32, Result<(), NotResumed>)]) -> Welcome {
    let outcomes = outcomes.iter().map(|(id, outcome)| (SubscriptionId(*id), *outcome)).collect();
    Welcome { resume: Some(ResumeOutcome::Resumed(outcomes)), ..welcome_to(7) }
}

async fn ended(client: &Client, events: &mut Events) -> Ending {
    while soon(events.next()).await.is_some() {}
    match client.connection() {
        Connection::Ended(ending) => ending,
        other => panic!("it has not ended: {other:?}"),
    }
}

async fn channel_event(events: &mut Events) -> ChannelEvent {
    loop {
        if let Event::Channel(event) = soon(events.next()).await.expect("more events") {
            return event;
        }
    }
}

#[tokio::test]
async fn says_hello_with_its_track_follows_its_channels_and_tells_what_is_new() {
    let hub = TestHub::new().await;
    let track = TrackRequest::of(Status::Busy);
    let options = options(&hub).track(track.clone()).channel(SubscribeRequest::roster(wedding(1)));
    let (client, mut events, mut peer, hello) = started(&hub, options).await;
    assert_eq!(peer.encoding, Encoding::MessagePack);
    assert_eq!(hello, Hello { token: Some(Token::new("one")), track: Some(track), ..Hello::default() });
    assert_eq!((client.user(), client.settings()), (Some(welcome_to(7).user), Some(Settings::default())));
    let ClientFrame::Subscribe(subscribe) = peer.receive().await else { panic!("it follows its channel") };
    assert_eq!(subscribe.channels, [SubscribeRequest::roster(wedding(1))]);
    peer.send(crate::testing::subscribed(subscribe.id, 1, &[wedding(1)])).await;
    peer.send(frame(1, 1, LAST_PAGE).join(1, Status::Online).said()).await;
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Live))).await);
    assert_eq!(soon(events.next()).await, Some(Event::Connection(Connection::Connected { resumed: false })));
    assert_eq!(soon(events.next()).await, Some(Event::Settings(Settings::default())));
    let event = channel_event(&mut events).await;
    assert_eq!((event.channel, event.standing), (wedding(1), Standing::Followed(Phase::Live)));
    let change = Change { id: person(1), before: None, now: Some(record(1, Status::Online)) };
    assert_eq!(event.changes, [change]);
    let snapshot = client.snapshot(wedding(1)).unwrap();
    assert_eq!((snapshot.phase, snapshot.entries.len()), (Phase::Live, 1));
    assert_eq!(client.snapshot(wedding(2)), None);
}

#[tokio::test]
async fn a_listener_that_lags_gets_the_last_state() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    channel_event(&mut events).await;
    peer.send(frame(1, 2, LIVE).update(1, Status::Busy).join(2, Status::Idle).join(3, Status::Idle).said())
        .await;
    peer.send(frame(1, 3, LIVE).update(1, Status::Away).leave(2).said()).await;
    peer.send(frame(1, 4, LIVE).leave(3).join(4, Status::Online).said()).await;
    assert!(soon(client.until(|replica| replica.list(wedding(1)).unwrap().sequence() == 4)).await);
    let changes = channel_event(&mut events).await.changes;
    let change = |id, before, now| Change { id: person(id), before, now };
    assert_eq!(
        changes,
        [
            change(1, Some(record(1, Status::Online)), Some(record(1, Status::Away))),
            change(4, None, Some(record(4, Status::Online)))
        ]
    );
}

#[tokio::test]
async fn nobody_has_to_listen() {
    let hub = TestHub::new().await;
    let (client, events, mut peer) = following(&hub).await;
    drop(events);
    peer.send(frame(1, 2, LIVE).leave(1).said()).await;
    assert!(soon(client.until(|replica| replica.list(wedding(1)).unwrap().entries().is_empty())).await);
}

#[tokio::test]
async fn answers_heartbeats_behind_what_came_before_them() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    peer.send(frame(1, 2, LIVE).leave(1).said()).await;
    peer.send(ServerFrame::Heartbeat).await;
    assert_eq!(peer.receive().await, ClientFrame::Heartbeat);
    assert_eq!(client.read(|replica| replica.list(wedding(1)).unwrap().sequence()), 2);
}

#[tokio::test]
async fn gives_the_hub_a_newer_token_when_the_old_one_ends_soon() {
    let hub = TestHub::new().await;
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    let source = TokenSource::new(move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { Ok(Token::new(format!("token {number}"))) }
    });
    assert_eq!(format!("{source:?}"), "TokenSource(…)");
    let options = Options { token: source, ..options(&hub) };
    let (_client, _events, mut peer, hello) = started(&hub, options).await;
    assert_eq!(hello.token, Some(Token::new("token 0")));
    peer.send(ServerFrame::Expiring(Expiring { in_ms: 60_000 })).await;
    let ClientFrame::Refresh(refresh) = peer.receive().await else { panic!("a refresh had to come") };
    assert_eq!(refresh.token, Token::new("token 1"));
    peer.ack(refresh.id).await;
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_list_that_does_not_add_up_is_asked_for_anew_and_shown_until_then() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    channel_event(&mut events).await;
    peer.send(frame(1, 3, LIVE).leave(1).said()).await;
    peer.send(frame(1, 4, LIVE).join(8, Status::Online).said()).await;
    assert_eq!(peer.subscribe(2).await, [wedding(1)]);
    let event = channel_event(&mut events).await;
    assert_eq!(event.standing, Standing::Followed(Phase::Stale));
    peer.send(frame(2, 1, PAGE).join(2, Status::Online).said()).await;
    peer.send(frame(2, 2, LAST_PAGE).join(3, Status::Online).said()).await;
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Live))).await);
    let entries = client.snapshot(wedding(1)).unwrap().entries;
    assert_eq!(entries.into_keys().collect::<Vec<_>>(), [person(2), person(3)]);
}
