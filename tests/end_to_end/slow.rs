//! Clients that do not read: they cost little, disturb nobody, and get the final state.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use client::{Phase, Replica};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use model::{ChannelId, Encoding, Phase::Live, SettingsPatch, Status, TrackRequest, Visibility};
use socket2::{Domain, Socket, Type};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use wire::{ClientFrame, Hello, ServerFrame};

use crate::fixture::{Launch, Tab, World, eventually, in_time, subscribe, token};

/// Changes that a slow client misses.
const CHANGES: usize = 500;
/// What a hub may grow by, however slow its clients are. Generous: the changes are far less than that.
const GROWTH_KIB: u64 = 48 * 1024;

/// A client with hardly any room between the hub and itself, so that not reading is felt soon.
struct Slow {
    sink: Option<SplitSink<Stream, Message>>,
    stream: SplitStream<Stream>,
    replica: Replica,
    /// View frames that came after a snapshot.
    diffs: usize,
}

type Stream = WebSocketStream<tokio::net::TcpStream>;

/// A connection with hardly any room on this side.
pub(crate) fn narrow(address: &str) -> tokio::net::TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(2_048).expect("a small buffer");
    let address: std::net::SocketAddr = address.parse().expect("an address");
    socket.connect(&address.into()).expect("a connection");
    socket.set_nonblocking(true).expect("a socket");
    tokio::net::TcpStream::from_std(socket.into()).expect("a stream")
}

fn text(frame: &ClientFrame) -> Message {
    Message::text(String::from_utf8(wire::encode_client(Encoding::Json, frame)).expect("JSON"))
}

impl Slow {
    async fn watch(world: &World, user: model::UserId) -> Self {
        let mut request = world.hub.socket_url().into_client_request().expect("a request");
        let protocol = http::HeaderValue::from_static(wire::subprotocol(Encoding::Json));
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (stream, _) = client_async(request, narrow(&world.hub.address)).await.expect("a handshake");
        let (mut sink, stream) = stream.split();
        let hello = Hello { token: Some(token(user)), ..Hello::default() };
        for frame in [ClientFrame::Hello(hello), subscribe(1, world.wedding_a)] {
            sink.send(text(&frame)).await.expect("a connection");
        }
        let mut slow = Self { sink: Some(sink), stream, replica: Replica::new(), diffs: 0 };
        slow.until(|replica| replica.phase(world.wedding_a) == Some(Phase::Live)).await;
        slow
    }

    /// Asks for snapshot after snapshot and reads none of them, until the hub cannot write any more and therefore reads
    /// no further. What was begun to be asked is asked when there is room again.
    async fn stop_reading(&mut self, channel: ChannelId) {
        let mut sink = self.sink.take().expect("asked once");
        let (asked, enough) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicBool::new(false)));
        let (counter, stop) = (asked.clone(), enough.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let id = counter.fetch_add(1, Ordering::SeqCst) + 1;
                if sink.send(text(&subscribe(id, channel))).await.is_err() {
                    return;
                }
            }
        });
        let mut before = 0;
        eventually("a hub that reads no further", async || {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = asked.load(Ordering::SeqCst);
            (std::mem::replace(&mut before, now) == now).then_some(())
        })
        .await;
        enough.store(true, Ordering::SeqCst);
    }

    /// Takes one frame; the close code where the connection is over.
    async fn step(&mut self) -> Result<(), Option<u16>> {
        match in_time("a frame", self.stream.next()).await {
            Some(Ok(Message::Text(text))) => {
                let frame = wire::decode_server(Encoding::Json, text.as_bytes()).expect("a frame");
                self.diffs += usize::from(matches!(&frame, ServerFrame::View(view) if view.phase == Live));
                // Of subscriptions that were replaced there may be frames under way.
                if let Err(fault) = self.replica.apply(&frame) {
                    assert_eq!(fault.channel, None, "{fault}");
                }
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
pub(crate) async fn talkers(world: &World) -> Vec<Tab> {
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

pub(crate) async fn say(tab: &mut Tab, n: usize) {
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
    let mut neighbour = world.enter(world.anna).await;
    neighbour.watch(channel).await;
    let before = world.hub.resident_kib();
    let mut slow = Slow::watch(&world, world.anna).await;
    slow.stop_reading(channel).await;
    for n in 0..CHANGES {
        let of = n % talkers.len();
        say(&mut talkers[of], n).await;
        let (user, expected) = (talkers[of].user, page(n));
        neighbour.until("the change", |tab| tab.page(channel, user) == Some(&expected)).await;
    }
    let grown = world.hub.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "the hub grew by {grown} KiB");
    kept_for(&world, 1.0).await;
    let truth = neighbour.replica.list(channel).expect("a list").entries().clone();
    slow.until(|replica| replica.list(channel).is_some_and(|list| *list.entries() == truth)).await;
    assert!(slow.diffs < CHANGES / 10, "{} diffs where only the last states matter", slow.diffs);
}

/// Waits until the metrics say that something is kept for so many sockets, and no more than may be.
async fn kept_for(world: &World, sockets: f64) {
    let told = async || {
        let bytes = world.hub.metric(&world.http, "presence_hub_outbox_bytes").await;
        let waiting = world.hub.metric(&world.http, "presence_hub_outboxes_waiting").await;
        let fits = bytes <= sockets * model::limits::OUTBOX_BYTES as f64;
        (waiting == sockets && (bytes > 0.0) == (sockets > 0.0) && fits).then_some(())
    };
    eventually("what is kept for slow readers", told).await;
}

#[tokio::test]
async fn a_client_that_makes_no_progress_is_closed_and_may_come_back() {
    let world = World::on(Arc::new(eager().set("presence.stall_ms", 300).start())).await;
    let channel = world.wedding_a;
    let mut talkers = talkers(&world).await;
    let mut slow = Slow::watch(&world, world.anna).await;
    let lost = slow.replica.clone();
    slow.stop_reading(channel).await;
    let closed = async || {
        let closes = world.hub.metric(&world.http, "presence_hub_closes_total").await;
        (closes >= 1.0).then_some(())
    };
    eventually("end of the hub's patience", closed).await;
    for (n, talker) in talkers.iter_mut().enumerate() {
        say(talker, n).await;
    }
    let code = loop {
        if let Err(code) = slow.step().await {
            break code;
        }
    };
    // Who does not read may miss the last words.
    assert!(matches!(code, Some(4101) | None), "{code:?}");
    kept_for(&world, 0.0).await;
    let mut back = world.back(lost, None).await;
    assert!(back.resumed(), "its session waited");
    back.watch(channel).await;
    for (n, talker) in talkers.iter().enumerate() {
        back.until("the final state", |tab| tab.page(channel, talker.user) == Some(&page(n))).await;
    }
}
