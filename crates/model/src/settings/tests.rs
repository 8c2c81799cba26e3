use serde_json::json;

use super::*;

fn patch(value: serde_json::Value) -> SettingsPatch {
    serde_json::from_value(value).unwrap()
}

fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 100).unwrap()
}

fn before() -> Settings {
    Settings {
        visibility: Visibility::Team,
        show_activity: false,
        show_current_page: true,
        appear_offline: true,
        custom_status: text("at the venue"),
        custom_emoji: text("💍"),
    }
}

#[test]
fn users_without_a_row_are_seen_by_contacts() {
    let settings = Settings::default();
    assert_eq!(settings.visibility, Visibility::Contacts);
    assert!(settings.show_activity && !settings.show_current_page && !settings.appear_offline);
    assert!(!settings.hidden());
}

#[test]
fn nobody_and_offline_are_hidden() {
    for visibility in [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody] {
        for appear_offline in [false, true] {
            let settings = Settings { visibility, appear_offline, ..Settings::default() };
            assert_eq!(settings.hidden(), appear_offline || visibility == Visibility::Nobody);
        }
    }
}

#[test]
fn what_is_left_out_stays() {
    assert_eq!(patch(json!({})).apply(&before()), Ok(before()));
    let one = |value| patch(value).apply(&before()).unwrap();
    assert_eq!(one(json!({"visibility": "nobody"})), Settings { visibility: Visibility::Nobody, ..before() });
    assert_eq!(one(json!({"showActivity": true})), Settings { show_activity: true, ..before() });
    assert_eq!(one(json!({"showCurrentPage": false})), Settings { show_current_page: false, ..before() });
    assert_eq!(one(json!({"appearOffline": false})), Settings { appear_offline: false, ..before() });
    assert_eq!(one(json!({"customStatus": " hi "})), Settings { custom_status: text("hi"), ..before() });
    assert_eq!(one(json!({"customEmoji": "🎂"})), Settings { custom_emoji: text("🎂"), ..before() });
}

#[test]
fn null_and_an_empty_text_remove_a_text() {
    for nothing in [json!(null), json!(""), json!(" \u{200b}")] {
        let after = patch(json!({"customStatus": nothing, "customEmoji": nothing})).apply(&before()).unwrap();
        assert_eq!((after.custom_status, after.custom_emoji), (None, None), "{nothing}");
    }
}

#[test]
fn a_text_too_long_changes_nothing() {
    for (field, max) in
        [("customStatus", limits::CUSTOM_STATUS_CHARS), ("customEmoji", limits::CUSTOM_EMOJI_CHARS)]
    {
        let apply = |n: usize| patch(json!({field: "🎂".repeat(n), "appearOffline": false})).apply(&before());
        assert!(apply(max).is_ok());
        assert_eq!(apply(max + 1), Err(TextError::TooLong { field, max_chars: max }));
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for refused in [
        json!({"visibility": "all"}),
        json!({"visibility": 1}),
        json!({"showActivity": "true"}),
        json!({"role": "admin"}),
        json!({"customStatus": 3}),
    ] {
        assert!(serde_json::from_value::<SettingsPatch>(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn a_patch_is_written_as_it_is_read() {
    let value = json!({"visibility": "everyone", "customStatus": "x"});
    assert_eq!(serde_json::to_value(patch(value.clone())).unwrap(), value);
}

const VISIBILITIES: [Visibility; 4] =
    [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody];

/// All combinations of choices, without texts.
fn all() -> Vec<Settings> {
    let flags = [false, true];
    let mut all = Vec::new();
    for visibility in VISIBILITIES {
        for (show_activity, show_current_page, appear_offline) in
            flags.iter().flat_map(|a| flags.iter().flat_map(|b| flags.iter().map(|c| (*a, *b, *c))))
        {
            let settings = Settings::default();
            all.push(Settings { visibility, show_activity, show_current_page, appear_offline, ..settings });
        }
    }
    all
}

fn whole(settings: &Settings) -> SettingsPatch {
    SettingsPatch {
        visibility: Some(settings.visibility),
        show_activity: Some(settings.show_activity),
        show_current_page: Some(settings.show_current_page),
        appear_offline: Some(settings.appear_offline),
        ..SettingsPatch::default()
    }
}

/// Whoever is admitted, and whatever is shown, as a set: narrower is a subset.
fn shown(settings: &Settings) -> Vec<&'static str> {
    let mut shown = match settings.visibility {
        Visibility::Everyone => vec!["strangers", "team", "contacts"],
        Visibility::Team => vec!["team"],
        Visibility::Contacts => vec!["contacts"],
        Visibility::Nobody => vec![],
    };
    let fields = [
        (settings.show_activity, "activity"),
        (settings.show_current_page, "page"),
        (!settings.appear_offline, "presence"),
    ];
    shown.extend(fields.iter().filter(|(shows, _)| *shows).map(|(_, field)| *field));
    shown
}

#[test]
fn tightening_is_showing_less() {
    for (before, after) in all().iter().flat_map(|a| all().into_iter().map(move |b| (a.clone(), b))) {
        let (was, is) = (shown(&before), shown(&after));
        let less = is.iter().all(|what| was.contains(what)) && is.len() < was.len();
        let again = is == was && is.iter().all(|what| ["team", "contacts"].contains(what));
        assert_eq!(whole(&after).tightens(&before), less || again, "{before:?} to {after:?}");
        let narrowed = shown(&before.narrowed(&whole(&after)));
        assert!(narrowed.iter().all(|what| was.contains(what) && is.contains(what)));
    }
}

#[test]
fn a_text_may_go_but_not_come_with_a_tightening() {
    let before = before();
    let hide = || json!({ "visibility": "nobody" });
    let with = |status: serde_json::Value| {
        let mut patch = hide();
        patch["customStatus"] = status;
        patch
    };
    assert!(patch(hide()).tightens(&before));
    assert!(patch(with(json!(null))).tightens(&before));
    assert!(!patch(with(json!("gone fishing"))).tightens(&before));
    assert!(patch(json!({ "customStatus": null })).tightens(&before), "hides the text");
    assert!(!patch(json!({})).tightens(&before), "asks for nothing");
    assert!(!patch(json!({ "customStatus": "at the venue" })).tightens(&before), "shows what is shown");
    let hidden = patch(hide()).apply(&before).unwrap();
    assert!(patch(hide()).tightens(&hidden), "hiding twice is hiding");
    assert!(patch(json!({ "appearOffline": true })).tightens(&hidden));
    assert!(!patch(json!({ "appearOffline": true, "showCurrentPage": true })).tightens(&hidden));
    assert!(!patch(with(json!("x".repeat(101)))).tightens(&before), "refused, so not tightened");
    assert_eq!(before.narrowed(&patch(with(json!("")))).custom_status, None);
}
