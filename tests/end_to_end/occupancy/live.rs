//! Clock-in, move and clock-out, as everybody sees them.

use model::{Holder, SettingsPatch, UserId};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::agency::{Agency, refusal, said};
use crate::fixture::Tab;

fn is_named(tab: &Tab, agency: &Agency, account: usize, user: UserId) -> bool {
    tab.occupant(agency.world.agency, agency.accounts[account]) == Some(user)
}

async fn an_assistant_is_seen_by_each_as_they_may(agency: Agency) {
    let world = &agency.world;
    let (board, accounts) = (world.agency, agency.accounts.clone());
    // An admin reads the name of whoever is in an account, also of who appears offline.
    world.set(world.finn, SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() }).await;
    let code = agency.code(world.finn).await;
    let mut olga = agency.board(world.olga).await;
    let mut vera = agency.board(world.vera).await;
    let mut finn = agency.board(world.finn).await;
    let held = agency.clocked_in(&code, accounts[0]).await;
    assert_eq!(held["adminsSee"], json!(["name", "since", "lastSeen"]));
    assert_eq!((&held["userId"], &held["accountId"]), (&json!(world.finn), &json!(accounts[0])));
    olga.until("the name", |tab| is_named(tab, &agency, 0, world.finn)).await;
    vera.until("the badge", |tab| tab.holder(board, accounts[0]) == Some(&Holder::Occupied)).await;
    finn.until("the own", |tab| matches!(tab.holder(board, accounts[0]), Some(Holder::Own { .. }))).await;
    assert!(olga.shown(board, world.finn).is_none(), "an extension makes nobody present");

    let listed = agency.listed(world.olga).await;
    assert_eq!(listed[&accounts[0]]["displayName"], "Somebody");
    assert_eq!(listed[&accounts[0]]["since"], held["since"]);
    let to_a_member = agency.listed(world.vera).await;
    assert_eq!(to_a_member[&accounts[0]], json!({ "accountId": accounts[0], "holder": "occupied" }));
    assert_eq!(agency.listed(world.finn).await[&accounts[0]]["holder"], "own");

    // The same again: the same hold.
    let again = agency.clocked_in(&code, accounts[0]).await;
    assert_eq!((&again["epoch"], &again["since"]), (&held["epoch"], &held["since"]));
    // A move is one frame to an admin.
    olga.forget();
    let moved = agency.clocked_in(&code, accounts[1]).await;
    assert!(moved["epoch"].as_u64() > held["epoch"].as_u64());
    olga.until("the move", |tab| is_named(tab, &agency, 1, world.finn)).await;
    assert_eq!(olga.holder(board, accounts[0]), None);
    assert_eq!(olga.views().count(), 1, "never in two accounts, and never in none");
    assert_eq!(refusal(agency.log_out(&held).await).await, (409, "not_held".to_owned()), "an old epoch");

    let of_vera = agency.code(world.vera).await;
    assert_eq!(agency.refused(&of_vera, accounts[1]).await, (409, "occupied".to_owned()));
    assert_eq!(said(agency.log_out(&moved).await, StatusCode::OK).await, json!({ "success": true }));
    for tab in [&mut olga, &mut vera, &mut finn] {
        tab.until("the end", |tab| tab.holder(board, accounts[1]).is_none()).await;
    }
    assert!(agency.listed(world.olga).await.is_empty(), "who is free is not listed");
    assert_eq!(refusal(agency.log_out(&moved).await).await, (409, "not_held".to_owned()));
    let taken = agency.clocked_in(&of_vera, accounts[1]).await;
    assert!(taken["epoch"].as_u64() > moved["epoch"].as_u64(), "epochs rise over a clock-out");
}

#[tokio::test]
async fn an_assistant_is_seen_by_each_as_they_may_with_sqlite() {
    an_assistant_is_seen_by_each_as_they_may(Agency::embedded().await).await;
}

#[tokio::test]
async fn an_assistant_is_seen_by_each_as_they_may_with_postgres() {
    an_assistant_is_seen_by_each_as_they_may(Agency::with_postgres().await).await;
}

async fn an_owner_clears_an_account(agency: Agency) {
    let world = &agency.world;
    let account = agency.accounts[0];
    let code = agency.code(world.finn).await;
    let held = agency.clocked_in(&code, account).await;
    let mut vera = agency.board(world.vera).await;
    let meant = format!("?userId={}", world.vera);
    let other = agency.clear(world.olga, account, &meant).await;
    assert_eq!(refusal(other).await, (409, "not_held".to_owned()), "somebody else was meant");
    let query = format!("?reason=gone%20home&userId={}", world.finn);
    said(agency.clear(world.olga, account, &query).await, StatusCode::OK).await;
    vera.until("a free account", |tab| tab.holder(world.agency, account).is_none()).await;
    assert_eq!(refusal(agency.log_out(&held).await).await, (409, "not_held".to_owned()));
    let again = agency.clear(world.olga, account, "").await;
    assert_eq!(refusal(again).await, (409, "not_held".to_owned()), "nobody is in it");
    agency.clocked_in(&code, account).await;
    if let Some(postgres) = &agency.postgres {
        let audit = postgres.sql(&format!(
            "SELECT after_json::text FROM presence_audit WHERE kind = 'occupancy' AND actor = 'user:{}'",
            world.olga
        ));
        assert!(audit.contains("gone home") && audit.contains("force_cleared"), "{audit}");
        assert_eq!(audit.lines().count(), 1, "{audit}");
    }
}

#[tokio::test]
async fn an_owner_clears_an_account_with_sqlite() {
    an_owner_clears_an_account(Agency::embedded().await).await;
}

#[tokio::test]
async fn an_owner_clears_an_account_with_postgres() {
    an_owner_clears_an_account(Agency::with_postgres().await).await;
}

#[tokio::test]
async fn revoking_a_code_clocks_out_where_that_is_asked_for() {
    let agency = Agency::embedded().await;
    let world = &agency.world;
    let minted = agency.minted(world.finn, json!({})).await;
    let code = minted["code"].as_str().unwrap();
    agency.clocked_in(code, agency.accounts[0]).await;
    let revoke = async |query: &str| {
        let path = format!("/api/access-codes/{}{query}", minted["id"].as_str().unwrap());
        let answer = agency.call(reqwest::Method::DELETE, &path, world.olga).send().await.unwrap();
        said(answer, StatusCode::OK).await
    };
    assert_eq!(revoke("").await, json!({ "success": true, "clockedOut": false }));
    assert_eq!(agency.listed(world.olga).await.len(), 1, "who is in stays in");
    assert_eq!(revoke("?clockOut=true").await, json!({ "success": true, "clockedOut": true }));
    assert!(agency.listed(world.olga).await.is_empty());
    assert_eq!(revoke("?clockOut=true").await, json!({ "success": true, "clockedOut": false }));
}

/// The organization keeps a log, and Finn lets it: the hub tells what he did.
#[tokio::test]
async fn clocking_in_and_out_is_activity() {
    let agency = Agency::embedded().await;
    let world = &agency.world;
    world
        .set(world.finn, SettingsPatch { visibility: Some(model::Visibility::Team), ..Default::default() })
        .await;
    let code = agency.code(world.finn).await;
    agency.clocked_in(&code, agency.accounts[0]).await;
    let held = agency.clocked_in(&code, agency.accounts[1]).await;
    agency.log_out(&held).await;
    let logged = crate::fixture::eventually("the log", async || {
        let asked = agency.call(reqwest::Method::GET, "/api/presence/me/export", world.finn);
        let export: Value = asked.send().await.ok()?.json().await.ok()?;
        let rows = export["activity"].as_array()?.clone();
        (rows.len() >= 4).then_some(rows)
    })
    .await;
    let mut told: Vec<_> = logged
        .iter()
        .map(|row| format!("{} {}", row["activity_type"].as_str().unwrap(), row["metadata"]["reason"]))
        .collect();
    told.sort();
    assert_eq!(told, ["clock_in null", "clock_in null", "clock_out \"clocked_out\"", "clock_out \"moved\""]);
}
