//! The specification held to the code: its tables of kinds, codes and limits, and every frame it shows.

use std::collections::{BTreeMap, BTreeSet};

use model::{CloseCode, Encoding, ErrorCode, Limits, limits};
use serde_json::Value;
use wire::{
    Announced, REQUEST_NESTING, ServerFrame, decode_client, decode_server, encode_client, encode_server,
};

use crate::files::{self, Direction};

fn document() -> String {
    files::read("PROTOCOL.md")
}

/// The rows of the tables below a heading, up to the next heading; cells are trimmed, header rows left out.
fn rows<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let start = document.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let section = &document[start + heading.len() + 2..];
    let section = section.split("\n#").next().unwrap();
    let lines: Vec<_> = section.lines().filter(|line| line.starts_with('|')).collect();
    let is_header = |index: usize| lines.get(index + 1).is_some_and(|next| next.starts_with("|---"));
    let body =
        lines.iter().enumerate().filter(|(index, line)| !line.starts_with("|---") && !is_header(*index));
    body.map(|(_, line)| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// The words in backticks of a cell.
fn codes(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The frames shown behind an arrow.
fn shown<'a>(document: &'a str, arrow: &str) -> Vec<&'a str> {
    document.lines().filter_map(|line| line.strip_prefix(arrow)).map(str::trim).collect()
}

#[test]
fn the_tables_of_kinds_are_those_of_the_code() {
    let document = document();
    for (direction, heading) in
        [(Direction::Client, "### Frames from the client"), (Direction::Server, "### Frames from the hub")]
    {
        let rows = rows(&document, heading);
        let kinds: Vec<_> = rows.iter().map(|row| code(row[0]).unwrap()).collect();
        assert_eq!(kinds, direction.kinds());
    }
}

/// A field is necessary, or optional with a question mark, exactly as in the schema.
#[test]
fn the_tables_of_kinds_name_the_fields_of_the_schema() {
    let document = document();
    for (direction, heading) in
        [(Direction::Client, "### Frames from the client"), (Direction::Server, "### Frames from the hub")]
    {
        let schema: Value =
            serde_json::from_str(&files::read(&format!("schema/{}.json", direction.name()))).unwrap();
        for row in rows(&document, heading) {
            let definition = &schema["$defs"][code(row[0]).unwrap()];
            let required: BTreeSet<_> = definition["required"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            let fields = definition["properties"].as_object().unwrap().keys().filter(|name| *name != "t");
            let fields: BTreeSet<_> = fields
                .map(|name| if required.contains(name.as_str()) { name.clone() } else { format!("{name}?") })
                .collect();
            assert_eq!(codes(row[1]), fields.iter().map(String::as_str).collect(), "{}", row[0]);
        }
    }
}

#[test]
fn the_table_of_error_codes_is_that_of_the_code() {
    let document = document();
    let rows = rows(&document, "### Error codes");
    let is: Vec<_> = rows.iter().map(|row| (row[0].parse().unwrap(), code(row[1]).unwrap())).collect();
    let mut expected: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.number(), code.name())).collect();
    expected.sort_unstable();
    assert_eq!(is, expected);
}

#[test]
fn the_table_of_close_codes_is_that_of_the_code() {
    let document = document();
    let rows = rows(&document, "### Close codes");
    let (codes, ranges): (Vec<_>, Vec<_>) = rows.iter().partition(|row| code(row[1]).is_some());
    let is: Vec<_> = codes.iter().map(|row| (row[0].parse().unwrap(), code(row[1]).unwrap())).collect();
    let expected: Vec<_> = CloseCode::ALL.iter().map(|code| (code.number(), code.name())).collect();
    assert_eq!(is, expected);
    let ranges: Vec<_> = ranges.iter().map(|row| range(row[0])).collect();
    for code in CloseCode::ALL {
        let holding = ranges.iter().filter(|range| range.contains(&code.number())).count();
        assert_eq!(holding, 1, "{}", code.name());
    }
}

fn range(cell: &str) -> std::ops::RangeInclusive<u16> {
    let (first, last) = cell.split_once(" to ").unwrap_or((cell, cell));
    first.parse().unwrap()..=last.parse().unwrap()
}

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let document = document();
    let rows = rows(&document, "## Limits");
    let is: BTreeMap<_, u64> =
        rows.iter().map(|row| (code(row[0]).unwrap(), row[1].parse().unwrap())).collect();
    let limits = Limits::default();
    let announced = Announced::from(&limits);
    let expected = [
        ("messageBytes", announced.message_bytes as u64),
        ("nesting", REQUEST_NESTING as u64),
        ("subscriptions", announced.subscriptions as u64),
        ("unansweredRequests", limits::REQUESTS_IN_FLIGHT as u64),
        ("inChannels", limits::SCOPE_CHANNELS as u64),
        ("currentPageChars", limits::PAGE_CHARS as u64),
        ("customStatusChars", limits::CUSTOM_STATUS_CHARS as u64),
        ("customEmojiChars", limits::CUSTOM_EMOJI_CHARS as u64),
        ("turnBytes", limits::TURN_BYTES as u64),
        ("heartbeatMs", limits.heartbeat_ms),
        ("heartbeatTimeoutMs", limits.heartbeat_timeout_ms),
        ("graceMs", limits.grace_ms),
        ("resumeMs", limits.resume_ms),
        ("typingMs", limits.typing_ms),
        ("expiryWarningMs", limits.expiry_warning_ms),
        ("stallMs", limits.stall_ms),
    ];
    assert_eq!(is, expected.into_iter().collect());
}

#[test]
fn the_frames_shown_are_frames_and_every_kind_is_shown() {
    let document = document();
    let mut kinds = (BTreeSet::new(), BTreeSet::new());
    for text in shown(&document, "→ ") {
        let frame =
            decode_client(Encoding::Json, text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let null_removes = text.contains("\"customStatus\":null");
        let again = encode_client(Encoding::Json, &frame);
        assert!(null_removes || again == text.as_bytes(), "{text}");
        kinds.0.insert(frame.kind().to_owned());
    }
    for text in shown(&document, "← ") {
        let frame =
            decode_server(Encoding::Json, text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_ne!(frame, ServerFrame::Unknown, "{text}");
        assert_eq!(String::from_utf8(encode_server(Encoding::Json, &frame)).unwrap(), text);
        let frame: Value = serde_json::from_str(text).unwrap();
        kinds.1.insert(frame["t"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds.0, Direction::Client.kinds().iter().map(|kind| (*kind).to_owned()).collect());
    assert_eq!(kinds.1, Direction::Server.kinds().iter().map(|kind| (*kind).to_owned()).collect());
}

#[test]
fn both_subprotocols_and_the_way_of_the_token_are_named() {
    let document = document();
    for encoding in Encoding::ALL {
        assert!(document.contains(&format!("| `{}` |", wire::subprotocol(encoding))));
    }
    assert!(document.contains(&format!("`{}<token>`", wire::TOKEN_SUBPROTOCOL)));
}

/// Links within the page lead somewhere.
#[test]
fn links_lead_to_headings_and_files() {
    let document = document();
    let headings: BTreeSet<_> = document
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace([',', ':'], "")
        })
        .collect();
    for part in document.split("](").skip(1) {
        let target = part.split(')').next().unwrap();
        match target.strip_prefix('#') {
            Some(anchor) => assert!(headings.contains(anchor), "{anchor}"),
            None => assert!(files::proto(target).exists(), "{target}"),
        }
    }
}
