use serde::{Deserialize, Deserializer};

use super::Strict;

#[derive(Debug, PartialEq, Deserialize)]
struct Inner {
    word: Word,
    #[serde(default)]
    number: Option<i64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Yes,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    #[serde(default)]
    list: Vec<Inner>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    letter: Option<char>,
    #[serde(default)]
    pair: Option<(u8, f64)>,
    #[serde(default)]
    flag: Option<bool>,
    #[serde(default)]
    inner: Option<Inner>,
    #[serde(default)]
    wrapped: Option<Wrapped>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped(Inner);

/// [`Outer`] behind its `t`, strictly.
#[derive(Debug, PartialEq)]
struct Frame(Outer);

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Outer::deserialize(Strict::frame(deserializer, "t")).map(Self)
    }
}

fn json(text: &str) -> Result<Outer, String> {
    serde_json::from_str::<Frame>(text).map(|frame| frame.0).map_err(|error| error.to_string())
}

fn msgpack(bytes: &[u8]) -> Result<Outer, String> {
    rmp_serde::from_slice::<Frame>(bytes).map(|frame| frame.0).map_err(|error| error.to_string())
}

const EVERYTHING: &str = r#"{"t":"x","list":[{"word":"yes","number":-7}],"text":"a\n","letter":"é","pair":[1,2.5],
    "flag":true,"inner":{"word":"yes","number":null},"wrapped":{"word":"yes"}}"#;

#[test]
fn what_is_specified_goes_through() {
    let read = json(EVERYTHING).unwrap();
    assert_eq!(read.list, [Inner { word: Word::Yes, number: Some(-7) }]);
    assert_eq!((read.text.as_str(), read.letter, read.pair), ("a\n", Some('é'), Some((1, 2.5))));
    assert_eq!(read.inner, Some(Inner { word: Word::Yes, number: None }));
    let value: serde_json::Value = serde_json::from_str(EVERYTHING).unwrap();
    assert_eq!(msgpack(&rmp_serde::to_vec_named(&value).unwrap()), Ok(read));
}

#[test]
fn a_list_is_no_struct() {
    for text in [r#"{"inner":["yes"]}"#, r#"{"list":[["yes"]]}"#, r#"{"wrapped":["yes",1]}"#, "[[]]"] {
        assert!(json(text).unwrap_err().contains("invalid type: sequence"), "{text}");
    }
}

#[test]
fn a_map_or_a_number_is_no_word() {
    assert!(json(r#"{"inner":{"word":{"yes":null}}}"#).is_err());
    assert!(msgpack(b"\x81\xa5inner\x81\xa4word\x00").is_err());
    assert!(msgpack(b"\x81\xa5inner\x81\xa4word\x81\xa3yes\xc0").is_err());
    assert!(msgpack(b"\x81\xa5inner\x81\xa4word\xa3yes").is_ok());
}

#[test]
fn bytes_are_no_text_and_numbers_name_no_field() {
    assert!(msgpack(b"\x81\xa4text\xc4\x01a").unwrap_err().contains("byte array"));
    assert!(msgpack(b"\x81\xc4\x04text\xa1a").is_err());
    assert!(msgpack(b"\x81\x01\xa1a").is_err());
}

#[test]
fn only_the_outermost_tag_is_passed_over() {
    assert!(json(r#"{"t":{"anything":[1]}}"#).is_ok());
    assert!(json(r#"{"u":1}"#).unwrap_err().contains("unknown field `u`"));
    assert!(json(r#"{"inner":{"word":"yes","word":"yes"}}"#).unwrap_err().contains("duplicate field"));
}

#[test]
fn what_comes_in_no_frame_is_read_as_strictly() {
    let read = serde_json::from_str::<super::Strictly<model::SettingsPatch>>;
    assert!(read(r#"{"visibility":"nobody"}"#).is_ok());
    for dialect in [
        r#"["nobody"]"#,
        "[]",
        r#"{"visibility":{"nobody":null}}"#,
        r#"{"visibility":"team","visibility":"team"}"#,
    ] {
        assert!(read(dialect).is_err(), "{dialect}");
    }
}
