//! The first frame: who is there, and whether they come back.

use std::{future::poll_fn, sync::Arc};

use hub::Link;
use model::{CloseCode, SubscribeRequest, Track};
use tokio::time::timeout;
use wire::{ClientFrame, Hello};

use super::{
    inbound::{Inbound, Pace},
    requests::Requests,
    stream::Stream,
};
use crate::{app::App, auth::VerifiedUser, config::Secret};

/// Why there is no conversation; `None`: the client left by itself.
type Refusal = Option<CloseCode>;

/// Reads the hello, verifies the token, and connects to the hub.
pub(super) async fn greet(
    app: &Arc<App>,
    stream: &mut Stream,
    token: Option<Secret>,
) -> Result<(Link, Requests), Refusal> {
    let deadline = app.bounds.hello_timeout;
    let hello = timeout(deadline, hello(app, stream)).await.map_err(|_| Some(CloseCode::Timeout))??;
    let token = given_once(token, &hello).ok_or(Some(CloseCode::BadHello))?;
    let verified = app.authenticator.user(&token).await.map_err(|error| {
        metrics::counter!("presence_hub_tokens_refused_total").increment(1);
        tracing::debug!(%error, "a hello was refused");
        Some(error.close_code())
    })?;
    let track = track(&hello)?;
    let requests = Requests::new(verified.user, track.as_ref());
    let outbox = Arc::clone(stream.outbox());
    let link = app.hub.connect(connect(verified, hello, track), outbox).await;
    Ok((link.map_err(|_| Some(CloseCode::Restarting))?, requests))
}

async fn hello(app: &App, stream: &mut Stream) -> Result<Hello, Refusal> {
    let mut pace = Pace::new(&app.bounds);
    match poll_fn(|context| stream.poll_receive(&mut pace, context)).await {
        Inbound::Frame(frame) => match *frame {
            ClientFrame::Hello(hello) if names_few(app, &hello) => Ok(hello),
            _ => Err(Some(CloseCode::BadHello)),
        },
        Inbound::Unreadable(_) => Err(Some(CloseCode::BadHello)),
        Inbound::Broken(code) => Err(Some(code)),
        Inbound::Closed(_) => Err(None),
    }
}

fn names_few(app: &App, hello: &Hello) -> bool {
    hello.resume.as_ref().is_none_or(|resume| resume.subscriptions.len() <= app.bounds.subscriptions)
}

/// The token, which comes with the handshake or in the hello, and not twice.
fn given_once(handshake: Option<Secret>, hello: &Hello) -> Option<String> {
    match (handshake, &hello.token) {
        (Some(token), None) => Some(token.expose().to_owned()),
        (None, Some(token)) => Some(token.reveal().to_owned()),
        _ => None,
    }
}

fn track(hello: &Hello) -> Result<Option<Track>, Refusal> {
    let track = hello.track.clone().map(model::TrackRequest::clean).transpose();
    track.map_err(|_| Some(CloseCode::BadHello))
}

fn connect(verified: VerifiedUser, hello: Hello, track: Option<Track>) -> hub::Hello {
    hub::Hello { user: verified.user, resume: hello.resume, track, token_ends: Some(verified.expires_at) }
}

/// More channels than a session may have are refused whole, before the hub hears of them.
pub(super) fn is_too_many(app: &App, channels: &[SubscribeRequest]) -> bool {
    channels.len() > app.bounds.subscriptions
}
