use proptest::prelude::*;

use super::*;

fn cleaned(raw: &str) -> String {
    CleanText::parse(raw, "text", usize::MAX)
        .unwrap()
        .map_or_else(String::new, |text| text.as_str().to_owned())
}

#[test]
fn text_is_composed() {
    assert_eq!(cleaned("e\u{301}"), "\u{e9}");
    assert_eq!(cleaned("\u{1112}\u{1161}\u{11ab}"), "한");
    assert_eq!(cleaned("ﬁ"), "ﬁ", "canonical, not compatible");
}

#[test]
fn what_nobody_sees_is_removed() {
    let unseen = "\0\u{7}\n\t\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}\
                  \u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{3164}\u{feff}\u{ffa0}\u{fffb}\u{e0001}\u{e007f}";
    for c in unseen.chars() {
        assert_eq!(cleaned(&format!("a{c}b")), "ab", "U+{:04X} inside", u32::from(c));
        assert_eq!(CleanText::parse(&c.to_string(), "text", 1), Ok(None), "U+{:04X} alone", u32::from(c));
    }
    assert_eq!(cleaned("\u{202e}gpj.exe\u{202c}"), "gpj.exe", "no text runs backwards");
}

#[test]
fn edges_are_trimmed_and_nothing_is_none() {
    assert_eq!(cleaned("  a b \u{a0}"), "a b");
    for nothing in ["", "   ", "\u{200b} \u{feff}", "\u{200d}"] {
        assert_eq!(CleanText::parse(nothing, "text", 0), Ok(None), "{nothing:?}");
    }
}

#[test]
fn joiners_stay_where_scripts_and_emoji_need_them() {
    for kept in [
        "👩\u{200d}🚀",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "❤\u{fe0f}\u{200d}🔥",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
    ] {
        assert_eq!(cleaned(kept), kept);
    }
    for (raw, expected) in [
        ("a\u{200d}b", "ab"),
        ("\u{200d}👩", "👩"),
        ("👩\u{200d}", "👩"),
        ("👩\u{200d}\u{200d}🚀", "👩\u{200d}🚀"),
        ("👩\u{200c} 🚀", "👩 🚀"),
        ("👩\u{200d}\u{200b}🚀", "👩\u{200d}🚀"),
    ] {
        assert_eq!(cleaned(raw), expected, "{raw:?}");
    }
}

#[test]
fn lengths_count_scalar_values_of_the_cleaned_text() {
    let too_long = |max_chars| Err(TextError::TooLong { field: "customStatus", max_chars });
    let parse = |raw: &str, max| CleanText::parse(raw, "customStatus", max);
    for unit in ["a", "é", "한", "🎂"] {
        let text = unit.repeat(100);
        assert_eq!(parse(&text, 100).unwrap().unwrap().as_str(), text);
        assert_eq!(parse(&(text + unit), 100), too_long(100), "{unit}");
    }
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    assert_eq!(parse(family, 7).unwrap().unwrap().as_str(), family);
    assert_eq!(parse(family, 6), too_long(6), "joiners count");
    assert_eq!(
        parse(&"e\u{301}".repeat(10), 10).unwrap().unwrap().as_str().chars().count(),
        10,
        "composed first"
    );
    assert_eq!(parse(&format!(" a{} ", "\u{200b}".repeat(1_000)), 1).unwrap().unwrap().as_str(), "a");
    assert_eq!(too_long(3).unwrap_err().to_string(), "customStatus has more than 3 characters",);
}

#[test]
fn a_page_is_cut_before_its_query_and_fragment() {
    let page = |raw: &str| {
        CleanText::parse_page(raw, "currentPage", 5).map(|page| page.map(|page| page.as_str().to_owned()))
    };
    for raw in ["/a", "/a?token=secret", "/a#x?y", "/a?#", "/a?b#c"] {
        assert_eq!(page(raw), Ok(Some("/a".into())), "{raw}");
    }
    assert_eq!(page("?secret"), Ok(None));
    assert_eq!(page("/1234?what is cut does not count"), Ok(Some("/1234".into())));
    assert!(page("/12345").is_err());
}

fn any_text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        'a', ' ', 'e', '\u{301}', '\u{323}', '\u{200d}', '\u{200c}', '\u{200b}', '\u{202e}', '\u{feff}', 'ع',
        '👩', '🚀', '\u{1161}', '\u{1112}', '\u{11ab}', '\u{a0}', '\n', '\u{fe0f}', '\u{0344}', '\u{2126}',
        '\u{a8}',
    ]);
    prop::collection::vec(prop_oneof![3 => odd, 1 => any::<char>()], 0..24)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(raw in any_text()) {
        let once = cleaned(&raw);
        prop_assert_eq!(cleaned(&once), once);
    }

    #[test]
    fn nothing_unseen_is_left(raw in any_text()) {
        let text = cleaned(&raw);
        prop_assert!(!text.chars().any(is_removed));
        prop_assert_eq!(text.trim(), text.as_str());
        prop_assert!(text.nfc().eq(text.chars()), "composed");
    }

    #[test]
    fn the_limit_is_exact(raw in any_text()) {
        let count = cleaned(&raw).chars().count();
        prop_assert!(CleanText::parse(&raw, "text", count).is_ok());
        prop_assert!(count == 0 || CleanText::parse(&raw, "text", count - 1).is_err());
    }
}
