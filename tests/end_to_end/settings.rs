//! Settings changed live, by socket and by REST.

use model::{ErrorCode, PersonState, SettingsPatch, Status, Visibility};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Tab, World, online, track};

fn visible_to(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

fn status_text(text: &str) -> SettingsPatch {
    SettingsPatch { custom_status: Some(text.to_owned()), ..SettingsPatch::default() }
}

/// Anna, Vera and Rosa look on while Finn, who is there, is about to change something.
async fn onlookers(world: &World) -> Vec<Tab> {
    let mut tabs = Vec::new();
    for user in [world.anna, world.vera, world.rosa] {
        let mut tab = world.enter(user).await;
        tab.watch(world.wedding_a).await;
        tab.sees(world.wedding_a, world.finn, Status::Online).await;
        tabs.push(tab);
    }
    tabs
}

/// After the acknowledgement and a round trip, nothing old arrives: a leave does, and then what comes later.
async fn nothing_old_arrives(world: &World, viewers: &mut [Tab], finn: &mut Tab) {
    for viewer in viewers.iter_mut() {
        viewer.ping().await;
        viewer.forget();
    }
    finn.track(track(Status::Busy)).await;
    let mut marker = world.enter(world.anna).await;
    marker.track(online()).await;
    for viewer in viewers {
        viewer.loses(world.wedding_a, world.finn).await;
        viewer.sees(world.wedding_a, world.anna, Status::Online).await;
        viewer.ping().await;
        assert!(!viewer.was_shown(world.finn), "{:?}", viewer.heard);
    }
}

#[tokio::test]
async fn a_tightening_by_socket_is_in_force_when_it_is_acknowledged() {
    for tightening in [
        visible_to(Visibility::Nobody),
        SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() },
    ] {
        let world = World::new().await;
        let mut finn = world.enter_present(world.finn).await;
        let mut viewers = onlookers(&world).await;
        // Right before: what is on its way may arrive, but only before the round trip.
        finn.track(track(Status::Away)).await;
        finn.set(tightening).await;
        nothing_old_arrives(&world, &mut viewers, &mut finn).await;
        let loosening = SettingsPatch { appear_offline: Some(false), ..visible_to(Visibility::Contacts) };
        finn.set(loosening).await;
        for viewer in &mut viewers {
            viewer.sees(world.wedding_a, world.finn, Status::Busy).await;
        }
    }
}

#[tokio::test]
async fn a_tightening_by_rest_is_in_force_when_it_is_answered() {
    let world = World::new().await;
    let mut finn = world.enter_present(world.finn).await;
    let mut viewers = onlookers(&world).await;
    world.set(world.finn, visible_to(Visibility::Nobody)).await;
    nothing_old_arrives(&world, &mut viewers, &mut finn).await;
    world.set(world.finn, visible_to(Visibility::Everyone)).await;
    for viewer in &mut viewers {
        viewer.sees(world.wedding_a, world.finn, Status::Busy).await;
    }
}

#[tokio::test]
async fn fields_come_and_go_with_the_choice_to_show_them() {
    let world = World::new().await;
    let mut finn = world.enter(world.finn).await;
    let page = model::TrackRequest { current_page: Some("/timeline".into()), ..track(Status::Idle) };
    finn.track(page).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    assert_eq!(anna.page(world.wedding_a, world.finn), None);
    let patch = |page, activity| SettingsPatch {
        show_current_page: Some(page),
        show_activity: Some(activity),
        ..SettingsPatch::default()
    };
    finn.set(patch(true, false)).await;
    anna.until("his page", |tab| tab.page(world.wedding_a, world.finn) == Some("/timeline")).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    finn.set(patch(false, true)).await;
    anna.until("no page", |tab| tab.page(world.wedding_a, world.finn).is_none()).await;
    anna.sees(world.wedding_a, world.finn, Status::Idle).await;
}

#[tokio::test]
async fn every_tab_of_the_user_learns_of_a_change() {
    let world = World::new().await;
    let mut tabs = [world.enter(world.finn).await, world.enter(world.finn).await];
    let has = |text: &'static str| {
        move |tab: &Tab| {
            let status = tab.replica.settings().and_then(|settings| settings.custom_status.as_ref());
            status.map(model::CleanText::as_str) == Some(text)
        }
    };
    tabs[0].set(status_text("by socket")).await;
    for tab in &mut tabs {
        tab.until("the settings", has("by socket")).await;
    }
    world.set(world.finn, status_text("by REST")).await;
    for tab in &mut tabs {
        tab.until("the settings", has("by REST")).await;
    }
    let answer = world.settings(Method::GET, world.finn).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let stored: Value = answer.json().await.unwrap();
    assert_eq!(stored["settings"]["customStatus"], "by REST");
    assert_eq!(stored["settings"]["visibility"], "contacts");
}

#[tokio::test]
async fn an_operation_is_done_once_by_whichever_way_it_comes() {
    let world = World::new().await;
    let mut finn = world.enter(world.finn).await;
    let operation = Uuid::new_v4();
    finn.try_settings(status_text("first"), Some(operation)).await.unwrap();
    finn.set(status_text("second")).await;
    finn.try_settings(status_text("first"), Some(operation)).await.expect("a replay of what was done");
    let put = |text: &str| {
        let request = world.settings(Method::PUT, world.finn).json(&status_text(text));
        request.header("Idempotency-Key", format!("\"{operation}\""))
    };
    assert_eq!(put("first").send().await.unwrap().status(), StatusCode::OK);
    let current: Value = world.settings(Method::GET, world.finn).send().await.unwrap().json().await.unwrap();
    assert_eq!(current["settings"]["customStatus"], "second", "a replay changes nothing");

    let refused = finn.try_settings(status_text("other"), Some(operation)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::OperationConflict);
    let refused = put("other").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "operation_conflict");
}

/// A client that lost the answer asks again, after another tab has hidden the user: that must not undo it.
#[tokio::test]
async fn a_replay_brings_nothing_back_that_was_hidden_since() {
    let world = World::new().await;
    let mut finn = world.enter_present(world.finn).await;
    let mut viewers = onlookers(&world).await;
    let operation = Some(Uuid::new_v4());
    finn.try_settings(visible_to(Visibility::Everyone), operation).await.unwrap();
    finn.set(visible_to(Visibility::Nobody)).await;
    for viewer in &mut viewers {
        viewer.loses(world.wedding_a, world.finn).await;
    }
    finn.try_settings(visible_to(Visibility::Everyone), operation).await.unwrap();
    nothing_old_arrives(&world, &mut viewers, &mut finn).await;
    assert_eq!(finn.replica.settings().map(|settings| settings.visibility), Some(Visibility::Nobody));
}

#[tokio::test]
async fn texts_are_measured_and_fields_are_known_or_nothing_changes() {
    let world = World::new().await;
    let mut finn = world.enter(world.finn).await;
    finn.set(status_text(&"é".repeat(100))).await;
    let too_long = finn.try_settings(status_text(&"é".repeat(101)), None).await.unwrap_err();
    assert_eq!(too_long.code, ErrorCode::InvalidValue);
    for (body, status, code) in [
        (json!({ "customStatus": "x".repeat(101) }), 422, "invalid_value"),
        (json!({ "customEmoji": "x".repeat(11) }), 422, "invalid_value"),
        (json!({ "visibilty": "nobody" }), 400, "malformed"),
        (json!({ "visibility": "friends" }), 400, "malformed"),
        (json!({ "appearOffline": "yes" }), 400, "malformed"),
        (json!({ "customStatus": "x".repeat(17_000) }), 413, "too_large"),
    ] {
        let answer = world.settings(Method::PUT, world.finn).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body:.60}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{body:.60}");
    }
    let current: Value = world.settings(Method::GET, world.finn).send().await.unwrap().json().await.unwrap();
    assert_eq!(current["settings"]["customStatus"], "é".repeat(100));
    assert_eq!(current["settings"]["visibility"], "contacts");
}

#[tokio::test]
async fn settings_want_the_token_of_a_user() {
    let world = World::new().await;
    let url = world.hub.url("/api/presence/settings");
    let without = world.http.get(&url).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    let service = world.http.get(&url).bearer_auth(crate::fixture::SERVICE_TOKEN).send().await.unwrap();
    assert_eq!(service.status(), StatusCode::UNAUTHORIZED, "the back-end is no user");
    let user = world.http.put(world.hub.url(&format!("/api/directory/users/{}", world.sam)));
    let user =
        user.bearer_auth(crate::fixture::token(world.sam).reveal()).json(&json!({ "displayName": "S" }));
    assert_eq!(user.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "a user is no back-end");
}

/// The last sign of life is not moved by what happens while nobody may know.
#[tokio::test]
async fn last_seen_stands_still_for_who_hides() {
    let world = World::new().await;
    world.set(world.finn, visible_to(Visibility::Nobody)).await;
    let finn = world.enter_present(world.finn).await;
    finn.sign_out().await;
    world.set(world.finn, visible_to(Visibility::Contacts)).await;
    let mut anna = world.enter(world.anna).await;
    anna.roster(world.wedding_a).await;
    assert_eq!(anna.shown(world.wedding_a, world.finn), Some(&PersonState::Offline { last_seen: None }));
}
