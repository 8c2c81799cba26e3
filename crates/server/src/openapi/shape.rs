//! What derives cannot say of a schema.

use std::collections::BTreeSet;

use serde_json::Value;

/// A parameter that is left out is left out: no URL can say null.
pub(super) fn not_null(schema: &mut Value) {
    let seen: &Value = schema;
    let some = seen["type"].as_array().and_then(|any| any.iter().find(|one| **one != "null"));
    if let Some(some) = some.cloned() {
        schema["type"] = some;
    }
    let seen: &Value = schema;
    let some = seen["oneOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null"));
    if let Some(some) = some.cloned() {
        *schema = some;
    }
}

/// No body may have a field that is not listed: what a variant of an enum has is not closed by its derive.
pub(super) fn close_bodies(document: &mut Value) {
    let mut open = BTreeSet::new();
    for operation in
        document["paths"].as_object().into_iter().flatten().flat_map(|(_, route)| route.as_object())
    {
        operation
            .values()
            .filter_map(|operation| operation.get("requestBody"))
            .for_each(|body| names(body, &mut open));
    }
    let mut closed = BTreeSet::new();
    while let Some(name) = open.pop_first() {
        if closed.insert(name.clone()) {
            let schema = &mut document["components"]["schemas"][&name];
            close(schema);
            names(schema, &mut open);
        }
    }
}

/// The schemas that are referred to.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(|of| of.as_str()?.strip_prefix("#/components/schemas/"));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|value| names(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

fn close(schema: &mut Value) {
    if schema.get("properties").is_some() {
        schema["additionalProperties"] = false.into();
    }
    let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    variants.into_iter().flatten().for_each(close);
}

/// Descriptions are comments of the code, whose links lead nowhere here.
pub(super) fn plain_words(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(words)) = fields.get_mut("description") {
                *words = words.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`");
            }
            fields.values_mut().for_each(plain_words);
        }
        Value::Array(values) => values.iter_mut().for_each(plain_words),
        _ => {}
    }
}
