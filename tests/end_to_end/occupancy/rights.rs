//! Who may do what, and that the rest learn nothing: each call by everybody.

use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use uuid::Uuid;

use super::agency::{Agency, refusal};
use crate::fixture::{SERVICE_TOKEN, token};

/// An agency that Sam administers, with one account.
async fn other_agency(agency: &Agency) -> (OrganizationId, AccountId) {
    let (organization, id) = (OrganizationId(Uuid::new_v4()), AccountId(Uuid::new_v4()));
    let put =
        DirectoryChange::PutOrganization { id: organization, name: "Other".into(), plan: Plan::Standard };
    let member = DirectoryChange::PutMember { organization, user: agency.world.sam, role: Role::Admin };
    let account = DirectoryChange::PutAccount { id, organization, name: "Theirs".into() };
    agency.world.change(&[put, member, account]).await;
    (organization, id)
}

/// Who calls: the answer of each to the calls of admins, in the order of [`calls`].
const TABLE: [(&str, [&str; 5]); 6] = [
    ("nobody", ["401 unauthorized"; 5]),
    ("the service", ["401 unauthorized"; 5]),
    ("an extension", ["401 unauthorized"; 5]),
    ("a member", ["403 forbidden", "403 forbidden", "403 forbidden", "200", "403 forbidden"]),
    ("a stranger", ["404 unknown_channel"; 5]),
    ("the owner", ["201", "200", "200", "200", "409 not_held"]),
];

#[tokio::test]
async fn each_call_answers_everybody_as_the_table_says() {
    let agency = Agency::embedded().await;
    let world = &agency.world;
    other_agency(&agency).await;
    let held = agency.clocked_in(&agency.code(world.finn).await, agency.accounts[0]).await;
    let tokens = [
        None,
        Some(SERVICE_TOKEN.to_owned()),
        held["token"].as_str().map(str::to_owned),
        Some(token(world.vera).reveal().to_owned()),
        Some(token(world.sam).reveal().to_owned()),
        Some(token(world.olga).reveal().to_owned()),
    ];
    for ((who, expected), token) in TABLE.into_iter().zip(tokens) {
        let code = agency.minted(world.finn, json!({})).await["id"].as_str().unwrap().to_owned();
        let mut answers = Vec::new();
        for call in calls(&agency, &code) {
            let call = match &token {
                Some(token) => call.bearer_auth(token),
                None => call,
            };
            answers.push(in_short(call).await);
        }
        assert_eq!(answers, expected, "{who}");
    }
    assert_eq!(agency.listed(world.olga).await.len(), 1, "nobody was cleared");
}

fn calls(agency: &Agency, code: &str) -> [RequestBuilder; 5] {
    let organization = agency.organization();
    let body = json!({ "organizationId": organization, "userId": agency.world.vera });
    [
        agency.anonymous(Method::POST, "/api/access-codes").json(&body),
        agency.anonymous(Method::GET, &format!("/api/access-codes?organizationId={organization}")),
        agency.anonymous(Method::DELETE, &format!("/api/access-codes/{code}")),
        agency.anonymous(Method::GET, &format!("/api/presence/accounts?organizationId={organization}")),
        // Free: so that nobody who may do it changes it for the others.
        agency.anonymous(Method::DELETE, &format!("/api/presence/accounts/{}", agency.accounts[2])),
    ]
}

async fn in_short(call: RequestBuilder) -> String {
    let answer = call.send().await.expect("an answer");
    match answer.status().is_success() {
        true => answer.status().as_u16().to_string(),
        false => {
            let (status, code) = refusal(answer).await;
            format!("{status} {code}")
        }
    }
}

/// What is not there and what is somebody else's, in the same words.
#[tokio::test]
async fn foreign_and_unknown_are_the_same() {
    let agency = Agency::embedded().await;
    let world = &agency.world;
    let (organization, account) = other_agency(&agency).await;
    let bodies = async |foreign: String, unknown: String, method: Method| {
        let mut bodies = Vec::new();
        for path in [foreign, unknown] {
            let answer = agency.call(method.clone(), &path, world.olga).send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            let mut body: serde_json::Value = serde_json::from_str(&text).unwrap();
            body.as_object_mut().unwrap().remove("requestId");
            bodies.push((status, body));
        }
        assert_eq!(bodies[0], bodies[1]);
        assert_eq!(bodies[0].0.as_u16(), 404);
    };
    let list = |organization| format!("/api/presence/accounts?organizationId={organization}");
    bodies(list(organization), list(OrganizationId(Uuid::new_v4())), Method::GET).await;
    let codes = |organization| format!("/api/access-codes?organizationId={organization}");
    bodies(codes(organization), codes(OrganizationId(Uuid::new_v4())), Method::GET).await;
    let clear = |account| format!("/api/presence/accounts/{account}");
    bodies(clear(account), clear(AccountId(Uuid::new_v4())), Method::DELETE).await;
    let code = agency.code(world.finn).await;
    let foreign = agency.refused(&code, account).await;
    assert_eq!(foreign, agency.refused(&code, AccountId(Uuid::new_v4())).await);
    assert_eq!(foreign, (404, "unknown_channel".to_owned()));
}

#[tokio::test]
async fn bad_calls_are_refused_with_the_reason() {
    let agency = Agency::embedded().await;
    let (olga, account) = (agency.world.olga, agency.accounts[0]);
    let held = agency.clocked_in(&agency.code(agency.world.finn).await, account).await;
    let reason = |count| format!("?reason={}", "x".repeat(count));
    assert_eq!(refusal(agency.clear(olga, account, &reason(201)).await).await.0, 422, "n + 1");
    assert_eq!(refusal(agency.clear(olga, account, "?force=yes").await).await.0, 400);
    assert_eq!(refusal(agency.clear(olga, account, "?userId=me").await).await.0, 400);
    for body in [json!({}), json!({ "accountId": account }), json!({ "accountId": account, "epoch": "1" })] {
        let logout = agency.anonymous(Method::POST, "/api/access-codes/logout");
        let logout = logout.bearer_auth(held["token"].as_str().unwrap());
        assert_eq!(refusal(logout.json(&body).send().await.unwrap()).await.0, 400, "{body}");
    }
    assert_eq!(agency.listed(olga).await.len(), 1);
    assert!(agency.clear(olga, account, &reason(200)).await.status().is_success(), "n");
}
