//! What operators see, and what they must not.

use std::sync::Arc;

use reqwest::StatusCode;

use crate::fixture::{Launch, World, eventually, id_of};

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

#[tokio::test]
async fn operators_and_clients_have_ports_of_their_own() {
    let world = World::new().await;
    let status = async |url: String| world.http.get(url).send().await.unwrap().status();
    assert_eq!(status(world.hub.url("/metrics")).await, StatusCode::NOT_FOUND);
    assert_eq!(status(world.hub.url("/livez")).await, StatusCode::OK);
    let api = format!("http://{}/api/presence/settings", world.hub.operations);
    assert_eq!(status(api).await, StatusCode::NOT_FOUND);
}
