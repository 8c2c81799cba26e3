//! What calls about accounts are refused with. Who may make them is in the matrix of all routes.

use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::agency::{Agency, refusal};

/// Of an agency that Sam administers.
async fn account_of_others(agency: &Agency) -> AccountId {
    let (organization, id) = (OrganizationId(Uuid::new_v4()), AccountId(Uuid::new_v4()));
    let put =
        DirectoryChange::PutOrganization { id: organization, name: "Other".into(), plan: Plan::Standard };
    let member = DirectoryChange::PutMember { organization, user: agency.world.sam, role: Role::Admin };
    let account = DirectoryChange::PutAccount { id, organization, name: "Theirs".into() };
    agency.world.change(&[put, member, account]).await;
    id
}

/// What is not there and what is somebody else's, in the same words; with a good code, too.
#[tokio::test]
async fn foreign_and_unknown_are_the_same() {
    let agency = Agency::embedded().await;
    let account = account_of_others(&agency).await;
    let code = agency.code(agency.world.finn).await;
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
