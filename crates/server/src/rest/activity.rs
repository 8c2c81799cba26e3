//! `POST /api/presence/activity`: what the caller did, for the organizations that keep a log.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use hub::Told;
use model::{ActivityRequest, ErrorCode};
use serde::Serialize;

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    problem::{Json, Problem},
    rate::Call,
};

/// The answer: taken, and no word of whether it is logged.
#[derive(Serialize)]
pub(super) struct Accepted {
    success: bool,
}

/// Takes an activity; it is in memory when this answers, and written within seconds.
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
