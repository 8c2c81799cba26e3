//! REST: presence, and people as the caller may see them; the caller's own settings, activity and data; accounts and
//! access codes; analytics; the directory for the platform's back-end.

mod access_codes;
mod accounts;
mod activity;
mod analytics;
mod caller;
mod directory;
mod jobs;
mod me;
mod operation;
mod people;
mod settings;
mod track;
mod why;

pub(crate) use analytics::Reports;
pub(crate) use me::Exports;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{delete, get, post, put},
};

use crate::{app::App, edge, socket};

/// Every route of the public port.
pub(crate) fn routes(app: Arc<App>, request_timeout: Duration) -> Router {
    let directory = Router::new()
        .route("/changes", post(directory::change))
        .route("/import", post(directory::import).layer(directory::import_limit()))
        .route("/users/{user}", put(directory::put_user).delete(directory::remove_user))
        .route(
            "/organizations/{organization}",
            put(directory::put_organization).delete(directory::remove_organization),
        )
        .route(
            "/organizations/{organization}/members/{user}",
            put(directory::put_member).delete(directory::remove_member),
        )
        .route("/weddings/{wedding}", put(directory::put_wedding).delete(directory::remove_wedding))
        .route(
            "/weddings/{wedding}/collaborations/{supplier}/{client}",
            put(directory::put_collaboration).delete(directory::remove_collaboration),
        )
        .route("/accounts/{account}", put(directory::put_account).delete(directory::remove_account));
    let routes = Router::new()
        .route("/ws", get(socket::open))
        .route("/livez", get(async || "ok\n"))
        .route("/api/presence/track", post(track::track).delete(track::end))
        .route("/api/presence/users", get(people::some))
        .route("/api/presence/users/query", post(people::query).layer(people::query_limit()))
        .route("/api/presence/users/{user}", get(people::one))
        .route("/api/presence/weddings/{wedding}", get(people::team))
        .route("/api/presence/permissions", get(people::permission))
        .route("/api/presence/settings", get(settings::read).put(settings::change))
        .route("/api/presence/activity", post(activity::tell))
        .route("/api/presence/analytics", get(analytics::read))
        .route("/api/presence/why", get(why::why))
        .route("/api/presence/me", delete(me::erase))
        .route("/api/presence/me/audit", get(me::history))
        .route("/api/presence/me/export", get(me::export))
        .route("/api/presence/accounts", get(accounts::list))
        .route("/api/presence/accounts/{account}", delete(accounts::clear))
        .nest("/api/access-codes", access_codes::routes())
        .nest("/api/directory", directory)
        .nest("/api/jobs", jobs::routes())
        .with_state(app);
    edge::around(routes, request_timeout)
}
