//! `/api/docs`: a page to browse the description. All of it is in the binary; it asks no other host for anything.

use std::sync::{Arc, LazyLock};

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use model::ErrorCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerFile, serve};

use crate::problem::{Kind, Problem};

/// What the page may do: show itself, and ask this hub. Its own styles are set by its script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // The validator would be a service of somebody else.
    let config = Config::new(["/api/openapi.json"]).validator_url("none").use_base_layout();
    Arc::new(config.display_operation_id(true).filter(true))
});

/// The page and its parts. They are no part of the API, and so not of its description.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .route("/api/docs", get(async || Redirect::permanent("/api/docs/")))
        .route("/api/docs/", get(async || part("index.html")))
        .route("/api/docs/{*part}", get(async |Path(name): Path<String>| part(&name)))
}

fn part(name: &str) -> Result<Response, Problem> {
    let found = serve(name, CONFIG.clone());
    let found = found.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))?;
    let none = || Problem::new(Kind::NoRoute, "the page has no such part");
    found.ok_or_else(none).map(answer)
}

fn answer(file: SwaggerFile<'static>) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value| headers.insert(name, value);
    set(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    set(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(kind) = HeaderValue::try_from(file.content_type) {
        set(header::CONTENT_TYPE, kind);
    }
    if file.gzpipped {
        set(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    (headers, Body::from(file.bytes.into_owned())).into_response()
}
