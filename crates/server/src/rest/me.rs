//! `/api/presence/me`: all that is stored about the caller, read out or erased; and the names of what the caller is in.

mod channels;
mod export;
mod history;
mod names;

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use model::ErrorCode;
use persistence::jobs::Job;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Problem},
    rate::Call,
};

pub(crate) use export::Exports;

/// How long a caller waits for the archive to be cleaned, before being told that it goes on.
const ARCHIVE_PATIENCE: Duration = Duration::from_secs(2);

/// All of it.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(erase))
        .routes(routes!(channels::channels))
        .routes(routes!(names::names))
        .routes(routes!(history::history))
        .routes(routes!(export::export))
}

/// What an erasure has come to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Erased {
    success: bool,
    /// Whether the archive is clean too; else a job goes on with it.
    archive_done: bool,
}

/// Erases the caller: all that is stored about them.
///
/// Sessions end, sockets close, an account is clocked out.
#[utoipa::path(
    delete,
    path = "/api/presence/me",
    tag = "me",
    operation_id = "eraseMe",
    responses(
        (status = 200, description = "Nothing is left", body = Erased),
        (status = 202, description = "The archive is still being cleaned", body = Erased),
    ),
    extensions(("x-codes" = json!(codes([ErrorCode::RateLimited.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
async fn erase(State(app): State<Arc<App>>, caller: Caller) -> Result<(StatusCode, Json<Erased>), Problem> {
    app.user_limits.check(caller.0, Call::Erasure)?;
    let erased = app.operations.erase(caller.0).await;
    // Also where it was not done to its end: what was committed of it holds.
    app.analytics.forget();
    erased.map_err(|error| failure::of_operation(&error))?;
    let archive_done = timeout(ARCHIVE_PATIENCE, clean_archive(app)).await.unwrap_or(false);
    let status = if archive_done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Erased { success: true, archive_done })))
}

/// In a task of its own: a caller who does not wait stops nothing.
async fn clean_archive(app: Arc<App>) -> bool {
    let cleaning = tokio::spawn(async move {
        let now = app.hub.clock().now().wall;
        match app.jobs.run(&Job::Erasures, now).await {
            Ok(report) => report.is_complete(),
            Err(error) => {
                tracing::warn!(%error, "the archive is not clean yet of somebody who was erased; the job goes on");
                false
            }
        }
    });
    cleaning.await.unwrap_or(false)
}
