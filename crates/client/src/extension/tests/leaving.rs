use model::ClockOutReason;

use super::*;

#[tokio::test]
async fn a_clock_out_is_acknowledged_and_told_with_its_reason() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let leaving = tokio::spawn({
        let extension = extension.clone();
        async move { extension.clock_out().await }
    });
    let ClientFrame::ClockOut(frame) = peer.receive().await else { panic!("it clocks out") };
    assert_eq!((frame.account_id, frame.epoch), (account(1), EPOCH));
    assert!(frame.op_id.is_some());
    peer.ack(frame.id).await;
    peer.send(over(1, 0, Some(ClockOutReason::ClockedOut))).await;
    peer.close(CloseCode::ClockedOut.number(), Some(Closing::new(CloseCode::ClockedOut))).await;
    assert_eq!(soon(leaving).await.unwrap(), Ok(()));
    let why = Leaving::ClockedOut(Some(ClockOutReason::ClockedOut));
    assert_eq!(out(&mut events).await, why);
    assert_eq!(extension.ping().await, Err(ExtensionFailed::Out(why)));
    assert_eq!(extension.held(), None);
}

/// The clock-out was committed and its answer lost: the hold is over, which is what was wanted.
#[tokio::test]
async fn a_clock_out_whose_answer_was_lost_is_done_when_the_hold_is_over() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let leaving = tokio::spawn(async move { extension.clock_out().await });
    assert!(matches!(peer.receive().await, ClientFrame::ClockOut(_)));
    drop(peer);
    lost(&mut events).await;
    let (mut peer, _) = hello(&hub).await;
    peer.send(refusal(None, ErrorCode::NotHeld)).await;
    peer.close(CloseCode::ClockedOut.number(), None).await;
    assert_eq!(soon(leaving).await.unwrap(), Ok(()));
    assert_eq!(out(&mut events).await, Leaving::ClockedOut(None));
}

#[tokio::test]
async fn it_tells_why_it_was_clocked_out_and_does_not_come_back() {
    for reason in ClockOutReason::ALL.iter().copied().map(Some).chain([None]) {
        let hub = TestHub::new().await;
        let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
        peer.send(over(1, 0, reason)).await;
        peer.close(CloseCode::ClockedOut.number(), None).await;
        assert_eq!(out(&mut events).await, Leaving::ClockedOut(reason));
        assert!(matches!(extension.state(), ExtensionState::Out(_)));
    }
}

/// A later hub has more reasons; over it is all the same.
#[tokio::test]
async fn a_reason_that_nobody_knows_yet_is_none() {
    let hub = TestHub::new().await;
    let (_extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let frame = serde_json::json!({
        "t": "clockedOut", "accountId": account(1), "epoch": EPOCH, "reason": "tea_time",
    });
    let read = wire::decode_server(Encoding::Json, frame.to_string().as_bytes()).unwrap();
    assert_eq!(read, over(1, 0, None));
    peer.send(read).await;
    peer.close(CloseCode::ClockedOut.number(), None).await;
    assert_eq!(out(&mut events).await, Leaving::ClockedOut(None));
}

#[tokio::test]
async fn the_close_alone_says_it_too_and_so_does_the_frame() {
    let hub = TestHub::new().await;
    let (_extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    peer.close(CloseCode::ClockedOut.number(), None).await;
    assert_eq!(out(&mut events).await, Leaving::ClockedOut(None));
    let (_extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    peer.send(over(1, 0, Some(ClockOutReason::Inactive))).await;
    drop(peer);
    assert_eq!(out(&mut events).await, Leaving::ClockedOut(Some(ClockOutReason::Inactive)));
}

#[tokio::test]
async fn the_end_of_an_earlier_hold_says_nothing() {
    let hub = TestHub::new().await;
    let (extension, _events, mut peer) = started(&hub, by_code(1)).await;
    peer.send(ServerFrame::ClockedOut(ClockedOut { account_id: account(1), epoch: EPOCH - 1, reason: None }))
        .await;
    peer.send(ServerFrame::ClockedOut(ClockedOut { account_id: account(2), epoch: EPOCH, reason: None }))
        .await;
    peer.send(ServerFrame::Heartbeat).await;
    assert_eq!(peer.receive().await, ClientFrame::Heartbeat);
    assert_eq!(extension.state(), ExtensionState::In(held(1, 0)));
}

#[tokio::test]
async fn a_refused_hello_is_told_with_its_code() {
    for (code, close) in [
        (ErrorCode::InvalidCode, CloseCode::TokenInvalid),
        (ErrorCode::Occupied, CloseCode::BadHello),
        (ErrorCode::UnknownChannel, CloseCode::BadHello),
    ] {
        for close in [Some(close), None] {
            let hub = TestHub::new().await;
            let (_extension, mut events) = Extension::start(options(&hub, by_code(1)));
            let (mut peer, _) = hello(&hub).await;
            peer.send(refusal(None, code)).await;
            match close {
                Some(close) => peer.close(close.number(), Some(Closing::new(close))).await,
                None => drop(peer),
            }
            let Leaving::Refused(error) = out(&mut events).await else { panic!("it was refused") };
            assert_eq!(error.code, code);
        }
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_tried_again() {
    let hub = TestHub::new().await;
    let (_extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    peer.close(CloseCode::TokenExpired.number(), None).await;
    let Leaving::ByHub(closed) = out(&mut events).await else { panic!("closed by the hub") };
    assert_eq!(closed.close_code(), Some(CloseCode::TokenExpired));
}

#[tokio::test]
async fn closing_it_or_dropping_it_is_no_clock_out() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let closing = tokio::spawn(async move { extension.close().await });
    assert_eq!(peer.closed().await, Some(1001));
    soon(closing).await.unwrap();
    assert_eq!(out(&mut events).await, Leaving::Closed);
    let (extension, _events, mut peer) = started(&hub, by_code(1)).await;
    drop(extension);
    assert_eq!(peer.closed().await, Some(1001));
}

#[tokio::test]
async fn it_can_be_closed_while_it_waits() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let closing = Closing { reconnect_after_ms: Some(60_000), ..Closing::new(CloseCode::Overloaded) };
    peer.close(CloseCode::Overloaded.number(), Some(closing)).await;
    lost(&mut events).await;
    soon(extension.close()).await;
    assert_eq!(out(&mut events).await, Leaving::Closed);
}
