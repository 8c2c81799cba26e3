//! docs/walk.md, done as it says: every call of the REST API once.

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::Arc};

use serde_json::Value;

use crate::fixture::{BINARY, Home, Hub, Launch, SERVICE_TOKEN};

const WALK: &str = include_str!("../../docs/walk.md");

/// What a reader types: the blocks of shell, in their order.
fn script() -> String {
    let blocks = WALK.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix("sh\n")).collect()
}

#[tokio::test]
async fn the_walk_can_be_walked() {
    let hub = Launch::new().start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("walk.sh");
    // Each call is followed by a new line: an answer has none.
    fs::write(&file, format!("set -euo pipefail\n{}", script())).expect("a script");
    let done = tokio::task::spawn_blocking(move || walk(&hub, &folder.path().join("walk.sh")));
    let (output, hub_said) = done.await.expect("bash runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}\n{out}\n{hub_said}");
    // Finn, as Anna sees him, and what she may read about herself.
    assert!(out.contains("\"customStatus\":\"fitting\""), "{out}");
    assert!(out.contains("force_cleared") && out.contains("\"success\":true"), "{out}");
}

fn walk(hub: &Hub, file: &Path) -> (std::process::Output, String) {
    let binaries = Path::new(BINARY).parent().expect("a folder").display().to_string();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.arg(file).current_dir(file.parent().expect("a folder"));
    bash.env("PATH", path).env("HUB", hub.url("")).env("SERVICE", SERVICE_TOKEN).env("NO_PROXY", "*");
    bash.env("PRESENCE_HUB_CONFIG", hub.home.config());
    (bash.output().expect("bash"), hub.log())
}

/// Every route is on the way, but for the socket's.
#[tokio::test]
async fn the_walk_passes_every_route() {
    let hub = Arc::new(Launch::at(Home::new()).start());
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(hub.url("/api/openapi.json")).send().await.expect("an answer");
    let document: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    let routes = document["paths"].as_object().expect("paths").iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    let routes: BTreeSet<_> = routes.filter(|(_, path)| path != "/ws").collect();
    let walked = calls();
    let unknown: Vec<_> =
        walked.iter().filter(|call| !routes.iter().any(|route| is_of(call, route))).collect();
    assert!(unknown.is_empty(), "no such route: {unknown:?}");
    let missing: Vec<_> =
        routes.iter().filter(|route| !walked.iter().any(|call| is_of(call, route))).collect();
    assert!(missing.is_empty(), "not on the way: {missing:?}");
}

/// Methods and paths of the script's calls, with their variables.
fn calls() -> Vec<(String, String)> {
    let script = script().replace("\\\n", " ");
    let lines = script.lines().filter_map(|line| Some((line, line.split_once("\"$HUB/")?.1)));
    let calls = lines.map(|(line, rest)| {
        let path = rest.split(['"', '?']).next().expect("a path");
        let named = line.split_once("-X ").and_then(|(_, rest)| rest.split(' ').next());
        let method = named.unwrap_or(if line.contains(" -d ") { "POST" } else { "GET" });
        (method.to_owned(), format!("/{path}"))
    });
    calls.collect()
}

fn is_of((method, path): &(String, String), (of, pattern): &(String, String)) -> bool {
    let (segments, patterns) = (path.split('/'), pattern.split('/'));
    method == of
        && segments.clone().count() == patterns.clone().count()
        && segments.zip(patterns).all(|(segment, pattern)| pattern.starts_with('{') || segment == pattern)
}
