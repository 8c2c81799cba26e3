//! REST: presence, and people as the caller may see them; the caller's own settings, activity and data; accounts and
//! access codes; analytics; the directory for the platform's back-end.

mod access_codes;
mod accounts;
mod activity;
mod analytics;
mod audit;
mod caller;
mod cors;
mod directory;
mod jobs;
mod me;
mod operation;
mod people;
mod settings;
mod system;
mod track;
mod why;

pub(crate) use analytics::Reports;
pub(crate) use me::Exports;

use std::{sync::Arc, time::Duration};

use axum::Router;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{app::App, console, edge, openapi, socket};

/// Every route of the public port: the API, the console, and `others`. Pages are no part of the API, and so not of its
/// description.
pub(crate) fn routes(app: Arc<App>, others: Router, request_timeout: Duration) -> Router {
    let (routes, _) = described().split_for_parts();
    let allowed = app.upgrade_rules.allowed_origins.clone();
    let pages = if app.console.enabled { console::routes() } else { Router::new() };
    let routes = routes.with_state(app).merge(pages).merge(others);
    cors::around(edge::around(routes, request_timeout), &allowed)
}

/// A route is made with its description, or not at all.
pub(crate) fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(socket::open))
        .routes(routes!(live))
        .routes(routes!(system::read))
        .merge(presence())
        .merge(me::routes())
        .merge(access_codes::routes())
        .merge(directory::routes())
        .merge(jobs::routes())
        .merge(openapi::routes())
}

fn presence() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(track::track, track::end))
        .routes(routes!(people::some))
        .routes(routes!(people::query).layer(people::query_limit()))
        .routes(routes!(people::one))
        .routes(routes!(people::team))
        .routes(routes!(people::permission))
        .routes(routes!(why::why))
        .routes(routes!(settings::read, settings::change))
        .routes(routes!(activity::tell))
        .routes(routes!(analytics::read))
        .routes(routes!(audit::read))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::clear))
}

/// Whether the process answers. Whether it is ready is said on the operators' port.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "operations",
    operation_id = "live",
    responses((status = 200, description = "It does", body = inline(String), content_type = "text/plain")),
)]
async fn live() -> &'static str {
    "ok\n"
}
