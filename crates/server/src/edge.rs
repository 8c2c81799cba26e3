//! What every HTTP request and answer has: an id, a limit of size and time, and a problem document where it fails.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use model::{ErrorCode, limits};
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    problem::{Kind, Problem},
    telemetry::UnderWay,
};

/// The id of a request: in every answer, and in the log where something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestIdText(pub String);

/// The header with the id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the edge around `routes`. A body has at most 16 KiB; a route may raise that for itself with another
/// [`DefaultBodyLimit`].
pub fn around(routes: Router, request_timeout: Duration) -> Router {
    routes
        .fallback(async || Problem::new(Kind::NoRoute, "see the documentation for the routes there are"))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::MethodNotAllowed, "the Allow header lists the methods of this route")
        })
        .layer(DefaultBodyLimit::max(limits::INBOUND_BYTES))
        .layer(middleware::from_fn_with_state(request_timeout, answer))
}

async fn answer(State(limit): State<Duration>, mut request: Request, next: Next) -> Response {
    // Made here always: an id from outside could be anything, and would end up in the log.
    let id = Uuid::new_v4().to_string();
    request.extensions_mut().insert(RequestIdText(id.clone()));
    let route = route_of(&request);
    let started = Instant::now();
    let _under_way = UnderWay::begin("presence_hub_requests_under_way");
    // At the highest level, so that every line of a request has its id, whatever else the filter lets through.
    let span = tracing::error_span!("request", request_id = id);
    let mut response = guarded(next.run(request), limit, &id).instrument(span).await;
    note(&route, &response, started.elapsed());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// The answer, or the problem of having none.
async fn guarded(answer: impl Future<Output = Response>, limit: Duration, id: &str) -> Response {
    match timeout(limit, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            // The panic hook has already written where and why.
            tracing::error!("a request made its handler panic; it was answered 500");
            Problem::new(ErrorCode::Internal, "the failure is logged under this request id")
                .request_id(id)
                .into_response()
        }
        Err(_) => {
            tracing::warn!(limit_ms = limit.as_millis() as u64, "a request took too long");
            Problem::new(Kind::Timeout, "the request was given up").retry_after_ms(1000).into_response()
        }
    }
}

/// Method and pattern of the route: never the path itself, which contains ids.
fn route_of(request: &Request) -> [String; 2] {
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => known,
        _ => "other",
    };
    [method.to_owned(), path.to_owned()]
}

fn note([method, path]: &[String; 2], response: &Response, took: Duration) {
    let labels = [
        ("method", method.clone()),
        ("route", path.clone()),
        ("status", response.status().as_u16().to_string()),
    ];
    metrics::counter!("presence_hub_requests_total", &labels).increment(1);
    metrics::histogram!("presence_hub_request_seconds").record(took);
}

#[cfg(test)]
mod tests;
