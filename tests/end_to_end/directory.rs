//! Relations revoked live: whoever loses a right loses sight at once, and nobody has to ask again.

use model::{
    DirectoryChange, EndReason, ErrorCode, NotResumed, OrganizationId, ResumeOutcome, ResumePoint,
    ResumeRequest, SettingsPatch, Status, SubscribeRequest, SubscriptionId, Visibility,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{Hello, ServerFrame};

use crate::fixture::{World, id_of, in_time, online, put_user, subscribe, token, track, without};

#[tokio::test]
async fn a_collaboration_that_ends_takes_sight_from_both_sides() {
    let world = World::new().await;
    let mut anna = world.enter_present(world.anna).await;
    let mut finn = world.enter_present(world.finn).await;
    let mut vera = world.enter_present(world.vera).await;
    for tab in [&mut anna, &mut finn, &mut vera] {
        tab.watch(world.wedding_a).await;
    }
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    let wedding = id_of(world.wedding_a);
    world.delete(&format!("/weddings/{wedding}/collaborations/{}/{}", world.finn, world.anna)).await;
    anna.loses(world.wedding_a, world.finn).await;
    vera.loses(world.wedding_a, world.finn).await;
    finn.until("the end of the view", |tab| tab.replica.list(world.wedding_a).is_none()).await;
    let ended = |frame: &ServerFrame| matches!(frame, ServerFrame::Ended(ended) if ended.reason == EndReason::UnknownChannel);
    assert!(finn.heard.iter().any(ended));

    // From here on nobody hears of the other.
    anna.forget();
    finn.forget();
    finn.track(track(Status::Busy)).await;
    anna.track(track(Status::Away)).await;
    vera.track(track(Status::Idle)).await;
    anna.sees(world.wedding_a, world.vera, Status::Idle).await;
    finn.ping().await;
    assert!(!anna.was_shown(world.finn) && finn.views().next().is_none());

    // And a new one brings them back without anybody asking again.
    world
        .service(Method::PUT, &format!("/weddings/{wedding}/collaborations/{}/{}", world.finn, world.anna))
        .json(&json!({ "supplierType": "photographer" }))
        .send()
        .await
        .unwrap();
    anna.sees(world.wedding_a, world.finn, Status::Busy).await;
}

#[tokio::test]
async fn a_member_who_is_removed_is_out_of_the_organization() {
    let world = World::new().await;
    let team = SettingsPatch { visibility: Some(Visibility::Team), ..SettingsPatch::default() };
    world.set(world.finn, team.clone()).await;
    world.set(world.olga, team).await;
    let mut finn = world.enter_present(world.finn).await;
    let mut olga = world.enter_present(world.olga).await;
    finn.watch(world.agency).await;
    olga.watch(world.agency).await;
    finn.sees(world.agency, world.olga, Status::Online).await;
    olga.sees(world.agency, world.finn, Status::Online).await;
    let agency = id_of(world.agency);
    world.delete(&format!("/organizations/{agency}/members/{}", world.finn)).await;
    olga.loses(world.agency, world.finn).await;
    finn.until("the end of the view", |tab| tab.replica.list(world.agency).is_none()).await;
    let refused = finn.try_watch(SubscribeRequest::of(world.agency)).await;
    assert_eq!(refused, Err(ErrorCode::UnknownChannel));
    // Being a colleague was what let Vera see him at the wedding.
    let mut vera = world.enter(world.vera).await;
    vera.watch(world.wedding_a).await;
    assert_eq!(vera.shown(world.wedding_a, world.finn), None);
}

#[tokio::test]
async fn a_user_who_is_disabled_or_removed_is_signed_out_everywhere() {
    for removed in [false, true] {
        let world = World::new().await;
        let mut tabs = [world.enter_present(world.finn).await, world.enter_present(world.finn).await];
        let mut anna = world.enter(world.anna).await;
        anna.roster(world.wedding_a).await;
        anna.sees(world.wedding_a, world.finn, Status::Online).await;
        match removed {
            true => world.delete(&format!("/users/{}", world.finn)).await,
            false => world.change(&[put_user(world.finn, true)]).await,
        }
        for tab in &mut tabs {
            assert_eq!(tab.end().await.code, Some(4301));
        }
        if removed {
            anna.loses(world.wedding_a, world.finn).await;
        } else {
            anna.until("offline", |tab| tab.status(world.wedding_a, world.finn).is_none()).await;
        }
        let refused = world.try_enter(model::Encoding::Json, token(world.finn)).await.map(drop);
        assert!(matches!(refused, Err(client::SocketError::Closed(closed)) if closed.code == Some(4301)));

        // The sessions are gone, not waiting: put back, the user is not resumed.
        world.change(&[put_user(world.finn, false)]).await;
        let [first, _] = tabs;
        let back = world.back(first.lose(), None).await;
        assert!(!back.resumed());
        assert_eq!(anna.status(world.wedding_a, world.finn), None);
    }
}

/// Not by the bytes of an answer can one tell a channel that was lost from one that never was.
#[tokio::test]
async fn a_channel_that_was_lost_answers_as_one_that_never_was() {
    let world = World::new().await;
    let organization = OrganizationId(id_of(world.agency));
    let never = model::ChannelId::Organization(OrganizationId(Uuid::new_v4()));
    let (url, encoding) = (world.hub.socket_url(), model::Encoding::Json);
    let (mut socket, _) = client::Socket::open(&url, encoding, token(world.finn)).await.unwrap();
    socket.send(&subscribe(1, world.agency)).await.unwrap();
    for _ in ["subscribed", "snapshot"] {
        in_time("a frame", socket.receive()).await.unwrap();
    }
    world.change(&[DirectoryChange::RemoveMember { organization, user: world.finn }]).await;
    assert!(matches!(in_time("the end", socket.receive()).await, Ok(ServerFrame::Ended(_))));
    let mut answers = Vec::new();
    for channel in [world.agency, never] {
        socket.send(&subscribe(7, channel)).await.unwrap();
        let answer = in_time("an answer", socket.receive_raw()).await.unwrap().into_data();
        answers.push(without(&answer, channel));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_channel_that_was_lost_meanwhile_is_resumed_as_one_that_never_was() {
    let world = World::new().await;
    let mut finn = world.enter(world.finn).await;
    finn.watch(world.agency).await;
    let session = finn.replica.session().unwrap();
    drop(finn);
    world.delete(&format!("/organizations/{}/members/{}", id_of(world.agency), world.finn)).await;
    let point = |n| ResumePoint { subscription: SubscriptionId(n), sequence: 1 };
    let resume = ResumeRequest { session, subscriptions: vec![point(1), point(99)] };
    let hello = Hello { token: Some(token(world.finn)), resume: Some(resume), ..Hello::default() };
    let back = world.hello(hello).await;
    let outcome = back.replica.welcome().unwrap().resume.clone().unwrap();
    let unknown = |n| (SubscriptionId(n), Err(NotResumed::UnknownChannel));
    assert_eq!(outcome, ResumeOutcome::Resumed(vec![unknown(1), unknown(99)]));
}

#[tokio::test]
async fn a_new_relation_shows_who_is_already_there() {
    let world = World::new().await;
    let mut sam = world.enter_present(world.sam).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let path = format!("/weddings/{}/collaborations/{}/{}", id_of(world.wedding_a), world.sam, world.anna);
    let put = world.service(Method::PUT, &path).json(&json!({ "supplierType": "band" }));
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    anna.sees(world.wedding_a, world.sam, Status::Online).await;
    sam.watch(world.wedding_a).await;
    sam.track(online()).await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_refused_whole() {
    let world = World::new().await;
    let stranger = model::UserId(Uuid::new_v4());
    let organization = OrganizationId(id_of(world.agency));
    let impossible = [
        DirectoryChange::RemoveMember { organization, user: world.finn },
        DirectoryChange::PutMember { organization, user: stranger, role: model::Role::Member },
    ];
    let answer = world.service(Method::POST, "/changes").json(&impossible).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "invalid_value");
    let mut finn = world.enter(world.finn).await;
    finn.watch(world.agency).await;
    let import = world.service(Method::POST, "/import").body("{\"users\": [{}]}");
    assert_eq!(import.send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    finn.ping().await;
    assert!(finn.replica.list(world.agency).is_some(), "nothing of it was done");
}
