//! Two hubs on one database: each shows what was done on the other, and one rule holds for both.

use model::{ClockOutReason, DirectoryChange, EntryId, Holder, Role, UserId};
use reqwest::StatusCode;
use uuid::Uuid;

use super::agency::{Agency, refusal, said};
use crate::fixture::put_user;

#[tokio::test]
async fn what_is_done_on_one_is_seen_on_the_other() {
    let first = Agency::with_postgres().await;
    let second = first.beside();
    let (world, account) = (&first.world, first.accounts[0]);
    let mut there = second.board(world.olga).await;
    let mut vera = second.board(world.vera).await;
    let code = first.code(world.finn).await;
    let mut extension = first.extension(&code, account).await;
    there.until("the name", |tab| tab.occupant(world.agency, account) == Some(world.finn)).await;
    vera.until("the badge", |tab| tab.holder(world.agency, account) == Some(&Holder::Occupied)).await;
    let other = second.code(world.vera).await;
    assert_eq!(second.refused(&other, account).await, (409, "occupied".to_owned()));
    // The token of one is good on the other: they sign with one key.
    let back = second.back(&extension.held.token.clone()).await.expect("a second connection");
    assert_eq!(back.held.epoch, extension.held.epoch);
    said(second.clear(world.olga, account, "?reason=late").await, StatusCode::OK).await;
    assert_eq!(extension.over().await.0.reason, Some(ClockOutReason::ForceCleared));
    there.until("free", |tab| tab.holder(world.agency, account).is_none()).await;
    let held = first.clocked_in(&code, account).await;
    said(second.log_out(&held).await, StatusCode::OK).await;
    assert_eq!(refusal(first.log_out(&held).await).await, (409, "not_held".to_owned()));
}

/// A board of thousands of accounts is one subscription; its snapshot comes in pages, and changes go on meanwhile.
#[tokio::test]
async fn a_board_of_five_thousand_accounts_is_one_subscription() {
    const ACCOUNTS: usize = 5_000;
    let agency = Agency::with_postgres().await;
    let world = &agency.world;
    let organization = agency.organization();
    agency.postgres.as_ref().unwrap().sql(&format!(
        "CREATE TEMPORARY TABLE board AS SELECT gen_random_uuid() AS account, gen_random_uuid() AS person \
             FROM generate_series(1, {ACCOUNTS}); \
         INSERT INTO users (id, display_name) SELECT person, 'Assistant' FROM board; \
         INSERT INTO user_organizations (user_id, organization_id, role) \
             SELECT person, '{organization}', 'member' FROM board; \
         INSERT INTO accounts (id, organization_id, name) SELECT account, '{organization}', 'Account' FROM board; \
         INSERT INTO account_presence (account_id, organization_id, user_id, clocked_in_at, last_sign_at, \
             last_activity_at, epoch) SELECT account, '{organization}', person, now(), now(), now(), 1 FROM board"
    ));
    let user = UserId(Uuid::new_v4());
    let member = DirectoryChange::PutMember { organization, user, role: Role::Member };
    world.change(&[put_user(user, false), member]).await;
    let mut olga = agency.board(world.olga).await;
    let held = |tab: &crate::fixture::Tab| {
        let entries = tab.replica.list(world.agency).map(|list| list.entries());
        entries.into_iter().flatten().filter(|(id, _)| matches!(id, EntryId::Account(_))).count()
    };
    olga.until("the whole board", |tab| held(tab) == ACCOUNTS).await;
    let pages = olga.views().count();
    assert!(pages > ACCOUNTS / 100, "{pages} pages of at most 8 KiB");
    olga.forget();
    let code = agency.code(user).await;
    agency.clocked_in(&code, agency.accounts[0]).await;
    olga.until("one more", |tab| held(tab) == ACCOUNTS + 1).await;
    assert_eq!(olga.views().count(), 1, "and nothing else");
}
