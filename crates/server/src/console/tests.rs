use std::time::Duration;

use axum::http::{HeaderMap, Method, Request};
use tower::ServiceExt;

use super::*;

const FILES: Files = &[
    ("assets/index-1a2b.js", b"export {};"),
    ("assets/style-3c4d.css", b"body{}"),
    ("icon.svg", b"<svg/>"),
    ("index.html", b"<!doctype html><title>console</title>"),
];

async fn ask(files: Files, method: Method, path: &str) -> (u16, HeaderMap, String) {
    let routes = crate::edge::around(serving(files), Duration::from_secs(5));
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let (head, body) = routes.oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn each_file_is_served_as_what_it_is() {
    for (path, kind, kept, text) in [
        ("/", "text/html; charset=utf-8", "no-cache", "<!doctype html><title>console</title>"),
        (
            "/admin/presence/analytics",
            "text/html; charset=utf-8",
            "no-cache",
            "<!doctype html><title>console</title>",
        ),
        ("/icon.svg", "image/svg+xml", "no-cache", "<svg/>"),
        (
            "/assets/index-1a2b.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
            "export {};",
        ),
        (
            "/assets/style-3c4d.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            "body{}",
        ),
    ] {
        let (status, headers, body) = ask(FILES, Method::GET, path).await;
        assert_eq!((status, body.as_str()), (200, text), "{path}");
        assert_eq!(
            (&headers["content-type"], &headers["cache-control"]),
            (&kind.parse().unwrap(), &kept.parse().unwrap())
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["content-security-policy"], POLICY);
        assert!(!POLICY.contains("unsafe"));
    }
}

#[tokio::test]
async fn a_browser_that_takes_it_gets_them_compressed() {
    let long = &*Box::leak("a".repeat(10_000).into_boxed_str());
    let files = &*Box::leak(Box::new([("assets/long.js", long.as_bytes()), ("index.html", b"<p>")]));
    let size = async |encodings: Option<&str>| {
        let mut request = Request::get("/assets/long.js");
        if let Some(encodings) = encodings {
            request = request.header("accept-encoding", encodings);
        }
        let answer = serving(files).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let encoding = answer.headers().get("content-encoding").cloned();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (encoding.map(|encoding| encoding.to_str().unwrap().to_owned()), body.len())
    };
    let (encoding, compressed) = size(Some("gzip, deflate, br")).await;
    assert!(encoding.as_deref() == Some("gzip") && compressed < 1_000, "{encoding:?}: {compressed}");
    for plain in [None, Some("identity"), Some("gzip;q=0")] {
        assert_eq!(size(plain).await, (None, 10_000), "{plain:?}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_no_route() {
    for path in [
        "/index.html",
        "/assets/index-9z9z.js",
        "/assets/../icon.svg",
        "/assets/",
        "/admin",
        "/console",
        "/icon.png",
    ] {
        let (status, headers, body) = ask(FILES, Method::GET, path).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (404, &"application/problem+json".parse().unwrap()),
            "{path}"
        );
        assert!(body.contains("\"code\":\"no_route\""), "{body}");
    }
    let (status, _, body) = ask(FILES, Method::POST, "/").await;
    assert!(status == 405 && body.contains("method_not_allowed"), "{body}");
    let (status, headers, body) = ask(FILES, Method::HEAD, "/").await;
    assert_eq!((status, &headers["content-length"], body.as_str()), (200, &"37".parse().unwrap(), ""));
}

/// A hub that was built without Node says how to get the console.
#[tokio::test]
async fn without_a_console_the_page_says_how_to_get_one() {
    let (status, headers, body) = ask(&[], Method::GET, "/").await;
    assert_eq!((status, &headers["content-security-policy"]), (200, &POLICY.parse().unwrap()));
    assert!(body.contains("npm ci &amp;&amp; npm run build -w console"), "{body}");
    assert!(!body.contains("<script") && !body.contains("style"), "the policy allows neither: {body}");
    assert_eq!(ask(&[], Method::GET, "/assets/x.js").await.0, 404);
}

#[test]
fn what_was_built_has_an_index_or_is_nothing() {
    assert!(BUILT.is_empty() || BUILT.iter().any(|(name, _)| *name == INDEX));
    assert!(BUILT.iter().all(|(name, bytes)| !name.ends_with(".map") && !bytes.is_empty()));
}
