use std::time::Duration;

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use super::{RequestIdText, around};
use crate::problem::{Json, Path, Query};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body1 {
    name: String,
}

#[derive(Deserialize)]
struct Page {
    page: u32,
}

fn router() -> Router {
    let routes = Router::new()
        .route("/echo", post(async |Json(body): Json<Body1>| Json(body)))
        .route("/page", get(async |Query(Page { page }): Query<Page>| page.to_string()))
        .route("/number/{n}", get(async |Path(n): Path<u32>| n.to_string()))
        .route("/id", get(async |Extension(RequestIdText(id)): Extension<RequestIdText>| id))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .route("/slow", get(async || std::future::pending::<&'static str>().await));
    around(routes, Duration::from_millis(50))
}

async fn ask(request: Request<Body>) -> (axum::http::response::Parts, String) {
    let response: Response<Body> = router().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (head, String::from_utf8(bytes.to_vec()).unwrap())
}

fn get_of(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post_of(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/echo").header("content-type", content_type).body(body.into()).unwrap()
}

#[tokio::test]
async fn refusals_are_problem_documents() {
    let json = "application/json";
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(16 * 1024));
    for (request, status, code) in [
        (get_of("/nowhere"), 404, "no_route"),
        (get_of("/echo"), 405, "method_not_allowed"),
        (
            Request::builder().method("TRACE").uri("/id").body(Body::empty()).unwrap(),
            405,
            "method_not_allowed",
        ),
        (post_of("text/plain", "{}"), 415, "unsupported_media_type"),
        (post_of(json, "{"), 400, "malformed"),
        (post_of(json, "{}"), 400, "malformed"),
        (post_of(json, r#"{"name":7}"#), 400, "malformed"),
        (post_of(json, r#"{"name":"a","more":1}"#), 400, "malformed"),
        (post_of(json, r#"{"name":"a","name":"b"}"#), 400, "malformed"),
        (post_of(json, "[".repeat(10_000)), 400, "malformed"),
        (post_of(json, b"{\"name\":\"\xFF\"}".to_vec()), 400, "malformed"),
        (post_of(json, large), 413, "too_large"),
        (get_of("/page?page=many"), 400, "malformed"),
        (get_of("/number/many"), 400, "malformed"),
        (get_of("/slow"), 503, "timeout"),
        (get_of("/panic"), 500, "internal"),
    ] {
        let shown = format!("{} {}", request.method(), request.uri());
        let (head, body) = ask(request).await;
        assert_eq!(head.status, status, "{shown}: {body}");
        assert_eq!(head.headers["content-type"], "application/problem+json", "{shown}");
        let document: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(document["code"], code, "{shown}");
        assert_eq!(head.headers.contains_key("allow"), status == 405, "{shown}");
        assert_eq!(head.headers.contains_key("retry-after"), code == "timeout", "{shown}");
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes() {
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(16 * 1024 - 11));
    assert_eq!(body.len(), 16 * 1024);
    let (head, answer) = ask(post_of("application/json", body.clone())).await;
    assert_eq!((head.status.as_u16(), answer), (200, body));
    assert_eq!(ask(get_of("/page?page=3")).await.1, "3");
    assert_eq!(ask(get_of("/number/4")).await.1, "4");
}

#[tokio::test]
async fn every_request_has_an_id_of_our_own() {
    let mut request = get_of("/id");
    request.headers_mut().insert("x-request-id", "forged\tline".parse().unwrap());
    let (head, body) = ask(request).await;
    assert_eq!(head.headers["x-request-id"], body);
    assert_eq!(head.headers["x-content-type-options"], "nosniff");
    assert_eq!(uuid::Uuid::parse_str(&body).unwrap().get_version_num(), 4);
    assert_ne!(ask(get_of("/id")).await.1, body);
}

#[tokio::test]
async fn a_panic_is_answered_with_the_id_under_which_it_is_logged() {
    let (head, body) = ask(get_of("/panic")).await;
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["requestId"], head.headers["x-request-id"].to_str().unwrap());
    assert!(!body.contains("on purpose"));
}
