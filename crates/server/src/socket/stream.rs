//! The WebSocket as this protocol uses it: whole frames of one encoding in, and a close that says why. What the hub
//! says is written by the hub itself, through the outbox; what is written here goes the same way.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hub::{Farewell, Outbox};
use model::{CloseCode, Encoding};
use tokio::time::{Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{
    Error, Message, Utf8Bytes,
    error::CapacityError,
    protocol::{CloseFrame, frame::coding::CloseCode as WsCode},
};
use wire::{Closing, ServerFrame};

use super::inbound::{Inbound, Pace};
use crate::upgrade::{WebSocket, WriteSide};
use presence::Ending;

/// How long a peer has to take the last words and to answer the close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// The socket of one connection.
pub(super) struct Stream {
    socket: WebSocket,
    message_timeout: Duration,
    /// Armed only while a message is under way.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(socket: WebSocket, message_timeout: Duration) -> Self {
        Self { socket, message_timeout, deadline: None }
    }

    /// The write side.
    pub(super) fn outbox(&self) -> &Arc<Outbox<WriteSide>> {
        self.socket.outbox()
    }

    /// From here on messages are short: the room that the hello took is given back.
    pub(super) fn settle(&mut self) {
        self.socket.settle();
    }

    fn encoding(&self) -> Encoding {
        self.outbox().encoding()
    }

    /// The next frame, when the connection's pace allows one and its outbox has room for what it may cause.
    pub(super) fn poll_receive(&mut self, pace: &mut Pace, context: &mut Context<'_>) -> Poll<Inbound> {
        loop {
            ready!(pace.poll_wait(context));
            ready!(self.outbox().poll_room(context));
            let Some(message) = ready!(self.poll_message(context)) else {
                return Poll::Ready(Inbound::Broken(CloseCode::Timeout));
            };
            pace.count();
            if let Some(inbound) = self.read(message) {
                return Poll::Ready(inbound);
            }
        }
    }

    /// The next message; `None`: it was begun, and not ended in time.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Option<Result<Message, Error>>>> {
        if let Poll::Ready(message) = self.socket.poll_next(context) {
            self.deadline = None;
            return Poll::Ready(Some(message));
        }
        let Some(since) = self.socket.unfinished_since() else {
            self.deadline = None;
            return Poll::Pending;
        };
        let ends = since + self.message_timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(ends)));
        if deadline.deadline() != ends {
            deadline.as_mut().reset(ends);
        }
        deadline.as_mut().poll(context).map(|()| None)
    }

    fn read(&self, message: Option<Result<Message, Error>>) -> Option<Inbound> {
        let payload = match (message, self.encoding()) {
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
        Some(match wire::decode_client(self.encoding(), &payload) {
            Ok(frame) => Inbound::Frame(Box::new(frame)),
            Err(error) => Inbound::Unreadable(error),
        })
    }

    /// Says one thing; `false`: the other end does not take it in time, or is gone.
    pub(super) async fn say(&mut self, frame: &ServerFrame, patience: Duration) -> bool {
        if let ServerFrame::Error(failure) = frame {
            let code = failure.code.name();
            metrics::counter!("presence_hub_errors_total", "way" => "socket", "code" => code).increment(1);
        }
        let frame = wire::encode_server(self.encoding(), frame).into();
        let Ok(message) = message(self.encoding(), frame) else { return false };
        matches!(timeout(patience, self.socket.send(message)).await, Ok(Ok(())))
    }

    /// Says why, behind what waits to be written, closes, and waits a moment for the other end.
    pub(super) async fn close(&mut self, farewell: Farewell) {
        let code = farewell.code.name();
        metrics::counter!("presence_hub_close_codes_total", "code" => code).increment(1);
        let words =
            Closing { reconnect_after_ms: farewell.reconnect_after_ms, ..Closing::new(farewell.code) };
        let frame = wire::encode_server(self.encoding(), &ServerFrame::Closing(words));
        let close = CloseFrame {
            code: WsCode::from(farewell.code.number()),
            reason: Utf8Bytes::from_static(farewell.code.name()),
        };
        let goodbye = async {
            self.socket.send(message(self.encoding(), frame.into())?).await?;
            self.socket.send(Message::Close(Some(close))).await?;
            self.await_end().await
        };
        // Whoever does not take the last words in time, or is gone already, does without.
        let _ = timeout(CLOSE_PATIENCE, goodbye).await;
    }

    /// Lets what waits go out, and the answer to the client's own close.
    pub(super) async fn finish(&mut self) {
        let _ = timeout(CLOSE_PATIENCE, self.await_end()).await;
    }

    /// Returns when all is written and the other end has closed.
    async fn await_end(&mut self) -> Result<(), Error> {
        self.socket.drained().await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(self.socket.drained().await?)
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
