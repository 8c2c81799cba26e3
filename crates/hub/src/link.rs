//! One connection's end of the hub.

use std::sync::Arc;

use model::{ConnectionId, RequestError, RequestId};
use presence::{Command, Ending, Input, ReplyTo};

use crate::{Gone, Hub, Mail, Outbox};

/// One connection's end of the hub. Dropped without [`Link::end`], the connection counts as lost.
#[derive(Debug)]
pub struct Link {
    hub: Hub,
    id: ConnectionId,
    outbox: Arc<Outbox>,
    ended: bool,
}

impl Link {
    pub(crate) fn new(hub: Hub, id: ConnectionId, outbox: Arc<Outbox>) -> Self {
        Self { hub, id, outbox, ended: false }
    }

    /// Where an answer goes.
    #[must_use]
    pub fn reply_to(&self, re: Option<RequestId>) -> ReplyTo {
        ReplyTo { connection: self.id, re }
    }

    /// Asks for something. The answer goes through the outbox.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub fn request(
        &self,
        re: RequestId,
        command: Command,
    ) -> impl Future<Output = Result<(), Gone>> + Send + use<'_> {
        self.outbox.requested();
        self.hub.send(Input::Request { connection: self.id, re, command })
    }

    /// Counts a request whose answer will be sent to [`Link::reply_to`] when it is known.
    pub fn begin_request(&self) {
        self.outbox.requested();
    }

    /// Answers a frame that was not done, in its turn.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub fn refuse(
        &self,
        re: Option<RequestId>,
        error: RequestError,
    ) -> impl Future<Output = Result<(), Gone>> + Send + use<'_> {
        self.outbox.requested();
        self.hub.send(Input::Reply(self.reply_to(re), Err(error)))
    }

    /// The client's code answered a heartbeat.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub fn heartbeat(&self) -> impl Future<Output = Result<(), Gone>> + Send + use<'_> {
        self.hub.send(Input::Heartbeat { connection: self.id })
    }

    /// The kernel has all of the turn that waited: [`Event::Flushed`](crate::Event::Flushed).
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub fn flushed(&self) -> impl Future<Output = Result<(), Gone>> + Send + use<'_> {
        self.hub.send(Input::Flushed { connection: self.id })
    }

    /// The connection is over. Nothing of the hub is written to its socket any more, and nothing more is to be asked.
    pub async fn end(&mut self, ending: Ending) {
        self.ended = true;
        self.outbox.end();
        // Gone means that there is nobody left to tell.
        let _ = self.hub.send(Input::Disconnected { connection: self.id, ending }).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.outbox.end();
        let (mailbox, connection) = (self.hub.0.mailbox.clone(), self.id);
        let lost = Mail::Input(Box::new(Input::Disconnected { connection, ending: Ending::Lost }));
        // A task that was aborted or panicked: told at once where there is room, else as soon as there is.
        if let Err(tokio::sync::mpsc::error::TrySendError::Full(lost)) = mailbox.try_send(lost)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { mailbox.send(lost).await });
        }
    }
}
