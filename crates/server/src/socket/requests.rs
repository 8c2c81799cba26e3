//! What a client asks for, on its way to the hub.

use std::sync::Arc;

use hub::{Hub, Link, OperationError};
use model::{
    Activity, ActivityRequest, CloseCode, ErrorCode, Kept, RequestError, RequestId, Track, TrackRequest,
    UserId,
};
use persistence::OperationId;
use presence::{Command, Input, ReplyTo};
use wire::{ActivityFrame, ClientFrame, Refresh, SetSettings, Subscribe};

use super::{End, greeting::is_too_many};
use crate::{
    app::App,
    failure,
    rate::{self, Call, Said},
};

/// The requests of one connection.
pub(super) struct Requests {
    user: UserId,
    /// What the session announced last, for the limits: saying the same again is free.
    last_track: Option<Said>,
}

impl Requests {
    pub(super) fn new(user: UserId, track: Option<&Track>) -> Self {
        Self { user, last_track: track.map(Said::from) }
    }

    /// Hands a frame on. Answers come through the outbox, in the heart's order.
    pub(super) async fn take(
        &mut self,
        app: &Arc<App>,
        link: &Link,
        frame: Box<ClientFrame>,
    ) -> Result<(), End> {
        let frame_id = frame.id();
        let handed = match *frame {
            ClientFrame::Hello(_) => return Err(End::Ours(CloseCode::BadHello)),
            ClientFrame::Heartbeat => link.heartbeat().await,
            ClientFrame::Ping(request) => link.request(request.id, Command::Ping).await,
            ClientFrame::SignOut(request) => link.request(request.id, Command::SignOut).await,
            ClientFrame::Subscribe(request) => subscribe(app, link, request).await,
            ClientFrame::Unsubscribe(request) => {
                link.request(request.id, Command::Unsubscribe(request.subscription)).await
            }
            ClientFrame::Track(request) => self.track(app, link, request.id, request.track).await,
            ClientFrame::Activity(request) => self.activity(app, link, request).await,
            ClientFrame::Untrack(request) => {
                self.last_track = None;
                link.request(request.id, Command::Untrack).await
            }
            ClientFrame::SetSettings(request) => {
                self.set_settings(app, link, request);
                Ok(())
            }
            // An extension's, and this is a person's connection.
            ClientFrame::ClockOut(_) | ClientFrame::ChangeAccount(_) | ClientFrame::Renew(_) => {
                let words = "this needs the token of an extension";
                link.refuse(frame_id, RequestError::new(ErrorCode::Unauthorized, words)).await
            }
            ClientFrame::Refresh(request) => {
                self.refresh(app, link, request);
                Ok(())
            }
        };
        handed.map_err(|_| End::Gone)
    }

    async fn track(
        &mut self,
        app: &App,
        link: &Link,
        re: RequestId,
        request: TrackRequest,
    ) -> Result<(), hub::Gone> {
        let track = match request.clean() {
            Ok(track) => track,
            Err(error) => {
                let error = RequestError::new(ErrorCode::InvalidValue, error.to_string());
                return link.refuse(Some(re), error).await;
            }
        };
        let said = Said::from(&track);
        if let Some(call) = rate::classify(self.last_track, said)
            && let Err(error) = app.user_limits.check(self.user, call)
        {
            return link.refuse(Some(re), error).await;
        }
        self.last_track = Some(said);
        link.request(re, Command::Track(track)).await
    }

    async fn activity(&self, app: &App, link: &Link, request: ActivityFrame) -> Result<(), hub::Gone> {
        let re = request.id;
        let activity = match own_activity(request.activity) {
            Ok(activity) => activity,
            Err(message) => {
                return link.refuse(Some(re), RequestError::new(ErrorCode::InvalidValue, message)).await;
            }
        };
        if let Err(error) = app.user_limits.check(self.user, Call::Activity) {
            return link.refuse(Some(re), error).await;
        }
        link.request(re, Command::Activity(activity)).await
    }

    /// A durable operation runs in a task of its own: a connection that ends meanwhile cancels nothing.
    fn set_settings(&self, app: &Arc<App>, link: &Link, request: SetSettings) {
        link.begin_request();
        let (hub, to) = (app.hub.clone(), link.reply_to(Some(request.id)));
        let operation = request.op_id.map(OperationId);
        // Here and not in the task: the changes of one socket are made in the order in which they came.
        let done = app.operations.change_settings(self.user, request.settings, operation);
        tokio::spawn(async move {
            reply(&hub, to, done.await.map(|changed| changed.kept)).await;
        });
    }

    /// A new token may need its issuer's keys, so it is verified beside the conversation.
    fn refresh(&self, app: &Arc<App>, link: &Link, request: Refresh) {
        link.begin_request();
        let (app, user, to) = (app.clone(), self.user, link.reply_to(Some(request.id)));
        tokio::spawn(async move {
            let input = match app.authenticator.user(request.token.reveal()).await {
                Ok(verified) if verified.user == user => {
                    let ends = app.hub.clock().now().mono_at(verified.expires_at);
                    let command = Command::Refresh { token_ends: Some(ends) };
                    Input::Request { connection: to.connection, re: request.id, command }
                }
                Ok(_) => Input::Close { connection: to.connection, code: CloseCode::SubjectChanged },
                Err(error) => Input::Reply(to, Err(RequestError::new(error.code(), error.to_string()))),
            };
            // Gone: there is nobody left to answer.
            let _ = app.hub.send(input).await;
        });
    }
}

/// An activity of the connection's own session.
fn own_activity(request: ActivityRequest) -> Result<Activity, String> {
    if request.session_id.is_some() {
        return Err("a socket speaks of its own session: leave sessionId out".to_owned());
    }
    request.clean().map_err(|error| error.to_string())
}

async fn subscribe(app: &App, link: &Link, request: Subscribe) -> Result<(), hub::Gone> {
    if is_too_many(app, &request.channels) {
        let message = format!("a session may have {} subscriptions", app.bounds.subscriptions);
        return link.refuse(Some(request.id), RequestError::new(ErrorCode::ChannelLimit, message)).await;
    }
    link.request(request.id, Command::Subscribe(request.channels)).await
}

async fn reply(hub: &Hub, to: ReplyTo, result: Result<Kept, OperationError>) {
    let result = result.map_err(|error| failure::of_operation(&error));
    let _ = hub.send(Input::Reply(to, result)).await;
}
