//! Who calls.

mod acting;

use std::{net::IpAddr, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use model::{ErrorCode, Hold, OrganizationId, Role, UserId};
use persistence::{Pick, Principal, StoreError};

use crate::{app::App, failure, listener::Peer, problem::Problem, upgrade::bearer};

/// A user, by their token; or the platform's back-end as that user, by the service token and `actingUser`.
pub(super) struct Caller(pub(super) UserId, By);

/// Whose token it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    BackEnd,
}

impl Caller {
    /// Who asks, for the audit.
    pub(super) fn principal(&self) -> Principal {
        Principal { user: self.0, by_back_end: self.1 == By::BackEnd }
    }

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

    /// Goes on if the caller is an owner or admin of the organization now.
    ///
    /// # Errors
    /// 403 for its members, 404 for everybody else.
    pub(super) async fn administers(&self, app: &App, organization: OrganizationId) -> Result<(), Problem> {
        let found = app.store.users(Pick::These(vec![self.0])).await;
        let found = found.map_err(|error| failure::of_operation(&error.into()))?;
        let role = found.first().and_then(|(_, facts)| facts.organizations.get(&organization));
        let refusal = match role {
            Some(role) if role.administers() => return Ok(()),
            Some(Role::Owner | Role::Admin | Role::Member) => StoreError::Forbidden,
            None => StoreError::UnknownOrganization,
        };
        Err(failure::of_operation(&refusal.into()).into())
    }
}

/// An assistant's extension, by the token of its hold.
pub(super) struct Extension(pub(super) Hold);

/// Where the call comes from, as far as trusted proxies tell.
pub(super) struct Address(pub(super) IpAddr);

/// The platform's back-end, by the service token.
pub(super) struct BackEnd;

/// Whoever has a token that is no extension's. With `actingUser` the back-end is that user.
pub(super) enum Anybody {
    BackEnd,
    User(Caller),
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let acting = acting::user(parts)?;
        if app.authenticator.is_service(token(parts)?) {
            let nobody =
                || Problem::new(ErrorCode::Unauthorized, "name the user in actingUser, with this token");
            let user = acting.ok_or_else(nobody)?;
            acting::write_down(parts, user);
            return Ok(Self(user, By::BackEnd));
        }
        if acting.is_some() {
            return Err(Problem::new(
                ErrorCode::Unauthorized,
                "actingUser goes with the service token alone",
            ));
        }
        let verified = app.authenticator.user(token(parts)?).await;
        let verified = verified.map_err(|error| Problem::new(error.code(), error.to_string()))?;
        Ok(Self(verified.user, By::User))
    }
}

impl FromRequestParts<Arc<App>> for Extension {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        acting::nobody(parts)?;
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
            acting::nobody(parts)?;
            return Ok(Self);
        }
        Err(Problem::new(ErrorCode::Unauthorized, "this route wants the service token"))
    }
}

impl FromRequestParts<Arc<App>> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if app.authenticator.is_service(token(parts)?) && !acting::is_named(parts) {
            return Ok(Self::BackEnd);
        }
        Caller::from_request_parts(parts, app).await.map(Self::User)
    }
}

fn token(parts: &Parts) -> Result<&str, Problem> {
    bearer(&parts.headers)?
        .ok_or_else(|| Problem::new(ErrorCode::Unauthorized, "send Authorization: Bearer <token>"))
}
