use serde_json::{Value, json};

use super::*;

fn clean_json(body: Value) -> Result<Activity, ActivityError> {
    serde_json::from_value::<ActivityRequest>(body).expect("a request").clean()
}

fn with_metadata(metadata: Value) -> Result<Activity, ActivityError> {
    clean_json(json!({ "activityType": "interaction", "metadata": metadata }))
}

#[test]
fn types_and_keys_are_words_of_the_protocol() {
    for kind in ActivityType::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    for key in MetadataKey::ALL {
        assert_eq!(serde_json::to_value(key).unwrap(), key.name());
    }
}

#[test]
fn pages_lose_query_and_fragment() {
    let body = json!({ "activityType": "page_view", "page": "/guests?token=secret#top",
        "metadata": { "referrer": "/login?next=/a" } });
    let activity = clean_json(body).unwrap();
    assert_eq!(activity.page.unwrap().as_str(), "/guests");
    assert_eq!(activity.metadata[&MetadataKey::Referrer], MetadataValue::Text("/login".into()));
}

#[test]
fn nothing_is_taken_that_is_not_listed() {
    for body in [
        json!({ "activityType": "sleep" }),
        json!({ "activityType": "focus", "at": 5 }),
        json!({ "activityType": "focus", "metadata": { "action": { "deep": 1 } } }),
        json!({ "activityType": "focus", "metadata": { "count": -1 } }),
    ] {
        assert!(serde_json::from_value::<ActivityRequest>(body.clone()).is_err(), "{body}");
    }
    let twice = r#"{"activityType":"focus","metadata":{"action":"save","action":"send"}}"#;
    let error = serde_json::from_str::<ActivityRequest>(twice).unwrap_err().to_string();
    assert!(error.starts_with("metadata has a key twice"), "{error}");
    let unknown = with_metadata(json!({ "salary": 5 })).unwrap_err();
    assert!(unknown.to_string().starts_with("metadata has the key \"salary\"; the keys are action, "));
    let many = (0..=MetadataKey::ALL.len()).map(|n| (n.to_string(), json!(1))).collect();
    assert_eq!(
        with_metadata(Value::Object(many)).unwrap_err(),
        ActivityError::TooManyKeys { count: MetadataKey::ALL.len() + 1 }
    );
}

#[test]
fn values_have_their_kind_and_their_length() {
    assert!(matches!(with_metadata(json!({ "count": "many" })), Err(ActivityError::WrongValue { .. })));
    assert!(matches!(with_metadata(json!({ "action": 7 })), Err(ActivityError::WrongValue { .. })));
    let text = |chars| json!({ "action": "é".repeat(chars) });
    assert!(with_metadata(text(limits::METADATA_CHARS)).is_ok());
    assert!(matches!(with_metadata(text(limits::METADATA_CHARS + 1)), Err(ActivityError::Text(_))));
    let cleaned = with_metadata(json!({ "action": "sa\u{202e}ve", "section": "\u{200b}" })).unwrap();
    assert_eq!(cleaned.metadata, [(MetadataKey::Action, MetadataValue::Text("save".into()))].into());
}

#[test]
fn pages_have_a_length() {
    let page = |chars: usize| clean_json(json!({ "activityType": "focus", "page": "p".repeat(chars) }));
    assert!(page(limits::PAGE_CHARS).is_ok());
    assert!(matches!(page(limits::PAGE_CHARS + 1), Err(ActivityError::Text(_))));
}
