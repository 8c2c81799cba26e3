//! The description of the REST API, as the running hub serves it; and bad input that no schema can tell.
//!
//! That the answers are as described is what `tests/contract` asks, with requests that are made up.

use std::process::Command;

use model::UserId;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::fixture::{SERVICE_TOKEN, World};

#[tokio::test]
async fn what_is_served_is_what_the_binary_prints() {
    let world = World::new().await;
    let served = world.http.get(world.hub.url("/api/openapi.json")).send().await.unwrap();
    assert_eq!(served.headers()[header::CONTENT_TYPE], "application/json");
    let served: Value = served.json().await.unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    let printed = Command::new(env!("CARGO_BIN_EXE_presence-hub")).arg("openapi").output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), served);
}

#[tokio::test]
async fn the_page_is_served_to_anybody_and_may_ask_this_hub_alone() {
    let world = World::new().await;
    for (path, kind) in [("/api/docs", "text/html"), ("/api/docs/swagger-ui-bundle.js", "text/javascript")] {
        let answer = world.http.get(world.hub.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("connect-src 'self'") && !policy.contains("//"), "{policy}");
    }
    let none = world.http.get(world.hub.url("/api/docs/none.js")).send().await.unwrap();
    assert_eq!(none.json::<Value>().await.unwrap()["code"], "no_route");
}

/// Sends a body that is refused.
async fn refused(world: &World, method: Method, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let call = world.call(method, path, world.finn).header(header::CONTENT_TYPE, "application/json");
    let answer = call.body(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
    (status, answer.json::<Value>().await.expect("a problem")["code"].as_str().expect("a code").to_owned())
}

async fn settings(world: &World, user: UserId) -> Value {
    world.settings(Method::GET, user).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn dialects_of_json_are_refused_and_store_nothing() {
    let world = World::new().await;
    let before = settings(&world, world.finn).await;
    let many = format!(r#"{{"visibility":{}"nobody"{}}}"#, "[".repeat(2_000), "]".repeat(2_000));
    for (method, path, body) in [
        (Method::PUT, "settings", r#"["nobody"]"#),
        (Method::PUT, "settings", "[]"),
        (Method::PUT, "settings", "null"),
        (Method::PUT, "settings", r#"{"visibility":{"nobody":null}}"#),
        (Method::PUT, "settings", r#"{"visibility":"nobody","visibility":"team"}"#),
        (Method::PUT, "settings", r#"{"visibility":"nobody"}{}"#),
        (Method::PUT, "settings", "{'visibility':'nobody'}"),
        (Method::PUT, "settings", many.as_str()),
        (Method::POST, "track", r#"["online"]"#),
        (Method::POST, "track", r#"{"status":{"online":null}}"#),
        (Method::POST, "users/query", r#"[["00000000-0000-4000-8000-000000000000"]]"#),
        (Method::POST, "activity", r#"{"activityType":"focus","metadata":{"action":"a","action":"b"}}"#),
        (Method::POST, "activity", r#"{"activityType":"focus","metadata":[["action","a"]]}"#),
    ] {
        let told = refused(&world, method, &format!("/api/presence/{path}"), body.to_owned()).await;
        assert_eq!(told, (400, "malformed".to_owned()), "{path} {body:.80}");
    }
    assert_eq!(settings(&world, world.finn).await, before);
}

/// A body is what it is: nobody unpacks it, and what is no text is no JSON.
#[tokio::test]
async fn packed_and_broken_bodies_are_refused() {
    let world = World::new().await;
    let before = settings(&world, world.finn).await;
    // {"visibility":"nobody"} by gzip, without a checksum that holds: it is not looked at so closely.
    let packed: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x2a\xcb\x2c\xce\x4c\xca\xcc\xc9\x2c\xa9";
    for body in
        [packed.to_vec(), b"{\"customStatus\":\"\xff\"}".to_vec(), br#"{"customStatus":"\ud800"}"#.to_vec()]
    {
        let told = refused(&world, Method::PUT, "/api/presence/settings", body.clone()).await;
        assert_eq!(told, (400, "malformed".to_owned()), "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(settings(&world, world.finn).await, before);
}

/// Texts of people are cleaned, not refused: a bidi override comes from the clipboard, and HTML is a text.
#[tokio::test]
async fn bidi_overrides_are_taken_out_and_html_is_a_text() {
    let world = World::new().await;
    for (sent, kept) in [("ab\u{202e}cd\u{2066}", "abcd"), ("<b>hi</b>", "<b>hi</b>"), ("e\u{301}", "é")] {
        let call = world.settings(Method::PUT, world.finn).json(&json!({ "customStatus": sent }));
        assert_eq!(call.send().await.unwrap().status(), StatusCode::OK);
        assert_eq!(settings(&world, world.finn).await["settings"]["customStatus"], kept);
    }
}

/// What takes a text and no JSON answers in problem documents, too.
#[tokio::test]
async fn the_back_ends_bodies_are_no_exception() {
    let world = World::new().await;
    let user = format!(r#"{{"id":"{}","displayName":"A","displayName":"B"}}"#, world.finn);
    for (path, body, status) in [
        ("directory/import", b"\xff".to_vec(), 400),
        ("directory/import", format!(r#"{{"users":[{user}]}}"#).into_bytes(), 422),
        ("directory/changes", br#"[{"change":"removeUser","change":"putUser"}]"#.to_vec(), 400),
        ("jobs/rollups", b"\xff".to_vec(), 400),
        ("jobs/rollups", b"[[]]".to_vec(), 400),
    ] {
        let call = world.http.post(world.hub.url(&format!("/api/{path}"))).bearer_auth(SERVICE_TOKEN);
        let answer = call.header(header::CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
    }
}
