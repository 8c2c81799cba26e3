use super::*;

#[tokio::test]
async fn resumes_after_a_lost_connection_and_tells_that_lists_are_stale_meanwhile() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    channel_event(&mut events).await;
    peer.send(frame(1, 2, LIVE).update(1, Status::Away).said()).await;
    assert!(soon(client.until(|replica| replica.list(wedding(1)).unwrap().sequence() == 2)).await);
    channel_event(&mut events).await;
    drop(peer);
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Stale))).await);
    let (mut peer, hello) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    let resume = hello.resume.unwrap();
    assert_eq!(resume.session, welcome_to(7).session);
    let points: Vec<_> =
        resume.subscriptions.iter().map(|point| (point.subscription.0, point.sequence)).collect();
    assert_eq!(points, [(1, 2)]);
    assert_eq!(hello.track, Some(TrackRequest::of(Status::Online)));
    peer.send(frame(1, 3, LIVE).join(2, Status::Online).said()).await;
    assert!(soon(client.until(|replica| replica.list(wedding(1)).unwrap().sequence() == 3)).await);
    assert_eq!(client.connection(), Connection::Connected { resumed: true });
    assert_eq!(client.snapshot(wedding(1)).unwrap().phase, Phase::Live);
}

#[tokio::test]
async fn subscribes_again_where_the_hub_has_forgotten() {
    let hub = TestHub::new().await;
    let (client, _events, peer) = following(&hub).await;
    for welcome in [
        Welcome { resume: Some(ResumeOutcome::NotResumed(NotResumed::UnknownSession)), ..welcome_to(8) },
        resumed(&[(1, Err(NotResumed::UnknownChannel))]),
    ] {
        client.cut(Duration::ZERO).await;
        let (mut peer, _) = hub.welcome(welcome).await;
        assert_eq!(peer.subscribe(1).await, [wedding(1)]);
        peer.send(frame(1, 1, LAST_PAGE).join(2, Status::Online).said()).await;
        assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Live))).await);
        assert_eq!(client.snapshot(wedding(1)).unwrap().entries.into_keys().collect::<Vec<_>>(), [person(2)]);
        drop(peer);
        assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Stale))).await);
        // Takes the attempt that follows by itself, and loses it.
        drop(hub.accept().await);
    }
    drop(peer);
}

#[tokio::test]
async fn comes_back_after_the_time_told() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    let closing = Closing { reconnect_after_ms: Some(30), ..Closing::new(CloseCode::Restarting) };
    let told = std::time::Instant::now();
    peer.close(CloseCode::Restarting.number(), Some(closing)).await;
    let (_peer, hello) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    assert!(told.elapsed() >= Duration::from_millis(30), "{:?}", told.elapsed());
    assert!(hello.resume.is_some());
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Live))).await);
    assert!(soon(events.next()).await.is_some());
}

#[tokio::test]
async fn waiting_is_told_with_its_cause() {
    let hub = TestHub::new().await;
    let (client, mut events, mut peer) = following(&hub).await;
    let closing = Closing { reconnect_after_ms: Some(60_000), ..Closing::new(CloseCode::TooSlow) };
    peer.close(CloseCode::TooSlow.number(), Some(closing)).await;
    assert!(soon(client.until(|replica| replica.phase(wedding(1)) == Some(Phase::Stale))).await);
    let Some(Event::Connection(Connection::Waiting { wait, cause })) = soon(events.next()).await else {
        panic!("it waits")
    };
    assert_eq!(wait, Duration::from_secs(60));
    assert!(cause.contains("4101"), "{cause}");
    soon(client.close()).await;
    assert_eq!(ended(&client, &mut events).await, Ending::Closed);
}

#[tokio::test]
async fn replaced_it_comes_back_as_a_session_of_its_own() {
    let hub = TestHub::new().await;
    let (_client, _events, mut peer) = following(&hub).await;
    peer.close(CloseCode::Replaced.number(), None).await;
    let (mut peer, hello) = hub.welcome(welcome_to(8)).await;
    assert_eq!(hello.resume, None);
    assert_eq!(peer.subscribe(1).await, [wedding(1)]);
}

#[tokio::test]
async fn codes_that_say_so_are_the_end() {
    for (code, is_sign_out) in [(1000, true), (4300, false), (4301, false)] {
        let hub = TestHub::new().await;
        let (client, mut events, mut peer) = following(&hub).await;
        peer.close(code, None).await;
        match ended(&client, &mut events).await {
            Ending::SignedOut => assert!(is_sign_out),
            Ending::ByHub(closed) => assert_eq!((closed.code, is_sign_out), (Some(code), false)),
            other => panic!("{code}: {other}"),
        }
        assert!(matches!(client.ping().await, Err(RequestFailed::Ended(_))));
        assert!(!client.until(|_| false).await);
    }
}

#[tokio::test]
async fn a_refused_token_is_not_shown_twice() {
    let hub = TestHub::new().await;
    let (client, mut events) = Client::start(options(&hub));
    let mut peer = hub.accept().await;
    peer.receive().await;
    peer.close(CloseCode::TokenInvalid.number(), None).await;
    assert!(matches!(ended(&client, &mut events).await, Ending::Token(_)));
}

#[tokio::test]
async fn another_token_is_tried_when_one_has_ended() {
    let hub = TestHub::new().await;
    let tokens = Arc::new(AtomicUsize::new(0));
    let source = TokenSource::new(move || {
        let number = tokens.fetch_add(1, Ordering::SeqCst);
        async move { if number == 1 { Err("try later".to_owned()) } else { Ok(Token::new(number.to_string())) } }
    });
    let (_client, _events, mut peer, _) = started(&hub, Options { token: source, ..options(&hub) }).await;
    peer.close(CloseCode::TokenExpired.number(), None).await;
    let (_peer, hello) = hub.welcome(resumed(&[])).await;
    assert_eq!(hello.token, Some(Token::new("2")));
}

#[tokio::test]
async fn a_handshake_that_can_never_succeed_is_the_end() {
    let options = Options::new("http://127.0.0.1/ws", Token::new("one"));
    let (client, mut events) = Client::start(options);
    let ending = ended(&client, &mut events).await;
    assert!(matches!(ending, Ending::Handshake(_)), "{ending}");
}

#[tokio::test]
async fn a_hub_that_is_not_there_yet_is_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    drop(listener);
    let backoff = Backoff { first: Duration::from_millis(5), most: Duration::from_millis(5) };
    let (client, mut events) = Client::start(Options { backoff, ..Options::new(url, Token::new("one")) });
    let mut attempts = 0;
    while attempts < 3 {
        if let Some(Event::Connection(Connection::Waiting { .. })) = soon(events.next()).await {
            attempts += 1;
        }
    }
    soon(client.close()).await;
    assert_eq!(ended(&client, &mut events).await, Ending::Closed);
}

#[tokio::test]
async fn a_silent_hub_is_given_up_when_a_heartbeat_and_its_answer_are_overdue() {
    let hub = TestHub::new().await;
    let options = Options { patience: Duration::from_millis(10), ..options(&hub) };
    let (_client, _events) = Client::start(options);
    let impatient = Welcome { heartbeat_ms: 20, heartbeat_timeout_ms: 10, ..welcome_to(7) };
    let since = std::time::Instant::now();
    let (_silent, _) = hub.welcome(impatient).await;
    let (_peer, hello) = hub.welcome(resumed(&[])).await;
    assert!(hello.resume.is_some());
    assert!(since.elapsed() >= Duration::from_millis(40), "{:?}", since.elapsed());
}

#[tokio::test]
async fn dropped_it_leaves_like_a_lost_connection() {
    let hub = TestHub::new().await;
    let (client, events, mut peer) = following(&hub).await;
    drop((client, events));
    assert_eq!(peer.closed().await, Some(1001));
}

#[tokio::test]
async fn a_cut_leaves_without_a_word_and_comes_back() {
    let hub = TestHub::new().await;
    let (client, _events, mut peer) = following(&hub).await;
    soon(client.cut(Duration::from_millis(1))).await;
    assert_eq!(peer.closed().await, None);
    let (_peer, hello) = hub.welcome(resumed(&[(1, Ok(()))])).await;
    assert!(hello.resume.is_some());
}
