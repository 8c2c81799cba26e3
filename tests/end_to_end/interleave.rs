//! The hub's frames and the pongs of its socket share one way out: however little a client reads at a time, every frame
//! comes whole and in order.

use client::Replica;
use model::{Encoding, RequestId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
};
use wire::{ClientFrame, Request, ServerFrame};

use crate::{
    fixture::{World, in_time, subscribe, token},
    hostile::raw::{FIN, PING, Raw, TEXT, frame},
    slow::{narrow, say, talkers},
};

/// Snapshots asked for, each after two pings: much more than fits between the hub and a client that does not keep up.
const ROUNDS: u32 = 250;
const PONG: u8 = 0xA;

/// Reads a few bytes at a time: one, two, up to seven, and again.
struct Trickle {
    stream: OwnedReadHalf,
    step: usize,
}

impl Trickle {
    async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let mut have = 0;
        while have < count {
            self.step = self.step % 7 + 1;
            let end = count.min(have + self.step);
            let read = in_time("bytes", self.stream.read(&mut bytes[have..end])).await.expect("a connection");
            assert_ne!(read, 0, "the hub has closed");
            have += read;
        }
        bytes
    }

    /// The next frame: whole, unmasked, in one piece.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.bytes(2).await;
        let length = match head[1] {
            126 => usize::from(u16::from_be_bytes(self.bytes(2).await.try_into().expect("two bytes"))),
            short => usize::from(short),
        };
        assert!(head[0] & 0xF0 == FIN && head[1] <= 126, "no header of the hub: {head:?}");
        (head[0] & 0x0F, self.bytes(length).await)
    }
}

/// Asks and pings without waiting for anything.
async fn ask(mut stream: OwnedWriteHalf, world: &World) {
    for round in 1..=ROUNDS {
        let request = wire::encode_client(Encoding::Json, &subscribe(round, world.wedding_a));
        let ping =
            |half: u32| frame(FIN | PING, &[&(2 * round + half).to_be_bytes()[..], &[7; 100]].concat());
        let bytes = [ping(0), frame(FIN | TEXT, &request), ping(1)].concat();
        in_time("way for bytes", stream.write_all(&bytes)).await.expect("a connection");
    }
    let last = ClientFrame::Ping(Request { id: RequestId(ROUNDS + 1) });
    let bytes = frame(FIN | TEXT, &wire::encode_client(Encoding::Json, &last));
    in_time("way for bytes", stream.write_all(&bytes)).await.expect("a connection");
    // Kept: an end of this side would end the connection.
    stream.forget();
}

/// What came, checked as it comes.
#[derive(Default)]
struct Seen {
    replica: Replica,
    answered: u32,
    pong: u32,
    pongs: u32,
}

impl Seen {
    fn pong(&mut self, payload: &[u8]) {
        let (number, rest) = payload.split_first_chunk::<4>().expect("what the ping said");
        let number = u32::from_be_bytes(*number);
        assert!(number > self.pong && rest == [7; 100], "pong {number} after {}", self.pong);
        (self.pong, self.pongs) = (number, self.pongs + 1);
    }

    /// Whether that was the last of all.
    fn message(&mut self, payload: &[u8]) -> bool {
        let frame = wire::decode_server(Encoding::Json, payload).expect("a frame");
        if let ServerFrame::Subscribed(subscribed) = &frame {
            self.answered += 1;
            assert_eq!(subscribed.re, RequestId(self.answered), "answers come in order");
        }
        // Of subscriptions that were replaced there may be frames under way.
        if let Err(fault) = self.replica.apply(&frame) {
            assert_eq!(fault.channel, None, "{fault}");
        }
        matches!(frame, ServerFrame::Ack(ack) if ack.re == RequestId(ROUNDS + 1))
    }
}

#[tokio::test]
async fn frames_and_pongs_come_whole_and_in_order_however_little_is_read() {
    let world = World::new().await;
    let mut talkers = talkers(&world).await;
    for (n, talker) in talkers.iter_mut().enumerate() {
        say(talker, n).await;
    }
    let mut raw = Raw::over(narrow(&world.hub.address), &world.hub, Encoding::Json).await;
    let hello = wire::Hello { token: Some(token(world.anna)), ..wire::Hello::default() };
    raw.say(&ClientFrame::Hello(hello)).await;
    let (read, write) = raw.into_stream().into_split();
    let (mut trickle, mut seen) = (Trickle { stream: read, step: 0 }, Seen::default());
    let read_all = async {
        loop {
            match trickle.frame().await {
                (PONG, payload) => seen.pong(&payload),
                (TEXT, payload) if seen.message(&payload) => return,
                (TEXT, _) => {}
                (opcode, _) => panic!("opcode {opcode}"),
            }
        }
    };
    tokio::join!(ask(write, &world), read_all);
    assert_eq!(seen.answered, ROUNDS);
    assert!(seen.pongs > 1, "only {} pongs", seen.pongs);
}
