use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::{SinkExt, StreamExt};
use model::{Encoding, limits};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::mpsc,
    time::{Duration, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::CapacityError,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Rules, Upgraded, upgrade};
use crate::testing::{self, Answer, PATIENCE, Server, answer, config, rest};

/// A server whose sockets are handed to the test.
struct Sockets {
    server: Server,
    opened: mpsc::Receiver<Upgraded>,
}

async fn serve(settings: &[(&str, &str)]) -> Sockets {
    let rules = Arc::new(Rules::from(&config(settings)));
    let (sender, opened) = mpsc::channel(8);
    let route = async move |request: Request| -> Response {
        match upgrade(request, &rules) {
            Ok((response, pending)) => {
                tokio::spawn(async move {
                    if let Ok(upgraded) = pending.ready().await {
                        let _ = sender.send(*upgraded).await;
                    }
                });
                response
            }
            Err(problem) => problem.into_response(),
        }
    };
    Sockets { server: testing::serve(Router::new().route("/ws", any(route)), settings).await, opened }
}

impl Sockets {
    async fn next(&mut self) -> Upgraded {
        timeout(PATIENCE, self.opened.recv()).await.expect("a socket in time").unwrap()
    }

    /// A handshake that succeeds: both ends of the socket.
    async fn open(&mut self, more: &[(&str, &str)]) -> (WebSocketStream<TcpStream>, Upgraded, Answer) {
        let mut stream = self.server.connect().await;
        stream.write_all(request("/ws", more).as_bytes()).await.unwrap();
        let told = answer(&mut stream).await;
        assert_eq!(told.status, 101, "{told:?}");
        let upgraded = self.next().await;
        let config = WebSocketConfig::default();
        (WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await, upgraded, told)
    }
}

const JSON: (&str, &str) = ("Sec-WebSocket-Protocol", "presence.v1.json");

/// A good handshake with some headers replaced; an empty value removes one, `+` adds a second.
fn request(path: &str, changes: &[(&str, &str)]) -> String {
    let mut headers = vec![
        ("Host", "hub"),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in changes {
        match value.strip_prefix('+') {
            Some(second) => headers.push((name, second)),
            None => {
                headers.retain(|(known, _)| known != name);
                headers.push((name, value));
            }
        }
    }
    let lines = headers.iter().filter(|(_, value)| !value.is_empty()).map(|(n, v)| format!("{n}: {v}\r\n"));
    format!("GET {path} HTTP/1.1\r\n{}\r\n", lines.collect::<String>())
}

#[tokio::test]
async fn a_handshake_opens_a_socket_in_the_encoding_preferred() {
    let mut sockets = serve(&[]).await;
    for (protocols, encoding, chosen) in [
        ("presence.v1.json", Encoding::Json, "presence.v1.json"),
        ("presence.v1.msgpack", Encoding::MessagePack, "presence.v1.msgpack"),
        (
            "presence.v9.json, presence.v1.msgpack,presence.v1.json",
            Encoding::MessagePack,
            "presence.v1.msgpack",
        ),
    ] {
        let (mut client, mut upgraded, told) = sockets.open(&[("Sec-WebSocket-Protocol", protocols)]).await;
        assert_eq!(told.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(told.header("sec-websocket-protocol"), Some(chosen));
        assert_eq!((upgraded.socket.outbox().encoding(), upgraded.token.is_none()), (encoding, true));
        client.send("hello".into()).await.unwrap();
        assert_eq!(upgraded.socket.next().await.unwrap().unwrap(), Message::text("hello"));
        upgraded.socket.send("welcome".into()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::text("welcome"));
        assert_eq!(upgraded.peer.address(), client.get_ref().local_addr().unwrap());
    }
}

#[tokio::test]
async fn handshakes_that_do_not_hold_are_answered() {
    let sockets = serve(&[("listen.allowed_origins", "https://app.example,chrome-extension://abc")]).await;
    let key = "Sec-WebSocket-Key";
    let table = [
        ("/ws", ("Upgrade", ""), 426, "upgrade_required"),
        ("/ws", ("Upgrade", "h2c"), 426, "upgrade_required"),
        ("/ws", ("Connection", "keep-alive"), 426, "upgrade_required"),
        ("/ws", ("Sec-WebSocket-Version", "8"), 426, "upgrade_required"),
        ("/ws", ("Sec-WebSocket-Version", ""), 426, "upgrade_required"),
        ("/ws", (key, ""), 400, "malformed"),
        ("/ws", (key, "short=="), 400, "malformed"),
        ("/ws", (key, "dGhlIHNhbXBsZSBub25jZR=="), 400, "malformed"),
        ("/ws", (key, "+dGhlIHNhbXBsZSBub25jZQ=="), 400, "malformed"),
        ("/ws", ("Sec-WebSocket-Protocol", ""), 400, "malformed"),
        ("/ws", ("Sec-WebSocket-Protocol", "graphql-ws"), 400, "malformed"),
        ("/ws", ("Sec-WebSocket-Protocol", "PRESENCE.V1.JSON"), 400, "malformed"),
        ("/ws", ("Sec-WebSocket-Protocol", "bearer.token"), 400, "malformed"),
        ("/ws", ("Authorization", "Basic dXNlcjpwYXNz"), 400, "malformed"),
        ("/ws", ("Authorization", "Bearer "), 400, "malformed"),
        ("/ws?token=t", JSON, 400, "malformed"),
        ("/ws?access_token=t", JSON, 400, "malformed"),
        ("/ws?a=b&JWT=t", JSON, 400, "malformed"),
        ("/ws?%74oken=t", JSON, 400, "malformed"),
        ("/ws", ("Origin", "https://evil.example"), 403, "foreign_origin"),
        ("/ws", ("Origin", "https://app.example.evil.io"), 403, "foreign_origin"),
        ("/ws", ("Origin", "https://evil-app.example"), 403, "foreign_origin"),
        ("/ws", ("Origin", "http://app.example"), 403, "foreign_origin"),
        ("/ws", ("Origin", "https://app.example:8443"), 403, "foreign_origin"),
        ("/ws", ("Origin", "https://APP.example"), 403, "foreign_origin"),
        ("/ws", ("Origin", "chrome-extension://abcd"), 403, "foreign_origin"),
        ("/ws", ("Origin", "null"), 403, "foreign_origin"),
        ("/ws", ("Origin", "http://hub:8080"), 403, "foreign_origin"),
        ("/ws", ("Origin", "http://hub.example"), 403, "foreign_origin"),
        ("/ws", ("Origin", "https://app.example https://evil.example"), 403, "foreign_origin"),
    ];
    for (path, change, status, code) in table {
        let changes = if change.0 == JSON.0 { vec![change] } else { vec![JSON, change] };
        let told = sockets.server.ask(&request(path, &changes)).await;
        assert_eq!((told.status, told.code().as_str()), (status, code), "{path} {change:?}");
        assert_eq!(
            told.header("sec-websocket-version").is_some(),
            change.0 == "Sec-WebSocket-Version",
            "{change:?}"
        );
    }
    let posted = request("/ws", &[JSON]).replace("GET", "POST");
    let told = sockets.server.ask(&posted).await;
    assert_eq!((told.code().as_str(), told.header("allow")), ("method_not_allowed", Some("GET")));
    let two = [JSON, ("Origin", "https://app.example"), ("Origin", "+https://evil.example")];
    assert_eq!(sockets.server.ask(&request("/ws", &two)).await.status, 403);
}

#[tokio::test]
async fn allowed_pages_and_programs_may_open_a_socket() {
    let origins = ("listen.allowed_origins", "https://app.example,chrome-extension://abc");
    let mut sockets = serve(&[origins]).await;
    for origin in ["", "https://app.example", "https://app.example:443", "chrome-extension://abc"] {
        sockets.open(&[JSON, ("Origin", origin)]).await;
    }
    // The console's own pages, whatever the hub is called by.
    for (origin, host) in [("http://hub:8080", "hub:8080"), ("https://hub.example", "hub.example")] {
        sockets.open(&[JSON, ("Host", host), ("Origin", origin)]).await;
    }
    let without = serve(&[origins, ("console.enabled", "false")]).await;
    let own = [JSON, ("Host", "hub:8080"), ("Origin", "http://hub:8080")];
    assert_eq!(without.server.ask(&request("/ws", &own)).await.code(), "foreign_origin");
    let strict = serve(&[origins, ("listen.allow_missing_origin", "false")]).await;
    assert_eq!(strict.server.ask(&request("/ws", &[JSON])).await.code(), "foreign_origin");
}

#[tokio::test]
async fn a_token_is_taken_from_the_header_or_a_subprotocol_and_never_echoed() {
    let mut sockets = serve(&[]).await;
    let protocol = ("Sec-WebSocket-Protocol", "bearer.aaa.bbb.ccc, presence.v1.json");
    let header = ("Authorization", "bearer aaa.bbb.ccc");
    for changes in [vec![protocol], vec![JSON, header]] {
        let (_client, upgraded, told) = sockets.open(&changes).await;
        assert_eq!(upgraded.token.as_ref().unwrap().expose(), "aaa.bbb.ccc");
        assert!(!told.head.contains("aaa"), "{}", told.head);
        assert!(!format!("{upgraded:?}").contains("aaa"));
    }
    let told = sockets.server.ask(&request("/ws", &[protocol, header])).await;
    assert_eq!(told.code(), "malformed");
    assert!(!told.body.contains("aaa"));
}

#[tokio::test]
async fn no_extension_is_accepted() {
    let mut sockets = serve(&[]).await;
    let offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
    let (mut client, mut upgraded, told) = sockets.open(&[JSON, offer]).await;
    assert_eq!(told.header("sec-websocket-extensions"), None);
    // A text frame with the bit of that extension set all the same.
    client.get_mut().write_all(&[0xC1, 0x80, 1, 2, 3, 4]).await.unwrap();
    assert!(matches!(upgraded.socket.next().await, Some(Err(Error::Protocol(_)))));
}

#[tokio::test]
async fn buffers_are_small_and_messages_bounded() {
    let mut sockets = serve(&[]).await;
    let (mut client, mut upgraded, _) = sockets.open(&[JSON]).await;
    let config = *upgraded.socket.config();
    assert_eq!((config.read_buffer_size, config.write_buffer_size), (256, 0));
    assert_eq!(
        (config.max_write_buffer_size, config.max_message_size),
        (limits::OUTBOX_CONTROL_BYTES, Some(16384))
    );
    assert!(!config.accept_unmasked_frames);

    client.send(Message::text("x".repeat(16 * 1024))).await.unwrap();
    assert_eq!(upgraded.socket.next().await.unwrap().unwrap().len(), 16 * 1024);
    client.send(Message::text("x".repeat(16 * 1024 + 1))).await.unwrap();
    let refused = upgraded.socket.next().await;
    assert!(
        matches!(refused, Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. })))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_message_that_never_ends_can_be_noticed() {
    let mut sockets = serve(&[]).await;
    let (mut client, mut upgraded, _) = sockets.open(&[JSON]).await;
    let empty_fragment = |first: u8| [first, 0x80, 0, 0, 0, 0];
    client.get_mut().write_all(&[empty_fragment(0x01), empty_fragment(0x00)].concat()).await.unwrap();
    client.get_mut().write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    // The ping is there, so the fragments before it were read; the message is still to end.
    assert!(matches!(upgraded.socket.next().await, Some(Ok(Message::Ping(_)))));
    let since = upgraded.socket.unfinished_since().expect("a message is under way");
    client.get_mut().write_all(&empty_fragment(0x00)).await.unwrap();
    assert!(timeout(Duration::from_millis(30), upgraded.socket.next()).await.is_err());
    assert_eq!(upgraded.socket.unfinished_since(), Some(since));
    client.get_mut().write_all(&empty_fragment(0x80)).await.unwrap();
    assert_eq!(upgraded.socket.next().await.unwrap().unwrap(), Message::text(""));
    assert_eq!(upgraded.socket.unfinished_since(), None);
}

#[tokio::test]
async fn frames_sent_with_the_handshake_are_not_lost() {
    let mut sockets = serve(&[]).await;
    let mut stream = sockets.server.connect().await;
    let masked_hi = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    stream.write_all(&[request("/ws", &[JSON]).as_bytes(), &masked_hi].concat()).await.unwrap();
    assert_eq!(answer(&mut stream).await.status, 101);
    let mut upgraded = sockets.next().await;
    assert_eq!(upgraded.socket.next().await.unwrap().unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn a_socket_keeps_its_seat_until_it_is_gone() {
    let mut sockets = serve(&[("listen.max_connections", "1")]).await;
    let (_client, upgraded, _) = sockets.open(&[JSON]).await;
    let mut refused = sockets.server.connect().await;
    assert_eq!(answer(&mut refused).await.code(), "overloaded");
    drop(upgraded);
    // The seat went with the socket, before drop returned; hyper's side was gone before it was handed out.
    sockets.open(&[JSON]).await;
}

#[tokio::test]
async fn the_clients_of_a_trusted_proxy_have_limits_of_their_own() {
    let settings = [("listen.trusted_proxies", "127.0.0.0/8"), ("listen.max_connections_per_address", "1")];
    let mut sockets = serve(&settings).await;
    let from = |client| [JSON, ("X-Forwarded-For", client)];
    let (_client, upgraded, _) = sockets.open(&from("198.51.100.7")).await;
    assert_eq!(upgraded.peer.client().to_string(), "198.51.100.7");
    let told = sockets.server.ask(&request("/ws", &from("198.51.100.7"))).await;
    assert_eq!(
        (told.status, told.code().as_str(), told.header("retry-after")),
        (503, "overloaded", Some("5"))
    );
    sockets.open(&from("198.51.100.8")).await;
}

#[tokio::test]
async fn a_stop_leaves_open_sockets_to_their_owner() {
    let mut sockets = serve(&[]).await;
    let (mut client, mut upgraded, _) = sockets.open(&[JSON]).await;
    sockets.server.stop.cancel();
    timeout(PATIENCE, sockets.server.task).await.expect("the listener ends").unwrap();
    upgraded.socket.send("still here".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("still here"));
    drop(upgraded);
    rest(client.get_mut()).await;
}

#[tokio::test]
async fn a_request_that_came_another_way_is_a_failure_of_ours() {
    let request = request("/ws", &[JSON]);
    let mut built = Request::get("/ws");
    for line in request.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        built = built.header(line.0, line.1);
    }
    let outcome = upgrade(built.body(axum::body::Body::empty()).unwrap(), &Rules::from(&config(&[])));
    assert_eq!(outcome.unwrap_err().kind().status(), 500);
}
