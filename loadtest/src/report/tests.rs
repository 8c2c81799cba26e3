use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::{
    Report, fixture,
    summary::{COLUMNS, Spread},
};
use crate::outcome::{Check, Outcome};

fn report(outcomes: Vec<Outcome>) -> Report {
    let began = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Report::of("loadtest --seed <7>".to_owned(), began, fixture::machine(), outcomes)
}

/// Two scenarios, one of them run three times, one of whose runs fails.
fn full() -> Report {
    let mut flat = fixture::outcome("flat", 7.0);
    flat.points = fixture::points(7.0);
    flat.notes.push("measured <here>".to_owned());
    let mut runs: Vec<_> = [7.8, 7.2, 9.1].map(|cost| fixture::outcome("rooms", cost)).into();
    runs[0].figure("hidden share", 0.1, "of all");
    runs[0].figure("let go", 7.0, "");
    runs[2].errors = 3;
    runs[2].checks.push(Check::exactly("errors", 3.0, 0.0));
    runs.push(flat);
    report(runs)
}

#[test]
fn a_spread_is_median_least_and_most() {
    let spread = |values: &[f64]| Spread::of(values.to_vec());
    assert_eq!(spread(&[]), None);
    assert_eq!(spread(&[3.0]), Some(Spread { median: 3.0, min: 3.0, max: 3.0 }));
    assert_eq!(spread(&[9.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 9.0 }));
    assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]), Some(Spread { median: 3.0, min: 1.0, max: 9.0 }));
}

#[test]
fn the_table_is_aligned_and_says_what_did_not_hold() {
    let text = report(vec![fixture::outcome("rooms", 7.8), Outcome::new("idle", 1)]).table();
    let wanted = "\
scenario  deliveries  CPU s  floor     x   p50   p99  p99.9   max  bytes  RSS KiB  kernel KiB  generator  accuracy  forbid-  errors
                  /s    /1M    /1M  floor    ms    ms     ms    ms   each    /conn       /conn        /1M                den        
";
    let shape =
        |text: &str| text.lines().next().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(shape(&text), shape(wanted));
    let rooms = text.lines().find(|line| line.starts_with("rooms")).unwrap();
    let cells: Vec<_> = rooms.split_whitespace().collect();
    assert_eq!(&cells[..5], ["rooms", "20,000", "7.80", "6.50", "1.20"]);
    assert_eq!(&cells[9..], ["118", "4.10", "3.80", "3.50", "100", "%", "0", "0"]);
    let ends: Vec<_> = text.lines().take(4).map(|line| line.find("errors").or(line.rfind('0'))).collect();
    assert_eq!(ends[2], ends[3], "{text}");
    assert!(text.ends_with("Every check holds.\n"), "{text}");
}

#[test]
fn several_runs_are_told_with_their_spread() {
    let text = full().table();
    let cell = |start: &str, nth: usize| {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap();
        line[start.len()..].split_whitespace().nth(nth).unwrap().to_owned()
    };
    assert_eq!(
        (cell("rooms FAILED", 1), cell("  least of 3", 0), cell("  most", 0)),
        ("7.80".into(), "7.20".into(), "9.10".into())
    );
    assert!(text.contains("rooms: hidden share, of all: 0.10\n"), "{text}");
    assert!(text.contains("rooms: let go: 7\n"), "{text}");
    assert!(text.contains("rooms, run 3: errors is 3 (FAILED, must be exactly 0)"), "{text}");
}

#[test]
fn columns_that_nobody_fills_are_left_out() {
    let text = report(vec![Outcome::new("idle", 1)]).table();
    assert!(!text.contains("p99") && text.contains("accuracy"), "{text}");
}

#[test]
fn the_json_has_every_run_and_the_figures_that_follow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let report = full();
    assert!(!report.passed());
    report.write_json(&path).unwrap();
    let value: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(value["runs"].as_array().unwrap().len(), 4);
    assert_eq!(value["runs"][0]["scenario"], "rooms");
    assert_eq!(value["runs"][0]["parameters"]["connections"], 10_000);
    assert_eq!(value["runs"][0]["derived"]["cpu_s_per_million"], 7.8);
    assert_eq!(value["summary"][0]["figures"]["cpu_s_per_million"]["max"], 9.1);
    assert_eq!((value["passed"].as_bool(), value["machine"]["cores"].as_u64()), (Some(false), Some(2)));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = full().write_json("/nonexistent/report.json".as_ref()).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/report.json"), "{error}");
}

#[test]
fn the_page_has_every_chart_and_asks_for_nothing_else() {
    let page = super::html::page(&full());
    for label in [
        "Distribution of latencies",
        "CPU over time",
        "Memory over time",
        "Cost against viewers",
        "Cost against channels",
        "the hub beside the floor",
    ] {
        assert!(page.contains(&format!("aria-label=\"{label}")) || page.contains(label), "{label}");
    }
    for asset in ["http://", "https://", "src=", "@import", "url(", "<script"] {
        assert!(!page.contains(asset), "{asset}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("2027-01-15 08:00 UTC"));
    assert!(!page.contains("NaN") && !page.contains("inf"), "a number that is none");
}

#[test]
fn what_others_wrote_is_escaped() {
    let page = super::html::page(&full());
    assert!(page.contains("loadtest --seed &lt;7&gt;") && page.contains("measured &lt;here&gt;"));
    assert!(page.contains("Example &lt;CPU&gt;") && !page.contains("<CPU>"));
}

#[test]
fn every_element_is_closed() {
    let page = super::html::page(&full());
    for name in ["table", "tr", "td", "th", "svg", "figure", "section", "div", "ul", "li", "title", "text"] {
        let opened = page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
        assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn the_keys_of_columns_are_told_apart() {
    let mut keys: Vec<_> = COLUMNS.iter().map(|column| column.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), COLUMNS.len());
}
