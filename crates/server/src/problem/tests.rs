use axum::{http::header, response::IntoResponse};
use model::{ErrorCode, RequestError};

use super::{Kind, Problem};

async fn document(problem: Problem) -> (axum::http::response::Parts, serde_json::Value) {
    let (head, body) = problem.into_response().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (head, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn every_code_has_its_status_and_its_name() {
    let http_only = [
        (Kind::NoRoute, 404, "no_route"),
        (Kind::MethodNotAllowed, 405, "method_not_allowed"),
        (Kind::ForeignOrigin, 403, "foreign_origin"),
        (Kind::UpgradeRequired, 426, "upgrade_required"),
        (Kind::UnsupportedMediaType, 415, "unsupported_media_type"),
        (Kind::Timeout, 503, "timeout"),
        (Kind::Overloaded, 503, "overloaded"),
        (Kind::NoJob, 404, "no_job"),
        (Kind::JobTaken, 409, "job_taken"),
        (Kind::JobFailed, 500, "job_failed"),
    ];
    let shared = ErrorCode::ALL.iter().map(|code| (Kind::from(*code), code.number(), code.name()));
    for (kind, status, code) in shared.chain(http_only) {
        let (head, document) = document(Problem::new(kind, "why")).await;
        assert_eq!(head.status.as_u16(), status);
        assert_eq!(head.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(document["type"], format!("urn:presence-hub:problem:{code}"));
        assert_eq!((&document["status"], &document["code"]), (&status.into(), &code.into()));
        assert_eq!(document["detail"], "why");
        assert!(document["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert_eq!(document.as_object().unwrap().len(), 5, "{document}");
    }
}

#[tokio::test]
async fn the_time_to_wait_is_told_twice() {
    let error =
        RequestError { retry_after_ms: Some(1_001), ..RequestError::new(ErrorCode::RateLimited, "wait") };
    let (head, document) = document(error.into()).await;
    assert_eq!(head.headers[header::RETRY_AFTER], "2", "rounded up");
    assert_eq!(document["retryAfterMs"], 1_001);
    let without = Problem::from(RequestError::new(ErrorCode::InvalidValue, "no"));
    assert_eq!((without.kind(), without.detail()), (Kind::Error(ErrorCode::InvalidValue), "no"));
    assert!(!without.into_response().headers().contains_key(header::RETRY_AFTER));
}

#[test]
fn what_is_encoded_badly_is_not_guessed() {
    for (query, well) in [
        ("", true),
        ("a=b&c=%C3%A9+%25", true),
        ("a=%", false),
        ("a=%4", false),
        ("a=%zz", false),
        ("a=%+1", false),
        ("a=%ff", false),
        ("a=%C3", false),
    ] {
        assert_eq!(super::extract::is_well_encoded(query), well, "{query}");
    }
}
