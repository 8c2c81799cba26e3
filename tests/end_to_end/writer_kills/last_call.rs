//! A call that is under way when the hub is told to end: either it is refused, or what it told is kept.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{kept::Kept, members, report, unlimited};
use crate::fixture::{Launch, World, eventually, in_time, token};

/// Longer than a hub without sockets takes until it waits for nothing but this call.
const LATE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn what_is_acknowledged_during_a_shutdown_is_kept() {
    let launch = unlimited(Launch::new());
    let world = World::on(Arc::new(launch.start())).await;
    let user = members(&world, 1).await[0];
    let (head, tail) = (r#"{"activityType":"page_view","#, r#""page":"/late"}"#);
    let request = format!(
        "POST /api/presence/activity HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{head}",
        token(user).reveal(),
        head.len() + tail.len()
    );
    let mut call = TcpStream::connect(&world.hub.address).await.expect("a connection");
    call.write_all(request.as_bytes()).await.expect("half a call");
    let calls = async || (world.hub.metric(&world.http, "presence_hub_users").await > 0.0).then_some(());
    eventually("a running hub", calls).await;
    world.hub.terminate();
    let closed = async || TcpStream::connect(&world.hub.address).await.is_err().then_some(());
    eventually("a closed door", closed).await;
    sleep(LATE).await;
    // The hub may have gone away by now, and that is an answer too.
    let mut answer = Vec::new();
    if call.write_all(tail.as_bytes()).await.is_ok() {
        let _ = in_time("the end of the call", call.read_to_end(&mut answer)).await;
    }
    assert!(world.hub.ended().await.success());
    let line = String::from_utf8_lossy(&answer);
    report(&format!("the answer to a call under way: {:?}", line.lines().next()));
    if answer.starts_with(b"HTTP/1.1 202") {
        let kept = Kept::of(user, &launch.start(), &world.http).await;
        assert!(kept.pages.contains_key("/late"), "acknowledged, and gone");
    }
}
