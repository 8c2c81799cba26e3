//! What the code writes into the log: nobody is named where operators read.

use std::collections::BTreeSet;

/// Fields that would say who it is about, or let somebody in.
const PERSONAL: [&str; 13] = [
    "user",
    "users",
    "viewer",
    "subject",
    "session",
    "connection",
    "channel",
    "organization",
    "wedding",
    "account",
    "hold",
    "address",
    "token",
];

/// Lines that name the user whose row somebody has to mend; and those that are an audit.
const NEEDED: [&str; 3] = [
    "these settings cannot be read; the user is hidden",
    "these settings cannot be read, and are replaced",
    "the back-end asks as a user",
];

/// A call that writes a line at `info` or above: its fields, and its sentence.
struct Line<'a> {
    fields: &'a str,
    sentence: &'a str,
}

fn lines(code: &str) -> Vec<Line<'_>> {
    let levels = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
    let calls = levels.iter().flat_map(|level| code.split(level).skip(1));
    calls.filter_map(read).collect()
}

fn read(call: &str) -> Option<Line<'_>> {
    let (fields, rest) = call.split_once('"')?;
    Some(Line { fields, sentence: rest.split_once('"')?.0 })
}

/// What a line tells that names somebody.
fn personal(line: &Line<'_>) -> BTreeSet<String> {
    let filled_in = line.sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let told = filled_in.map(|(name, _)| name).chain([line.fields]).collect::<Vec<_>>().join(" ");
    let words = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| PERSONAL.contains(word)).map(str::to_owned).collect()
}

#[test]
fn no_line_names_anybody_but_where_it_is_needed() {
    let mut seen = 0;
    for file in super::sources() {
        let code = std::fs::read_to_string(&file).expect("a readable file");
        for line in lines(&code) {
            seen += 1;
            let named = personal(&line);
            assert!(named.is_empty() || NEEDED.contains(&line.sentence), "{}: {named:?}", line.sentence);
        }
    }
    assert!(seen > 30, "only {seen} lines were found");
}

#[test]
fn a_line_that_names_somebody_is_found() {
    let named = |code: &str| lines(code).iter().flat_map(personal).collect::<Vec<_>>();
    assert_eq!(named(r#"tracing::warn!(%user, %error, "gone")"#), ["user"]);
    assert_eq!(named(r#"tracing::info!("{account} is free")"#), ["account"]);
    assert_eq!(
        named(r#"tracing::debug!(%user, "x"); tracing::error!(rows = 3, "the users are gone")"#),
        [""; 0]
    );
}
