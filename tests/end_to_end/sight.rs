//! Who is shown what: encodings side by side, viewers with different rights in one channel.

use client::Socket;
use model::{
    Encoding, ErrorCode, PersonState, SettingsPatch, Status, SubscribeRequest, UserId, Visibility, WeddingId,
};
use uuid::Uuid;
use wire::ServerFrame;

use crate::fixture::{Tab, World, online, token, track};

fn visible_to(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

/// The same viewer in both encodings.
struct Twins([Tab; 2]);

impl Twins {
    async fn of(world: &World, user: UserId, request: SubscribeRequest) -> Self {
        let mut twins = Self([
            world.enter_as(user, Encoding::Json).await,
            world.enter_as(user, Encoding::MessagePack).await,
        ]);
        for tab in &mut twins.0 {
            tab.try_watch(request.clone()).await.expect("a channel");
        }
        twins
    }

    /// Both see a person alike, or not at all.
    async fn see(&mut self, request: &SubscribeRequest, subject: UserId, expected: Option<&PersonState>) {
        let channel = request.channel;
        for tab in &mut self.0 {
            tab.until(&format!("{expected:?}"), |tab| tab.shown(channel, subject) == expected).await;
        }
        let [json, msgpack] = &self.0;
        let list = |tab: &Tab| tab.replica.list(channel).expect("a list").entries().clone();
        assert_eq!(list(json), list(msgpack));
    }
}

fn present(status: Status, page: Option<&str>) -> PersonState {
    PersonState::Present {
        status,
        page: page.and_then(|page| model::CleanText::parse(page, "page", 100).expect("short")),
        is_typing: false,
        device: None,
        custom_status: None,
        custom_emoji: None,
    }
}

#[tokio::test]
async fn one_wedding_seen_with_different_rights_in_both_encodings() {
    let world = World::new().await;
    let request = SubscribeRequest::of(world.wedding_a);
    let mut finn = world.enter(world.finn).await;
    finn.set(visible_to(Visibility::Team)).await;
    let page = Some("/weddings/7?secret=1#2".to_owned());
    finn.track(model::TrackRequest { current_page: page, ..track(Status::Busy) }).await;
    let mut rosa = world.enter_present(world.rosa).await;

    let mut colleague = Twins::of(&world, world.vera, request.clone()).await;
    let mut collaborator = Twins::of(&world, world.anna, request.clone()).await;
    let mut himself = Twins::of(&world, world.finn, request.clone()).await;
    colleague.see(&request, world.finn, Some(&present(Status::Busy, None))).await;
    himself.see(&request, world.finn, Some(&present(Status::Busy, Some("/weddings/7")))).await;
    collaborator.see(&request, world.finn, None).await;

    // What comes later is the same truth as what was there: the marker of Rosa comes to all, Finn to those who may.
    finn.track(track(Status::Away)).await;
    rosa.track(track(Status::Idle)).await;
    for viewer in [&mut colleague, &mut collaborator, &mut himself] {
        viewer.see(&request, world.rosa, Some(&present(Status::Idle, None))).await;
    }
    colleague.see(&request, world.finn, Some(&present(Status::Away, None))).await;
    himself.see(&request, world.finn, Some(&present(Status::Away, None))).await;
    collaborator.see(&request, world.finn, None).await;
    for tab in &collaborator.0 {
        assert!(!tab.heard_of(world.finn), "not even a leave tells of who is out of sight");
    }
}

#[tokio::test]
async fn an_organization_shows_contacts_to_collaborators_only() {
    let world = World::new().await;
    let request = SubscribeRequest::of(world.agency);
    let _finn = world.enter_present(world.finn).await;
    let mut vera = Twins::of(&world, world.vera, request.clone()).await;
    let mut olga = Twins::of(&world, world.olga, request.clone()).await;
    vera.see(&request, world.finn, Some(&present(Status::Online, None))).await;
    olga.see(&request, world.finn, None).await;
    world.set(world.finn, visible_to(Visibility::Team)).await;
    olga.see(&request, world.finn, Some(&present(Status::Online, None))).await;
    world.set(world.finn, visible_to(Visibility::Nobody)).await;
    vera.see(&request, world.finn, None).await;
    olga.see(&request, world.finn, None).await;
}

#[tokio::test]
async fn everyone_is_seen_by_whoever_shares_a_channel_and_by_nobody_else() {
    let world = World::new().await;
    world.set(world.finn, visible_to(Visibility::Everyone)).await;
    let _finn = world.enter_present(world.finn).await;
    let mut olga = world.enter(world.olga).await;
    olga.watch(world.agency).await;
    olga.sees(world.agency, world.finn, Status::Online).await;
    for (stranger, channel) in
        [(world.sam, world.agency), (world.olga, world.wedding_a), (world.bea, world.wedding_a)]
    {
        let mut tab = world.enter(stranger).await;
        let refused = tab.try_watch(SubscribeRequest::of(channel)).await;
        assert_eq!(refused, Err(ErrorCode::UnknownChannel));
    }
}

#[tokio::test]
async fn a_roster_keeps_who_went_where_a_list_of_the_present_does_not() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.roster(world.wedding_a).await;
    assert_eq!(anna.shown(world.wedding_a, world.finn), Some(&PersonState::Offline { last_seen: None }));
    let mut vera = world.enter(world.vera).await;
    vera.watch(world.wedding_a).await;
    assert_eq!(vera.shown(world.wedding_a, world.finn), None);

    let finn = world.enter_present(world.finn).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    vera.sees(world.wedding_a, world.finn, Status::Online).await;
    finn.sign_out().await;
    vera.loses(world.wedding_a, world.finn).await;
    let went =
        |state: Option<&PersonState>| matches!(state, Some(PersonState::Offline { last_seen: Some(_) }));
    anna.until("his last-seen", |tab| went(tab.shown(tab_channel(tab), world.finn))).await;

    // Out of sight is a leave, in a roster too.
    world.set(world.finn, visible_to(Visibility::Nobody)).await;
    anna.loses(world.wedding_a, world.finn).await;
}

fn tab_channel(tab: &Tab) -> model::ChannelId {
    tab.replica.lists().next().expect("a channel").0
}

#[tokio::test]
async fn whoever_appears_offline_is_seen_by_themselves_alone() {
    let world = World::new().await;
    let hidden = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
    world.set(world.finn, hidden).await;
    let mut finn = world.enter_present(world.finn).await;
    finn.watch(world.wedding_a).await;
    finn.sees(world.wedding_a, world.finn, Status::Online).await;
    let mut anna = world.enter(world.anna).await;
    anna.roster(world.wedding_a).await;
    let never = PersonState::Offline { last_seen: None };
    assert_eq!(anna.shown(world.wedding_a, world.finn), Some(&never));
    anna.forget();
    finn.track(track(Status::Busy)).await;
    let mut rosa = world.enter(world.rosa).await;
    rosa.track(online()).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    assert!(!anna.heard_of(world.finn), "a hidden act says nothing");
    assert_eq!(anna.shown(world.wedding_a, world.finn), Some(&never));
}

/// The channel may not be guessed at: that it exists changes no byte of the answer.
#[tokio::test]
async fn a_foreign_channel_answers_as_one_that_is_not_there() {
    let world = World::new().await;
    let nowhere = model::ChannelId::Wedding(WeddingId(Uuid::new_v4()));
    for encoding in Encoding::ALL {
        let (mut socket, _) =
            Socket::open(&world.hub.socket_url(), encoding, token(world.sam)).await.unwrap();
        let mut answers = Vec::new();
        for channel in [world.wedding_a, nowhere] {
            let frame = crate::fixture::subscribe(1, channel);
            socket.send(&frame).await.unwrap();
            let answer =
                crate::fixture::in_time("an answer", socket.receive_raw()).await.unwrap().into_data();
            assert!(matches!(wire::decode_server(encoding, &answer), Ok(ServerFrame::Subscribed(_))));
            answers.push(crate::fixture::without(&answer, channel));
        }
        assert_eq!(answers[0], answers[1], "{encoding:?}");
    }
}
