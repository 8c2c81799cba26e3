//! Access codes: minted, good for as much as was said, and refused alike.

use std::{collections::BTreeSet, time::Duration};

use model::AccountId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::agency::{Agency, refusal, said};
use crate::fixture::{Launch, eventually};

#[tokio::test]
async fn every_code_that_is_not_good_gets_the_same_answer() {
    let agency = Agency::on(Launch::new().set("limits.wrong_codes_per_address", 1_000), None).await;
    let (finn, account) = (agency.world.finn, agency.accounts[0]);
    let revoked = agency.minted(finn, json!({})).await;
    let path = format!("/api/access-codes/{}", revoked["id"].as_str().unwrap());
    let answer = agency.call(Method::DELETE, &path, agency.world.olga).send().await.unwrap();
    assert_eq!(said(answer, StatusCode::OK).await, json!({ "success": true, "clockedOut": false }));
    let spent = agency.minted(finn, json!({ "maxUses": 1 })).await;
    let held = agency.clocked_in(spent["code"].as_str().unwrap(), account).await;
    agency.log_out(&held).await;
    let expired = agency.minted(finn, json!({ "expiresInMs": 1 })).await;
    eventually("the end of a code", async || {
        let answer = agency.validate(expired["code"].as_str().unwrap(), account).await;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Some(());
        }
        // A try may be faster than a millisecond.
        let held = said(answer, StatusCode::OK).await;
        agency.log_out(&held).await;
        None
    })
    .await;
    let mut answers = BTreeSet::new();
    for code in [&revoked, &spent, &expired] {
        answers.insert(answer_to(&agency, code["code"].as_str().unwrap(), account).await);
    }
    for wrong in ["00000-00000-00000-00000", "", "ä", "hunter2", &"0".repeat(10_000)] {
        answers.insert(answer_to(&agency, wrong, account).await);
    }
    // The code is looked at first: with a wrong one, nobody learns which accounts there are.
    answers.insert(answer_to(&agency, "00000-00000-00000-00000", AccountId(Uuid::new_v4())).await);
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers.first().unwrap().contains("invalid_code"), "{answers:?}");
    assert!(agency.listed(agency.world.olga).await.is_empty());
}

/// All of an answer but its date and the id of the request.
async fn answer_to(agency: &Agency, code: &str, account: AccountId) -> String {
    let answer = agency.validate(code, account).await;
    let kept = |name: &str| !matches!(name, "date" | "x-request-id");
    let headers = answer.headers().iter().filter(|(name, _)| kept(name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    let (status, mut body) = (answer.status(), answer.json::<Value>().await.expect("a problem"));
    body.as_object_mut().unwrap().remove("requestId");
    format!("{status} {headers:?} {body}")
}

#[tokio::test]
async fn a_thousand_wrong_codes_change_nothing_and_are_made_to_wait() {
    let agency = Agency::embedded().await;
    let (code, account) = (agency.code(agency.world.finn).await, agency.accounts[0]);
    let mut answers = Vec::new();
    for n in 0..1_000 {
        answers.push(agency.refused(&format!("0000000000000000{n:04}"), account).await);
    }
    let wrong = answers.iter().filter(|answer| **answer == (401, "invalid_code".to_owned())).count();
    let waiting = answers.iter().filter(|answer| **answer == (429, "rate_limited".to_owned())).count();
    assert_eq!(wrong + waiting, 1_000);
    assert!((20..=60).contains(&wrong), "{wrong}: twenty at once, and one every three seconds");
    let answer = agency.validate(&code, account).await;
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(refusal(answer).await, (429, "rate_limited".to_owned()), "a right one waits as well");
    assert!(agency.listed(agency.world.olga).await.is_empty());
}

#[tokio::test]
async fn a_code_is_good_for_as_many_uses_as_was_said() {
    let agency = Agency::embedded().await;
    let minted = agency.minted(agency.world.finn, json!({ "maxUses": 2 })).await;
    let code = minted["code"].as_str().unwrap();
    let first = agency.clocked_in(code, agency.accounts[0]).await;
    assert_eq!(agency.clocked_in(code, agency.accounts[0]).await["epoch"], first["epoch"], "no use");
    let vera = agency.code(agency.world.vera).await;
    agency.clocked_in(&vera, agency.accounts[2]).await;
    assert_eq!(agency.refused(code, agency.accounts[2]).await, (409, "occupied".to_owned()), "no use");
    let second = agency.clocked_in(code, agency.accounts[1]).await;
    // Used up; good for the hold that was made with it all the same.
    assert_eq!(agency.clocked_in(code, agency.accounts[1]).await["epoch"], second["epoch"]);
    assert_eq!(agency.refused(code, agency.accounts[0]).await, (401, "invalid_code".to_owned()), "n + 1");
    said(agency.log_out(&second).await, StatusCode::OK).await;
    assert_eq!(agency.refused(code, agency.accounts[1]).await, (401, "invalid_code".to_owned()));
}

#[tokio::test]
async fn codes_are_listed_without_their_text() {
    let agency = Agency::embedded().await;
    let first = agency.minted(agency.world.finn, json!({ "expiresInMs": 86_400_000 })).await;
    let second = agency.minted(agency.world.vera, json!({ "maxUses": 3 })).await;
    let path = format!("/api/access-codes?organizationId={}", agency.organization());
    let answer = agency.call(Method::GET, &path, agency.world.olga).send().await.unwrap();
    let body = said(answer, StatusCode::OK).await;
    let listed = body["accessCodes"].as_array().unwrap();
    let ids: Vec<_> = listed.iter().map(|code| &code["id"]).collect();
    assert_eq!(ids, [&second["id"], &first["id"]], "the newest first");
    assert_eq!((&listed[0]["maxUses"], &listed[0]["uses"]), (&json!(3), &json!(0)));
    for secret in [&first, &second] {
        assert!(!body.to_string().contains(secret["code"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_cannot_be_minted_is_refused_with_the_reason() {
    let agency = Agency::embedded().await;
    let of = |more: Value| {
        let mut body = json!({ "organizationId": agency.organization(), "userId": agency.world.finn });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let year = Duration::from_hours(24 * 366).as_millis() as u64;
    for (body, status, words) in [
        (of(json!({ "maxUses": 0 })), 422, "1000000"),
        (of(json!({ "maxUses": 1_000_001 })), 422, "1000000"),
        (of(json!({ "expiresInMs": 0 })), 422, "expiresInMs"),
        (of(json!({ "expiresInMs": year + 1 })), 422, "expiresInMs"),
        (of(json!({ "secret": "mine" })), 400, "secret"),
        (of(json!({ "userId": agency.world.rosa })), 404, "no such member"),
        (json!({ "organizationId": agency.organization() }), 400, "userId"),
    ] {
        let asked = agency.call(Method::POST, "/api/access-codes", agency.world.olga).json(&body);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    agency.minted(agency.world.finn, json!({ "expiresInMs": year, "maxUses": 1_000_000 })).await;
}

#[tokio::test]
async fn asked_again_under_its_name_everything_is_done_once() {
    let agency = Agency::embedded().await;
    let (olga, finn) = (agency.world.olga, agency.world.finn);
    let named =
        |request: reqwest::RequestBuilder, name: Uuid| request.header("Idempotency-Key", name.to_string());
    let mint = async |name: Uuid, user| {
        let body = json!({ "organizationId": agency.organization(), "userId": user });
        named(agency.call(Method::POST, "/api/access-codes", olga), name).json(&body).send().await.unwrap()
    };
    let name = Uuid::new_v4();
    let minted = said(mint(name, finn).await, StatusCode::CREATED).await;
    let again = said(mint(name, finn).await, StatusCode::CREATED).await;
    assert_eq!((&again["id"], again.get("code")), (&minted["id"], None), "it is shown once");
    assert_eq!(refusal(mint(name, agency.world.vera).await).await, (409, "operation_conflict".to_owned()));

    let code = minted["code"].as_str().unwrap();
    let validate = async |name: Uuid, account| {
        let body = json!({ "code": code, "accountId": account });
        let asked = named(agency.anonymous(Method::POST, "/api/access-codes/validate"), name);
        asked.json(&body).send().await.unwrap()
    };
    let name = Uuid::new_v4();
    let held = said(validate(name, agency.accounts[0]).await, StatusCode::OK).await;
    let again = said(validate(name, agency.accounts[0]).await, StatusCode::OK).await;
    assert_eq!((&again["epoch"], &again["since"]), (&held["epoch"], &held["since"]));
    said(agency.log_out(&held).await, StatusCode::OK).await;
    let again = said(validate(name, agency.accounts[0]).await, StatusCode::OK).await;
    assert_eq!(again["epoch"], held["epoch"], "what it came to then");
    assert!(agency.listed(olga).await.is_empty(), "it was not done again");
    assert_eq!(
        refusal(agency.log_out(&again).await).await,
        (409, "not_held".to_owned()),
        "its token is for what is over"
    );
    let other = validate(name, agency.accounts[1]).await;
    assert_eq!(refusal(other).await, (409, "operation_conflict".to_owned()));
}

/// A name under which a code was good once does not make it good again.
#[tokio::test]
async fn a_revoked_code_is_refused_under_an_old_name_too() {
    let agency = Agency::embedded().await;
    let minted = agency.minted(agency.world.finn, json!({})).await;
    let name = Uuid::new_v4();
    let validate = async || {
        let body = json!({ "code": minted["code"], "accountId": agency.accounts[0] });
        let asked = agency.anonymous(Method::POST, "/api/access-codes/validate").json(&body);
        asked.header("Idempotency-Key", name.to_string()).send().await.unwrap()
    };
    said(validate().await, StatusCode::OK).await;
    let path = format!("/api/access-codes/{}", minted["id"].as_str().unwrap());
    let revoked = agency.call(Method::DELETE, &path, agency.world.olga).send().await.unwrap();
    said(revoked, StatusCode::OK).await;
    assert_eq!(refusal(validate().await).await, (401, "invalid_code".to_owned()));
    assert_eq!(agency.listed(agency.world.olga).await.len(), 1, "who is in stays in");
}
