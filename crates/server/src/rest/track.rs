//! `/api/presence/track`: presence without a socket.

use std::sync::Arc;

use axum::extract::State;
use hub::Tracked;
use model::{ChannelId, Device, ErrorCode, SessionId, Status, TrackRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Kind, Problem},
    rate::{self, Said},
};

/// A track, and whose: every field of [`TrackRequest`], and the session.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TrackRequest)]
pub(super) struct Call {
    status: Status,
    #[schema(schema_with = model::openapi::page)]
    current_page: Option<String>,
    is_typing: Option<bool>,
    device: Option<Device>,
    #[schema(schema_with = model::openapi::custom_status)]
    custom_status: Option<String>,
    #[schema(schema_with = model::openapi::custom_emoji)]
    custom_emoji: Option<String>,
    #[serde(rename = "in")]
    #[schema(schema_with = model::openapi::scope)]
    scope: Option<Vec<ChannelId>>,
    /// One of the caller's, such as that of a socket; left out: the one that calls alone keep alive.
    session_id: Option<SessionId>,
}

impl Call {
    fn parts(self) -> (Option<SessionId>, TrackRequest) {
        let Self { status, current_page, is_typing, device, custom_status, custom_emoji, scope, session_id } =
            self;
        let track =
            TrackRequest { status, current_page, is_typing, device, custom_status, custom_emoji, scope };
        (session_id, track)
    }
}

/// The answer to a track.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tracked)]
pub(super) struct Broadcast {
    success: bool,
    /// Names this call and nothing else.
    broadcast_id: Uuid,
}

/// The answer to an end.
#[derive(Serialize, ToSchema)]
#[schema(as = TrackEnded)]
pub(super) struct Ended {
    success: bool,
}

/// Announces the caller's presence.
///
/// Without `sessionId` it is that of the one session that calls alone keep alive: it ends 90 s after its last call. A
/// track replaces the one before it whole.
#[utoipa::path(
    post,
    path = "/api/presence/track",
    tag = "presence",
    operation_id = "track",
    responses((status = 200, description = "It is shown", body = Broadcast)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), Kind::UnknownSession, Kind::TooManySessions,
        ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn track(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(call): Json<Call>,
) -> Result<Json<Broadcast>, Problem> {
    let gone = |gone: hub::Gone| failure::of_operation(&gone.into());
    let (named, request) = call.parts();
    let track = request.clean().map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))?;
    let session = app.hub.track_of(caller.0, named).await.map_err(gone)?;
    if named.is_some() && session.is_none() {
        return Err(no_session());
    }
    let last = session.flatten().as_ref().map(Said::from);
    if let Some(counted) = rate::classify(last, Said::from(&track)) {
        app.user_limits.check(caller.0, counted)?;
    }
    match app.hub.track(caller.0, named, track).await.map_err(gone)? {
        Tracked::Taken => Ok(Json(Broadcast { success: true, broadcast_id: Uuid::new_v4() })),
        Tracked::UnknownUser => Err(Problem::new(ErrorCode::Unauthorized, "the directory has no such user")),
        Tracked::UnknownSession => Err(no_session()),
        Tracked::TooManySessions => {
            Err(Problem::new(Kind::TooManySessions, "the caller has as many sessions as there may be"))
        }
    }
}

/// Somebody else's, or nobody's.
fn no_session() -> Problem {
    Problem::new(Kind::UnknownSession, "the caller has no session by that id")
}

/// Ends the session that calls alone keep alive, as a sign-out does.
///
/// Also where there is none.
#[utoipa::path(
    delete,
    path = "/api/presence/track",
    tag = "presence",
    operation_id = "endTrack",
    responses((status = 200, description = "There is none any more", body = Ended)),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn end(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Ended>, Problem> {
    caller.admit(&app).await?;
    let ended = app.hub.end_rest_session(caller.0).await;
    ended.map_err(|gone| failure::of_operation(&gone.into()))?;
    Ok(Json(Ended { success: true }))
}
