use super::*;

#[tokio::test]
async fn a_lost_connection_is_told_and_it_is_back_with_its_token_as_if_nothing_had_been() {
    let hub = TestHub::new().await;
    let (extension, mut events, peer) = started(&hub, by_code(1)).await;
    drop(peer);
    lost(&mut events).await;
    assert_eq!(extension.held(), Some(held(1, 0)), "the hub keeps it");
    let (mut peer, said) = hello(&hub).await;
    assert_eq!(said, Hello { token: Some(Token::new("token 0")), ..Hello::default() });
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::Back(held(1, 0))));
}

#[tokio::test]
async fn a_clock_in_whose_answer_was_lost_is_asked_for_again_under_its_name() {
    let hub = TestHub::new().await;
    let (_extension, mut events) = Extension::start(options(&hub, by_code(1)));
    let (peer, first) = hello(&hub).await;
    drop(peer);
    lost(&mut events).await;
    let (mut peer, second) = hello(&hub).await;
    assert_eq!(first, second);
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::ClockedIn(held(1, 0))));
}

#[tokio::test]
async fn comes_back_after_the_time_told() {
    let hub = TestHub::new().await;
    let (_extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let closing = Closing { reconnect_after_ms: Some(30), ..Closing::new(CloseCode::Restarting) };
    peer.close(CloseCode::Restarting.number(), Some(closing)).await;
    let Some(ExtensionEvent::Lost { wait, cause }) = soon(events.next()).await else { panic!("it waits") };
    assert_eq!(wait, Duration::from_millis(30));
    assert!(cause.contains("4100"), "{cause}");
    assert!(hello(&hub).await.1.token.is_some());
}

#[tokio::test]
async fn too_many_wrong_codes_are_waited_for() {
    let hub = TestHub::new().await;
    let (_extension, mut events) = Extension::start(options(&hub, by_code(1)));
    let (mut peer, _) = hello(&hub).await;
    peer.send(refusal(None, ErrorCode::RateLimited)).await;
    let closing = Closing { reconnect_after_ms: Some(20), ..Closing::new(CloseCode::Overloaded) };
    peer.close(CloseCode::Overloaded.number(), Some(closing)).await;
    let Some(ExtensionEvent::Lost { wait, .. }) = soon(events.next()).await else { panic!("it waits") };
    assert_eq!(wait, Duration::from_millis(20));
    assert!(hello(&hub).await.1.clock_in.is_some());
}

#[tokio::test]
async fn what_a_cut_left_unanswered_is_asked_again_under_its_name() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let moving = tokio::spawn(async move { extension.change_account(account(2)).await });
    let first = asked_to_move(&mut peer).await;
    drop(peer);
    lost(&mut events).await;
    let (mut peer, _) = hello(&hub).await;
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    let second = asked_to_move(&mut peer).await;
    assert_eq!((first.op_id, first.epoch, first.to), (second.op_id, second.epoch, second.to));
    peer.send(ServerFrame::ClockedIn(Box::new(ClockedIn { re: Some(second.id), ..clocked_in(2, 1) }))).await;
    assert_eq!(soon(moving).await.unwrap(), Ok(held(2, 1)));
}

/// The move was committed, and its answer, with the new token, lost: the code finds it.
#[tokio::test]
async fn a_move_that_was_made_behind_a_cut_is_found_by_code() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let moving = tokio::spawn(async move { extension.change_account(account(2)).await });
    let change = asked_to_move(&mut peer).await;
    drop(peer);
    lost(&mut events).await;
    let (mut peer, _) = hello(&hub).await;
    peer.send(over(1, 0, Some(model::ClockOutReason::Moved))).await;
    peer.close(CloseCode::ClockedOut.number(), None).await;
    let (mut peer, said) = hello(&hub).await;
    let ClockInRequest { code: by, account_id, op_id } = said.clock_in.unwrap();
    assert_eq!((by, account_id), (code(), account(2)));
    assert_ne!(op_id, change.op_id, "another operation");
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(2, 1)))).await;
    assert_eq!(soon(moving).await.unwrap(), Ok(held(2, 1)));
}

/// Whoever ended it meant it: a move that never arrived is not made by code afterwards.
#[tokio::test]
async fn a_move_is_not_made_again_after_another_end() {
    for reason in [Some(model::ClockOutReason::ForceCleared), None] {
        let hub = TestHub::new().await;
        let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
        let moving = tokio::spawn(async move { extension.change_account(account(2)).await });
        asked_to_move(&mut peer).await;
        drop(peer);
        lost(&mut events).await;
        let (mut peer, _) = hello(&hub).await;
        peer.send(over(1, 0, reason)).await;
        peer.close(CloseCode::ClockedOut.number(), None).await;
        assert!(soon(moving).await.unwrap().is_err());
        assert_eq!(soon(events.next()).await, Some(ExtensionEvent::Out(Leaving::ClockedOut(reason))));
    }
}

#[tokio::test]
async fn an_hour_of_silence_is_not_waited_for() {
    let hub = TestHub::new().await;
    let options = ExtensionOptions { patience: Duration::from_millis(10), ..options(&hub, by_code(1)) };
    let (_extension, mut events) = Extension::start(options);
    let (mut peer, _) = hello(&hub).await;
    let quick = ClockedIn { heartbeat_ms: 20, heartbeat_timeout_ms: 10, ..clocked_in(1, 0) };
    peer.send(ServerFrame::ClockedIn(Box::new(quick))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::ClockedIn(held(1, 0))));
    let Some(ExtensionEvent::Lost { cause, .. }) = soon(events.next()).await else { panic!("it is lost") };
    assert_eq!(cause, "the hub is silent");
}
