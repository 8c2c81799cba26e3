//! Web origins, compared exactly.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An origin such as `https://app.example.com`: scheme, host and port, the default port left out.
///
/// Browsers write origins in lower case and without a default port. Anything else a client sends is compared as
/// it stands, so that no clever spelling equals an allowed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is scheme://host or scheme://host:port in lower case, without a path, such as https://app.example.com"
)]
pub struct OriginError;

impl Origin {
    /// Reads an origin as a browser writes it, or with its default port.
    ///
    /// # Errors
    /// [`OriginError`] for everything else: `null`, a path, user names, upper case.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError)?;
        let (host, port) = split_port(rest)?;
        if !is_scheme(scheme) || !is_host(host) {
            return Err(OriginError);
        }
        Ok(match port.filter(|port| Some(*port) != default_port(scheme)) {
            Some(port) => Self(format!("{scheme}://{host}:{port}")),
            None => Self(format!("{scheme}://{host}")),
        })
    }
}

impl Origin {
    /// Whether it is of a `Host`, by HTTP or HTTPS: which of them it was is known to the proxy alone that ended it.
    #[must_use]
    pub fn is_of(&self, host: &str) -> bool {
        ["http", "https"].iter().any(|scheme| Self::parse(&format!("{scheme}://{host}")).as_ref() == Ok(self))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The host, and the port where one is written. An IPv6 host stands in brackets.
fn split_port(rest: &str) -> Result<(&str, Option<u16>), OriginError> {
    let host_end = if rest.starts_with('[') { rest.find(']').ok_or(OriginError)? + 1 } else { 0 };
    match rest[host_end..].find(':') {
        None => Ok((rest, None)),
        Some(colon) => {
            let (host, port) = rest.split_at(host_end + colon);
            let digits = &port[1..];
            let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            let port = digits.parse().ok().filter(|_| plain).ok_or(OriginError)?;
            Ok((host, Some(port)))
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

fn is_host(host: &str) -> bool {
    let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(name),
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn a_default_port_makes_no_difference() {
        for (written, meant) in [
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://a.example:80", "https://a.example:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ] {
            assert_eq!(Origin::parse(written).unwrap().to_string(), meant, "{written}");
        }
    }

    #[test]
    fn an_origin_is_of_its_host_alone() {
        let origin = |text| Origin::parse(text).unwrap();
        for (text, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://hub.example", "hub.example"),
            ("https://hub.example", "hub.example:443"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert!(origin(text).is_of(host), "{text} {host}");
        }
        for (text, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("http://127.0.0.1:8080", "localhost:8080"),
            ("https://hub.example", "hub.example:80"),
            ("https://hub.example", "evil.hub.example"),
            ("https://hub.example", "hub.example/"),
            ("https://hub.example", ""),
            ("chrome-extension://abcdefghijklmnop", "abcdefghijklmnop"),
        ] {
            assert!(!origin(text).is_of(host), "{text} {host}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for text in [
            "",
            "null",
            "*",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://a.example?x",
            "https://user@a.example",
            "HTTPS://a.example",
            "https://A.example",
            "https://a.example:",
            "https://a:0443",
            "https://a:99999",
            "https://a:+80",
            "https://a.example https://b.example",
            "://a",
            "https://[::1",
            "https://[zz]",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
