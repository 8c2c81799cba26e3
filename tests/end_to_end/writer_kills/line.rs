//! A connection that may break at any moment, and then says no more than that.

use std::time::Duration;

use client::{Handshake, Socket};
use model::{Encoding, RequestId, UserId};
use tokio::time::timeout;
use wire::{ClientFrame, Hello, ServerFrame};

use super::{Place, diary::Moment};
use crate::fixture::{online, token};

/// A client gives up on an answer then, and does not know.
pub(super) const CLIENT_WAITS: Duration = Duration::from_secs(5);

/// One that was welcomed, and announced its user.
pub(super) struct Line {
    socket: Socket,
    last_request: u32,
}

impl Line {
    /// `None`: nobody listens there, or not any more.
    pub(super) async fn open(place: &Place, user: UserId) -> Option<Self> {
        let url = format!("ws://{}/ws", place.address);
        let opened = async {
            let mut socket = Handshake::new(url, Encoding::Json).open().await.ok()?;
            let hello = Hello { token: Some(token(user)), track: Some(online()), ..Hello::default() };
            socket.hello(hello).await.ok()?;
            Some(Self { socket, last_request: 0 })
        };
        timeout(CLIENT_WAITS, opened).await.ok().flatten()
    }

    /// When the acknowledgement was here; `None`: the connection is of no more use.
    pub(super) async fn ask(&mut self, make: impl FnOnce(RequestId) -> ClientFrame) -> Option<Moment> {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let asked = async {
            self.socket.send(&make(id)).await.ok()?;
            self.acknowledged(id).await
        };
        timeout(CLIENT_WAITS, asked).await.ok().flatten()
    }

    async fn acknowledged(&mut self, id: RequestId) -> Option<Moment> {
        loop {
            match self.socket.receive().await.ok()? {
                ServerFrame::Heartbeat => self.socket.send(&ClientFrame::Heartbeat).await.ok()?,
                ServerFrame::Ack(ack) if ack.re == id => return Some(Moment::now()),
                ServerFrame::Error(failure) => panic!("{failure:?}"),
                _ => {}
            }
        }
    }
}
