use std::collections::BTreeSet;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use model::limits;
use serde_json::Value;
use tower::ServiceExt;

use super::document;

/// Every operation, with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, route)| {
        let methods = route.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn parts_of(path: &str) -> BTreeSet<&str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
}

#[test]
fn every_operation_says_what_it_takes_and_answers() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{place}: two of that name");
        assert!(
            operation["summary"].as_str().is_some_and(|words| words.ends_with('.')),
            "{place}: no summary"
        );
        let tag = &operation["tags"][0];
        assert!(
            document["tags"].as_array().unwrap().iter().any(|known| known["name"] == *tag),
            "{place}: {tag}"
        );
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let in_path = parameters.filter(|parameter| parameter["in"] == "path");
        let named: BTreeSet<_> = in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(named, parts_of(path), "{place}");
        assert!(operation["responses"].get("500").is_some(), "{place}");
        let wants_a_token = operation.get("security").is_some() && tag != "socket";
        assert!(!wants_a_token || operation["responses"].get("401").is_some(), "{place}");
        assert!(operation.get("x-codes").is_none(), "{place}");
    }
    assert!(names.len() > 40, "{}", names.len());
}

/// Every `#/components/...` within.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Whether `#/components/...` is there.
fn leads_somewhere(document: &Value, reference: &str) -> bool {
    document.pointer(reference.trim_start_matches('#')).is_some()
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(leads_somewhere(&document, reference), "{reference}");
    }
}

#[test]
fn limits_are_the_true_ones() {
    let document = document();
    let schema = |name: &str, rest: &str| {
        let found = document.pointer(&format!("/components/schemas/{name}/properties/{rest}"));
        found.unwrap_or_else(|| panic!("{name} {rest}")).clone()
    };
    for (name, rest, limit) in [
        ("TrackRequest", "currentPage/maxLength", limits::PAGE_CHARS),
        ("TrackRequest", "customStatus/maxLength", limits::CUSTOM_STATUS_CHARS),
        ("TrackRequest", "in/maxItems", limits::SCOPE_CHANNELS),
        ("SettingsPatch", "customEmoji/maxLength", limits::CUSTOM_EMOJI_CHARS),
        ("PeopleQuery", "userIds/maxItems", limits::QUERY_USERS),
        ("UserBody", "displayName/maxLength", limits::NAME_CHARS),
        ("AccessCodeRequest", "maxUses/maximum", limits::ACCESS_CODE_USES as usize),
    ] {
        assert_eq!(schema(name, rest), limit, "{name} {rest}");
    }
    let parameter = |path: &str, method: &str, name: &str| {
        let all = document["paths"][path][method]["parameters"].as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"].clone()
    };
    assert_eq!(parameter("/api/presence/users", "get", "userIds[]")["maxItems"], limits::BULK_USERS);
    let reason = parameter("/api/presence/accounts/{account}", "delete", "reason");
    assert_eq!((&reason["maxLength"], &reason["type"]), (&limits::REASON_CHARS.into(), &"string".into()));
}

#[test]
fn a_body_that_refuses_unknown_fields_says_so() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") else { continue };
        let mut names = BTreeSet::new();
        references(body, &mut names);
        let name = names.first().unwrap_or_else(|| panic!("{method} {path}: {body}"));
        let schema = document.pointer(name.trim_start_matches('#')).unwrap();
        let variants = schema["oneOf"].as_array().map_or(std::slice::from_ref(schema), Vec::as_slice);
        assert!(variants.iter().all(|one| one["additionalProperties"] == false), "{method} {path}");
    }
}

async fn page(path: &str) -> (axum::http::response::Parts, Vec<u8>) {
    let routes: Router = super::routes::<()>().into();
    let answer = routes.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    (head, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

fn unzipped(bytes: &[u8]) -> String {
    std::io::read_to_string(flate2::read::GzDecoder::new(bytes)).unwrap()
}

#[tokio::test]
async fn the_page_is_whole_and_asks_nobody_else() {
    let (head, html) = page("/api/docs/").await;
    assert_eq!(head.headers[header::CONTENT_TYPE], "text/html");
    let html = unzipped(&html);
    let (_, script) = page("/api/docs/swagger-initializer.js").await;
    let script = String::from_utf8(script).unwrap();
    for text in [&html, &script] {
        assert!(!text.contains("//") || !text.contains("http"), "{text}");
    }
    assert!(script.contains("/api/openapi.json") && script.contains(r#""validatorUrl": "none""#), "{script}");
    let parts = html.split(['"']).filter(|part| part.starts_with("./") || *part == "index.css");
    let mut count = 0;
    for part in parts {
        let (head, _) = page(&format!("/api/docs/{}", part.trim_start_matches("./"))).await;
        assert_eq!(head.status, StatusCode::OK, "{part}");
        let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
        count += 1;
    }
    assert!(count >= 6, "{html}");
    assert_eq!(page("/api/docs/nothing.js").await.0.status, StatusCode::NOT_FOUND);
    assert_eq!(page("/api/docs").await.0.headers[header::LOCATION], "/api/docs/");
}

#[tokio::test]
async fn what_is_served_is_what_is_printed() {
    let (head, body) = page("/api/openapi.json").await;
    assert_eq!(head.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), document());
}
