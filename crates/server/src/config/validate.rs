//! What a configuration must hold to, beyond its types.

use std::{fs, path::Path};

use reqwest::Url;
use tracing_subscriber::filter::LevelFilter;

use super::{Algorithm, Config, Finding, Issuer, Secret};

/// Shorter secrets can be guessed: HS256 wants at least as many bytes as its hash has (RFC 7518, 3.2).
const MIN_SECRET_BYTES: usize = 32;
const MAX_LEEWAY_S: u64 = 30;
/// Seconds for which the token of an extension may be good: 30 days.
const TOKEN_MOST_S: u64 = 30 * 24 * 60 * 60;

impl Config {
    /// Fills in the secrets that are kept in files.
    pub(super) fn read_secret_files(&mut self) -> Vec<Finding> {
        let auth = &mut self.auth;
        let service =
            read_into(&mut auth.service_token, &auth.service_token_file, "auth.service_token".to_owned());
        let issuers = auth.issuers.iter_mut().enumerate().filter_map(|(n, issuer)| {
            let key = format!("auth.issuers[{n}].hs256_secret");
            read_into(&mut issuer.hs256_secret, &issuer.hs256_secret_file, key)
        });
        let store = &mut self.store;
        let url =
            read_into(&mut store.database_url, &store.database_url_file, "store.database_url".to_owned());
        service.into_iter().chain(issuers).chain(url).collect()
    }

    /// All that is wrong with the values.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut found = Findings::default();
        self.check_positive(&mut found);
        self.check_relations(&mut found);
        self.check_auth(&mut found);
        found.check("log.level", is_filter(&self.log.level), "not a level, nor a list of module=level");
        found.check("store.sqlite_path", !self.store.sqlite_path.as_os_str().is_empty(), "name a file");
        found.0
    }

    fn check_positive(&self, found: &mut Findings) {
        let (listen, p, limits) = (&self.listen, &self.presence, &self.limits);
        for (key, value) in [
            ("listen.max_connections", listen.max_connections as u64),
            ("listen.max_connections_per_address", listen.max_connections_per_address as u64),
            ("listen.max_handshakes", listen.max_handshakes as u64),
            ("listen.header_timeout_ms", listen.header_timeout_ms),
            ("listen.request_timeout_ms", listen.request_timeout_ms),
            ("listen.hello_timeout_ms", listen.hello_timeout_ms),
            ("listen.message_timeout_ms", listen.message_timeout_ms),
            ("presence.grace_ms", p.grace_ms),
            ("presence.typing_ms", p.typing_ms),
            ("presence.window_ms", p.window_ms),
            ("presence.resume_ms", p.resume_ms),
            ("presence.heartbeat_ms", p.heartbeat_ms),
            ("presence.heartbeat_timeout_ms", p.heartbeat_timeout_ms),
            ("presence.stall_ms", p.stall_ms),
            ("presence.expiry_warning_ms", p.expiry_warning_ms),
            ("presence.rest_session_ms", p.rest_session_ms),
            ("presence.last_seen_note_ms", p.last_seen_note_ms),
            ("presence.subscriptions_per_session", p.subscriptions_per_session as u64),
            ("presence.sessions_per_user", p.sessions_per_user as u64),
            ("limits.update_interval_ms", limits.update_interval_ms),
            ("limits.typing_interval_ms", limits.typing_interval_ms),
            ("limits.activities_per_second", u64::from(limits.activities_per_second)),
            ("limits.clockings_per_second", u64::from(limits.clockings_per_second)),
            ("limits.wrong_codes_per_address", u64::from(limits.wrong_codes_per_address)),
            ("limits.wrong_codes_per_second", u64::from(limits.wrong_codes_per_second)),
            ("limits.analytics_at_once", limits.analytics_at_once as u64),
            ("occupancy.stale_after_s", self.occupancy.stale_after_s),
            ("occupancy.inactive_after_s", self.occupancy.inactive_after_s),
            ("occupancy.token_s", self.occupancy.token_s),
            ("occupancy.code_days", u64::from(self.occupancy.code_days)),
            ("limits.malformed_frames_per_minute", u64::from(limits.malformed_frames_per_minute)),
            ("limits.frames_per_second", u64::from(limits.frames_per_second)),
            ("shutdown.drain_s", self.shutdown.drain_s),
            ("store.connections", u64::from(self.store.connections)),
            ("jobs.archive_after_days", u64::from(self.jobs.archive_after_days)),
            ("jobs.restored_for_days", u64::from(self.jobs.restored_for_days)),
            ("store.backlog_mb", self.store.backlog_mb),
            ("store.poll_interval_ms", self.store.poll_interval_ms),
            ("store.sweep_interval_s", self.store.sweep_interval_s),
            ("store.stale_after_s", self.store.stale_after_s),
        ] {
            found.check(key, value > 0, "must be more than 0");
        }
    }

    /// Values that are right only together.
    fn check_relations(&self, found: &mut Findings) {
        let p = &self.presence;
        found.check("presence.resume_ms", p.resume_ms >= p.grace_ms, "must be at least presence.grace_ms");
        found.check(
            "presence.window_max_ms",
            p.window_max_ms >= p.window_ms,
            "must be at least presence.window_ms",
        );
        found.check(
            "presence.heartbeat_timeout_ms",
            p.heartbeat_timeout_ms <= p.heartbeat_ms,
            "must be at most presence.heartbeat_ms, or two heartbeats are open at once",
        );
        found.check(
            "presence.subscriptions_per_session",
            p.subscriptions_per_session <= model::limits::SUBSCRIPTIONS_MAX,
            "at most 64: the answer to a subscribe request has to fit into one turn",
        );
        let o = &self.occupancy;
        found.check(
            "occupancy.stale_after_s",
            o.stale_after_s.saturating_mul(800) >= p.heartbeat_ms.saturating_add(p.heartbeat_timeout_ms),
            "must be a quarter more than presence.heartbeat_ms and heartbeat_timeout_ms together, or who is there is lost",
        );
        found.check(
            "occupancy.token_s",
            (p.expiry_warning_ms / 1_000 + 1..=TOKEN_MOST_S).contains(&o.token_s),
            "must be more than presence.expiry_warning_ms, and at most 2592000 (30 days)",
        );
        found.check(
            "occupancy.code_days",
            o.code_days <= o.code_days_max && o.code_days_max <= 3_650,
            "must be at most occupancy.code_days_max, and that at most 3650",
        );
        let distinct =
            self.listen.port == 0 || self.listen.socket_address() != self.operations.socket_address();
        found.check("operations.port", distinct, "must differ from listen.port: operators have their own");
    }

    fn check_auth(&self, found: &mut Findings) {
        let auth = &self.auth;
        found.check("auth.leeway_s", auth.leeway_s <= MAX_LEEWAY_S, "at most 30 s");
        check_length(&auth.service_token, "auth.service_token", found);
        for (n, issuer) in auth.issuers.iter().enumerate() {
            let key = |field: &str| format!("auth.issuers[{n}].{field}");
            issuer.check(&key, found);
            let twice = auth.issuers[..n].iter().any(|earlier| earlier.issuer == issuer.issuer);
            found.check(&key("issuer"), !twice, "an earlier issuer has the same name, or none either");
        }
    }
}

impl Issuer {
    fn check(&self, key: &dyn Fn(&str) -> String, found: &mut Findings) {
        found.check(&key("audience"), !self.audience.is_empty(), "must not be empty");
        found.check(&key("issuer"), self.issuer.as_deref() != Some(""), "leave it out rather than empty");
        check_length(&self.hs256_secret, &key("hs256_secret"), found);
        let allowed: &[Algorithm] = match (&self.jwks_url, self.hs256_secret.is_empty()) {
            (None, false) => &[Algorithm::HS256],
            (Some(url), true) => {
                found.check(
                    &key("jwks_url"),
                    is_safe(url),
                    "must be https, or http on this machine (127.0.0.1, [::1], localhost)",
                );
                &[Algorithm::ES256, Algorithm::RS256]
            }
            _ => return found.add(&key("jwks_url"), "give either hs256_secret (or its file) or jwks_url"),
        };
        let fits = self.algorithms.iter().all(|algorithm| allowed.contains(algorithm));
        found.check(&key("algorithms"), fits, "a secret signs with HS256, a JWKS with ES256 or RS256");
    }
}

/// The library takes any word for the name of a module: a misspelt level must not silence the log.
fn is_filter(text: &str) -> bool {
    text.split(',')
        .all(|part| part.rsplit('=').next().is_some_and(|level| level.trim().parse::<LevelFilter>().is_ok()))
}

/// Whether keys fetched from there can be believed.
fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url))
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn check_length(secret: &Secret, key: &str, found: &mut Findings) {
    let long_enough = secret.is_empty() || secret.expose().len() >= MIN_SECRET_BYTES;
    found.check(key, long_enough, "must have at least 32 bytes");
}

fn read_into(secret: &mut Secret, path: &Path, key: String) -> Option<Finding> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let file = format!("{key}_file");
    if !secret.is_empty() {
        return Some(Finding { key: file, reason: format!("{key} is given too; give one of them") });
    }
    match fs::read_to_string(path) {
        Ok(text) if !text.trim_end().is_empty() => {
            *secret = Secret::new(text.trim_end_matches(['\r', '\n']));
            None
        }
        Ok(_) => Some(Finding { key: file, reason: format!("{} is empty", path.display()) }),
        Err(error) => Some(Finding { key: file, reason: format!("cannot read {}: {error}", path.display()) }),
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn check(&mut self, key: &str, holds: bool, reason: &str) {
        if !holds {
            self.add(key, reason);
        }
    }

    fn add(&mut self, key: &str, reason: &str) {
        self.0.push(Finding { key: key.to_owned(), reason: reason.to_owned() });
    }
}
