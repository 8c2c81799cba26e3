//! The metrics of a hub that runs, as Prometheus gets them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::Duration,
};

use server::{
    auth::install_crypto,
    config::{Config, Sources},
    run::Running,
    telemetry::start_metrics,
};
use tokio::time::{sleep, timeout};

/// Longer than anything here takes, so that a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything under one name.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) sort: String,
    pub(super) help: String,
    /// The values that each label had.
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
}

/// What was rendered, by name.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    pub(super) families: BTreeMap<String, Family>,
}

/// The metrics of this process: there is one recorder in it, and so one hub for all tests.
pub(super) static RENDERED: LazyLock<Rendered> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    Rendered::read(&runtime.block_on(render()))
});

async fn render() -> String {
    install_crypto();
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    let running = Running::start(&config, start_metrics().expect("metrics")).await.expect("a hub");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let unauthorized = http.get(format!("http://{}/api/presence/settings", running.address)).send().await;
    assert_eq!(unauthorized.expect("an answer").status(), 401);
    let url = format!("http://{}/metrics", running.operations_address);
    let text = timeout(PATIENCE, noted(&http, &url)).await.expect("a hub notes how it stands every second");
    running.shutdown().await;
    text
}

fn config(folder: &std::path::Path) -> Config {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let settings = [
        ("listen.port", "0".to_owned()),
        ("operations.port", "0".to_owned()),
        ("store.sqlite_path", path("hub.db")),
        ("store.spool_path", path("spool")),
        ("jobs.archive_path", path("archive")),
        ("auth.issuers", "[{ hs256_secret = 'the secret of an issuer has 32 bytes or more' }]".to_owned()),
    ];
    let flags = settings.map(|(key, value)| ("--set".to_owned(), key.to_owned(), value));
    Config::load(&Sources { flags: flags.to_vec(), ..Sources::default() }).expect("a configuration")
}

/// What is rendered when it has been noted once how everything stands.
async fn noted(http: &reqwest::Client, url: &str) -> String {
    loop {
        let text = http.get(url).send().await.expect("an answer").text().await.expect("a text");
        if text.contains("presence_hub_degraded{") && text.contains("presence_hub_database_connections{") {
            return text;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

impl Rendered {
    fn read(text: &str) -> Self {
        let mut rendered = Self::default();
        for line in text.lines() {
            rendered.line(line);
        }
        rendered
    }

    fn line(&mut self, line: &str) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("TYPE"), Some(name), Some(sort)) => self.family(name).sort = sort.to_owned(),
            (Some("#"), Some("HELP"), Some(name), Some(help)) => self.family(name).help = help.to_owned(),
            (Some(""), ..) | (None, ..) => {}
            _ => self.series(line),
        }
    }

    fn family(&mut self, name: &str) -> &mut Family {
        self.families.entry(name.to_owned()).or_default()
    }

    fn series(&mut self, line: &str) {
        let name_ends = line.find(['{', ' ']).expect("a series");
        let family = self.family_of(&line[..name_ends]).expect("a series after its type").to_owned();
        let Some((labels, _)) = line[name_ends..].strip_prefix('{').and_then(|rest| rest.rsplit_once("} "))
        else {
            return;
        };
        // No value has a comma: they are words.
        for label in labels.split(',') {
            let (label, value) = label.split_once("=\"").expect("a label with a value");
            if label != "le" {
                let values = self.family(&family).labels.entry(label.to_owned()).or_default();
                values.insert(value.trim_end_matches('"').to_owned());
            }
        }
    }

    /// The name of the family that a series is of: a histogram has three kinds.
    pub(super) fn family_of(&self, series: &str) -> Option<&str> {
        let of_histogram =
            ["_bucket", "_sum", "_count"].iter().find_map(|ending| series.strip_suffix(ending));
        let found = self.families.get_key_value(series).filter(|(_, family)| family.sort != "histogram");
        let whole =
            || self.families.get_key_value(of_histogram?).filter(|(_, family)| family.sort == "histogram");
        found.or_else(whole).map(|(name, _)| name.as_str())
    }
}
