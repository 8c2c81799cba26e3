//! Names of what one is in, and of those whom one may see there.

use std::collections::BTreeSet;

use model::{ChannelId, OrganizationId, SettingsPatch, UserId, Visibility};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Hub, Launch, SERVICE_TOKEN, World, id_of, token};

const CHANNELS: &str = "/api/presence/me/channels";

/// As many as are named at once.
const MOST: usize = model::limits::NAMED_ENTRIES;

async fn text(world: &World, user: UserId, path: &str) -> String {
    let answer = world.call(Method::GET, path, user).send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(status, StatusCode::OK, "{text}");
    text
}

async fn names(world: &World, user: UserId, channel: ChannelId) -> String {
    text(world, user, &format!("/api/presence/me/names?channel={channel}")).await
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Who is named, whatever else is said of them.
fn named(text: &str) -> BTreeSet<UserId> {
    let people = json(text)["people"].take();
    let people = people.as_array().expect("people").iter();
    people.map(|person| serde_json::from_value(person["userId"].clone()).expect("an id")).collect()
}

#[tokio::test]
async fn one_is_told_what_one_is_in_and_nothing_else() {
    let world = World::new().await;
    let finn = json(&text(&world, world.finn, CHANNELS).await);
    let mut weddings = [world.wedding_a, world.wedding_b];
    weddings.sort_by_key(|wedding| id_of(*wedding));
    let weddings =
        weddings.map(|wedding| json!({ "weddingId": id_of(wedding), "name": "Wedding", "part": "supplier" }));
    let agency = json!({ "organizationId": id_of(world.agency), "name": "Agency", "role": "member", "plan": "standard" });
    let expected = json!({
        "user": { "userId": world.finn, "displayName": "Somebody" },
        "organizations": [agency],
        "weddings": weddings,
        "operator": false,
    });
    assert_eq!(finn, expected);
    let anna = json(&text(&world, world.anna, CHANNELS).await);
    assert_eq!(anna["organizations"], json!([]));
    let wedding = json!({ "weddingId": id_of(world.wedding_a), "name": "Wedding", "part": "client" });
    assert_eq!(anna["weddings"], json!([wedding]));
    let sam = json(&text(&world, world.sam, CHANNELS).await);
    assert_eq!((&sam["organizations"], &sam["weddings"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn whom_one_may_see_is_named_with_their_part() {
    let world = World::new().await;
    let team = json(&names(&world, world.anna, world.wedding_a).await);
    let supplier = |id: UserId| json!({ "userId": id, "displayName": "Somebody", "part": "supplier", "supplierTypes": ["supplier"] });
    let anna = json!({ "userId": world.anna, "displayName": "Somebody", "part": "client" });
    let mut people = vec![(world.anna, anna)];
    people.extend([world.finn, world.vera, world.rosa].map(|id| (id, supplier(id))));
    people.sort_by_key(|(id, _)| *id);
    let people: Vec<_> = people.into_iter().map(|(_, person)| person).collect();
    assert_eq!(team, json!({ "people": people, "accounts": [] }));
    // Who never chose is seen by those whom they work with at a wedding, and not for sharing an office.
    let office = names(&world, world.finn, world.agency).await;
    assert_eq!(named(&office), BTreeSet::from([world.finn, world.vera]));
    // The owner administers all of them, with the role of each.
    let office = names(&world, world.olga, world.agency).await;
    assert_eq!(named(&office), BTreeSet::from([world.finn, world.vera, world.olga]));
    let people = json(&office)["people"].take();
    let roles =
        people.as_array().expect("people").iter().map(|person| person["role"].as_str().expect("a role"));
    assert_eq!(roles.collect::<BTreeSet<_>>(), BTreeSet::from(["member", "owner"]));
}

/// A hidden person and one who does not take part are the same bytes; so are those who are here and those who are not.
#[tokio::test]
async fn names_tell_neither_who_hides_nor_who_is_here() {
    let world = World::new().await;
    let all = names(&world, world.anna, world.wedding_a).await;
    let (_finn, _vera) = (world.enter_present(world.finn).await, world.enter_present(world.vera).await);
    world.set(world.rosa, SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() }).await;
    assert_eq!(names(&world, world.anna, world.wedding_a).await, all, "here, away or signed out");
    let hidden = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
    world.set(world.vera, hidden).await;
    let without_vera = names(&world, world.anna, world.wedding_a).await;
    assert_eq!(named(&without_vera), BTreeSet::from([world.anna, world.finn, world.rosa]));
    assert!(named(&names(&world, world.vera, world.wedding_a).await).contains(&world.vera), "oneself always");
    assert!(
        named(&names(&world, world.olga, world.agency).await).contains(&world.vera),
        "it is administered"
    );
    let (wedding, vera, anna) = (id_of(world.wedding_a), world.vera, world.anna);
    world.delete(&format!("/weddings/{wedding}/collaborations/{vera}/{anna}")).await;
    assert_eq!(names(&world, world.anna, world.wedding_a).await, without_vera);
}

/// Exactly [`MOST`] are named; of one more, it is the last by id that is not.
#[tokio::test]
async fn no_more_are_named_than_fit() {
    let hub = Launch::new().start();
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let organization = OrganizationId(Uuid::new_v4());
    for count in [MOST, MOST + 1] {
        import(&hub, &http, organization, count).await;
        let path = format!("/api/presence/me/names?channel={}", ChannelId::Organization(organization));
        let asked = http.get(hub.url(&path)).bearer_auth(token(UserId(id(0))).reveal());
        let answer = json(&asked.send().await.expect("an answer").text().await.expect("a body"));
        for (list, key) in [("people", "userId"), ("accounts", "accountId")] {
            let list = answer[list].as_array().unwrap_or_else(|| panic!("{list} in {answer}"));
            assert_eq!((list.len(), &list[MOST - 1][key]), (MOST, &json!(id(MOST - 1))), "{count} {key}");
        }
    }
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + n as u128)
}

/// An organization of `count` people, of whom the first one owns it, with as many accounts.
async fn import(hub: &Hub, http: &reqwest::Client, organization: OrganizationId, count: usize) {
    let users = (0..count).map(|n| json!({ "id": id(n), "displayName": "X" }));
    let role = |n| if n == 0 { "owner" } else { "member" };
    let members = (0..count).map(|n| json!({ "user": id(n), "role": role(n) }));
    let accounts = (0..count).map(|n| json!({ "id": id(n), "name": "X" }));
    let document = json!({
        "users": users.collect::<Vec<_>>(),
        "organizations": [{
            "id": organization, "name": "X", "plan": "standard",
            "members": members.collect::<Vec<_>>(), "accounts": accounts.collect::<Vec<_>>(),
        }],
    });
    let call = http.post(hub.url("/api/directory/import")).bearer_auth(SERVICE_TOKEN).json(&document);
    let answer = call.send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert!(status.is_success(), "{status}: {text}");
}
