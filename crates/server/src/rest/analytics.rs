//! `GET /api/presence/analytics`: an organization by days, hours and pages, for its owners and admins.

mod reports;
mod shared;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use model::{ErrorCode, OrganizationId, Role, UserId};
use persistence::{AnalyticsQuery, DateRange, Pick, StoreError, analytics::Report};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    problem::{Json, Problem, Query},
    rate::Call,
};

pub(crate) use reports::Reports;

/// What is asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    organization_id: OrganizationId,
    /// The first day, `YYYY-MM-DD`.
    from: String,
    /// The last day.
    to: String,
    /// Whose days and hours, by its IANA name; left out: UTC.
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
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    #[serde(flatten)]
    report: Arc<Report>,
    active_now: u64,
}

/// `GET`: whether the caller may ask is looked up each time, also where the answer is there.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Board)?;
    let query = asked.query()?;
    may_ask(&app, caller.0, query.organization).await?;
    let (store, of) = (app.store.clone(), query.organization);
    let now = app.analytics.active_now(of, async move { store.active_now(of).await });
    let (store, wanted) = (app.store.clone(), query.clone());
    let report = app.analytics.report(query, async move { store.analytics(&wanted).await });
    let (report, active_now) = (report.await?, now.await?);
    // Nobody but the caller may ever be given this, also not by a cache.
    let private = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"))];
    Ok((private, Json(Told { report, active_now })))
}

async fn may_ask(app: &App, caller: UserId, organization: OrganizationId) -> Result<(), Problem> {
    let found = app.store.users(Pick::These(vec![caller])).await;
    let found = found.map_err(|error| failure::of_operation(&error.into()))?;
    let role = found.first().and_then(|(_, facts)| facts.organizations.get(&organization));
    let refusal = match role {
        Some(role) if role.administers() => return Ok(()),
        Some(Role::Owner | Role::Admin | Role::Member) => StoreError::Forbidden,
        None => StoreError::UnknownOrganization,
    };
    Err(failure::of_operation(&refusal.into()).into())
}
