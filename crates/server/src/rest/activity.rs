//! `POST /api/presence/activity`: what the caller did, for the organizations that keep a log.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use hub::Told;
use model::{ActivityRequest, ErrorCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Problem},
    rate::Call,
};

/// The answer: taken, and no word of whether it is logged.
#[derive(Serialize, ToSchema)]
#[schema(as = ActivityAccepted)]
pub(super) struct Accepted {
    success: bool,
}

/// Tells what the caller did, for the organizations that keep a log.
///
/// It is in memory when this answers, and written within seconds. Whether it is logged is not told.
#[utoipa::path(
    post,
    path = "/api/presence/activity",
    tag = "activity",
    operation_id = "activity",
    responses((status = 202, description = "Taken", body = Accepted)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::UnknownChannel.into(), ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn tell(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<ActivityRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let activity =
        request.clean().map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))?;
    app.user_limits.check(caller.0, Call::Activity)?;
    match app.hub.activity(caller.0, activity).await {
        Ok(Told::Taken) => Ok((StatusCode::ACCEPTED, Json(Accepted { success: true }))),
        Ok(Told::UnknownUser) => Err(Problem::new(ErrorCode::Unauthorized, "the directory has no such user")),
        Ok(Told::UnknownOrganization) => {
            Err(Problem::new(ErrorCode::UnknownChannel, "there is no such organization"))
        }
        Err(gone) => Err(failure::of_operation(&gone.into()).into()),
    }
}
