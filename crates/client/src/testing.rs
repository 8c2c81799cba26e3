//! A hub for tests: it accepts sockets and says what the test tells it to.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use model::{
    ChannelId, Encoding, EntryId, PersonRecord, PersonState, Phase, Record, RequestId, SessionId, Settings,
    SharedRecord, Status, SubscribedChannel, SubscriptionId, UserId, ViewFrame, WeddingId,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::CloseFrame,
    },
};
use uuid::Uuid;
use wire::{Ack, Announced, ClientFrame, Closing, ServerFrame, Subscribed, Welcome};

/// Nothing in these tests takes this long, unless it never comes.
const NEVER: Duration = Duration::from_secs(10);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(NEVER, what).await.expect("it never came")
}

pub(crate) struct TestHub {
    listener: TcpListener,
}

impl TestHub {
    pub(crate) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.listener.local_addr().unwrap())
    }

    pub(crate) async fn stream(&self) -> TcpStream {
        soon(self.listener.accept()).await.unwrap().0
    }

    /// Answers the next handshake; returns its headers too.
    pub(crate) async fn accept(&self) -> Peer {
        let stream = self.stream().await;
        let mut headers = http::HeaderMap::new();
        let mut encoding = None;
        #[expect(clippy::result_large_err, reason = "the library wants this type")]
        let handshake = |request: &Request, mut response: Response| {
            headers = request.headers().clone();
            let offered = request.headers()["sec-websocket-protocol"].to_str().unwrap();
            let spoken = offered.split(", ").find(|name| wire::encoding_of(name).is_some()).unwrap();
            encoding = wire::encoding_of(spoken);
            response.headers_mut().insert("sec-websocket-protocol", spoken.parse().unwrap());
            Ok(response)
        };
        let socket = soon(accept_hdr_async(stream, handshake)).await.unwrap();
        Peer { socket, encoding: encoding.unwrap(), headers }
    }

    /// Answers the next handshake, and its hello with a welcome; returns the hello too.
    pub(crate) async fn welcome(&self, welcome: Welcome) -> (Peer, wire::Hello) {
        let mut peer = self.accept().await;
        let ClientFrame::Hello(hello) = peer.receive().await else { panic!("the first frame is a hello") };
        peer.send(ServerFrame::Welcome(Box::new(welcome))).await;
        (peer, hello)
    }
}

pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) encoding: Encoding,
    pub(crate) headers: http::HeaderMap,
}

impl Peer {
    pub(crate) async fn receive_raw(&mut self) -> Message {
        soon(self.socket.next()).await.expect("the connection goes on").unwrap()
    }

    pub(crate) async fn receive(&mut self) -> ClientFrame {
        let message = self.receive_raw().await;
        match (self.encoding, message) {
            (Encoding::Json, Message::Text(text)) => wire::decode_client(self.encoding, text.as_bytes()),
            (Encoding::MessagePack, Message::Binary(bytes)) => wire::decode_client(self.encoding, &bytes),
            (encoding, other) => panic!("{other:?} in {encoding:?}"),
        }
        .unwrap()
    }

    /// How the client closed; `None`: without a close frame.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        // To the end, so that the answer goes out.
        while let Some(Ok(message)) = soon(self.socket.next()).await {
            if let Message::Close(Some(frame)) = message {
                code = Some(frame.code.into());
            }
        }
        code
    }

    pub(crate) async fn send(&mut self, frame: ServerFrame) {
        let bytes = wire::encode_server(self.encoding, &frame);
        let message = match self.encoding {
            Encoding::Json => Message::text(String::from_utf8(bytes).unwrap()),
            Encoding::MessagePack => Message::binary(bytes),
        };
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn ack(&mut self, re: RequestId) {
        self.send(ServerFrame::Ack(Ack { re, durable: true })).await;
    }

    /// Takes a subscribe and gives each channel the next number, from `first` on.
    pub(crate) async fn subscribe(&mut self, first: u32) -> Vec<ChannelId> {
        let ClientFrame::Subscribe(subscribe) = self.receive().await else {
            panic!("a subscribe had to come")
        };
        let channels: Vec<_> = subscribe.channels.iter().map(|request| request.channel).collect();
        self.send(subscribed(subscribe.id, first, &channels)).await;
        channels
    }

    pub(crate) async fn close(&mut self, code: u16, closing: Option<Closing>) {
        if let Some(closing) = closing {
            self.send(ServerFrame::Closing(closing)).await;
        }
        let frame = CloseFrame { code: code.into(), reason: "because".into() };
        self.socket.close(Some(frame)).await.unwrap();
        // Until the client has answered, so that no reset overtakes the frame.
        while soon(self.socket.next()).await.is_some() {}
    }
}

pub(crate) fn wedding(number: u128) -> ChannelId {
    ChannelId::Wedding(WeddingId(Uuid::from_u128(number)))
}

pub(crate) fn person(number: u128) -> EntryId {
    EntryId::Person(user(number))
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn welcome_to(session: u128) -> Welcome {
    Welcome {
        user: user(1),
        session: SessionId(Uuid::from_u128(session)),
        resume: None,
        heartbeat_ms: 20_000,
        heartbeat_timeout_ms: 10_000,
        resume_ms: 120_000,
        limits: Announced { message_bytes: 16_384, subscriptions: 64 },
        settings: Settings::default(),
    }
}

pub(crate) fn subscribed(re: RequestId, first: u32, channels: &[ChannelId]) -> ServerFrame {
    let outcomes = channels.iter().zip(first..).map(|(channel, number)| SubscribedChannel {
        channel: *channel,
        outcome: Ok(SubscriptionId(number)),
    });
    ServerFrame::Subscribed(Subscribed { re, channels: outcomes.collect() })
}

pub(crate) fn record(number: u128, status: Status) -> Record {
    let state = PersonState::Present {
        status,
        page: None,
        is_typing: false,
        device: None,
        custom_status: None,
        custom_emoji: None,
    };
    Record::Person(PersonRecord { user_id: user(number), state })
}

/// An empty view frame.
pub(crate) fn frame(subscription: u32, sequence: u32, phase: Phase) -> ViewFrame {
    let subscription = SubscriptionId(subscription);
    ViewFrame { subscription, sequence, phase, join: Vec::new(), update: Vec::new(), leave: Vec::new() }
}

pub(crate) const LAST_PAGE: Phase = Phase::Snapshot { more: false };
pub(crate) const PAGE: Phase = Phase::Snapshot { more: true };

pub(crate) trait ViewFrameExt: Sized {
    fn join(self, number: u128, status: Status) -> Self;
    fn update(self, number: u128, status: Status) -> Self;
    fn leave(self, number: u128) -> Self;
    fn said(self) -> ServerFrame;
}

impl ViewFrameExt for ViewFrame {
    fn join(mut self, number: u128, status: Status) -> Self {
        self.join.push(Arc::new(SharedRecord::new(record(number, status))));
        self
    }

    fn update(mut self, number: u128, status: Status) -> Self {
        self.update.push(Arc::new(SharedRecord::new(record(number, status))));
        self
    }

    fn leave(mut self, number: u128) -> Self {
        self.leave.push(person(number));
        self
    }

    fn said(self) -> ServerFrame {
        ServerFrame::View(self)
    }
}
