//! `GET /api/system`: how the hub is, for whoever runs it. What the operators' port says, on the port that pages can ask.

use std::sync::Arc;

use axum::extract::State;
use model::ErrorCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    caller::{Anybody, Caller},
    people,
};
use crate::{
    app::App,
    openapi::codes,
    problem::{Json, Problem},
    telemetry::{Figure, Verdict},
};

/// How the hub is.
#[derive(Serialize, ToSchema)]
#[schema(as = System)]
pub(crate) struct System {
    version: &'static str,
    health: Verdict,
    /// All metrics of `docs/operations.md`, series by series. Counters count from the start of the hub.
    figures: Vec<Figure>,
}

/// How the hub is: its version, what does not work, and all its metrics. No figure names a user or a channel.
///
/// For the back-end, and for the users whom `console.operators` names.
#[utoipa::path(
    get,
    path = "/api/system",
    tag = "operations",
    operation_id = "system",
    responses((status = 200, description = "As it is now", body = System)),
    extensions(("x-codes" = json!(codes([ErrorCode::Forbidden.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    who: Anybody,
) -> Result<people::Answer<System>, Problem> {
    if let Anybody::User(caller) = who {
        caller.admit(&app).await?;
        operates(&app, &caller)?;
    }
    let system = System {
        version: env!("CARGO_PKG_VERSION"),
        health: app.instruments.readiness.verdict(),
        figures: app.instruments.figures(),
    };
    Ok((people::no_store(), Json(system)))
}

fn operates(app: &App, caller: &Caller) -> Result<(), Problem> {
    if app.console.operators.contains(&caller.0) {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::Forbidden, "for the operators of the hub, whom console.operators names"))
}
