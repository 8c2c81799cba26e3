//! The first frame: who is there, and whether they come back.

use std::{future::poll_fn, net::IpAddr, sync::Arc};

use hub::Link;
use model::{CloseCode, SubscribeRequest, Track};
use tokio::time::timeout;
use wire::{ClientFrame, Hello};

use super::{
    extension::{Working, by_code, by_token},
    inbound::{Inbound, Pace},
    requests::Requests,
    stream::Stream,
};
use crate::{
    app::App,
    auth::{AuthError, VerifiedUser, extension::is_of_extension},
    config::Secret,
};

/// Why there is no conversation; `None`: the client left by itself.
pub(super) type Refusal = Option<CloseCode>;

/// Who said hello.
pub(super) enum Greeted {
    /// A person, who is connected to the hub.
    Person(Link, Requests),
    /// An assistant's extension.
    Extension(Box<Working>),
}

/// Reads the hello, and lets in whoever may come in.
pub(super) async fn greet(
    app: &Arc<App>,
    stream: &mut Stream,
    token: Option<Secret>,
    address: IpAddr,
) -> Result<Greeted, Refusal> {
    let deadline = app.bounds.hello_timeout;
    let mut hello = timeout(deadline, hello(app, stream)).await.map_err(|_| Some(CloseCode::Timeout))??;
    if let Some(request) = hello.clock_in.take() {
        let alone = token.is_none() && hello == Hello::default();
        let working = if alone { by_code(app, stream, address, request).await } else { Err(BAD_HELLO) };
        return Ok(Greeted::Extension(Box::new(working?)));
    }
    let token = given_once(token, &hello).ok_or(BAD_HELLO)?;
    if is_of_extension(&token) {
        let alone = hello.resume.is_none() && hello.track.is_none();
        let working = if alone { by_token(app, stream, &token).await } else { Err(BAD_HELLO) };
        return Ok(Greeted::Extension(Box::new(working?)));
    }
    let (link, requests) = person(app, stream, &token, hello).await?;
    Ok(Greeted::Person(link, requests))
}

const BAD_HELLO: Refusal = Some(CloseCode::BadHello);

/// Verifies the token of a person, and connects to the hub.
async fn person(
    app: &Arc<App>,
    stream: &Stream,
    token: &str,
    hello: Hello,
) -> Result<(Link, Requests), Refusal> {
    let verified = app.authenticator.user(token).await.map_err(|error| refuse_token(&error))?;
    let track = track(&hello)?;
    let requests = Requests::new(verified.user, track.as_ref());
    let outbox = Arc::clone(stream.outbox());
    let link = app.hub.connect(connect(verified, hello, track), outbox).await;
    Ok((link.map_err(|_| Some(CloseCode::Restarting))?, requests))
}

/// Counts a token that was not accepted.
pub(super) fn refuse_token(error: &AuthError) -> Refusal {
    metrics::counter!("presence_hub_tokens_refused_total").increment(1);
    tracing::debug!(%error, "a hello was refused");
    Some(error.close_code())
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
