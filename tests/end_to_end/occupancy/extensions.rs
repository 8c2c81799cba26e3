//! What an extension and the hub say to each other.

use model::{ActivityRequest, ActivityType, ClockOutReason, CloseCode, SubscribeRequest};
use reqwest::{Method, StatusCode};
use uuid::Uuid;
use wire::{
    ActivityFrame, ChangeAccount, ClientFrame, ClockOut, Failure, Hello, Request, ServerFrame, Subscribe,
    Token,
};

use super::agency::{Agency, Extension, not_entered, said};

fn failure(frame: ServerFrame) -> Failure {
    match frame {
        ServerFrame::Error(failure) => failure,
        other => panic!("{other:?}"),
    }
}

async fn ping(extension: &mut Extension) {
    let answer = extension.ask(|id| ClientFrame::Ping(Request { id })).await;
    assert!(matches!(answer, ServerFrame::Ack(_)), "{answer:?}");
}

async fn an_extension_clocks_in_moves_and_clocks_out(agency: Agency) {
    let world = &agency.world;
    let [first, second] = [agency.accounts[0], agency.accounts[1]];
    let mut olga = agency.board(world.olga).await;
    let mut extension = agency.extension(&agency.code(world.finn).await, first).await;
    let held = extension.held.clone();
    assert_eq!((held.user, held.account_id, held.re), (world.finn, first, None));
    olga.until("a name", |tab| tab.occupant(world.agency, first) == Some(world.finn)).await;

    let activity = ActivityRequest::of(ActivityType::Interaction);
    let answer = extension.ask(|id| ClientFrame::Activity(ActivityFrame { id, activity })).await;
    assert!(matches!(answer, ServerFrame::Ack(_)), "{answer:?}");
    let renewed = match extension.ask(|id| ClientFrame::Renew(Request { id })).await {
        ServerFrame::ClockedIn(renewed) => renewed,
        other => panic!("{other:?}"),
    };
    assert_eq!((renewed.epoch, renewed.since, renewed.re.is_some()), (held.epoch, held.since, true));

    let stale = |id| ChangeAccount { id, account_id: first, epoch: held.epoch - 1, to: second, op_id: None };
    let refused = failure(extension.ask(|id| ClientFrame::ChangeAccount(stale(id))).await);
    assert_eq!(refused.code, model::ErrorCode::NotHeld);
    let moved = match extension
        .ask(|id| {
            let change = ChangeAccount {
                id,
                account_id: first,
                epoch: held.epoch,
                to: second,
                op_id: Some(Uuid::new_v4()),
            };
            ClientFrame::ChangeAccount(change)
        })
        .await
    {
        ServerFrame::ClockedIn(moved) => moved,
        other => panic!("{other:?}"),
    };
    assert_eq!((moved.account_id, moved.epoch > held.epoch), (second, true));
    olga.until("a move", |tab| tab.occupant(world.agency, second) == Some(world.finn)).await;
    let out = |id| ClockOut { id, account_id: second, epoch: moved.epoch, op_id: None };
    let answer = extension.ask(|id| ClientFrame::ClockOut(out(id))).await;
    assert!(matches!(answer, ServerFrame::Ack(_)), "{answer:?}");
    let (over, code) = extension.over().await;
    assert_eq!((over.account_id, over.reason), (second, Some(ClockOutReason::ClockedOut)));
    assert_eq!(code, CloseCode::ClockedOut);
    olga.until("free", |tab| tab.occupant(world.agency, second).is_none()).await;
    let back = agency.back(&moved.token).await;
    assert_eq!(not_entered(back), ("over: clocked_out".to_owned(), Some(CloseCode::ClockedOut)));
}

#[tokio::test]
async fn an_extension_clocks_in_moves_and_clocks_out_with_sqlite() {
    an_extension_clocks_in_moves_and_clocks_out(Agency::embedded().await).await;
}

#[tokio::test]
async fn an_extension_clocks_in_moves_and_clocks_out_with_postgres() {
    an_extension_clocks_in_moves_and_clocks_out(Agency::with_postgres().await).await;
}

#[tokio::test]
async fn every_extension_of_an_assistant_is_told_how_it_ended() {
    let agency = Agency::embedded().await;
    let (world, account) = (&agency.world, agency.accounts[0]);
    let code = agency.code(world.finn).await;
    let mut browsers = vec![agency.extension(&code, account).await, agency.extension(&code, account).await];
    browsers.push(agency.back(&browsers[0].held.token.clone()).await.expect("a third"));
    let epochs: Vec<_> = browsers.iter().map(|browser| browser.held.epoch).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
    said(agency.clear(world.olga, account, "").await, StatusCode::OK).await;
    for browser in &mut browsers {
        let (over, code) = browser.over().await;
        assert_eq!((over.reason, code), (Some(ClockOutReason::ForceCleared), CloseCode::ClockedOut));
    }
    // A move by one browser ends the others.
    let mut left = agency.extension(&code, account).await;
    agency.clocked_in(&code, agency.accounts[1]).await;
    assert_eq!(left.over().await.0.reason, Some(ClockOutReason::Moved));
    // A clock-out of the hold of before touches nothing.
    let mut now = agency.extension(&code, agency.accounts[1]).await;
    let old = left.held.clone();
    let out = |id| ClockOut { id, account_id: old.account_id, epoch: old.epoch, op_id: None };
    let refused = failure(now.ask(|id| ClientFrame::ClockOut(out(id))).await);
    assert_eq!(refused.code, model::ErrorCode::NotHeld);
    ping(&mut now).await;
    assert_eq!(agency.listed(world.olga).await.len(), 1);
}

#[tokio::test]
async fn tokens_of_people_and_of_extensions_open_nothing_of_each_other() {
    let agency = Agency::embedded().await;
    let world = &agency.world;
    let mut extension = agency.extension(&agency.code(world.finn).await, agency.accounts[0]).await;
    let channels = vec![SubscribeRequest::of(world.agency)];
    let refused = failure(extension.ask(|id| ClientFrame::Subscribe(Subscribe { id, channels })).await);
    assert_eq!(refused.code, model::ErrorCode::Unauthorized);
    ping(&mut extension).await;

    let mut person = world.enter(world.finn).await;
    let refused = person.ask(|id| ClientFrame::Renew(Request { id })).await.unwrap_err();
    assert_eq!(refused.code, model::ErrorCode::Unauthorized);
    let token = extension.held.token.reveal().to_owned();
    for (method, path) in [
        (Method::GET, "/api/presence/settings".to_owned()),
        (Method::GET, format!("/api/presence/accounts?organizationId={}", agency.organization())),
        (Method::GET, "/api/presence/me/export".to_owned()),
    ] {
        let answer = agency.anonymous(method, &path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let mut of_finn = serde_json::to_value(&extension.held).unwrap();
    of_finn["token"] = crate::fixture::token(world.finn).reveal().into();
    assert_eq!(agency.log_out(&of_finn).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(agency.listed(world.olga).await.len(), 1, "nothing has changed");
}

#[tokio::test]
async fn a_hello_that_cannot_be_is_refused() {
    let agency = Agency::embedded().await;
    let (world, account) = (&agency.world, agency.accounts[0]);
    let code = agency.code(world.finn).await;
    let clock_in = |code: &str, account_id| {
        let code = Token::new(code);
        Some(wire::ClockInRequest { code, account_id, op_id: None })
    };
    let with = |clock_in| Hello { clock_in, ..Hello::default() };
    let wrong = agency.enter(with(clock_in("00000-00000-00000-00000", account))).await;
    assert_eq!(not_entered(wrong), ("invalid_code".to_owned(), Some(CloseCode::TokenInvalid)));
    let nowhere = agency.enter(with(clock_in(&code, model::AccountId(Uuid::new_v4())))).await;
    assert_eq!(not_entered(nowhere), ("unknown_channel".to_owned(), Some(CloseCode::BadHello)));
    agency.clocked_in(&agency.code(world.vera).await, account).await;
    let occupied = agency.enter(with(clock_in(&code, account))).await;
    assert_eq!(not_entered(occupied), ("occupied".to_owned(), Some(CloseCode::BadHello)));
    let both = Hello { token: Some(crate::fixture::token(world.finn)), ..with(clock_in(&code, account)) };
    assert_eq!(not_entered(agency.enter(both).await), (String::new(), Some(CloseCode::BadHello)));
    // Changed by one letter.
    let extension = agency.extension(&code, agency.accounts[1]).await;
    let token = extension.held.token.reveal();
    let forged = format!("{}{}", &token[..token.len() - 2], if token.ends_with("AA") { "BB" } else { "AA" });
    let forged = agency.back(&Token::new(forged)).await;
    assert_eq!(not_entered(forged), (String::new(), Some(CloseCode::TokenInvalid)));
}
