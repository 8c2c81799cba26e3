mod coming_back;
mod leaving;

use model::{ActivityType, CloseCode, Hold, Minute, OrganizationId, RequestId};
use wire::{
    ClientFrame, ClockInRequest, ClockedIn, ClockedOut, Closing, Expiring, Failure, Hello, ServerFrame,
};

use super::*;
use crate::testing::{Peer, TestHub, soon, user};

const EPOCH: u64 = 1_795_248_000_000;

fn account(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

fn code() -> Token {
    Token::new("k7Qm-2vXp-9dRt-4wHs-8bNc")
}

fn options(hub: &TestHub, entry: Entry) -> ExtensionOptions {
    let backoff = Backoff { first: Duration::from_millis(5), most: Duration::from_millis(20) };
    ExtensionOptions { backoff, ..ExtensionOptions::new(hub.url(), entry) }
}

fn by_code(number: u128) -> Entry {
    Entry::Code { code: code(), account: account(number) }
}

/// In an account, as its `moves`th hold.
fn clocked_in(number: u128, moves: u64) -> ClockedIn {
    ClockedIn {
        re: None,
        user: user(1),
        organization: OrganizationId(Uuid::from_u128(9)),
        account_id: account(number),
        epoch: EPOCH + moves,
        since: Minute(29_000_000),
        token: Token::new(format!("token {moves}")),
        token_ms: 43_200_000,
        heartbeat_ms: 20_000,
        heartbeat_timeout_ms: 10_000,
        admins_see: vec!["name".to_owned(), "since".to_owned(), "moods".to_owned()],
    }
}

fn held(number: u128, moves: u64) -> Held {
    Held::from(&clocked_in(number, moves))
}

fn over(number: u128, moves: u64, reason: Option<model::ClockOutReason>) -> ServerFrame {
    ServerFrame::ClockedOut(ClockedOut { account_id: account(number), epoch: EPOCH + moves, reason })
}

fn refusal(re: Option<RequestId>, code: ErrorCode) -> ServerFrame {
    ServerFrame::Error(Failure { re, code, message: "because".to_owned(), retry_after_ms: None })
}

/// Takes the next connection and its hello.
async fn hello(hub: &TestHub) -> (Peer, Hello) {
    let mut peer = hub.accept().await;
    let ClientFrame::Hello(hello) = peer.receive().await else { panic!("the first frame is a hello") };
    (peer, hello)
}

/// An extension that is in account 1.
async fn started(hub: &TestHub, entry: Entry) -> (Extension, ExtensionEvents, Peer) {
    let (extension, mut events) = Extension::start(options(hub, entry));
    let (mut peer, _) = hello(hub).await;
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::ClockedIn(held(1, 0))));
    (extension, events, peer)
}

async fn lost(events: &mut ExtensionEvents) {
    let event = soon(events.next()).await;
    assert!(matches!(event, Some(ExtensionEvent::Lost { .. })), "{event:?}");
}

async fn out(events: &mut ExtensionEvents) -> Leaving {
    let Some(ExtensionEvent::Out(leaving)) = soon(events.next()).await else { panic!("it is out") };
    assert_eq!(soon(events.next()).await, None);
    leaving
}

async fn asked_to_move(peer: &mut Peer) -> wire::ChangeAccount {
    let ClientFrame::ChangeAccount(change) = peer.receive().await else { panic!("it moves") };
    change
}

#[tokio::test]
async fn clocks_in_by_code_and_tells_what_it_holds_and_what_admins_see() {
    let hub = TestHub::new().await;
    let (extension, mut events) = Extension::start(options(&hub, by_code(1)));
    assert_eq!((extension.state(), extension.held()), (ExtensionState::Entering, None));
    let (mut peer, hello) = hello(&hub).await;
    let clock_in = hello.clock_in.clone().unwrap();
    assert_eq!((clock_in.code, clock_in.account_id), (code(), account(1)));
    assert!(clock_in.op_id.is_some() && hello.token.is_none() && hello.track.is_none());
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::ClockedIn(held(1, 0))));
    let held = extension.held().unwrap();
    let hold = Hold {
        user: user(1),
        organization: OrganizationId(Uuid::from_u128(9)),
        account: account(1),
        epoch: EPOCH,
    };
    assert_eq!((held.hold, held.admins_see), (hold, ["name", "since", "moods"].map(String::from).to_vec()));
}

#[tokio::test]
async fn enters_by_the_token_of_a_hold_that_lasts() {
    let hub = TestHub::new().await;
    let (_extension, mut events) = Extension::start(options(&hub, Entry::Token(Token::new("of yesterday"))));
    let (mut peer, said) = hello(&hub).await;
    assert_eq!(said, Hello { token: Some(Token::new("of yesterday")), ..Hello::default() });
    peer.send(ServerFrame::ClockedIn(Box::new(clocked_in(1, 0)))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::ClockedIn(held(1, 0))));
}

#[tokio::test]
async fn no_secret_is_in_a_debug_text() {
    let hub = TestHub::new().await;
    let options = options(&hub, by_code(1));
    let texts = format!("{options:?} {:?} {:?}", ExtensionEvent::ClockedIn(held(1, 0)), Entry::Token(code()));
    assert!(!texts.contains("k7Qm") && !texts.contains("token 0"), "{texts}");
}

#[tokio::test]
async fn answers_heartbeats_and_tells_what_was_done() {
    let hub = TestHub::new().await;
    let (extension, _events, mut peer) = started(&hub, by_code(1)).await;
    peer.send(ServerFrame::Heartbeat).await;
    assert_eq!(peer.receive().await, ClientFrame::Heartbeat);
    let activity = ActivityRequest::of(ActivityType::Interaction);
    let telling = tokio::spawn({
        let (extension, activity) = (extension.clone(), activity.clone());
        async move { extension.activity(activity).await }
    });
    let ClientFrame::Activity(frame) = peer.receive().await else { panic!("it tells") };
    assert_eq!(frame.activity, activity);
    peer.ack(frame.id).await;
    assert_eq!(soon(telling).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn moves_and_names_the_new_hold_from_then_on() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    let [first, second] = [2, 3].map(|to| {
        let extension = extension.clone();
        async move { extension.change_account(account(to)).await }
    });
    // Asked at once, and yet one after the other: the second names the hold that the first one made.
    let moves = tokio::spawn(async move { tokio::join!(biased; first, second) });
    for (from, moved) in [(1, 1), (2, 2)] {
        let change = asked_to_move(&mut peer).await;
        assert_eq!((change.account_id, change.epoch), (account(from), EPOCH + moved - 1));
        assert_eq!(change.to, account(u128::from(moved) + 1));
        let answer = ClockedIn { re: Some(change.id), ..clocked_in(u128::from(moved) + 1, moved) };
        peer.send(ServerFrame::ClockedIn(Box::new(answer))).await;
        let moved_to = held(u128::from(moved) + 1, moved);
        let from = held(from, moved - 1).hold;
        assert_eq!(soon(events.next()).await, Some(ExtensionEvent::Moved { from, held: moved_to }));
    }
    assert_eq!(soon(moves).await.unwrap(), (Ok(held(2, 1)), Ok(held(3, 2))));
}

#[tokio::test]
async fn stays_where_it_is_when_a_move_is_refused() {
    let hub = TestHub::new().await;
    let (extension, _events, mut peer) = started(&hub, by_code(1)).await;
    let moving = tokio::spawn({
        let extension = extension.clone();
        async move { extension.change_account(account(2)).await }
    });
    let change = asked_to_move(&mut peer).await;
    peer.send(refusal(Some(change.id), ErrorCode::Occupied)).await;
    let Err(ExtensionFailed::Refused(error)) = soon(moving).await.unwrap() else { panic!("refused") };
    assert_eq!(error.code, ErrorCode::Occupied);
    assert_eq!(extension.state(), ExtensionState::In(held(1, 0)));
}

#[tokio::test]
async fn renews_its_token_when_it_ends_soon_and_comes_back_with_the_newest() {
    let hub = TestHub::new().await;
    let (extension, mut events, mut peer) = started(&hub, by_code(1)).await;
    peer.send(ServerFrame::Expiring(Expiring { in_ms: 60_000 })).await;
    peer.send(ServerFrame::Expiring(Expiring { in_ms: 50_000 })).await;
    let ClientFrame::Renew(renew) = peer.receive().await else { panic!("it renews") };
    let newer = ClockedIn { re: Some(renew.id), token: Token::new("newer"), ..clocked_in(1, 0) };
    peer.send(ServerFrame::ClockedIn(Box::new(newer.clone()))).await;
    assert_eq!(soon(events.next()).await, Some(ExtensionEvent::Renewed(Held::from(&newer))));
    extension.cut(Duration::ZERO).await;
    assert_eq!(hello(&hub).await.1.token, Some(Token::new("newer")));
}
