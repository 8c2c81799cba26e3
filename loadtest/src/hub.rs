//! The hub under test: a process with a database and a configuration of its own.

use std::{path::Path, process::Stdio};

use anyhow::{Context, bail};
use jsonwebtoken::{EncodingKey, Header, encode};
use model::UserId;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use wire::Token;

const SECRET: &str = "a secret for load tests on loopback";

/// A running hub; killed when dropped.
pub(crate) struct Hub {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Hub {
    /// Starts the binary on free ports.
    pub(crate) async fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("hub.toml");
        let database = folder.path().join("hub.db");
        let text = format!(
            "[listen]\nport = 0\nmax_connections_per_address = 20000\n[operations]\nport = 0\n\
             [auth]\nservice_token = {SECRET:?}\n[[auth.issuers]]\nhs256_secret = {SECRET:?}\n\
             [store]\nsqlite_path = {database:?}\n[log]\nlevel = \"warn\"\n"
        );
        std::fs::write(&config, text)?;
        let mut process = Command::new(binary)
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{}: build it with `cargo build --release`", binary.display()))?;
        let stdout = process.stdout.take().context("the hub's output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next_line().await?.context("the hub ended at once")?;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let url = line.split_whitespace().last().context("the hub's first line names its socket")?.to_owned();
        Ok(Self { process, url, _folder: folder })
    }

    pub(crate) fn socket_url(&self) -> &str {
        &self.url
    }

    /// Loads a directory document.
    pub(crate) async fn import(&self, document: &Value) -> anyhow::Result<()> {
        let url = self.url.replacen("ws://", "http://", 1).replace("/ws", "/api/directory/import");
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.post(url).bearer_auth(SECRET).body(document.to_string()).send().await?;
        if !answer.status().is_success() {
            bail!("the directory was refused: {}", answer.text().await?);
        }
        Ok(())
    }

    /// A token of `user` that outlives the test.
    pub(crate) fn token(&self, user: UserId) -> anyhow::Result<Token> {
        let claims = json!({ "sub": user.to_string(), "aud": "authenticated", "exp": u32::MAX });
        Ok(Token::new(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?))
    }

    /// Resident memory of the process, in KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let id = self.process.id().context("the hub is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}
