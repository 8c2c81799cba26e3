//! The WebSocket as this protocol uses it: whole frames of one encoding in, encoded frames out, a close that says why.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hub::Farewell;
use model::{CloseCode, Encoding};
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{CloseFrame, frame::coding::CloseCode as WsCode},
    },
};
use wire::{Closing, ServerFrame};

use super::inbound::{Inbound, Pace};
use crate::upgrade::Guarded;
use presence::Ending;

/// How long a peer has to take the last words and to answer the close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// The socket of one connection.
pub(super) struct Stream {
    socket: WebSocketStream<Guarded<TcpStream>>,
    encoding: Encoding,
    message_timeout: Duration,
    /// Armed only while a message is under way.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(
        socket: WebSocketStream<Guarded<TcpStream>>,
        encoding: Encoding,
        message_timeout: Duration,
    ) -> Self {
        Self { socket, encoding, message_timeout, deadline: None }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The next frame, when the connection's pace allows one. Safe to cancel.
    pub(super) async fn receive(&mut self, pace: &mut Pace) -> Inbound {
        loop {
            pace.wait().await;
            let Some(message) = self.message().await else { return Inbound::Broken(CloseCode::Timeout) };
            pace.count();
            if let Some(inbound) = self.read(message) {
                return inbound;
            }
        }
    }

    /// The next message; `None`: it was begun, and not ended in time.
    async fn message(&mut self) -> Option<Option<Result<Message, Error>>> {
        poll_fn(|context| {
            if let Poll::Ready(message) = self.socket.poll_next_unpin(context) {
                self.deadline = None;
                return Poll::Ready(Some(message));
            }
            let Some(since) = self.socket.get_ref().unfinished_since() else {
                self.deadline = None;
                return Poll::Pending;
            };
            let ends = since + self.message_timeout;
            let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(ends)));
            if deadline.deadline() != ends {
                deadline.as_mut().reset(ends);
            }
            deadline.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    fn read(&self, message: Option<Result<Message, Error>>) -> Option<Inbound> {
        let payload = match (message, self.encoding) {
            (Some(Ok(Message::Text(text))), Encoding::Json) => Bytes::from(text),
            (Some(Ok(Message::Binary(bytes))), Encoding::MessagePack) => bytes,
            (Some(Ok(Message::Text(_) | Message::Binary(_))), _) => {
                return Some(Inbound::Broken(CloseCode::UnsupportedData));
            }
            (Some(Ok(Message::Close(frame))), _) => return Some(Inbound::Closed(ending(frame.as_ref()))),
            // Pings are answered by tungstenite itself.
            (Some(Ok(_)), _) => return None,
            (Some(Err(error)), _) => return Some(broken(&error)),
            (None, _) => return Some(Inbound::Closed(Ending::Lost)),
        };
        Some(match wire::decode_client(self.encoding, &payload) {
            Ok(frame) => Inbound::Frame(Box::new(frame)),
            Err(error) => Inbound::Unreadable(error),
        })
    }

    /// Writes frames together and flushes them.
    pub(super) async fn write(&mut self, frames: Vec<Bytes>) -> Result<(), Error> {
        for frame in frames {
            self.socket.feed(message(self.encoding, frame)?).await?;
        }
        self.socket.flush().await
    }

    /// Says why, closes, and waits a moment for the other end.
    pub(super) async fn close(mut self, farewell: Farewell) {
        let words =
            Closing { reconnect_after_ms: farewell.reconnect_after_ms, ..Closing::new(farewell.code) };
        let frame = wire::encode_server(self.encoding, &ServerFrame::Closing(words));
        let close = CloseFrame {
            code: WsCode::from(farewell.code.number()),
            reason: Utf8Bytes::from_static(farewell.code.name()),
        };
        let goodbye = async {
            if let Ok(message) = message(self.encoding, frame.into()) {
                self.socket.feed(message).await?;
            }
            self.socket.send(Message::Close(Some(close))).await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, Error>(())
        };
        // Whoever does not take the last words in time, or is gone already, does without.
        let _ = timeout(CLOSE_PATIENCE, goodbye).await;
    }

    /// Lets the answer to the client's own close go out.
    pub(super) async fn finish(mut self) {
        let _ = timeout(CLOSE_PATIENCE, async { while let Some(Ok(_)) = self.socket.next().await {} }).await;
    }
}

fn message(encoding: Encoding, frame: Bytes) -> Result<Message, Error> {
    Ok(match encoding {
        Encoding::Json => Message::Text(Utf8Bytes::try_from(frame).map_err(|e| Error::Utf8(e.to_string()))?),
        Encoding::MessagePack => Message::Binary(frame),
    })
}

fn ending(close: Option<&CloseFrame>) -> Ending {
    match close.map(|frame| frame.code) {
        Some(WsCode::Normal) => Ending::Clean,
        _ => Ending::Lost,
    }
}

fn broken(error: &Error) -> Inbound {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Inbound::Broken(CloseCode::MessageTooBig),
        Error::Capacity(_) => Inbound::Broken(CloseCode::ProtocolError),
        Error::Utf8(_) => Inbound::Broken(CloseCode::InvalidPayload),
        Error::Protocol(violation) if is_a_cut(violation) => Inbound::Closed(Ending::Lost),
        Error::Protocol(_) => Inbound::Broken(CloseCode::ProtocolError),
        _ => Inbound::Closed(Ending::Lost),
    }
}

fn is_a_cut(violation: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(violation, ProtocolError::ResetWithoutClosingHandshake)
}
