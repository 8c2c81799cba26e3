//! `GET /api/presence/analytics`: an organization by days, hours and pages, for its owners and admins.

mod reports;
mod shared;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use model::{ErrorCode, OrganizationId};
use persistence::{AnalyticsQuery, DateRange, analytics::Report};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use crate::{
    app::App,
    openapi::codes,
    problem::{Json, Problem, Query},
    rate::Call,
};

pub(crate) use reports::Reports;

/// What is asked.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    organization_id: OrganizationId,
    /// The first day, `YYYY-MM-DD`.
    #[param(format = Date, example = "2026-06-01")]
    from: String,
    /// The last day.
    #[param(format = Date, example = "2026-06-30")]
    to: String,
    /// Whose days and hours, by its IANA name; left out: UTC.
    #[param(example = "Europe/Berlin", min_length = 1, max_length = 64)]
    time_zone: Option<String>,
}

impl Asked {
    fn query(&self) -> Result<AnalyticsQuery, Problem> {
        let range = DateRange::parse(&self.from, &self.to, self.time_zone.as_deref());
        let range = range.map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))?;
        Ok(AnalyticsQuery { organization: self.organization_id, range })
    }
}

/// A report, and who is active as it is read.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Analytics)]
pub(super) struct Told {
    #[serde(flatten)]
    #[schema(value_type = Report)]
    report: Arc<Report>,
    active_now: u64,
}

/// An organization by days, hours, pages and devices, for its owners and admins.
///
/// Whole days in the time zone, at most 366. No group of fewer than three people is told apart.
#[utoipa::path(
    get,
    path = "/api/presence/analytics",
    tag = "activity",
    operation_id = "analytics",
    params(Asked),
    responses(
        (status = 200, description = "The report, at most 15 minutes old; who is active now, at most one", body = Told),
    ),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::Forbidden.into(), ErrorCode::UnknownChannel.into(),
        ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Board)?;
    let query = asked.query()?;
    caller.administers(&app, query.organization).await?;
    let (store, of) = (app.store.clone(), query.organization);
    let now = app.analytics.active_now(of, async move { store.active_now(of).await });
    let (store, wanted) = (app.store.clone(), query.clone());
    let report = app.analytics.report(query, async move { store.analytics(&wanted).await });
    let (report, active_now) = (report.await?, now.await?);
    // Nobody but the caller may ever be given this, also not by a cache.
    let private = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"))];
    Ok((private, Json(Told { report, active_now })))
}
