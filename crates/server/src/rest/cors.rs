//! Pages of the platform may call from their own origins: those of `listen.allowed_origins`, as for sockets. Tokens are
//! sent by the page and never by the browser, so no credentials are allowed.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::operation::OPERATION;
use crate::{edge::REQUEST_ID, origin::Origin};

/// How long a browser may remember what is allowed.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Around everything, so that a page can read why it was refused. Without an origin that is allowed nothing is said.
pub(super) fn around(routes: Router, allowed: &[Origin]) -> Router {
    if allowed.is_empty() {
        return routes;
    }
    let allowed = allowed.to_vec();
    let is_allowed = move |origin: &HeaderValue, _: &Parts| {
        let origin = origin.to_str().ok().and_then(|text| Origin::parse(text).ok());
        origin.is_some_and(|origin| allowed.contains(&origin))
    };
    routes.layer(
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(is_allowed))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static(OPERATION)])
            .expose_headers([REQUEST_ID, header::RETRY_AFTER])
            .max_age(REMEMBERED),
    )
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{HeaderMap, Request},
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    const APP: &str = "https://app.example.com";

    async fn ask(method: Method, path: &str, origin: &str, allowed: &[&str]) -> (u16, HeaderMap) {
        let allowed: Vec<_> = allowed.iter().map(|text| Origin::parse(text).unwrap()).collect();
        let routes = Router::new().route("/x", get(async || "x"));
        let routes = around(crate::edge::around(routes, Duration::from_secs(5)), &allowed);
        let preflight = header::ACCESS_CONTROL_REQUEST_METHOD;
        let request = Request::builder().method(method).uri(path).header(header::ORIGIN, origin);
        let answer =
            routes.oneshot(request.header(preflight, "PUT").body(Body::empty()).unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.headers().clone())
    }

    #[tokio::test]
    async fn an_allowed_page_may_ask_and_read_also_refusals() {
        let (status, headers) = ask(Method::OPTIONS, "/x", APP, &[APP]).await;
        assert_eq!((status, &headers[header::ACCESS_CONTROL_ALLOW_ORIGIN]), (200, &APP.parse().unwrap()));
        let allowed = headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        assert_eq!(allowed, "authorization,content-type,idempotency-key");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET,POST,PUT,DELETE");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        for (path, expected) in [("/x", 200), ("/y", 404)] {
            let (status, headers) = ask(Method::GET, path, APP, &["https://other.example", APP]).await;
            assert_eq!(
                (status, &headers[header::ACCESS_CONTROL_ALLOW_ORIGIN]),
                (expected, &APP.parse().unwrap())
            );
            assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], "x-request-id,retry-after");
            assert!(headers[header::VARY].to_str().unwrap().contains("origin"));
        }
    }

    #[tokio::test]
    async fn all_others_are_told_nothing() {
        for origin in
            ["https://evil.example", "https://app.example.com.evil.io", "null", "http://app.example.com", "*"]
        {
            for method in [Method::OPTIONS, Method::GET] {
                let (_, headers) = ask(method, "/x", origin, &[APP]).await;
                assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
            }
        }
        let (status, headers) = ask(Method::OPTIONS, "/x", APP, &[]).await;
        assert_eq!((status, headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)), (405, false));
    }
}
