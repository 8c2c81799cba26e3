//! The schema: it is a schema, it takes every golden frame, and it knows the kinds and words of the code.

use std::collections::BTreeSet;

use jsonschema::Validator;
use model::{CloseCode, Encoding, ErrorCode, Limits};
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    any,
    files::{self, Direction},
};

fn schema(direction: Direction) -> Value {
    serde_json::from_str(&files::read(&format!("schema/{}.json", direction.name()))).unwrap()
}

fn validator(schema: &Value) -> Validator {
    assert!(jsonschema::meta::is_valid(schema), "not a schema");
    jsonschema::draft202012::new(schema).unwrap()
}

/// The schema as this version fills it: what is not listed is an error. So a name misspelt in the schema is found.
fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(value: &mut Value) {
    if let Value::Object(map) = value {
        if map.contains_key("properties") && map.contains_key("required") {
            map.insert("additionalProperties".into(), false.into());
        }
        map.values_mut().for_each(close);
    } else if let Value::Array(list) = value {
        list.iter_mut().for_each(close);
    }
}

fn assert_valid(validator: &Validator, frame: &Value, place: &str) {
    let errors: Vec<_> = validator.iter_errors(frame).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{place}: {errors:?}");
}

#[test]
fn golden_frames_are_as_the_schema_says() {
    for direction in Direction::BOTH {
        let (open, closed) = (validator(&schema(direction)), validator(&closed(schema(direction))));
        for (kind, vector) in files::all_vectors(direction) {
            let place = format!("{kind}, {}", vector.name);
            assert_valid(&open, &vector.json(), &place);
            assert_valid(&closed, &vector.json(), &place);
        }
    }
}

/// Refused by the decoder and by the schema alike, as far as a schema can see what is wrong.
#[test]
fn refused_frames_are_not_as_the_schema_says() {
    const NOT_FOR_A_SCHEMA: &[&str] =
        &["a field named twice", "the kind named twice", "a field named twice deeper down"];
    let validator = validator(&schema(Direction::Client));
    let refused = files::refused();
    let seen = refused.iter().filter(|bad| !NOT_FOR_A_SCHEMA.contains(&bad.name.as_str()));
    let parsed = seen.filter_map(|bad| Some((&bad.name, serde_json::from_str(bad.json.as_deref()?).ok()?)));
    let parsed: Vec<(_, Value)> = parsed.collect();
    assert!(parsed.len() > 20);
    for (name, frame) in parsed {
        assert!(!validator.is_valid(&frame), "{name}");
    }
}

#[test]
fn what_clients_pass_over_is_as_the_open_schema_says() {
    let validator = validator(&schema(Direction::Server));
    for vector in files::passed_over().iter().filter(|vector| vector.reads.get() != "null") {
        let frame: Value = serde_json::from_slice(&vector.bytes(Encoding::Json)).unwrap();
        assert_valid(&validator, &frame, &vector.name);
    }
}

#[test]
fn each_kind_has_its_definition_and_no_other_is_named() {
    for direction in Direction::BOTH {
        let schema = schema(direction);
        let named = schema["oneOf"].as_array().unwrap().iter().map(|one| one["$ref"].as_str().unwrap());
        let named: BTreeSet<_> = named.map(|reference| reference.trim_start_matches("#/$defs/")).collect();
        assert_eq!(named, direction.kinds().iter().copied().collect());
        for kind in direction.kinds() {
            assert_eq!(schema["$defs"][kind]["properties"]["t"]["const"], *kind);
        }
    }
}

#[test]
fn each_code_is_among_the_examples() {
    let schema = schema(Direction::Server);
    let errors: Vec<_> = ErrorCode::ALL.iter().map(|code| Value::from(code.name())).collect();
    assert_eq!(sorted(&schema["$defs"]["errorCode"]["examples"]), sorted(&errors.into()));
    let closes: Vec<_> = CloseCode::ALL.iter().map(|code| Value::from(code.name())).collect();
    assert_eq!(sorted(&schema["$defs"]["closeCode"]["examples"]), sorted(&closes.into()));
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut words: Vec<_> = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    words.sort_unstable();
    words
}

#[test]
fn whatever_is_encoded_is_as_the_schema_says() {
    let [client, server] = Direction::BOTH.map(|direction| validator(&closed(schema(direction))));
    let said = (any::outgoing(), any::shell_frame());
    proptest!(ProptestConfig::with_cases(200), |(said in said, asked in any::client_frame())| {
        for said in [
            wire::encode(Encoding::Json, &said.0, &Limits::default()),
            wire::encode_server(Encoding::Json, &said.1),
        ] {
            assert_valid(&server, &serde_json::from_slice(&said).unwrap(), "from the hub");
        }
        let asked = wire::encode_client(Encoding::Json, &asked);
        assert_valid(&client, &serde_json::from_slice(&asked).unwrap(), "to the hub");
    });
}
