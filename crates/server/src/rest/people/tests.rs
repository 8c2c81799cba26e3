use std::collections::BTreeSet;

use model::CleanText;
use serde_json::Value;
use uuid::Uuid;

use super::*;

fn json(state: PersonState) -> Value {
    let person = PersonRecord { user_id: UserId(Uuid::nil()), state };
    serde_json::to_value(Seen::at(Minute(0), person)).unwrap()
}

/// The fields of the shape; and those of them that are always there.
fn shape() -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = serde_json::to_value(<Person as utoipa::PartialSchema>::schema()).unwrap();
    let required = schema["required"].as_array().unwrap().iter();
    let fields = schema["properties"].as_object().unwrap().keys();
    (fields.cloned().collect(), required.map(|name| name.as_str().unwrap().to_owned()).collect())
}

fn fields(json: &Value) -> BTreeSet<String> {
    json.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_person_is_as_the_description_says() {
    let text = |raw| CleanText::parse(raw, "text", 100).unwrap();
    let all = json(PersonState::Present {
        status: Status::Online,
        page: text("/a"),
        is_typing: true,
        device: Some(Device::Mobile),
        custom_status: text("b"),
        custom_emoji: text("c"),
    });
    let (every, always) = shape();
    assert_eq!(fields(&all), every);
    assert_eq!(fields(&json(PersonState::Offline { last_seen: None })), always);
}
