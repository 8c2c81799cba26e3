//! Through the hub that owns the database.

use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use persistence::JobName;
use reqwest::{Client, Method, StatusCode};

use crate::{
    cli::{Cli, Command},
    commands::{CommandError, jobs},
    config::Config,
    run::Running,
    testing::sources,
};

const TOKEN: &str = "a-service-token-that-is-long-enough";

struct Hub {
    running: Running,
    folder: tempfile::TempDir,
}

impl Hub {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("hub.db");
        let sources = sources(&[
            ("listen.port", "0"),
            ("operations.port", "0"),
            ("store.sqlite_path", database.to_str().unwrap()),
            ("auth.service_token", TOKEN),
            ("auth.issuers", "[{ hs256_secret = 'a-secret-of-more-than-thirty-two-bytes' }]"),
        ]);
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let running = Running::start(&Config::load(&sources).unwrap(), metrics).await.unwrap();
        Self { running, folder }
    }

    /// What the command line says, told where the hub is.
    async fn says(&self, words: &[&str]) -> Result<String, CommandError> {
        let database = self.folder.path().join("hub.db").to_str().unwrap().to_owned();
        let port = self.running.address.port().to_string();
        let token = format!("auth.service_token={TOKEN}");
        let flags = ["--database", &database, "--port", &port, "--set", &token];
        let words = ["presence-hub", "jobs"].iter().chain(words).chain(&flags);
        let words: Vec<_> = words.map(|word| (*word).to_owned()).collect();
        let said = move || {
            let Command::Jobs(args) = Cli::parse_from(words).command else { unreachable!("it is said") };
            let mut out = Vec::new();
            jobs(&args, &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        tokio::task::spawn_blocking(said).await.unwrap()
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: &'static str) -> (StatusCode, String) {
        let url = format!("http://{}{path}", self.running.address);
        let client = Client::builder().no_proxy().build().unwrap();
        let answer = client.request(method, url).bearer_auth(token).body(body).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_hub_does_what_the_command_line_says() {
    crate::auth::install_crypto();
    let hub = Hub::start().await;
    for job in JobName::ALL {
        let done = hub.says(&["run", job.name()]).await.unwrap();
        assert!(done.starts_with(&format!("{}: ", job.name())), "{done}");
    }
    let list = hub.says(&["list"]).await.unwrap();
    assert!(list.lines().count() == 2 * JobName::ALL.len() && !list.contains("never done"), "{list}");
    let error = hub.says(&["run", "restore-archive", "2026-11-16"]).await.unwrap_err().to_string();
    assert!(error.contains("422") && error.contains("2026-11-16 is not archived"), "{error}");
    hub.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_service_token_gets_a_job_done() {
    crate::auth::install_crypto();
    let hub = Hub::start().await;
    let post = Method::POST;
    let table = [
        (Method::GET, "/api/jobs", "another-token-that-is-long-enough", "", 401, "unauthorized"),
        (post.clone(), "/api/jobs/expire", "another-token-that-is-long-enough", "", 401, "unauthorized"),
        (post.clone(), "/api/jobs/sweep", TOKEN, "", 404, "stale-presence"),
        (post.clone(), "/api/jobs/expire", TOKEN, "{\"now\":true}", 400, "malformed"),
        (post.clone(), "/api/jobs/expire", TOKEN, "{\"arguments\":[\"now\"]}", 422, "nothing"),
        (Method::GET, "/api/jobs/runs/6f9b1f8e-0000-4000-8000-000000000001", TOKEN, "", 404, "no_job"),
        (post, "/api/jobs/expire", TOKEN, "", 200, "\"job\":\"expire\""),
        (Method::GET, "/api/jobs", TOKEN, "", 200, "\"everyS\":300"),
    ];
    for (method, path, token, body, status, word) in table {
        let (found, text) = hub.ask(method, path, token, body).await;
        assert!(found == status && text.contains(word), "{path} {body}: {found} {text}");
    }
    hub.running.shutdown().await;
}
