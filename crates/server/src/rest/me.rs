//! `/api/presence/me`: all that is stored about the caller, read out or erased.

mod export;
mod history;

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use persistence::jobs::Job;
use serde::Serialize;
use tokio::time::timeout;

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    problem::{Json, Problem},
    rate::Call,
};

pub(crate) use export::Exports;
pub(super) use export::export;
pub(super) use history::history;

/// How long a caller waits for the archive to be cleaned, before being told that it goes on.
const ARCHIVE_PATIENCE: Duration = Duration::from_secs(2);

/// What an erasure has come to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Erased {
    success: bool,
    /// Whether the archive is clean too; else a job goes on with it.
    archive_done: bool,
}

/// `DELETE`: erases the caller. 200 where nothing is left, 202 where the archive is still being cleaned.
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<(StatusCode, Json<Erased>), Problem> {
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
