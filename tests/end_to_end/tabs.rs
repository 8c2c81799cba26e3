//! Many tabs of one user, and sessions that exist in some channels only.

use model::{ChannelId, Device, PersonState, Status, TrackRequest};
use wire::Hello;

use crate::fixture::{World, online, token, track};

fn on(device: Device, status: Status) -> TrackRequest {
    TrackRequest { device: Some(device), ..track(status) }
}

fn at(page: &str, channel: ChannelId) -> TrackRequest {
    TrackRequest { current_page: Some(page.into()), scope: Some(vec![channel]), ..online() }
}

#[tokio::test]
async fn tabs_are_merged_and_leave_with_the_last() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut desktop = world.enter(world.finn).await;
    let mut phone = world.enter(world.finn).await;
    let mut tablet = world.enter(world.finn).await;
    desktop.track(on(Device::Desktop, Status::Away)).await;
    phone.track(on(Device::Mobile, Status::Busy)).await;
    tablet.track(on(Device::Tablet, Status::Online)).await;
    let state = |status, device| {
        move |shown: Option<&PersonState>| {
            matches!(shown, Some(PersonState::Present { status: s, device: d, .. })
                if (*s, *d) == (status, Some(device)))
        }
    };
    let merged = state(Status::Busy, Device::Tablet);
    anna.until("any busy, and the tab active last", |tab| merged(tab.shown(world.wedding_a, world.finn)))
        .await;
    phone.sign_out().await;
    let merged = state(Status::Online, Device::Tablet);
    anna.until("the most active", |tab| merged(tab.shown(world.wedding_a, world.finn))).await;
    tablet.untrack().await;
    let merged = state(Status::Away, Device::Desktop);
    anna.until("the last one", |tab| merged(tab.shown(world.wedding_a, world.finn))).await;
    let left_before = anna.views().any(|view| !view.leave.is_empty());
    assert!(!left_before, "one member, however many tabs");
    desktop.sign_out().await;
    anna.loses(world.wedding_a, world.finn).await;
}

#[tokio::test]
async fn a_page_of_one_wedding_is_not_shown_to_the_couple_of_another() {
    let world = World::new().await;
    let show = model::SettingsPatch { show_current_page: Some(true), ..model::SettingsPatch::default() };
    world.set(world.finn, show).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut bea = world.enter(world.bea).await;
    bea.watch(world.wedding_b).await;
    let mut tab_a = world.enter(world.finn).await;
    let mut tab_b = world.enter(world.finn).await;
    tab_a.track(at("/a", world.wedding_a)).await;
    tab_b.track(at("/b", world.wedding_b)).await;
    bea.until("page B", |tab| tab.page(world.wedding_b, world.finn) == Some("/b")).await;
    anna.until("page A", |tab| tab.page(world.wedding_a, world.finn) == Some("/a")).await;

    // What happens at B is nothing at A: not a frame.
    anna.forget();
    tab_b.track(TrackRequest { is_typing: Some(true), ..at("/b/guests", world.wedding_b) }).await;
    bea.until("page B", |tab| tab.page(world.wedding_b, world.finn) == Some("/b/guests")).await;
    tab_b.sign_out().await;
    bea.loses(world.wedding_b, world.finn).await;
    let mut rosa = world.enter_present(world.rosa).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    rosa.ping().await;
    assert!(!anna.heard_of(world.finn), "{:?}", anna.heard);
    assert_eq!(anna.page(world.wedding_a, world.finn), Some("/a"));

    // A tab that moves from one wedding to the other leaves the first.
    tab_a.track(at("/b", world.wedding_b)).await;
    anna.loses(world.wedding_a, world.finn).await;
    bea.until("page B", |tab| tab.page(world.wedding_b, world.finn) == Some("/b")).await;
}

#[tokio::test]
async fn watching_does_not_make_present_and_being_present_needs_no_watching() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut vera = world.enter(world.vera).await;
    vera.watch(world.wedding_a).await;
    let rosa = world.enter_present(world.rosa).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    assert_eq!(anna.shown(world.wedding_a, world.vera), None);
    assert_eq!(rosa.replica.lists().count(), 0);
}

#[tokio::test]
async fn typing_ends_by_itself() {
    let launch = crate::fixture::Launch::new().set("presence.typing_ms", 200);
    let world = World::on(std::sync::Arc::new(launch.start())).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let typing = TrackRequest { is_typing: Some(true), ..online() };
    let hello = Hello { token: Some(token(world.finn)), track: Some(typing), ..Hello::default() };
    let _finn = world.hello(hello).await;
    let types =
        |shown: Option<&PersonState>| matches!(shown, Some(PersonState::Present { is_typing: true, .. }));
    anna.until("typing", |tab| types(tab.shown(world.wedding_a, world.finn))).await;
    anna.until("its end", |tab| !types(tab.shown(world.wedding_a, world.finn))).await;
    assert_eq!(anna.status(world.wedding_a, world.finn), Some(Status::Online));
}
