//! Who calls.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use model::{ErrorCode, UserId};

use crate::{app::App, problem::Problem, upgrade::bearer};

/// A user, by their token.
pub(super) struct Caller(pub(super) UserId);

/// The platform's back-end, by the service token.
pub(super) struct BackEnd;

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = token(parts)?;
        let verified = app.authenticator.user(token).await;
        let verified = verified.map_err(|error| Problem::new(error.code(), error.to_string()))?;
        Ok(Self(verified.user))
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

fn token(parts: &Parts) -> Result<&str, Problem> {
    bearer(&parts.headers)?
        .ok_or_else(|| Problem::new(ErrorCode::Unauthorized, "send Authorization: Bearer <token>"))
}
