//! What an installation can decide, and where it is written down.
//!
//! `presence-hub.toml` holds every key with its default and its meaning; the structs here give it types. A layer
//! (file, environment, flags) overrides the one before it, and may name nothing that the defaults do not.

mod jobs;
mod layers;
mod occupancy;
mod print;
mod secret;
mod validate;

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use jobs::Jobs;
pub use layers::Sources;
pub use occupancy::Occupancy;
pub use secret::Secret;
pub(crate) use validate::is_loopback;

use crate::origin::Origin;

/// The defaults, as text with comments.
pub const DEFAULTS: &str = include_str!("../presence-hub.toml");

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    pub listen: Listen,
    /// Where operators connect.
    pub operations: Operations,
    /// Who may sign in.
    pub auth: Auth,
    /// The database.
    pub store: Store,
    /// What keeps the database in order.
    pub jobs: Jobs,
    /// How assistants clock in and out.
    pub occupancy: Occupancy,
    /// How presence behaves.
    pub presence: Presence,
    /// How often a user may call.
    pub limits: CallLimits,
    /// The pages of the console.
    pub console: Console,
    /// What is logged.
    pub log: Log,
    /// How the hub ends.
    pub shutdown: Shutdown,
}

/// Where clients connect, and what one of them may cost.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// IP address.
    pub address: IpAddr,
    /// TCP port; 0 takes a free one.
    pub port: u16,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one IPv4 address or IPv6 /64.
    pub max_connections_per_address: usize,
    /// Handshakes worked on at once.
    pub max_handshakes: usize,
    /// Milliseconds for all request headers.
    pub header_timeout_ms: u64,
    /// Milliseconds for a REST request.
    pub request_timeout_ms: u64,
    /// Milliseconds for the hello of a socket.
    pub hello_timeout_ms: u64,
    /// Milliseconds for one message, from its first byte.
    pub message_timeout_ms: u64,
    /// Pages that may open a socket.
    pub allowed_origins: Vec<Origin>,
    /// Whether a client without an Origin may.
    pub allow_missing_origin: bool,
    /// Proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Where operators connect.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// IP address.
    pub address: IpAddr,
    /// TCP port; 0 takes a free one.
    pub port: u16,
}

/// Who may sign in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Seconds by which clocks may differ.
    pub leeway_s: u64,
    /// The back-end's token; empty: no calls by a back-end. Filled from the file where one is named.
    pub service_token: Secret,
    /// A file with the back-end's token; empty: none.
    pub service_token_file: PathBuf,
    /// Who issues the tokens of users.
    pub issuers: Vec<Issuer>,
}

/// One issuer of user tokens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` of its tokens; left out: tokens that no other issuer names.
    pub issuer: Option<String>,
    /// The `aud` that its tokens must carry.
    #[serde(default = "Issuer::default_audience")]
    pub audience: String,
    /// A shared secret.
    #[serde(default)]
    pub hs256_secret: Secret,
    /// A file with the shared secret; empty: none.
    #[serde(default)]
    pub hs256_secret_file: PathBuf,
    /// Where its public keys are.
    pub jwks_url: Option<String>,
    /// What it may sign with; empty: all that its keys can do.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
}

impl Issuer {
    fn default_audience() -> String {
        "authenticated".to_owned()
    }
}

/// What a token may be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
}

/// The database.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The Postgres; empty: the embedded database. Filled from the file where one is named.
    pub database_url: Secret,
    /// A file with the URL; empty: none.
    pub database_url_file: PathBuf,
    /// Connections to Postgres, beside those for listening and for tightenings.
    pub connections: u32,
    /// The SQLite file.
    pub sqlite_path: PathBuf,
    /// Where tightenings wait while the database is out of reach; empty: see [`Store::spool_directory`].
    pub spool_path: PathBuf,
    /// Megabytes (of 1,000,000 bytes) that may wait on disk for the database: activity, last-seen and sessions.
    pub backlog_mb: u64,
    /// Milliseconds between two questions for changes.
    pub poll_interval_ms: u64,
    /// Seconds between the beginnings of two rounds in which everything is read again.
    pub sweep_interval_s: u64,
    /// Seconds without the database after which viewers are told that their view may be old.
    pub stale_after_s: u64,
}

/// How presence behaves: who sees people who have chosen nothing, and [`model::Limits`], key by key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is documented where it is used, in model::Limits")]
pub struct Presence {
    pub default_visibility: model::Visibility,
    pub grace_ms: u64,
    pub typing_ms: u64,
    pub window_ms: u64,
    pub window_max_ms: u64,
    pub window_us_per_entry: u64,
    pub resume_ms: u64,
    pub heartbeat_ms: u64,
    pub heartbeat_timeout_ms: u64,
    pub stall_ms: u64,
    pub expiry_warning_ms: u64,
    pub rest_session_ms: u64,
    pub last_seen_note_ms: u64,
    pub subscriptions_per_session: usize,
    pub sessions_per_user: usize,
}

/// How often a user may call.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallLimits {
    /// Milliseconds between two presence updates of a user.
    pub update_interval_ms: u64,
    /// Milliseconds between two announcements of typing of a user.
    pub typing_interval_ms: u64,
    /// Activities of a user in a second; three times as many at once.
    pub activities_per_second: u32,
    /// Clock-ins, moves, clock-outs and what admins do about them, of a user or with a code in a second; five times as
    /// many at once.
    pub clockings_per_second: u32,
    /// Wrong access codes from one IPv4 address or IPv6 /64 in a minute.
    pub wrong_codes_per_address: u32,
    /// Wrong access codes in all in a second; ten times as many at once.
    pub wrong_codes_per_second: u32,
    /// Reports of analytics that are made at once.
    pub analytics_at_once: usize,
    /// Seconds for which a report is kept.
    pub analytics_cache_s: u64,
    /// Malformed frames of a connection in a minute, past which it is closed.
    pub malformed_frames_per_minute: u32,
    /// Frames of a connection in a second, past which it is read more slowly.
    pub frames_per_second: u32,
}

/// The pages of the console.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Whether they are served, and may open sockets to where they came from.
    pub enabled: bool,
    /// Users who may look at the hub itself.
    pub operators: Vec<model::UserId>,
}

/// What is logged.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For people or machines.
    pub format: LogFormat,
    /// The filter.
    pub level: String,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// How the hub ends.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// Seconds that open connections may take to end.
    pub drain_s: u64,
    /// Seconds over which clients are told to come back.
    pub reconnect_spread_s: u64,
}

/// One thing wrong with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key, such as `listen.port`.
    pub key: String,
    /// What is wrong; never the value of a secret.
    pub reason: String,
}

/// Why a configuration does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A layer cannot be read, or a value has the wrong type.
    #[error("{0}")]
    Unreadable(String),
    /// Keys that do not exist, or values that cannot be.
    #[error("{}", findings.iter().map(|f| format!("{}: {}", f.key, f.reason)).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// All that is wrong.
        findings: Vec<Finding>,
    },
}

impl Config {
    /// The defaults with `sources` laid over them, secrets read from their files, checked.
    ///
    /// # Errors
    /// [`ConfigError`] names the keys and where they came from.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut config = sources.merge()?;
        let findings = [config.read_secret_files(), config.findings()].concat();
        if findings.is_empty() { Ok(config) } else { Err(ConfigError::Invalid { findings }) }
    }

    /// Whether somebody could sign in; commands that only touch the database do not ask.
    ///
    /// # Errors
    /// [`ConfigError`] where no issuer is configured.
    pub fn ready_to_serve(&self) -> Result<(), ConfigError> {
        if !self.auth.issuers.is_empty() {
            return Ok(());
        }
        let reason = "name at least one issuer of user tokens: without one nobody can sign in".to_owned();
        Err(ConfigError::Invalid { findings: vec![Finding { key: "auth.issuers".to_owned(), reason }] })
    }

    /// The limits of the heart.
    #[must_use]
    pub fn model_limits(&self) -> model::Limits {
        let p = &self.presence;
        model::Limits {
            grace_ms: p.grace_ms,
            typing_ms: p.typing_ms,
            window_ms: p.window_ms,
            window_max_ms: p.window_max_ms,
            window_us_per_entry: p.window_us_per_entry,
            resume_ms: p.resume_ms,
            heartbeat_ms: p.heartbeat_ms,
            heartbeat_timeout_ms: p.heartbeat_timeout_ms,
            stall_ms: p.stall_ms,
            expiry_warning_ms: p.expiry_warning_ms,
            rest_session_ms: p.rest_session_ms,
            last_seen_note_ms: p.last_seen_note_ms,
            subscriptions_per_session: p.subscriptions_per_session,
            sessions_per_user: p.sessions_per_user,
        }
    }
}

impl Listen {
    /// The address to bind.
    #[must_use]
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// For all request headers.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }
}

impl Operations {
    /// The address to bind.
    #[must_use]
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl Store {
    /// The Postgres to use; `None`: the embedded database.
    #[must_use]
    pub fn database_url(&self) -> Option<&Secret> {
        Some(&self.database_url).filter(|url| !url.is_empty())
    }

    /// Where tightenings wait while the database is out of reach.
    #[must_use]
    pub fn spool_directory(&self) -> PathBuf {
        if !self.spool_path.as_os_str().is_empty() {
            return self.spool_path.clone();
        }
        self.beside("spool")
    }

    /// A path beside the SQLite file; with Postgres, in the working directory.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = match self.database_url() {
            Some(_) => "presence-hub".into(),
            None => self.sqlite_path.clone().into_os_string(),
        };
        path.push(".");
        path.push(ending);
        path.into()
    }
}

impl Auth {
    /// The back-end's token, where there is one.
    #[must_use]
    pub fn service_token(&self) -> Option<&Secret> {
        Some(&self.service_token).filter(|token| !token.is_empty())
    }
}
