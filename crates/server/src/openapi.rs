//! The description of the REST API: OpenAPI 3.1, made from the routes' own handlers, completed by what is true of every
//! route, and served with a page to browse it.

mod page;
mod refusals;
mod shape;

use std::sync::LazyLock;

use axum::{
    body::Bytes,
    http::{HeaderName, header},
};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{problem, rest};

use refusals::Answers;
pub(crate) use refusals::codes;

/// Methods as the description names them.
const METHODS: &[&str] = &["get", "put", "post", "delete"];

/// The description, complete, as JSON. Made when it is asked for first.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default().into());

/// The routes of the description and of its page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(read)).merge(page::routes())
}

/// The description of every route of the public port.
pub(crate) fn document() -> Value {
    finish(rest::described().into_openapi())
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operations",
    operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
async fn read() -> ([(HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

/// Completes what the handlers say.
fn finish(described: OpenApi) -> Value {
    let mut document = serde_json::to_value(described).unwrap_or_default();
    document["info"] = info();
    document["tags"] = tags();
    let mut answers = Answers::new();
    for (_, route) in document["paths"].as_object_mut().into_iter().flatten() {
        for method in METHODS {
            route.get_mut(method).into_iter().for_each(|operation| complete(operation, &mut answers));
        }
    }
    shape::close_bodies(&mut document);
    shape::plain_words(&mut document);
    let components = &mut document["components"];
    components["securitySchemes"] = tokens();
    components["schemas"]["Problem"] = problem::schema();
    components["responses"] = answers.into();
    document
}

fn info() -> Value {
    json!({
        "title": "presence-hub",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "description": "People see each other come and go, each only what they may.\n\n\
            Whoever may not be seen is absent, exactly as if they did not exist: an id that is unknown and one that is \
            none of the caller's get the same answer. Errors are problem documents (RFC 9457) with a stable `code`; \
            every answer has an `X-Request-Id`. A body may have 16 KiB where nothing else is said, and a field that is \
            not listed is refused. Whole numbers are written without a fraction: `1`, not `1.0`.\n\n\
            A back-end with the service token is answered as the user whom it names in `actingUser`.",
    })
}

fn tags() -> Value {
    json!([
        { "name": "presence", "description": "Being there without a socket" },
        { "name": "people", "description": "Who is there, as the caller may see them" },
        { "name": "settings", "description": "What others see of the caller" },
        { "name": "me", "description": "All that is stored about the caller" },
        { "name": "activity", "description": "What is done, and analytics of it" },
        { "name": "accounts", "description": "Who works in which account; access codes" },
        { "name": "directory", "description": "What the platform says of people, weddings and organizations" },
        { "name": "jobs", "description": "What keeps the database in order" },
        { "name": "socket", "description": "Live presence" },
        { "name": "operations", "description": "About the hub itself" },
    ])
}

fn tokens() -> Value {
    let bearer = |format: &str, words: &str| json!({ "type": "http", "scheme": "bearer", "bearerFormat": format, "description": words });
    json!({
        "userToken": bearer("JWT", "The platform's token of a user"),
        "serviceToken": bearer("text", "The token of the platform's back-end"),
        "extensionToken": bearer("JWT", "The token that clocking in answers with; it is for that one hold"),
    })
}

/// What is true of an operation by its shape.
fn complete(operation: &mut Value, answers: &mut Answers) {
    let takes = |operation: &Value, token| {
        let security = operation["security"].as_array();
        security.is_some_and(|security| security.iter().any(|entry| entry.get(token).is_some()))
    };
    if takes(operation, "userToken") && takes(operation, "serviceToken") {
        add_acting_user(operation);
    }
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        shape::not_null(&mut parameter["schema"]);
    }
    refusals::complete(operation, answers);
}

fn add_acting_user(operation: &mut Value) {
    let parameter = json!({
        "name": "actingUser",
        "in": "query",
        "description": "As whom a back-end asks. It goes with the service token, and that token alone with it.",
        "schema": { "$ref": "#/components/schemas/UserId" },
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

#[cfg(test)]
mod tests;
