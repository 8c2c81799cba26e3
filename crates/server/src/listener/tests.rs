use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Accept, MAX_HEAD_BYTES, MAX_HEADERS, Options, Peer, accept::Backoff, serve, tune};
use crate::testing::{self, PATIENCE, answer, rest};

const HELLO: &str = "GET /hello HTTP/1.1\r\nHost: hub\r\n\r\n";

fn router() -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/peer", get(async |Extension(peer): Extension<Peer>| peer.address().to_string()))
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let server = testing::serve(router(), &[]).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut stream).await.body, stream.local_addr().unwrap().to_string());
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_headers_is_cut_off() {
    let server = testing::serve(router(), &[("listen.header_timeout_ms", "50")]).await;
    for sent in ["", "GET /hello HTTP/1.1\r\nHost: hub\r\nX-Slow: "] {
        let mut slow = server.connect().await;
        slow.write_all(sent.as_bytes()).await.unwrap();
        let left = rest(&mut slow).await;
        assert!(!left.windows(5).any(|window| window == b"hello"), "{sent:?} was answered");
    }
    assert_eq!(server.ask(HELLO).await.body, "hello", "others are served meanwhile");
}

#[tokio::test]
async fn who_is_silent_or_slow_takes_nobodys_turn() {
    let server = testing::serve(router(), &[("listen.max_handshakes", "1")]).await;
    let mut open = Vec::new();
    for sent in ["", "", "GET /hello HTTP/1.1\r\nHost: hub\r\nX-Slow: ", "GET /hel", ""] {
        let mut slow = server.connect().await;
        slow.write_all(sent.as_bytes()).await.unwrap();
        open.push(slow);
    }
    // Each of the slow ones has its turn, and not for long.
    assert_eq!(server.ask(HELLO).await.body, "hello");
    open[0].write_all(HELLO.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut open[0]).await.body, "hello");
}

#[tokio::test]
async fn a_port_is_taken_once() {
    let listener = super::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert!(super::bind(listener.local_addr().unwrap()).is_err());
}

/// A request whose line and headers have so many bytes.
fn head_of(bytes: usize) -> String {
    let without = "GET /hello HTTP/1.1\r\nHost: hub\r\nX: \r\n\r\n".len();
    format!("GET /hello HTTP/1.1\r\nHost: hub\r\nX: {}\r\n\r\n", "y".repeat(bytes - without))
}

/// A request with so many headers.
fn headers(count: usize) -> String {
    let more: String = (1..count).map(|n| format!("X-{n}: y\r\n")).collect();
    format!("GET /hello HTTP/1.1\r\nHost: hub\r\n{more}\r\n")
}

#[tokio::test]
async fn headers_have_a_limit_of_number_and_size() {
    let server = testing::serve(router(), &[]).await;
    for request in [head_of(MAX_HEAD_BYTES), headers(MAX_HEADERS)] {
        assert_eq!(server.ask(&request).await.body, "hello");
    }
    let address = format!("GET /hello?{} HTTP/1.1\r\nHost: hub\r\n\r\n", "y".repeat(MAX_HEAD_BYTES));
    for request in [head_of(MAX_HEAD_BYTES + 1), headers(MAX_HEADERS + 1), address] {
        let refused = server.ask(&request).await;
        assert_eq!((refused.status, refused.code().as_str()), (431, "head_too_large"));
        let document: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(document["requestId"].as_str(), refused.header("x-request-id"));
        assert_eq!(refused.header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn who_is_refused_early_and_goes_on_sending_still_reads_why() {
    let server = testing::serve(router(), &[]).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let sending =
        tokio::spawn(async move { write.write_all(head_of(200 * 1024).as_bytes()).await.map(|()| write) });
    let mut told = Vec::new();
    timeout(PATIENCE, read.read_to_end(&mut told)).await.expect("an end").expect("no reset");
    sending.await.unwrap().expect("all was taken");
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("HTTP/1.1 431 ") && told.contains("\"head_too_large\""), "{told}");
}

#[tokio::test]
async fn who_never_ends_sending_is_cut_off() {
    let server = testing::serve(router(), &[]).await;
    let mut stream = server.connect().await;
    let endless = async {
        stream.write_all(head_of(MAX_HEAD_BYTES + 1).as_bytes()).await?;
        loop {
            stream.write_all(&[b'y'; 1024]).await?;
        }
    };
    let ended: io::Result<()> = timeout(PATIENCE, endless).await.expect("an end");
    assert!(ended.is_err());
}

#[tokio::test]
async fn what_was_asked_before_is_answered_before_the_refusal() {
    let server = testing::serve(router(), &[]).await;
    let mut stream = server.connect().await;
    stream.write_all(format!("{HELLO}{HELLO}nonsense\r\n\r\n").as_bytes()).await.unwrap();
    let told = String::from_utf8(rest(&mut stream).await).unwrap();
    assert_eq!(told.matches("hello").count(), 2, "{told}");
    assert_eq!(told.matches("\"malformed\"").count(), 1, "{told}");
}

#[tokio::test]
async fn an_answer_of_a_route_is_its_own() {
    let body = "HTTP/1.1 431 \r\n\r\n";
    let id = ("x-request-id", "1");
    let mine = async move || (axum::http::StatusCode::BAD_REQUEST, [id], body);
    let server = testing::serve(Router::new().route("/mine", get(mine)), &[]).await;
    let told = server.ask("GET /mine HTTP/1.1\r\nHost: hub\r\n\r\n").await;
    assert_eq!((told.status, told.body.as_str()), (400, body));
}

#[tokio::test]
async fn ambiguous_requests_are_refused() {
    let server = testing::serve(router(), &[]).await;
    for request in [
        "GET /hello HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET /hello HTTP/1.1\r\nHost: hub\r\nContent-Length: 1x\r\n\r\na",
        "GET /hello HTTP/1.1\r\nHost : hub\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let refused = server.ask(request).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "malformed"), "{request:?}");
        assert!(refused.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn one_connection_too_many_is_answered_503() {
    let server = testing::serve(router(), &[("listen.max_connections", "3")]).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut stream).await.status, 200);
        open.push(stream);
    }
    let mut refused = server.connect().await;
    let told = answer(&mut refused).await;
    assert_eq!((told.status, told.code().as_str()), (503, "overloaded"));
    assert_eq!(told.header("retry-after"), Some("5"));
    assert!(rest(&mut refused).await.is_empty());

    drop(open.pop());
    timeout(PATIENCE, async {
        // The hub learns of the free seat a moment after this side closed it.
        while answer_of(&server).await != 200 {}
    })
    .await
    .expect("the seat is free again");
}

async fn answer_of(server: &testing::Server) -> u16 {
    let mut stream = server.connect().await;
    let _ = stream.write_all(HELLO.as_bytes()).await;
    let mut first = [0; 12];
    match stream.read_exact(&mut first).await {
        Ok(_) => String::from_utf8_lossy(&first[9..]).parse().unwrap(),
        Err(_) => 0,
    }
}

#[tokio::test]
async fn one_address_cannot_take_all_seats() {
    let server = testing::serve(router(), &[("listen.max_connections_per_address", "2")]).await;
    let _open = [server.connect().await, server.connect().await];
    let mut refused = server.connect().await;
    let told = answer(&mut refused).await;
    assert_eq!(told.status, 503);
    assert!(told.body.contains("your address"), "{}", told.body);
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_frees_the_port() {
    let (started, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (says, waits) = (Arc::clone(&started), Arc::clone(&finish));
    let slow = async move || {
        says.notify_one();
        waits.notified().await;
        "done"
    };
    let server = testing::serve(router().route("/slow", get(slow)), &[]).await;
    let mut idle = server.connect().await;
    idle.write_all(HELLO.as_bytes()).await.unwrap();
    answer(&mut idle).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    started.notified().await;

    server.stop.cancel();
    assert!(rest(&mut idle).await.is_empty(), "an idle connection is closed at once");
    finish.notify_one();
    let last = answer(&mut busy).await;
    assert_eq!((last.body.as_str(), last.header("connection")), ("done", Some("close")));
    timeout(PATIENCE, server.task).await.expect("ends in time").unwrap();
    TcpListener::bind(server.address).await.expect("the port is free");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let started = Arc::new(Notify::new());
    let says = Arc::clone(&started);
    let never = async move || {
        says.notify_one();
        std::future::pending::<&'static str>().await
    };
    let server = testing::serve(router().route("/never", get(never)), &[("shutdown.drain_s", "1")]).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /never HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    started.notified().await;
    server.stop.cancel();
    timeout(PATIENCE, server.task).await.expect("ends in time").unwrap();
}

/// Fails as a system without free file descriptors does, a few times.
struct Exhausted {
    listener: TcpListener,
    failures: usize,
    calls: Arc<AtomicUsize>,
}

impl Accept for Exhausted {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        const EMFILE: i32 = 24;
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.failures {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        self.listener.accept().await
    }
}

#[tokio::test]
async fn a_want_of_file_descriptors_passes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let acceptor = Exhausted { listener, failures: 3, calls: Arc::clone(&calls) };
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(acceptor, router(), Options::operations(), stop.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(HELLO.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.body, "hello");
    assert!(calls.load(Ordering::SeqCst) <= 5, "it did not spin");
    stop.cancel();
    timeout(PATIENCE, task).await.expect("ends in time").unwrap();
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_a_second() {
    let error = io::Error::from_raw_os_error(24);
    let mut backoff = Backoff::default();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let before = Instant::now();
        backoff.after(&error).await;
        pauses.push(before.elapsed().as_millis());
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    backoff.reset();
    let before = Instant::now();
    backoff.after(&error).await;
    assert_eq!(before.elapsed(), Duration::from_millis(10));
    let before = Instant::now();
    backoff.after(&io::ErrorKind::ConnectionAborted.into()).await;
    assert_eq!(before.elapsed(), Duration::ZERO, "one lost connection is no reason to pause");
}

#[tokio::test]
async fn sockets_are_tuned() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tune(&stream).unwrap();
    let socket = socket2::SockRef::from(&stream);
    assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
    #[cfg(target_os = "linux")]
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(30)));
}
