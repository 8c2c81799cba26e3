//! Too much of what is allowed: channels, malformed frames, pings, connections.

use std::sync::Arc;

use model::{ChannelId, Encoding, ErrorCode, RequestId, SubscribeRequest, WeddingId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;
use wire::{ClientFrame, ServerFrame, Subscribe, Unsubscribe};

use super::raw::{Answer, FIN, PING, Raw, frame};
use crate::fixture::{Launch, Tab, World, id_of, in_time, token};

/// Anna at so many weddings.
async fn weddings(world: &World, count: usize) -> Vec<ChannelId> {
    let ids: Vec<_> = (0..count).map(|_| WeddingId(Uuid::new_v4())).collect();
    let mut changes = Vec::new();
    for id in &ids {
        changes.push(model::DirectoryChange::PutWedding { id: *id, name: "One of many".into() });
        changes.push(model::DirectoryChange::PutCollaboration {
            wedding: *id,
            supplier: world.vera,
            client: world.anna,
            supplier_type: "venue".into(),
        });
    }
    world.change(&changes).await;
    ids.into_iter().map(ChannelId::Wedding).collect()
}

async fn subscribe_all(tab: &mut Tab, channels: &[ChannelId]) -> RequestId {
    let channels = channels.iter().copied().map(SubscribeRequest::of).collect();
    tab.send(|id| ClientFrame::Subscribe(Subscribe { id, channels })).await
}

#[tokio::test]
async fn sixty_four_channels_are_enough() {
    let world = World::new().await;
    let channels = weddings(&world, 65).await;
    for encoding in Encoding::ALL {
        let mut anna = world.enter_as(world.anna, encoding).await;
        let id = subscribe_all(&mut anna, &channels).await;
        let refused = anna.answer(id).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ChannelLimit, "65 in one request are refused whole");
        assert_eq!(anna.replica.lists().count(), 0);

        subscribe_all(&mut anna, &channels[..64]).await;
        anna.until("64 lists", |tab| tab.replica.lists().count() == 64).await;
        let one_more = anna.try_watch(SubscribeRequest::of(channels[64])).await;
        assert_eq!(one_more, Err(ErrorCode::ChannelLimit));
        anna.try_watch(SubscribeRequest::of(channels[0]))
            .await
            .expect("one of the 64 may be asked for again");
        let subscription = anna.replica.subscription(channels[0]).expect("a subscription");
        anna.ask(|id| ClientFrame::Unsubscribe(Unsubscribe { id, subscription })).await.unwrap();
        anna.watch(channels[64]).await;
        let gone =
            anna.ask(|id| ClientFrame::Unsubscribe(Unsubscribe { id, subscription })).await.unwrap_err();
        assert_eq!(gone.code, ErrorCode::UnknownSubscription);
        anna.sign_out().await;
    }
}

/// Ids of other tenants, also in the clothes of another kind, are ids of nothing.
#[tokio::test]
async fn ids_of_other_tenants_are_ids_of_nothing() {
    let world = World::new().await;
    let other = World::new().await;
    let agency = id_of(other.agency);
    let mut finn = world.enter_present(world.finn).await;
    let foreign = [
        other.agency,
        other.wedding_a,
        ChannelId::Wedding(WeddingId(agency)),
        ChannelId::Account(model::AccountId(agency)),
        ChannelId::Account(model::AccountId(Uuid::new_v4())),
        ChannelId::Wedding(WeddingId(world.finn.0)),
    ];
    for channel in foreign {
        let refused = finn.try_watch(SubscribeRequest::of(channel)).await;
        assert_eq!(refused, Err(ErrorCode::UnknownChannel), "{channel:?}");
    }
    // To be in a foreign channel is to be nowhere.
    let mut anna = other.enter(other.anna).await;
    anna.watch(other.wedding_a).await;
    let scope = Some(vec![other.wedding_a]);
    finn.track(model::TrackRequest { scope, ..model::TrackRequest::of(model::Status::Busy) }).await;
    let mut rosa = other.enter_present(other.rosa).await;
    anna.sees(other.wedding_a, other.rosa, model::Status::Online).await;
    rosa.ping().await;
    assert!(!anna.heard_of(world.finn));
}

#[tokio::test]
async fn ten_malformed_frames_are_forgiven_and_the_next_one_is_not() {
    let world = World::new().await;
    let mut neighbour = world.enter(world.anna).await;
    for encoding in Encoding::ALL {
        let mut raw = Raw::live(&world.hub, encoding, token(world.finn)).await;
        for _ in 0..10 {
            raw.message(&[0xC1]).await;
            // In JSON the byte is no UTF-8, which is worse than malformed.
            if encoding == Encoding::Json {
                break;
            }
            assert_eq!(raw.answer().await, Answer::Error(ErrorCode::Malformed));
        }
        let expected = if encoding == Encoding::Json { 1007 } else { 4302 };
        raw.message(&[0xC1]).await;
        assert_eq!(raw.answer().await, Answer::Close(expected));
        neighbour.ping().await;
    }
    let mut raw = Raw::live(&world.hub, Encoding::Json, token(world.finn)).await;
    for _ in 0..10 {
        raw.message(b"{").await;
        assert_eq!(raw.answer().await, Answer::Error(ErrorCode::Malformed));
    }
    raw.message(b"{").await;
    assert_eq!(raw.answer().await, Answer::Close(4302));
}

/// Who speaks faster than allowed is read more slowly; nothing is lost, and nobody else waits.
#[tokio::test]
async fn a_flood_holds_up_nobody_but_itself() {
    let world =
        World::on(Arc::new(Launch::as_delivered().set("limits.frames_per_second", 200).start())).await;
    let mut neighbour = world.enter(world.anna).await;
    let mut raw = Raw::live(&world.hub, Encoding::Json, token(world.finn)).await;
    let pings: Vec<u8> = (0..1_000).flat_map(|_| frame(FIN | PING, b"x")).collect();
    raw.bytes(&pings).await;
    for _ in 0..20 {
        neighbour.ping().await;
    }
    assert_eq!(raw.ping().await, Answer::Done);
    // A flood of requests is answered whole, each in its turn, though nobody reads meanwhile.
    let mut flood = world.enter(world.finn).await;
    let mut last = RequestId(0);
    for _ in 0..300 {
        last = flood.send(|id| ClientFrame::Ping(wire::Request { id })).await;
    }
    neighbour.ping().await;
    flood.answer(last).await.expect("the last one, too");
    let acks = flood.heard.iter().filter(|frame| matches!(frame, ServerFrame::Ack(_))).count();
    assert_eq!(acks, 300);
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_later() {
    let launch = Launch::new().set("listen.max_connections", 2).set("listen.header_timeout_ms", 500);
    let world = World::on(Arc::new(launch.start())).await;
    let mut finn = world.enter(world.finn).await;
    // Takes the last seat, unless the connection that the world was made over still has it.
    let _silent = TcpStream::connect(&world.hub.address).await.unwrap();
    let mut one_more = TcpStream::connect(&world.hub.address).await.unwrap();
    let mut answer = String::new();
    in_time("an answer", one_more.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{answer}");
    finn.ping().await;
}

#[tokio::test]
async fn a_request_that_is_never_ended_is_cut_off() {
    let world = World::on(Arc::new(Launch::new().set("listen.header_timeout_ms", 300).start())).await;
    let mut neighbour = world.enter(world.anna).await;
    let mut stream = TcpStream::connect(&world.hub.address).await.unwrap();
    stream.write_all(b"GET /ws HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Cut with an answer or without one, but cut.
    let _ = in_time("the end", stream.read_to_end(&mut answer)).await;
    neighbour.ping().await;
}
