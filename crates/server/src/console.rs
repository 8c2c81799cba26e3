//! The console: pages on which people look at what the hub knows. They are files in the binary, the same for everybody;
//! what they show they ask of the API, with a token as every client does.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::compression::CompressionLayer;

use crate::problem::{Kind, Problem};

/// Files by their paths, such as `index.html`.
pub(crate) type Files = &'static [(&'static str, &'static [u8])];

/// What was built when this binary was; empty: nothing.
const BUILT: Files = include!(concat!(env!("OUT_DIR"), "/console.rs"));

const INDEX: &str = "index.html";
/// Where the index is served. What else it shows is behind `#`; one page has an address of its own, too.
const PAGES: [&str; 2] = ["/", "/admin/presence/analytics"];
/// Files whose names change with what is in them.
const HASHED: &str = "assets/";

/// What the pages may do: nothing but show themselves and talk to this hub, by HTTP and by WebSocket (`'self'` is both).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// In place of the index, where there is none.
const HOW_TO_GET_IT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>presence-hub</title>
<h1>presence-hub is running</h1>
<p>This binary was built without its console. With Node.js, in the folder of the sources:</p>
<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build -w console
cd .. &amp;&amp; cargo build --release</pre>
<p>and start it again. Everything else is there: the API with <a href="/api/docs/">a page to try it</a>, and the sockets.</p>
</html>
"#;

/// The pages of the console that is in this binary, compressed for browsers that take it. They are the same for everybody,
/// so that the length of an answer tells nothing; answers of the API never are.
pub(crate) fn routes() -> Router {
    serving(BUILT)
}

fn serving(files: Files) -> Router {
    let index = move || async move { file(files, INDEX).unwrap_or_else(|| page(HOW_TO_GET_IT.as_bytes())) };
    let mut routes = PAGES.iter().fold(Router::new(), |routes, path| routes.route(path, get(index)));
    for (name, _) in files.iter().filter(|(name, _)| *name != INDEX && !name.contains('/')) {
        routes = routes.route(&format!("/{name}"), get(move || async move { found(files, name) }));
    }
    let asset = move |Path(name): Path<String>| async move { found(files, &format!("{HASHED}{name}")) };
    routes.route("/assets/{*name}", get(asset)).layer(CompressionLayer::new())
}

fn found(files: Files, name: &str) -> Result<Response, Problem> {
    file(files, name).ok_or_else(|| Problem::new(Kind::NoRoute, "the console has no such file"))
}

fn file(files: Files, name: &str) -> Option<Response> {
    let (_, bytes) = files.iter().find(|(path, _)| *path == name)?;
    Some(answer(name, bytes))
}

fn page(bytes: &'static [u8]) -> Response {
    answer(INDEX, bytes)
}

fn answer(name: &str, bytes: &'static [u8]) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type(name))),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept(name))),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, Body::from(bytes)).into_response()
}

/// How long a browser may keep a file without asking.
fn kept(name: &str) -> &'static str {
    if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
