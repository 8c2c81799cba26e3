//! REST: the caller's own settings, and the directory for the platform's back-end.

mod caller;
mod directory;
mod settings;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post, put},
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
        .route("/api/presence/settings", get(settings::read).put(settings::change))
        .nest("/api/directory", directory)
        .with_state(app);
    edge::around(routes, request_timeout)
}
