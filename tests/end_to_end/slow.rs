//! Clients that do not read: they cost little, disturb nobody, and get the final state.

use std::{sync::Arc, time::Duration};

use client::{Phase, Replica};
use model::{Encoding, RequestId, SettingsPatch, Status, SubscribeRequest, TrackRequest, Visibility};
use socket2::{Domain, Socket, Type};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};
use wire::{ClientFrame, Hello, Subscribe};

use crate::fixture::{Launch, Tab, World, eventually, in_time, token};

/// Changes that a slow client misses.
const CHANGES: usize = 500;
/// What a hub may grow by, however slow its clients are. Generous: the changes are far less than that.
const GROWTH_KIB: u64 = 48 * 1024;

/// A client with hardly any room between the hub and itself, so that not reading is felt at once.
struct Slow {
    stream: WebSocketStream<tokio::net::TcpStream>,
    replica: Replica,
}

impl Slow {
    async fn watch(world: &World, user: model::UserId) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(2_048).expect("a small buffer");
        let address: std::net::SocketAddr = world.hub.address.parse().expect("an address");
        socket.connect(&address.into()).expect("a connection");
        socket.set_nonblocking(true).expect("a socket");
        let tcp = tokio::net::TcpStream::from_std(socket.into()).expect("a stream");
        let mut request = tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(
            world.hub.socket_url(),
        )
        .expect("a request");
        let protocol = http::HeaderValue::from_static(wire::subprotocol(Encoding::Json));
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (stream, _) = client_async(request, tcp).await.expect("a handshake");
        let mut slow = Self { stream, replica: Replica::new() };
        slow.send(&ClientFrame::Hello(Hello { token: Some(token(user)), ..Hello::default() })).await;
        let channels = vec![SubscribeRequest::of(world.wedding_a)];
        slow.send(&ClientFrame::Subscribe(Subscribe { id: RequestId(1), channels })).await;
        slow.until(|replica| replica.phase(world.wedding_a) == Some(Phase::Live)).await;
        slow
    }

    async fn send(&mut self, frame: &ClientFrame) {
        let bytes = wire::encode_client(Encoding::Json, frame);
        let text = String::from_utf8(bytes).expect("JSON");
        futures_util::SinkExt::send(&mut self.stream, Message::text(text)).await.expect("a connection");
    }

    /// Takes one frame; the close code where the connection is over.
    async fn step(&mut self) -> Result<(), Option<u16>> {
        match in_time("a frame", futures_util::StreamExt::next(&mut self.stream)).await {
            Some(Ok(Message::Text(text))) => {
                let frame = wire::decode_server(Encoding::Json, text.as_bytes()).expect("a frame");
                self.replica.apply(&frame).expect("in sequence");
                Ok(())
            }
            Some(Ok(Message::Close(frame))) => Err(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => Ok(()),
            Some(Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_) | Error::Io(_)))
            | None => Err(None),
            Some(Err(error)) => panic!("{error}"),
        }
    }

    async fn until(&mut self, holds: impl Fn(&Replica) -> bool) {
        while !holds(&self.replica) {
            self.step().await.expect("the connection goes on");
        }
    }
}

/// A page that makes a frame large.
fn page(n: usize) -> String {
    format!("/{n}/{}", "x".repeat(500))
}

/// Everybody shows their pages, which are long.
async fn talkers(world: &World) -> Vec<Tab> {
    let mut tabs = Vec::new();
    let shown = SettingsPatch {
        visibility: Some(Visibility::Everyone),
        show_current_page: Some(true),
        ..SettingsPatch::default()
    };
    for user in [world.finn, world.vera, world.rosa] {
        world.set(user, shown.clone()).await;
        tabs.push(world.enter_present(user).await);
    }
    tabs
}

async fn say(tab: &mut Tab, n: usize) {
    let page = Some(page(n));
    tab.track(TrackRequest { current_page: page, ..TrackRequest::of(Status::Online) }).await;
}

/// A window of a millisecond, so that every change is a frame for whoever reads.
fn eager() -> Launch {
    Launch::new().set("presence.window_ms", 1)
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_the_final_state_and_disturbs_nobody() {
    let world = World::on(Arc::new(eager().set("presence.stall_ms", 600_000).start())).await;
    let channel = world.wedding_a;
    let mut talkers = talkers(&world).await;
    let mut slow = Slow::watch(&world, world.anna).await;
    let mut neighbour = world.enter(world.anna).await;
    neighbour.watch(channel).await;
    let before = world.hub.resident_kib();
    for n in 0..CHANGES {
        let of = n % talkers.len();
        say(&mut talkers[of], n).await;
        let (user, expected) = (talkers[of].user, page(n));
        neighbour.until("the change", |tab| tab.page(channel, user) == Some(&expected)).await;
    }
    let grown = world.hub.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "the hub grew by {grown} KiB");

    let truth = neighbour.replica.list(channel).expect("a list").entries().clone();
    let told_at_first = slow.replica.list(channel).expect("a list").sequence();
    slow.until(|replica| replica.list(channel).is_some_and(|list| *list.entries() == truth)).await;
    let frames = slow.replica.list(channel).expect("a list").sequence() - told_at_first;
    let all = neighbour.replica.list(channel).expect("a list").sequence();
    assert!(frames < all, "conflated: {frames} frames where a reader got {all}");
}

#[tokio::test]
async fn a_client_that_makes_no_progress_is_closed_and_may_come_back() {
    let launch = eager().set("presence.stall_ms", 300).set("shutdown.drain_s", 1);
    let world = World::on(Arc::new(launch.start())).await;
    let channel = world.wedding_a;
    let mut talkers = talkers(&world).await;
    let mut slow = Slow::watch(&world, world.anna).await;
    let lost = slow.replica.clone();
    let mut n = 0;
    eventually("end of the hub's patience", async || {
        for talker in &mut talkers {
            n += 1;
            say(talker, n).await;
        }
        (world.hub.metric(&world.http, "presence_hub_closes_total").await >= 1.0).then_some(())
    })
    .await;
    let code = loop {
        if let Err(code) = slow.step().await {
            break code;
        }
    };
    assert!(matches!(code, Some(4101) | None), "{code:?}");
    let mut back = world.back(lost, None).await;
    assert!(back.resumed(), "its session waited");
    for talker in &talkers {
        back.until("the final state", |tab| {
            tab.page(channel, talker.user) == talker.replica.user().and(tab.page(channel, talker.user))
                && tab.page(channel, talker.user).is_some()
        })
        .await;
    }
    tokio::time::timeout(Duration::from_secs(30), back.ping()).await.expect("a round trip");
}
