use model::Encoding;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::{Request, Stale};

use super::*;
use crate::testing::{TestHub, soon, welcome_to};

fn token() -> Token {
    Token::new("header.claims.signature")
}

async fn opened(hub: &TestHub, encoding: Encoding) -> (Socket, crate::testing::Peer) {
    let (url, serve) = (hub.url(), hub.welcome(welcome_to(7)));
    let (opened, (peer, _)) = tokio::join!(Socket::open(&url, encoding, token()), serve);
    (opened.unwrap().0, peer)
}

#[tokio::test]
async fn says_hello_and_speaks_frames_in_both_encodings() {
    for encoding in Encoding::ALL {
        let hub = TestHub::new().await;
        let (url, serve) = (hub.url(), hub.welcome(welcome_to(7)));
        let (opened, (mut peer, hello)) = tokio::join!(Socket::open(&url, encoding, token()), serve);
        let (mut socket, welcome) = opened.unwrap();
        assert_eq!((peer.encoding, socket.encoding()), (encoding, encoding));
        assert_eq!(welcome, welcome_to(7));
        assert_eq!(hello.token, Some(token()));
        socket.send(&ClientFrame::Ping(Request { id: model::RequestId(3) })).await.unwrap();
        let ClientFrame::Ping(ping) = peer.receive().await else { panic!("a ping was sent") };
        peer.ack(ping.id).await;
        assert_eq!(
            soon(socket.receive()).await.unwrap(),
            ServerFrame::Ack(wire::Ack { re: ping.id, durable: true })
        );
    }
}

#[tokio::test]
async fn tells_the_close_code_the_reason_and_what_was_said_before() {
    let hub = TestHub::new().await;
    let (mut socket, mut peer) = opened(&hub, Encoding::Json).await;
    let closing = Closing { reconnect_after_ms: Some(4_200), ..Closing::new(CloseCode::Restarting) };
    let (end, ()) = tokio::join!(
        async {
            assert_eq!(socket.receive().await.unwrap(), ServerFrame::Closing(closing.clone()));
            socket.receive().await
        },
        peer.close(4100, Some(closing.clone()))
    );
    let SocketError::Closed(closed) = end.unwrap_err() else { panic!("it was closed") };
    assert_eq!((closed.code, closed.reason.as_str()), (Some(4100), "because"));
    assert_eq!(closed.close_code(), Some(CloseCode::Restarting));
    assert_eq!(closed.closing.as_deref(), Some(&closing));
    assert!(closed.to_string().contains("4100"));
    let SocketError::Closed(again) = soon(socket.receive()).await.unwrap_err() else {
        panic!("it stays closed")
    };
    assert_eq!(again, closed);
}

#[tokio::test]
async fn a_connection_that_just_ends_has_no_code() {
    let hub = TestHub::new().await;
    let (mut socket, peer) = opened(&hub, Encoding::MessagePack).await;
    drop(peer);
    let SocketError::Closed(closed) = soon(socket.receive()).await.unwrap_err() else {
        panic!("it was closed")
    };
    assert_eq!(closed, Closed::default());
    assert_eq!(closed.to_string(), "without a close frame");
}

#[tokio::test]
async fn closes_with_a_code_and_waits_for_the_answer() {
    let hub = TestHub::new().await;
    let (socket, mut peer) = opened(&hub, Encoding::Json).await;
    let (closed, code) = tokio::join!(socket.close(1000, "bye"), peer.closed());
    assert_eq!(code, Some(1000));
    assert_eq!(closed.unwrap().code, Some(1000));
}

#[tokio::test]
async fn nonsense_can_be_sent_and_frames_that_cannot_be_read_are_told() {
    let hub = TestHub::new().await;
    let (mut socket, mut peer) = opened(&hub, Encoding::Json).await;
    socket.send_raw(Message::binary(vec![0xc1, 0xff])).await.unwrap();
    assert_eq!(peer.receive_raw().await, Message::binary(vec![0xc1, 0xff]));
    peer.socket.send(Message::text("{}")).await.unwrap();
    peer.socket.send(Message::binary(vec![0x80])).await.unwrap();
    peer.socket.send(Message::Ping(vec![1].into())).await.unwrap();
    peer.send(ServerFrame::Stale(Stale { subscription: None, stale: true })).await;
    assert!(matches!(soon(socket.receive()).await, Err(SocketError::Decode(_))));
    let error = soon(socket.receive()).await.unwrap_err();
    assert_eq!(error.to_string(), "expected presence.v1.json, the hub said `a MessagePack message`");
    assert!(matches!(soon(socket.receive()).await, Ok(ServerFrame::Stale(_))));
}

#[tokio::test]
async fn a_closing_instead_of_a_welcome_is_a_close() {
    let hub = TestHub::new().await;
    let serve = async {
        let mut peer = hub.accept().await;
        peer.receive().await;
        peer.close(4201, Some(Closing::new(CloseCode::TokenInvalid))).await;
    };
    let url = hub.url();
    let (opened, ()) = tokio::join!(Socket::open(&url, Encoding::Json, token()), serve);
    let SocketError::Closed(closed) = opened.unwrap_err() else { panic!("it was closed") };
    assert_eq!(closed.close_code(), Some(CloseCode::TokenInvalid));
}

#[tokio::test]
async fn anything_else_instead_of_a_welcome_is_unexpected() {
    let hub = TestHub::new().await;
    let serve = async {
        let mut peer = hub.accept().await;
        peer.ack(model::RequestId(1)).await;
        peer
    };
    let url = hub.url();
    let (opened, _peer) = tokio::join!(Socket::open(&url, Encoding::Json, token()), serve);
    assert!(matches!(opened.unwrap_err(), SocketError::Unexpected { expected: "a welcome", .. }));
}

#[tokio::test]
async fn the_token_can_go_with_the_handshake() {
    let hub = TestHub::new().await;
    for (place, header, value) in [
        (TokenIn::Header(token()), "authorization", "Bearer header.claims.signature"),
        (
            TokenIn::Subprotocol(token()),
            "sec-websocket-protocol",
            "presence.v1.json, bearer.header.claims.signature",
        ),
    ] {
        let origin = http::HeaderValue::from_static("https://app.example");
        let handshake = Handshake::new(hub.url(), Encoding::Json).token(place).header(header::ORIGIN, origin);
        assert!(!format!("{handshake:?}").contains("signature"));
        let (socket, peer) = tokio::join!(handshake.open(), hub.accept());
        assert!(socket.is_ok());
        assert_eq!(peer.headers[header], value);
        assert_eq!(peer.headers["origin"], "https://app.example");
    }
}

#[tokio::test]
async fn a_token_that_is_no_header_is_refused_before_connecting() {
    let handshake = Handshake::new("ws://127.0.0.1:1/ws", Encoding::Json);
    let handshake = handshake.token(TokenIn::Header(Token::new("two\nlines")));
    assert!(matches!(handshake.open().await, Err(SocketError::Url(_))));
}

async fn answered(answer: &'static str) -> SocketError {
    let hub = TestHub::new().await;
    let serve = async {
        let mut stream = hub.stream().await;
        let mut asked = vec![0; 4096];
        assert!(stream.read(&mut asked).await.unwrap() > 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    let (opened, ()) = tokio::join!(Handshake::new(hub.url(), Encoding::Json).open(), serve);
    opened.unwrap_err()
}

#[tokio::test]
async fn a_refused_handshake_tells_its_answer() {
    let error = answered("HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nfull").await;
    let SocketError::Refused(refusal) = error else { panic!("it was refused") };
    assert_eq!((refusal.status, refusal.retry_after_s, refusal.body.as_str()), (503, Some(7), "full"));
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told() {
    let answer = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                  Sec-WebSocket-Accept: wrong\r\n\r\n";
    assert!(matches!(answered(answer).await, SocketError::Transport(_)));
}

#[tokio::test]
async fn urls_that_cannot_be_used_are_told() {
    for url in ["http://127.0.0.1:1/ws", "no url at all", "ws://"] {
        let opened = Handshake::new(url, Encoding::Json).open().await;
        assert!(matches!(opened, Err(SocketError::Url(_))), "{url}: {opened:?}");
    }
}

#[tokio::test]
async fn tls_is_spoken_and_a_server_without_it_is_a_broken_transport() {
    let hub = TestHub::new().await;
    let url = hub.url().replace("ws://", "wss://");
    let serve = async {
        let mut stream = hub.stream().await;
        let mut asked = [0; 3];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        asked
    };
    let (opened, asked) = tokio::join!(Handshake::new(url, Encoding::Json).open(), serve);
    assert_eq!(asked[..2], [0x16, 0x03], "a TLS handshake");
    assert!(matches!(opened, Err(SocketError::Transport(_))), "{opened:?}");
}
