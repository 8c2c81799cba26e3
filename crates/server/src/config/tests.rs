use std::{collections::BTreeSet, fs};

use super::{Config, ConfigError, DEFAULTS, LogFormat, Secret, Sources};
use crate::testing::{config, sources};

const LONG: &str = "a-secret-that-nobody-may-ever-see-printed";

fn error(sources: &Sources) -> String {
    Config::load(sources).unwrap_err().to_string()
}

fn from_file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    let sources = Sources { file: Some(file.path().to_owned()), ..Sources::default() };
    (file, sources)
}

fn from_environment(name: &str, value: &str) -> Sources {
    let foreign = ("PATH".to_owned(), "/bin".to_owned());
    Sources { environment: vec![foreign, (name.to_owned(), value.to_owned())], ..Sources::default() }
}

#[test]
fn the_defaults_are_those_of_the_model() {
    assert_eq!(config(&[]).model_limits(), model::Limits::default());
}

#[test]
fn every_default_is_explained() {
    let lines: Vec<_> = DEFAULTS.lines().collect();
    let keys = lines.iter().enumerate().filter(|(_, line)| !line.starts_with('#') && line.contains(" = "));
    for (n, line) in keys {
        assert!(lines[n - 1].starts_with("# "), "no comment above: {line}");
    }
}

#[test]
fn the_text_of_a_configuration_names_every_key_and_loads_again() {
    let text = config(&[]).to_text();
    let printed: BTreeSet<_> =
        text.lines().filter_map(|line| Some(line.split_once(" = ")?.0.rsplit_once('.')?.1)).collect();
    let documented: BTreeSet<_> = DEFAULTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    assert_eq!(printed, documented);
    let (_file, sources) = from_file(&text);
    assert_eq!(Config::load(&sources).unwrap().to_text(), text);
}

#[test]
fn each_layer_overrides_the_one_before() {
    let (_file, mut sources) =
        from_file("[listen]\nport = 1001\nheader_timeout_ms = 7\n[log]\nformat = \"json\"");
    assert_eq!(Config::load(&sources).unwrap().listen.port, 1001);
    sources.environment.push(("PRESENCE_HUB__LISTEN__PORT".to_owned(), "1002".to_owned()));
    assert_eq!(Config::load(&sources).unwrap().listen.port, 1002);
    sources.flags.push(("--port".to_owned(), "listen.port".to_owned(), "1003".to_owned()));
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.listen.port, config.listen.header_timeout_ms), (1003, 7));
    assert_eq!((config.log.format, config.operations.port), (LogFormat::Json, 9090));
}

#[test]
fn an_unknown_key_is_named_with_its_origin() {
    let (file, sources) = from_file("[listen]\nprot = 1\n[lisen]\nport = 1");
    let text = error(&sources);
    let path = file.path().file_name().unwrap().to_str().unwrap();
    assert!(text.contains("listen.prot: no such key") && text.contains("lisen.port: no such key"), "{text}");
    assert_eq!(text.matches(path).count(), 2, "{text}");

    let text = error(&from_environment("PRESENCE_HUB__LISTEN__PROT", "1"));
    assert_eq!(text, "listen.prot: no such key, from environment variable PRESENCE_HUB__LISTEN__PROT");
    let text = error(&self::sources(&[("listen", "1")]));
    assert_eq!(text, "listen: no such key, from flag --set");
}

#[test]
fn an_unknown_key_of_an_issuer_is_an_error() {
    let (_file, sources) = from_file("[[auth.issuers]]\nhs256_secrets = \"x\"");
    let text = error(&sources);
    assert!(text.contains("hs256_secrets") && text.contains("issuers"), "{text}");
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_origin() {
    let text = error(&from_environment("PRESENCE_HUB__LISTEN__PORT", "eighty"));
    assert!(text.contains("listen.port") && text.contains("environment variable"), "{text}");
    let text = error(&sources(&[("listen.allowed_origins", "https://app.example.com/path")]));
    assert!(text.contains("allowed_origins") && text.contains("an origin is scheme://host"), "{text}");
    let text = error(&sources(&[("auth.issuers", "[ not toml")]));
    assert_eq!(text, "auth.issuers: not a list, from flag --set");
}

#[test]
fn a_broken_file_is_refused_without_showing_its_secrets() {
    let (file, sources) = from_file(&format!("[auth]\nservice_token = \"{LONG}"));
    let text = error(&sources);
    assert!(
        text.contains("line 2") && text.contains(file.path().file_name().unwrap().to_str().unwrap()),
        "{text}"
    );
    assert!(!text.contains(LONG), "{text}");
    let missing = Sources { file: Some("/nonexistent/hub.toml".into()), ..Sources::default() };
    assert!(error(&missing).contains("/nonexistent/hub.toml"));
}

#[test]
fn lists_come_from_commas_or_toml() {
    let config = config(&[
        ("listen.allowed_origins", "https://a.example, https://b.example:443"),
        ("listen.trusted_proxies", "[\"10.0.0.0/8\"]"),
        ("auth.issuers", &format!("[{{ hs256_secret = \"{LONG}\" }}]")),
    ]);
    let origins: Vec<_> = config.listen.allowed_origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://a.example", "https://b.example"]);
    assert_eq!(config.listen.trusted_proxies.len(), 1);
    assert_eq!(config.auth.issuers[0].audience, "authenticated");
    assert_eq!(config.auth.issuers[0].hs256_secret.expose(), LONG);
}

#[test]
fn secrets_are_never_printed() {
    let issuer = format!("[{{ hs256_secret = \"{LONG}\" }}]");
    let config = config(&[("auth.service_token", LONG), ("auth.issuers", &issuer)]);
    let shown =
        [format!("{config:?}"), format!("{config:#?}"), config.to_text(), Secret::new(LONG).to_string()];
    for text in shown {
        assert!(text.contains("***") && !text.contains(LONG), "{text}");
    }
    assert_eq!(Secret::default().to_string(), "");
}

#[test]
fn secrets_come_from_files_too() {
    let (secret, _) = from_file(&format!("{LONG}\n"));
    let path = secret.path().to_str().unwrap();
    let issuer = format!("[{{ hs256_secret_file = \"{path}\" }}]");
    let config = config(&[("auth.service_token_file", path), ("auth.issuers", &issuer)]);
    assert_eq!(config.auth.service_token().unwrap().expose(), LONG);
    assert_eq!(config.auth.issuers[0].hs256_secret.expose(), LONG);

    let twice = sources(&[("auth.service_token_file", path), ("auth.service_token", LONG)]);
    assert!(error(&twice).contains("auth.service_token is given too"));
    let missing = sources(&[("auth.service_token_file", "/nonexistent/token")]);
    assert!(error(&missing).contains("auth.service_token_file: cannot read /nonexistent/token"));
    let (empty, _) = from_file("\n");
    let empty = sources(&[("auth.service_token_file", empty.path().to_str().unwrap())]);
    assert!(error(&empty).contains("is empty"));
}

#[test]
fn values_that_cannot_be_are_refused_by_name() {
    let issuer = |fields: &str| format!("[{{ {fields} }}]");
    let secret = format!("hs256_secret = \"{LONG}\"");
    let table: Vec<(&str, String, &str)> = vec![
        ("listen.max_connections", "0".into(), "listen.max_connections: must be more than 0"),
        ("presence.grace_ms", "0".into(), "presence.grace_ms: must be more than 0"),
        ("presence.resume_ms", "5000".into(), "presence.resume_ms: must be at least presence.grace_ms"),
        ("presence.heartbeat_timeout_ms", "20001".into(), "at most presence.heartbeat_ms"),
        ("limits.update_interval_ms", "0".into(), "limits.update_interval_ms: must be more than 0"),
        ("operations.port", "8080".into(), "operations.port: must differ from listen.port"),
        ("auth.leeway_s", "31".into(), "auth.leeway_s: at most 30 s"),
        ("auth.service_token", "short".into(), "auth.service_token: must have at least 32 bytes"),
        ("store.sqlite_path", String::new(), "store.sqlite_path: name a file"),
        ("log.level", "loud".into(), "log.level: not a level"),
        ("log.level", "info,server=loud".into(), "log.level: not a level"),
        (
            "auth.issuers",
            issuer("hs256_secret = \"short\""),
            "auth.issuers[0].hs256_secret: must have at least 32",
        ),
        ("auth.issuers", issuer("audience = \"x\""), "give either hs256_secret"),
        (
            "auth.issuers",
            issuer(&format!("{secret}, jwks_url = \"https://a.example\"")),
            "give either hs256_secret",
        ),
        (
            "auth.issuers",
            issuer(&format!("{secret}, audience = \"\"")),
            "auth.issuers[0].audience: must not be empty",
        ),
        ("auth.issuers", issuer(&format!("{secret}, issuer = \"\"")), "leave it out rather than empty"),
        ("auth.issuers", issuer(&format!("{secret}, algorithms = [\"RS256\"]")), "a secret signs with HS256"),
        ("auth.issuers", issuer("jwks_url = \"http://keys.example/jwks\""), "jwks_url: must be https"),
        ("auth.issuers", issuer("jwks_url = \"keys\""), "jwks_url: must be https"),
        (
            "auth.issuers",
            format!("[{{ {secret} }}, {{ {secret} }}]"),
            "auth.issuers[1].issuer: an earlier issuer",
        ),
    ];
    for (key, value, expected) in table {
        let text = error(&sources(&[(key, &value)]));
        assert!(text.contains(expected), "{key} = {value}: {text}");
        assert!(!text.contains(LONG), "{text}");
    }
}

#[test]
fn keys_may_be_fetched_from_this_machine_without_tls() {
    for url in
        ["https://a.example/jwks", "http://127.0.0.1:1/jwks", "http://[::1]/jwks", "http://localhost:9/"]
    {
        config(&[("auth.issuers", &format!("[{{ jwks_url = \"{url}\" }}]"))]);
    }
}

#[test]
fn all_findings_are_told_at_once() {
    let error = Config::load(&sources(&[("auth.leeway_s", "31"), ("presence.window_ms", "0")])).unwrap_err();
    assert!(matches!(error, ConfigError::Invalid { findings } if findings.len() == 2));
}

#[test]
fn serving_without_issuers_is_refused() {
    assert!(config(&[]).ready_to_serve().unwrap_err().to_string().contains("auth.issuers"));
    let config = config(&[("auth.issuers", &format!("[{{ hs256_secret = \"{LONG}\" }}]"))]);
    assert!(config.ready_to_serve().is_ok());
    assert_eq!(config.listen.socket_address().to_string(), "127.0.0.1:8080");
    assert_eq!(config.operations.socket_address().to_string(), "127.0.0.1:9090");
    assert!(config.auth.service_token().is_none());
}
