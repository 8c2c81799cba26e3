//! `/api/presence/settings`: the caller's own.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use model::{ErrorCode, Kept, Settings, SettingsPatch};
use serde::Serialize;
use wire::SettingsNow;

use super::{caller::Caller, operation::operation};
use crate::{
    app::App,
    failure,
    problem::{Json, Problem},
};

/// `GET`: the settings in force, from memory, so that a database out of reach does not stop it.
pub(super) async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let settings =
        app.hub.settings_of(caller.0).await.map_err(|error| failure::of_operation(&error.into()))?;
    let settings =
        settings.ok_or_else(|| Problem::new(ErrorCode::Unauthorized, "the directory has no such user"))?;
    Ok(answer(settings))
}

/// The answer to a change that is in force and waits on the hub's disk for the database.
#[derive(Serialize)]
struct NotYetDurable {
    applied: bool,
    durable: bool,
}

/// `PUT`: changes what is given; what is left out stays as it is.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(patch): Json<SettingsPatch>,
) -> Result<impl IntoResponse, Problem> {
    let operation = operation(&headers)?;
    let changed = app.operations.change_settings(caller.0, patch, operation).await;
    let changed = changed.map_err(|error| failure::of_operation(&error))?;
    Ok(match changed.kept {
        Kept::Durably => answer(changed.settings).into_response(),
        Kept::Spooled => {
            let body = NotYetDurable { applied: true, durable: false };
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    })
}

fn answer(settings: Settings) -> impl IntoResponse {
    // Nobody but the caller may ever be given this, also not by a cache.
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(SettingsNow { settings }))
}
