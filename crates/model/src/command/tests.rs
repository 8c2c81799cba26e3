use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::WeddingId;

fn channel() -> ChannelId {
    ChannelId::Wedding(WeddingId(Uuid::nil()))
}

#[test]
fn a_subscriber_gets_who_is_here_and_the_accounts_unless_told_otherwise() {
    let plain: SubscribeRequest = serde_json::from_value(json!({"channel": channel()})).unwrap();
    assert_eq!(plain, SubscribeRequest::of(channel()));
    assert_eq!(plain.interest(), Interest { people: PeopleInterest::Present, accounts: true });
    let roster = SubscribeRequest::roster(channel());
    assert_eq!(roster.interest(), Interest { people: PeopleInterest::Roster, accounts: true });
    let none = json!({"channel": channel(), "people": "none", "accounts": false});
    let none: SubscribeRequest = serde_json::from_value(none).unwrap();
    assert_eq!(none.interest(), Interest { people: PeopleInterest::None, accounts: false });
}

#[test]
fn what_cannot_be_asked_is_refused() {
    for refused in [
        json!({}),
        json!({"channel": "wedding:1"}),
        json!({"channel": channel(), "people": "all"}),
        json!({"channel": channel(), "limit": 5}),
    ] {
        assert!(serde_json::from_value::<SubscribeRequest>(refused.clone()).is_err(), "{refused}");
    }
    let session = Uuid::nil();
    let resume: ResumeRequest = serde_json::from_value(json!({"session": session})).unwrap();
    assert!(resume.subscriptions.is_empty());
    for refused in [
        json!({"subscriptions": []}),
        json!({"session": session, "subscriptions": [{"subscription": 1}]}),
        json!({"session": session, "subscriptions": [{"subscription": 1, "sequence": -1}]}),
        json!({"session": session, "subscriptions": [{"subscription": 4_294_967_296_u64, "sequence": 0}]}),
    ] {
        assert!(serde_json::from_value::<ResumeRequest>(refused.clone()).is_err(), "{refused}");
    }
}
