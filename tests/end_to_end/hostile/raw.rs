//! A WebSocket by hand, which says whatever it is told, right or wrong.

use model::{Encoding, ErrorCode, RequestId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire::{ClientFrame, Hello, ServerFrame, Token};

use crate::fixture::{Hub, in_time};

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const PING: u8 = 0x9;
pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;

/// What came of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The request was done.
    Done,
    /// An error; the connection goes on.
    Error(ErrorCode),
    /// The connection was closed.
    Close(u16),
    /// It was closed without a word, as by a reset.
    Cut,
}

/// A WebSocket by hand.
pub(crate) struct Raw {
    stream: TcpStream,
    encoding: Encoding,
}

/// One frame, masked as a client must (the mask of zeros is as good as any).
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64, true);
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

pub(crate) fn header(first: u8, length: u64, masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(mask | length as u8),
        126..=0xFFFF => {
            bytes.push(mask | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes
}

impl Raw {
    /// A handshake and nothing else.
    pub(crate) async fn open(hub: &Hub, encoding: Encoding) -> Self {
        Self::over(TcpStream::connect(&hub.address).await.expect("a connection"), hub, encoding).await
    }

    /// The same, over a connection that is there.
    pub(crate) async fn over(mut stream: TcpStream, hub: &Hub, encoding: Encoding) -> Self {
        stream.set_nodelay(true).expect("a socket");
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: {}\r\n\r\n",
            hub.address,
            wire::subprotocol(encoding)
        );
        stream.write_all(request.as_bytes()).await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(in_time("an answer", stream.read_u8()).await.expect("an answer"));
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self { stream, encoding }
    }

    /// A connection that is welcome.
    pub(crate) async fn live(hub: &Hub, encoding: Encoding, token: Token) -> Self {
        let mut raw = Self::open(hub, encoding).await;
        raw.say(&ClientFrame::Hello(Hello { token: Some(token), ..Hello::default() })).await;
        let (_, payload) = raw.read().await.expect("a welcome");
        assert!(matches!(wire::decode_server(encoding, &payload), Ok(ServerFrame::Welcome(_))));
        raw
    }

    /// The connection, to go on by other means.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    pub(crate) fn kind(&self) -> u8 {
        match self.encoding {
            Encoding::Json => TEXT,
            Encoding::MessagePack => BINARY,
        }
    }

    /// Sends bytes. The hub may have closed already: that is seen in what it answers.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        let _ = in_time("way for bytes", self.stream.write_all(bytes)).await;
    }

    /// Sends a message in one frame.
    pub(crate) async fn message(&mut self, payload: &[u8]) {
        let bytes = frame(FIN | self.kind(), payload);
        self.bytes(&bytes).await;
    }

    pub(crate) async fn say(&mut self, message: &ClientFrame) {
        let payload = wire::encode_client(self.encoding, message);
        self.message(&payload).await;
    }

    /// The next frame from the hub: its opcode and payload. `None`: the connection is over.
    pub(crate) async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        in_time("a frame", async {
            let first = self.stream.read_u8().await.ok()?;
            let length = match self.stream.read_u8().await.ok()? {
                126 => u64::from(self.stream.read_u16().await.ok()?),
                127 => self.stream.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).expect("a length")];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some((first & 0x0F, payload))
        })
        .await
    }

    /// What came of what was sent.
    pub(crate) async fn answer(&mut self) -> Answer {
        while let Some((kind, payload)) = self.read().await {
            match kind {
                0x8 => return Answer::Close(u16::from_be_bytes([payload[0], payload[1]])),
                TEXT | BINARY => match wire::decode_server(self.encoding, &payload) {
                    Ok(ServerFrame::Error(failure)) => return Answer::Error(failure.code),
                    Ok(ServerFrame::Ack(_) | ServerFrame::Subscribed(_)) => return Answer::Done,
                    Ok(_) => {}
                    Err(error) => panic!("the hub spoke nonsense: {error}"),
                },
                _ => {}
            }
        }
        Answer::Cut
    }

    /// A round trip.
    pub(crate) async fn ping(&mut self) -> Answer {
        self.say(&ClientFrame::Ping(wire::Request { id: RequestId(77) })).await;
        self.answer().await
    }
}
