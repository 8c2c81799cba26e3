//! What an operation refuses: its own codes, named at its handler, and those that follow from its shape.

use std::collections::BTreeMap;

use model::ErrorCode;
use serde_json::{Map, Value, json};

use crate::problem::Kind;

/// Where handlers name their codes.
const CODES: &str = "x-codes";

/// Answers that operations share, by their names.
pub(super) type Answers = Map<String, Value>;

/// The codes that an operation answers with, besides those that its shape brings. For the attribute of a handler.
pub(crate) fn codes<const N: usize>(kinds: [Kind; N]) -> [Value; N] {
    kinds.map(code)
}

fn code(kind: Kind) -> Value {
    let (status, code, title) = kind.face();
    json!({ "status": status, "code": code, "title": title })
}

/// Puts an answer for each status into the operation, and the request's id into the others.
pub(super) fn complete(operation: &mut Value, answers: &mut Answers) {
    for (_, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        answer["headers"]["X-Request-Id"] = request_id();
    }
    for (status, codes) in told(operation) {
        let name = codes.iter().fold(status.clone(), |name, one| name + "_" + text(&one["code"]));
        operation["responses"][&status] = json!({ "$ref": format!("#/components/responses/{name}") });
        answers.entry(name).or_insert_with(|| answer(&status, &codes));
    }
}

/// All its codes, by their status.
fn told(operation: &mut Value) -> BTreeMap<String, Vec<Value>> {
    let mut told: Vec<Value> = by_shape(operation).into_iter().map(code).collect();
    let own = operation.as_object_mut().and_then(|operation| operation.remove(CODES));
    told.extend(own.as_ref().and_then(Value::as_array).into_iter().flatten().cloned());
    let mut by_status: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for one in told {
        let codes = by_status.entry(one["status"].to_string()).or_default();
        if !codes.contains(&one) {
            codes.push(one);
        }
    }
    by_status
}

fn by_shape(operation: &Value) -> Vec<Kind> {
    let has = |part: &str| operation[part].as_array().is_some_and(|values| !values.is_empty());
    let may_be_anybody = operation["security"].as_array().is_none_or(|any| any.contains(&json!({})));
    let has_body = operation.get("requestBody").is_some();
    let mut kinds = vec![ErrorCode::Internal.into(), Kind::HeadTooLarge, Kind::Timeout, Kind::Overloaded];
    if has("parameters") || has_body || !may_be_anybody {
        kinds.extend([ErrorCode::Malformed, ErrorCode::Unavailable].map(Kind::from));
    }
    if !may_be_anybody {
        kinds.push(ErrorCode::Unauthorized.into());
    }
    if has_body {
        kinds.extend([ErrorCode::TooLarge.into(), Kind::UnsupportedMediaType]);
    }
    kinds
}

fn answer(status: &str, codes: &[Value]) -> Value {
    let words = codes.iter().map(|one| format!("`{}`: {}", text(&one["code"]), text(&one["title"])));
    let names: Vec<&Value> = codes.iter().map(|one| &one["code"]).collect();
    let mut headers = json!({ "X-Request-Id": request_id() });
    if matches!(status, "429" | "503") {
        headers["Retry-After"] = retry_after();
    }
    json!({
        "description": words.collect::<Vec<_>>().join(". "),
        "headers": headers,
        "content": { "application/problem+json": { "schema": { "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "properties": { "code": { "enum": names } } },
        ] } } },
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn retry_after() -> Value {
    json!({ "description": "Seconds after which to ask again", "schema": { "type": "integer", "minimum": 0 } })
}

fn request_id() -> Value {
    json!({ "description": "Names the request, in the hub's log too", "schema": { "type": "string", "format": "uuid" } })
}
