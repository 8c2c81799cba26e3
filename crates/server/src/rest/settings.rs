//! `/api/presence/settings`: the caller's own.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use model::{ErrorCode, Kept, Settings, SettingsPatch};
use serde::Serialize;
use utoipa::ToSchema;
use wire::SettingsNow;

use super::{
    caller::Caller,
    operation::{IdempotencyKey, operation},
};
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Problem},
};

/// The caller's settings in force.
#[utoipa::path(
    get,
    path = "/api/presence/settings",
    tag = "settings",
    operation_id = "settings",
    responses((status = 200, description = "They are these", body = SettingsAnswer)),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let settings =
        app.hub.settings_of(caller.0).await.map_err(|error| failure::of_operation(&error.into()))?;
    let settings =
        settings.ok_or_else(|| Problem::new(ErrorCode::Unauthorized, "the directory has no such user"))?;
    Ok(answer(settings))
}

/// The caller's settings, as they are answered.
#[derive(ToSchema)]
#[schema(as = SettingsNow)]
#[expect(dead_code, reason = "the shape of `wire`'s")]
struct SettingsAnswer {
    settings: Settings,
}

/// The answer to a change that is in force and waits on the hub's disk for the database.
#[derive(Serialize, ToSchema)]
struct NotYetDurable {
    applied: bool,
    durable: bool,
}

/// Changes the caller's settings: what is left out stays as it is.
///
/// When it is answered, live viewers have been told or are about to be. A change that only hides is in force at once, also
/// while the database is out of reach: 202 then.
#[utoipa::path(
    put,
    path = "/api/presence/settings",
    tag = "settings",
    operation_id = "changeSettings",
    params(IdempotencyKey),
    responses(
        (status = 200, description = "It is committed; these are in force", body = SettingsAnswer),
        (status = 202, description = "In force, and committed as soon as the database is back", body = NotYetDurable),
    ),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::OperationConflict.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(patch): Json<SettingsPatch>,
) -> Result<impl IntoResponse, Problem> {
    let operation = operation(&headers)?;
    let changed = app.operations.change_settings(caller.principal(), patch, operation).await;
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
