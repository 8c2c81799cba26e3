//! `idle`: what an authenticated subscriber that does nothing costs the hub in memory.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use client::{Handshake, Socket};
use futures_util::{StreamExt, TryStreamExt, stream};
use model::{ChannelId, Encoding, RequestId, Status, SubscribeRequest, TrackRequest, UserId};
use tokio::task::JoinSet;
use wire::{ClientFrame, Hello, ServerFrame, Subscribe};

use crate::{hub::Hub, world::World};

/// Arguments of `idle`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Subscribers; each needs a file descriptor here and one in the hub
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// People in a channel
    #[arg(long, default_value_t = 20)]
    channel: usize,
    /// Seconds of silence before the second look
    #[arg(long, default_value_t = 10)]
    quiet: u64,
    /// Fail past this, in KiB of resident memory per subscriber
    #[arg(long, default_value_t = 10.0)]
    most: f64,
}

/// Handshakes under way at once.
const OPENING: usize = 64;

pub(crate) async fn run(binary: &Path, args: &Args) -> anyhow::Result<()> {
    let hub = Hub::start(binary).await?;
    let world = World::new(args.connections, args.channel);
    hub.import(&world.document()).await?;
    let before = hub.resident_kib()?;
    let sockets: Vec<_> = stream::iter(world.people())
        .map(|(user, channel)| open(&hub, user, channel))
        .buffer_unordered(OPENING)
        .try_collect()
        .await?;
    let mut listening = JoinSet::new();
    for socket in sockets {
        listening.spawn(listen(socket));
    }
    tokio::time::sleep(Duration::from_secs(args.quiet)).await;
    ensure!(listening.try_join_next().is_none(), "a subscriber was let go");
    let after = hub.resident_kib()?;
    let each = after.saturating_sub(before) as f64 / args.connections as f64;
    report(args, before, after, each);
    ensure!(each <= args.most, "a subscriber costs {each:.2} KiB, at most {} are allowed", args.most);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn report(args: &Args, before: u64, after: u64, each: f64) {
    println!("{} subscribers in channels of {}", args.connections, args.channel);
    println!("hub before, with its directory: {before} KiB resident");
    println!("hub after {} s of silence:       {after} KiB resident", args.quiet);
    println!("per subscriber:                 {each:.2} KiB");
}

/// A subscriber that is present, and has its snapshot.
async fn open(hub: &Hub, user: UserId, channel: ChannelId) -> anyhow::Result<Socket> {
    let mut socket = Handshake::new(hub.socket_url(), Encoding::Json).open().await?;
    let track = Some(TrackRequest::of(Status::Online));
    socket.send(&ClientFrame::Hello(Hello { token: Some(hub.token(user)?), resume: None, track })).await?;
    let subscribe = Subscribe { id: RequestId(1), channels: vec![SubscribeRequest::of(channel)] };
    socket.send(&ClientFrame::Subscribe(subscribe)).await?;
    loop {
        if let ServerFrame::View(_) = socket.receive().await.context("no snapshot")? {
            return Ok(socket);
        }
    }
}

/// Takes what comes and answers heartbeats, until the connection ends.
async fn listen(mut socket: Socket) {
    while let Ok(frame) = socket.receive().await {
        if frame == ServerFrame::Heartbeat && socket.send(&ClientFrame::Heartbeat).await.is_err() {
            return;
        }
    }
}
