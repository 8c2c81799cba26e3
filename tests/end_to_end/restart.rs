//! The end of a hub, wanted or not, and what its successor knows.

use std::sync::Arc;

use model::{PersonState, SettingsPatch, Status, Visibility};

use crate::fixture::{Hub, Launch, Tab, World, eventually, online};

/// Where the next process listens too, so that clients find it.
fn on_the_same_port(launch: Launch, hub: &Hub) -> Launch {
    launch.set("listen.port", hub.port())
}

/// The process is killed, and another one takes its place.
fn killed(mut world: World, launch: &Launch) -> World {
    let launch = on_the_same_port(launch.clone(), &world.hub);
    let hub = std::mem::replace(&mut world.hub, Hub::shared());
    Arc::into_inner(hub).expect("the only one").kill();
    world.moved_to(Arc::new(launch.start()))
}

async fn was_seen(world: &World) {
    let mut anna = world.enter(world.anna).await;
    anna.roster(world.wedding_a).await;
    let shown = anna.shown(world.wedding_a, world.finn);
    assert!(matches!(shown, Some(PersonState::Offline { last_seen: Some(_) })), "{shown:?}");
}

#[tokio::test]
async fn kill_9_loses_neither_what_was_acknowledged_nor_what_was_written_behind() {
    let launch = Launch::new();
    let world = World::on(Arc::new(launch.start())).await;
    world.enter_present(world.finn).await.sign_out().await;
    let written = async || {
        let rows = world.hub.metric(&world.http, "presence_hub_writer_written_total").await;
        (rows >= 1.0).then_some(())
    };
    eventually("last-seen in the store", written).await;
    let mut vera = world.enter_present(world.vera).await;
    let text = Some("before the fall".to_owned());
    let patch = SettingsPatch {
        visibility: Some(Visibility::Team),
        custom_status: text.clone(),
        ..SettingsPatch::default()
    };
    vera.set(patch).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;

    let world = killed(world, &launch);
    was_seen(&world).await;
    // Clients come back; sessions they have to make anew.
    let mut back = world.back(vera.lose(), Some(online())).await;
    assert!(!back.resumed());
    let settings = back.replica.settings().expect("settings").clone();
    assert_eq!(settings.visibility, Visibility::Team);
    assert_eq!(settings.custom_status.as_ref().map(|text| text.as_str().to_owned()), text);
    let mut anna = world.back(anna.lose(), None).await;
    assert!(!anna.resumed());
    anna.watch(world.wedding_a).await;
    assert_eq!(anna.shown(world.wedding_a, world.vera), None, "what was hidden stays hidden");
    back.ping().await;
}

#[tokio::test]
async fn sigterm_says_when_to_come_back_and_loses_nothing() {
    let launch = Launch::new().set("shutdown.reconnect_spread_s", 7);
    let world = World::on(Arc::new(launch.start())).await;
    let mut tabs: Vec<Tab> = Vec::new();
    for user in [world.anna, world.vera, world.rosa, world.finn] {
        tabs.push(world.enter_present(user).await);
    }
    world.enter_present(world.finn).await.sign_out().await;
    world.hub.terminate();
    for tab in &mut tabs {
        let closed = tab.end().await;
        assert_eq!(closed.code, Some(4100));
        let closing = closed.closing.expect("a closing frame");
        assert_eq!(closing.code, model::CloseCode::Restarting);
        assert!(closing.reconnect_after_ms.expect("a time") <= 7_000);
    }
    assert_eq!(world.hub.ended().await.code(), Some(0));
    let refused = world.try_enter(model::Encoding::Json, crate::fixture::token(world.anna)).await;
    assert!(refused.is_err());
    let world = killed(world, &launch);
    was_seen(&world).await;
}

/// The client that stays: its lists are there again after the hub was killed and started anew.
#[tokio::test]
async fn a_client_that_stays_comes_back_by_itself() {
    let launch = Launch::new();
    let world = World::on(Arc::new(launch.start())).await;
    let channel = world.wedding_a;
    let follow = |user| {
        let options = client::Options::new(world.hub.socket_url(), crate::fixture::token(user));
        client::Client::start(options.track(online()).channel(model::SubscribeRequest::of(channel)))
    };
    let (anna, _events) = follow(world.anna);
    let (finn, _more) = follow(world.finn);
    let others = [world.anna, world.finn];
    let complete = |replica: &client::Replica| {
        replica.phase(channel) == Some(client::Phase::Live)
            && replica.list(channel).is_some_and(|list| list.entries().len() == others.len())
    };
    let wait = async |client: &client::Client| {
        assert!(crate::fixture::in_time("both in the list", client.until(complete)).await);
    };
    wait(&anna).await;
    let first = anna.read(client::Replica::session);
    let world = killed(world, &launch);
    let anew = |replica: &client::Replica| replica.session() != first && complete(replica);
    assert!(crate::fixture::in_time("both, in a new session", anna.until(anew)).await);
    wait(&finn).await;
    let mut vera = world.enter(world.vera).await;
    vera.watch(channel).await;
    vera.sees(channel, world.anna, Status::Online).await;
    anna.sign_out().await.expect("done");
    vera.loses(channel, world.anna).await;
}
