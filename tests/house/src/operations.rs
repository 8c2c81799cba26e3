//! What a running hub tells its operators, and what `docs/operations.md`, the dashboard and the alerts say of it.

mod expressions;
mod log;
mod running;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use server::telemetry::catalogue::{self, Metric, PARTS, Sort, Values};

use crate::documents::{hold, read, root, table};
use expressions::Checked;
use running::{RENDERED, Rendered};

#[test]
fn the_metrics_are_those_of_a_running_hub() {
    let told: BTreeSet<_> = catalogue::metrics().map(|metric| metric.name.to_owned()).collect();
    let rendered: BTreeSet<_> = RENDERED.families.keys().cloned().collect();
    assert_eq!(told, rendered, "left: what is documented; right: what a running hub has");
    for metric in catalogue::metrics() {
        let family = &RENDERED.families[metric.name];
        let labels: BTreeSet<_> = metric.labels.iter().map(|(label, _)| (*label).to_owned()).collect();
        assert_eq!(family.sort, metric.sort.name(), "{}", metric.name);
        assert_eq!(family.help, metric.about, "{}", metric.name);
        assert_eq!(family.labels.keys().cloned().collect::<BTreeSet<_>>(), labels, "{}", metric.name);
    }
}

/// Every label that could name somebody.
const PERSONAL: [&str; 9] =
    ["user", "channel", "wedding", "organization", "account", "session", "address", "id", "token"];

#[test]
fn no_metric_names_anybody() {
    for metric in catalogue::metrics() {
        for (label, _) in metric.labels {
            // These two are Prometheus's own, for where a series comes from.
            assert!(!["job", "instance"].contains(label), "{}: {label} would be renamed", metric.name);
            assert!(PERSONAL.iter().all(|word| !label.contains(word)), "{}: {label}", metric.name);
        }
    }
}

#[test]
fn names_end_as_prometheus_has_it() {
    for Metric { name, sort, .. } in catalogue::metrics() {
        assert_eq!(name.ends_with("_total"), *sort == Sort::Counter, "{name}");
        assert!(*sort != Sort::Histogram || name.ends_with("_seconds") || name.ends_with("_rows"), "{name}");
    }
}

/// What is told by code that no test reaches has its row too, and no row is of what nobody tells.
#[test]
fn the_metrics_are_those_that_the_code_has() {
    let mut found = BTreeSet::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        found.extend(words.filter(|word| word.starts_with("presence_hub_")).map(str::to_owned));
    }
    let told: BTreeSet<_> = catalogue::metrics().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(told, found, "left: telemetry/catalogue/list.rs; right: the rest of the code");
}

/// All code but tests and the list itself.
fn sources() -> Vec<std::path::PathBuf> {
    let crates = std::fs::read_dir(root().join("crates")).expect("the crates");
    let folders = crates.map(|entry| entry.expect("a folder").path().join("src"));
    let files = folders.flat_map(|folder| crate::tests::rust_files(&folder));
    let counts = |path: &str| !path.contains("tests") && !path.ends_with("catalogue/list.rs");
    files.filter(|file| counts(&file.to_string_lossy())).collect()
}

fn labels(metric: &Metric) -> String {
    let label = |(name, values): &(&str, Values)| match values {
        Values::Closed(values) if values().len() <= 3 => {
            let values: Vec<_> = values().into_iter().map(|value| format!("`{value}`")).collect();
            format!("`{name}`: {}", values.join(", "))
        }
        Values::Closed(_) => format!("`{name}`"),
        Values::Open(about) => format!("`{name}`: {about}"),
    };
    metric.labels.iter().map(label).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_tables_of_metrics_are_those_of_the_code() {
    let row = |metric: &Metric| {
        let (name, sort) = (format!("`{}`", metric.name), metric.sort.name().to_owned());
        vec![name, sort, labels(metric), metric.about.to_owned()]
    };
    let head = ["metric", "sort", "labels", "tells"];
    let part = |part: &catalogue::Part| {
        format!("### {}\n{}", part.title, table(&head, part.metrics.iter().map(row)))
    };
    let made: Vec<_> = PARTS.iter().map(part).collect();
    hold("docs/operations.md", "metrics", &made.join("\n"));
}

/// Rules as Prometheus reads them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    after: String,
    labels: Severity,
    annotations: Annotations,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Severity {
    severity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    summary: String,
    description: String,
}

fn alerts() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(&read("docs/alerts.yml")).expect("docs/alerts.yml");
    assert!(rules.groups.iter().all(|group| group.name.starts_with("presence-hub")));
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

#[test]
fn alerts_ask_for_what_there_is() {
    let mut names = BTreeSet::new();
    for Rule { alert, expr, after, labels, annotations } in alerts() {
        Checked::parse(&expr).unwrap_or_else(|error| panic!("{alert}: {error}")).against(&RENDERED, &alert);
        assert!(["page", "ticket"].contains(&labels.severity.as_str()), "{alert}");
        assert!(after.trim_end_matches(['s', 'm', 'h']).parse::<u32>().is_ok(), "{alert}: {after}");
        assert!(annotations.summary.len() > 10 && annotations.description.len() > 20, "{alert}");
        assert!(names.insert(alert.clone()), "{alert} twice");
    }
    assert!(names.len() >= 10, "{names:?}");
}

#[test]
fn alerts_are_explained() {
    let row = |rule: Rule| {
        let Rule { alert, after, labels, annotations, .. } = rule;
        vec![format!("`{alert}`"), labels.severity, after, annotations.summary, annotations.description]
    };
    let head = ["alert", "severity", "after", "what it says", "what to do"];
    hold("docs/operations.md", "alerts", &table(&head, alerts().into_iter().map(row)));
}

const DASHBOARD: &str = "docs/grafana/presence-hub.json";

/// Every panel of a dashboard, those in rows included.
fn panels(of: &Value) -> Vec<&Value> {
    let own = of["panels"].as_array().map(Vec::as_slice).unwrap_or_default();
    own.iter().flat_map(|panel| [vec![panel], panels(panel)].concat()).collect()
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).expect(DASHBOARD);
    let mut ids = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title} has the id of another");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().expect("an expression");
            let checked = Checked::parse(expression).unwrap_or_else(|error| panic!("{title}: {error}"));
            checked.against(&RENDERED, title);
            asked.extend(checked.families(&RENDERED));
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
    let not_asked: Vec<_> = RENDERED.families.keys().filter(|name| !asked.contains(*name)).collect();
    assert!(not_asked.is_empty(), "the dashboard shows nothing of {not_asked:?}");
}
