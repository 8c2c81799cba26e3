//! The hub under test: a process on a core of its own, with a database and a configuration of its own.

mod rest;
mod tokens;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use model::UserId;
use serde_json::Value;
use tempfile::TempDir;
use wire::Token;

use crate::process::{self, KernelMemory, Pinned, SAMPLE_EVERY, Sampler};
pub(crate) use rest::{Answer, Rest, named, request};
use tokens::{Issuer, SECRET, Signer};

/// How long the hub may take to end in order.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lines that say where it listens: for clients, and for operators.
const GREETING: usize = 2;
/// Connections over which many REST calls are spread.
const LANES: usize = 4;

/// How the hub is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct HubOptions {
    /// The one core that it may use; none: all.
    pub(crate) core: Option<usize>,
    /// Settings over those of [`LOADED`], such as `presence.stall_ms` to `2000`.
    pub(crate) settings: BTreeMap<String, String>,
    /// Whether it takes ES256 tokens too, whose key it fetches from this process.
    pub(crate) es256: bool,
}

/// What the hub is asked to bear here and would refuse from one address, or one user, in the world outside.
const LOADED: &[(&str, &str)] = &[
    ("listen.max_connections", "200000"),
    ("listen.max_connections_per_address", "200000"),
    ("listen.header_timeout_ms", "60000"),
    ("listen.hello_timeout_ms", "60000"),
    ("listen.request_timeout_ms", "300000"),
    ("limits.update_interval_ms", "1"),
    ("limits.typing_interval_ms", "1"),
    ("limits.frames_per_second", "100000"),
    ("log.level", "error"),
    ("shutdown.drain_s", "1"),
    ("shutdown.reconnect_spread_s", "1"),
];

/// A running hub; killed when dropped.
pub(crate) struct Hub {
    process: Pinned,
    address: SocketAddr,
    operations: SocketAddr,
    signer: Signer,
    _folder: TempDir,
    _issuer: Option<Issuer>,
}

impl Hub {
    /// Starts the binary on free ports, with an empty database.
    ///
    /// # Errors
    /// It cannot be started, or does not like its configuration.
    pub(crate) fn start(binary: &Path, options: &HubOptions) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let signer = Signer::new();
        let issuer = options.es256.then(|| Issuer::publish(signer.key_set())).transpose()?;
        let config = folder.path().join("hub.toml");
        std::fs::write(&config, config_text(&folder.path().join("hub.db"), issuer.as_ref()))?;
        let process = Pinned::start(serve(binary, &config, options), options.core, GREETING)
            .with_context(|| format!("{}: `cargo build --release -p server` makes it", binary.display()))?;
        let (clients, operators) = process.greeting().split_once('\n').unwrap_or_default();
        let (address, operations) = (address_in(clients)?, address_in(operators)?);
        Ok(Self { process, address, operations, signer, _folder: folder, _issuer: issuer })
    }

    /// Where clients connect. The path is `/ws`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators ask: `/readyz`.
    pub(crate) fn operations(&self) -> SocketAddr {
        self.operations
    }

    /// One of its metrics, which it brings up to date once a second; 0 before the first time.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let Answer { body, .. } = Rest::connect(self.operations)?.ask("GET", "/metrics", "", &Value::Null)?;
        let mut values = body.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(values.next_back().and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// Lets it do a job now. It answers when the job is done, or after a while that it is under way.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn begin_job(&self, name: &str) -> anyhow::Result<Answer> {
        Rest::connect(self.address)?.ask("POST", &format!("/api/jobs/{name}"), SECRET, &Value::Null)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Loads a directory document.
    ///
    /// # Errors
    /// The hub refuses it; the error has its words.
    pub(crate) fn import(&self, document: &Value) -> anyhow::Result<()> {
        let mut rest = Rest::connect(self.address)?;
        rest.call("POST", "/api/directory/import", SECRET, document).context("the directory")
    }

    /// Puts the settings of users: any of `visibility`, `appearOffline` and so on.
    ///
    /// # Errors
    /// The hub refuses one.
    pub(crate) fn put_settings(&self, settings: &[(UserId, Value)]) -> anyhow::Result<()> {
        let lane_length = settings.len().div_ceil(LANES).max(1);
        std::thread::scope(|scope| {
            let lanes: Vec<_> =
                settings.chunks(lane_length).map(|lane| scope.spawn(|| self.put_lane(lane))).collect();
            for lane in lanes {
                lane.join().unwrap_or_else(|_| bail!("a call ended in a panic"))?;
            }
            Ok(())
        })
    }

    fn put_lane(&self, settings: &[(UserId, Value)]) -> anyhow::Result<()> {
        let mut rest = Rest::connect(self.address)?;
        for (user, body) in settings {
            rest.call("PUT", "/api/presence/settings", self.token(*user)?.reveal(), body)
                .with_context(|| format!("the settings of {user}"))?;
        }
        Ok(())
    }

    /// A whole request of a user; of none: of the back-end, with the service token.
    ///
    /// # Errors
    /// As [`Hub::token`].
    pub(crate) fn request(
        &self,
        what: (&str, &str),
        of: Option<UserId>,
        body: &Value,
    ) -> anyhow::Result<Vec<u8>> {
        let token = of.map(|user| self.token(user)).transpose()?;
        let token = token.as_ref().map_or(SECRET, Token::reveal);
        Ok(request(self.address, what, token, body))
    }

    /// A token of `user` (HS256) that outlives the test. Takes about 2 us.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) fn token(&self, user: UserId) -> anyhow::Result<Token> {
        self.signer.shared(user)
    }

    /// The same signed with ES256, for a hub that was started to take it. Takes about 30 us.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) fn token_es256(&self, user: UserId) -> anyhow::Result<Token> {
        self.signer.published(user)
    }

    /// User and system seconds since it began.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        process::cpu_seconds(self.pid())
    }

    /// Resident memory in KiB.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        process::rss_kib(self.pid())
    }

    /// What the kernel keeps for its clients' sockets. Not for the measured phase: it takes a while.
    ///
    /// # Errors
    /// The kernel cannot be asked.
    pub(crate) fn kernel_memory(&self) -> anyhow::Result<KernelMemory> {
        KernelMemory::of_port(self.address.port())
    }

    /// Starts to look at it four times a second.
    pub(crate) fn sampler(&self) -> Sampler {
        Sampler::start(self.pid(), SAMPLE_EVERY)
    }

    /// Asks it to end, and kills it if it does not.
    ///
    /// # Errors
    /// It did not end in order.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.process.stop(PATIENCE).context("the hub")
    }
}

fn serve(binary: &Path, config: &PathBuf, options: &HubOptions) -> Command {
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(config);
    let mut settings: BTreeMap<&str, &str> = LOADED.iter().copied().collect();
    settings.extend(options.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    for (key, value) in settings {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command
}

fn config_text(database: &Path, issuer: Option<&Issuer>) -> String {
    let published = issuer.map_or_else(String::new, Issuer::config);
    format!(
        "[listen]\nport = 0\n[operations]\nport = 0\n[store]\nsqlite_path = {database:?}\n\
         [auth]\nservice_token = {SECRET:?}\n[[auth.issuers]]\nhs256_secret = {SECRET:?}\n{published}"
    )
}

/// The address in a line such as `presence-hub listens on ws://127.0.0.1:4000/ws`.
fn address_in(line: &str) -> anyhow::Result<SocketAddr> {
    let authority = line.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let named = || format!("the hub's first lines name its sockets, and not: {line}");
    authority.with_context(named)?.parse().with_context(named)
}

#[cfg(test)]
mod tests;
