use serde_json::json;

use super::*;
use crate::WeddingId;

fn request(value: serde_json::Value) -> Result<TrackRequest, serde_json::Error> {
    serde_json::from_value(value)
}

fn wedding(number: u128) -> ChannelId {
    ChannelId::Wedding(WeddingId(uuid::Uuid::from_u128(number)))
}

#[test]
fn a_track_is_cleaned_field_by_field() {
    let all = json!({
        "status": "busy", "currentPage": "/a?b", "isTyping": true, "device": "tablet",
        "customStatus": " hi\u{200b} ", "customEmoji": "🎂", "in": [wedding(2), wedding(1), wedding(2)],
    });
    let track = request(all).unwrap().clean().unwrap();
    let text = |raw| CleanText::parse(raw, "text", 10).unwrap();
    let expected = Track {
        status: Status::Busy,
        page: text("/a"),
        is_typing: true,
        device: Some(Device::Tablet),
        custom_status: text("hi"),
        custom_emoji: text("🎂"),
        scope: Some([wedding(1), wedding(2)].into()),
    };
    assert_eq!(track, expected);
}

#[test]
fn what_is_left_out_is_gone() {
    assert_eq!(request(json!({"status": "away"})).unwrap().clean(), Ok(Track::of(Status::Away)));
    assert_eq!(TrackRequest::of(Status::Idle).clean(), Ok(Track::of(Status::Idle)));
    let blank = json!({"status": "online", "customStatus": " ", "currentPage": "?q", "customEmoji": ""});
    assert_eq!(request(blank).unwrap().clean(), Ok(Track::of(Status::Online)));
    assert_eq!(serde_json::to_value(TrackRequest::of(Status::Idle)).unwrap(), json!({"status": "idle"}));
}

#[test]
fn what_cannot_be_is_refused() {
    for refused in [
        json!({}),
        json!({"status": "offline"}),
        json!({"status": "Online"}),
        json!({"status": "online", "device": "phone"}),
        json!({"status": "online", "isTyping": "yes"}),
        json!({"status": "online", "in": ["wedding:1"]}),
        json!({"status": "online", "page": "/a"}),
    ] {
        assert!(request(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn limits_are_met_exactly_and_named() {
    let error =
        |value: serde_json::Value| request(value).unwrap().clean().err().map(|error| error.to_string());
    for (field, max) in [
        ("currentPage", limits::PAGE_CHARS),
        ("customStatus", limits::CUSTOM_STATUS_CHARS),
        ("customEmoji", limits::CUSTOM_EMOJI_CHARS),
    ] {
        let with = |n: usize| json!({"status": "online", field: "é".repeat(n)});
        assert_eq!(error(with(max)), None);
        assert_eq!(error(with(max + 1)), Some(format!("{field} has more than {max} characters")));
    }
    let channels = |n: usize| (0..n).map(|number| wedding(number as u128)).collect::<Vec<_>>();
    let within = |n: usize| json!({"status": "online", "in": channels(n)});
    assert_eq!(error(within(limits::SCOPE_CHANNELS)), None);
    assert_eq!(error(within(limits::SCOPE_CHANNELS + 1)), Some("in names more than 64 channels".into()));
    let twice = [channels(64), channels(64)].concat();
    let repeated = json!({"status": "online", "in": twice});
    assert_eq!(error(repeated), None, "each counts once");
}

#[test]
fn a_track_covers_its_scope_or_everything() {
    let scoped = |scope: Option<BTreeSet<ChannelId>>| Track { scope, ..Track::of(Status::Online) };
    assert!(scoped(None).covers(wedding(1)));
    assert!(scoped(Some([wedding(1)].into())).covers(wedding(1)));
    assert!(!scoped(Some([wedding(1)].into())).covers(wedding(2)));
    assert!(!scoped(Some(BTreeSet::new())).covers(wedding(1)), "in nothing is nowhere");
}
