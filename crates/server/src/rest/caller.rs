//! Who calls.

use std::{net::IpAddr, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use model::{ErrorCode, Hold, UserId};

use crate::{app::App, failure, listener::Peer, problem::Problem, upgrade::bearer};

/// A user, by their token.
pub(super) struct Caller(pub(super) UserId);

impl Caller {
    /// Goes on if the directory knows the caller and lets them in.
    ///
    /// # Errors
    /// 401 where not.
    pub(super) async fn admit(&self, app: &App) -> Result<(), Problem> {
        let settings = app.hub.settings_of(self.0).await;
        let settings = settings.map_err(|gone| failure::of_operation(&gone.into()))?;
        let unknown = || Problem::new(ErrorCode::Unauthorized, "the directory has no such user");
        settings.map(drop).ok_or_else(unknown)
    }
}

/// An assistant's extension, by the token of its hold.
pub(super) struct Extension(pub(super) Hold);

/// Where the call comes from, as far as trusted proxies tell.
pub(super) struct Address(pub(super) IpAddr);

/// The platform's back-end, by the service token.
pub(super) struct BackEnd;

/// Whoever has a token that is no extension's.
pub(super) enum Anybody {
    BackEnd,
    User(Caller),
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = token(parts)?;
        let verified = app.authenticator.user(token).await;
        let verified = verified.map_err(|error| Problem::new(error.code(), error.to_string()))?;
        Ok(Self(verified.user))
    }
}

impl FromRequestParts<Arc<App>> for Extension {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let verified = app.extension_tokens.verify(token(parts)?);
        verified.map(Self).map_err(|error| Problem::new(error.code(), error.to_string()))
    }
}

impl FromRequestParts<Arc<App>> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>();
        let address = peer.map(|peer| peer.client_behind_proxies(&parts.headers));
        address.map(Self).ok_or_else(|| Problem::new(ErrorCode::Internal, "the caller has no address"))
    }
}

impl FromRequestParts<Arc<App>> for BackEnd {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if app.authenticator.is_service(token(parts)?) {
            return Ok(Self);
        }
        Err(Problem::new(ErrorCode::Unauthorized, "this route wants the service token"))
    }
}

impl FromRequestParts<Arc<App>> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if app.authenticator.is_service(token(parts)?) {
            return Ok(Self::BackEnd);
        }
        Caller::from_request_parts(parts, app).await.map(Self::User)
    }
}

fn token(parts: &Parts) -> Result<&str, Problem> {
    bearer(&parts.headers)?
        .ok_or_else(|| Problem::new(ErrorCode::Unauthorized, "send Authorization: Bearer <token>"))
}
