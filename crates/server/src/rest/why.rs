//! `GET /api/presence/why`: why somebody is seen or not, to those who may know.

use std::sync::Arc;

use axum::extract::State;
use model::{UserId, why::Why};
use presence::Asker;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{caller::Anybody, people::no_store};
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Kind, Problem, Query},
};

/// Whose sight of whom.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    subject: UserId,
    viewer: UserId,
}

/// Why a viewer sees a subject or not, rule by rule.
///
/// In full to the subject and the back-end; relations alone to an administrator of both. To all others there is nothing.
#[utoipa::path(
    get,
    path = "/api/presence/why",
    tag = "people",
    operation_id = "why",
    params(Of),
    responses((status = 200, description = "The rules, as far as the caller may know them", body = Why)),
    extensions(("x-codes" = json!(codes([Kind::UnknownUser])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn why(
    State(app): State<Arc<App>>,
    caller: Anybody,
    Query(Of { subject, viewer }): Query<Of>,
) -> Result<super::people::Answer<Why>, Problem> {
    let asker = match caller {
        Anybody::BackEnd => Asker::Service,
        Anybody::User(caller) => {
            caller.admit(&app).await?;
            Asker::User(caller.0)
        }
    };
    let why = app.hub.why(asker, subject, viewer).await;
    let why = why.map_err(|gone| failure::of_operation(&gone.into()))?;
    let nothing = || Problem::new(Kind::UnknownUser, "there is nobody of whom this caller may ask that");
    Ok((no_store(), Json(why.ok_or_else(nothing)?)))
}
