//! The console, as the binary has it: with its pages where they were built before it, with a page that says how to get
//! them where they were not.

use reqwest::{Response, StatusCode, header};

use crate::fixture::{Hub, Launch};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn got(hub: &Hub, path: &str) -> Response {
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    http.get(hub.url(path)).send().await.expect("an answer")
}

fn header(answer: &Response, name: header::HeaderName) -> String {
    let value = answer.headers().get(&name).unwrap_or_else(|| panic!("no {name} in {answer:?}"));
    value.to_str().expect("a text").to_owned()
}

fn is_strict(answer: &Response) {
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(answer, header::CONTENT_SECURITY_POLICY), POLICY);
    assert_eq!(header(answer, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(header(answer, header::REFERRER_POLICY), "no-referrer");
}

/// What a page refers to below `/assets/`.
fn assets(page: &str) -> Vec<String> {
    let quoted = page.split('"').filter(|word| word.starts_with("/assets/"));
    quoted.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_console_is_at_the_root_with_all_that_it_refers_to() {
    let hub = Hub::shared();
    let page = got(&hub, "/").await;
    is_strict(&page);
    assert_eq!(header(&page, header::CACHE_CONTROL), "no-cache");
    let page = page.text().await.expect("a page");
    let assets = assets(&page);
    assert_eq!(assets.is_empty(), page.contains("npm run build -w console"), "{page}");
    for path in &assets {
        let asset = got(&hub, path).await;
        is_strict(&asset);
        assert_eq!(header(&asset, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        let kind = if path.ends_with(".css") { "text/css" } else { "text/javascript" };
        let found = header(&asset, header::CONTENT_TYPE);
        assert!(found.starts_with(kind) || path.ends_with(".svg"), "{path} is {found}");
    }
    assert_eq!(got(&hub, "/admin/presence/analytics").await.text().await.expect("a page"), page);
}

#[tokio::test]
async fn what_is_no_page_stays_no_route() {
    let hub = Hub::shared();
    for path in ["/index.html", "/accounts", "/assets/x.js", "/assets/%2e%2e/index.html", "/demo/personas"] {
        let answer = got(&hub, path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&answer, header::CONTENT_TYPE), "application/problem+json");
        assert!(answer.text().await.expect("a body").contains("\"no_route\""), "{path}");
    }
}

#[tokio::test]
async fn an_installation_may_do_without_it() {
    let hub = Launch::new().set("console.enabled", false).start();
    for path in ["/", "/admin/presence/analytics"] {
        assert_eq!(got(&hub, path).await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(got(&hub, "/livez").await.status(), StatusCode::OK);
}
