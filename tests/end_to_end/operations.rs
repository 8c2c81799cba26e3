//! What operators see, and what they must not.

use std::sync::Arc;

use model::UserId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Launch, SERVICE_TOKEN, World, eventually, id_of, put_user};

#[tokio::test]
async fn the_operations_port_counts_and_names_nobody() {
    let world = World::on(Arc::new(Launch::new().set("log.level", "debug").start())).await;
    let mut tab = world.enter_present(world.finn).await;
    tab.watch(world.wedding_a).await;
    let session = tab.replica.session().expect("a session").to_string();
    let get = async |path: &str| {
        let answer = world.http.get(format!("http://{}{path}", world.hub.operations)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(get("/livez").await.0, StatusCode::OK);
    assert_eq!(get("/readyz").await.0, StatusCode::OK);
    let counted = async || {
        let metric = async |name| world.hub.metric(&world.http, name).await >= 1.0;
        (metric("presence_hub_connections").await && metric("presence_hub_frames_total").await).then_some(())
    };
    eventually("the connection in the metrics", counted).await;
    let (_, metrics) = get("/metrics").await;
    let ids = [world.finn.to_string(), id_of(world.wedding_a).to_string(), id_of(world.agency).to_string()];
    for id in ids.iter().chain([&session]) {
        assert!(!metrics.contains(id.as_str()), "{id} in\n{metrics}");
    }
    let token = crate::fixture::token(world.finn);
    let log = world.hub.log();
    assert!(!log.contains(token.reveal()) && !log.contains(&session), "{log}");
}

/// The same on the public port, for the users whom the configuration names and for the back-end, and for nobody else.
#[tokio::test]
async fn a_named_operator_looks_at_the_hub_itself() {
    let operator = UserId(Uuid::new_v4());
    let hub = Launch::new().set("console.operators", format_args!("[\"{operator}\"]")).start();
    let world = World::on(Arc::new(hub)).await;
    let ask = async |path: &str, user| {
        let answer = world.call(Method::GET, path, user).send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json::<Value>().await.expect("JSON"))
    };
    // Whom the directory does not know is nobody, whatever the configuration says.
    assert_eq!(ask("/api/system", operator).await.0, StatusCode::UNAUTHORIZED);
    world.change(&[put_user(operator, false)]).await;
    let mut tab = world.enter_present(world.finn).await;
    tab.watch(world.wedding_a).await;
    let connected = async || {
        let (status, system) = ask("/api/system", operator).await;
        assert_eq!(status, StatusCode::OK, "{system}");
        let figures = system["figures"].as_array().expect("figures");
        let connections = figures.iter().find(|figure| figure["name"] == "presence_hub_connections");
        (connections.is_some_and(|it| it["value"] == json!(1.0))).then_some(system)
    };
    let system = eventually("Finn among the figures", connected).await;
    assert_eq!(system["health"]["ready"], true);
    assert_eq!(system["health"]["conditions"]["store"], true);
    let text = system.to_string();
    for id in [world.finn.to_string(), id_of(world.wedding_a).to_string()] {
        assert!(!text.contains(&id), "{id} in {text}");
    }
    assert_eq!(ask("/api/presence/me/channels", operator).await.1["operator"], true);
    assert_eq!(ask("/api/presence/me/channels", world.olga).await.1["operator"], false);
    let (status, refusal) = ask("/api/system", world.olga).await;
    assert_eq!((status, &refusal["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    // The back-end as somebody is answered as they are.
    let acting = |user: UserId| {
        let url = world.hub.url(&format!("/api/system?actingUser={user}"));
        world.http.get(url).bearer_auth(SERVICE_TOKEN).send()
    };
    assert_eq!(acting(operator).await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(acting(world.olga).await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn operators_and_clients_have_ports_of_their_own() {
    let world = World::new().await;
    let status = async |url: String| world.http.get(url).send().await.unwrap().status();
    assert_eq!(status(world.hub.url("/metrics")).await, StatusCode::NOT_FOUND);
    assert_eq!(status(world.hub.url("/livez")).await, StatusCode::OK);
    let api = format!("http://{}/api/presence/settings", world.hub.operations);
    assert_eq!(status(api).await, StatusCode::NOT_FOUND);
}

/// Waits until `/readyz` names these as missing, in this order, and serves clients all the same.
async fn becomes(world: &World, degraded: &[&str]) {
    let url = format!("http://{}/readyz", world.hub.operations);
    let ask = async || {
        let answer = world.http.get(&url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let body: Value = answer.json().await.expect("JSON");
        (body["degraded"] == json!(degraded)).then_some(())
    };
    eventually(&format!("degraded: {degraded:?}"), ask).await;
}

#[tokio::test]
async fn what_is_missing_is_named_and_the_log_has_the_request() {
    let launch = Launch::new().set("log.format", "json");
    let world = World::on(Arc::new(launch.start())).await;
    let (there, away) = (launch.home().database(), launch.home().path("elsewhere.db"));
    std::fs::rename(&there, &away).unwrap();
    becomes(&world, &["follower", "store"]).await;
    let hide = json!({ "appearOffline": true });
    let hidden = world.settings(Method::PUT, world.finn).json(&hide).send().await.unwrap();
    let id = hidden.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(hidden.status(), StatusCode::ACCEPTED);
    // That she was here is written behind.
    world.enter_present(world.bea).await.sign_out().await;
    becomes(&world, &["backlog", "follower", "spool", "store"]).await;
    std::fs::rename(&away, &there).unwrap();
    becomes(&world, &[]).await;
    // Written by a task that goes on without its caller, and yet on their behalf.
    let log = world.hub.log();
    let line = log.lines().find(|line| line.contains("waits in the spool")).expect("a line about it");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["level"], &line["span"]["request_id"]), (&json!("WARN"), &json!(id)), "{line}");
}
