//! What a request must say to become a WebSocket (RFC 6455, 4.2.1), and who may say it.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use model::{Encoding, ErrorCode};

use super::Rules;
use crate::{
    config::Secret,
    origin::Origin,
    problem::{Kind, Problem},
};

/// Names under which clients put tokens into URLs, from where they end up in logs.
const URL_TOKENS: [&str; 3] = ["token", "access_token", "jwt"];

/// A handshake that holds.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) key: HeaderValue,
    pub(super) encoding: Encoding,
    pub(super) token: Option<Secret>,
}

pub(super) fn accept(request: &Request, rules: &Rules) -> Result<Accepted, Problem> {
    let headers = request.headers();
    check_method(request.method())?;
    check_url(request)?;
    check_upgrade(headers)?;
    check_origin(headers, rules)?;
    let key = key(headers)?;
    let entries = subprotocols(headers)?;
    let encoding = encoding(&entries)?;
    let token = token(headers, &entries)?;
    Ok(Accepted { key, encoding, token })
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::Malformed, detail)
}

fn check_method(method: &Method) -> Result<(), Problem> {
    if method == Method::GET {
        return Ok(());
    }
    Err(Problem::new(Kind::MethodNotAllowed, "a WebSocket is opened with GET").header(header::ALLOW, "GET"))
}

fn check_url(request: &Request) -> Result<(), Problem> {
    let query = request.uri().query().unwrap_or_default();
    let Ok(pairs) = serde_html_form::from_str::<Vec<(String, String)>>(query) else {
        return Err(malformed("the query of the URL cannot be read"));
    };
    if pairs.iter().any(|(name, _)| URL_TOKENS.iter().any(|known| name.eq_ignore_ascii_case(known))) {
        return Err(malformed(
            "a token belongs in the hello, the Authorization header or a subprotocol, not in the URL",
        ));
    }
    Ok(())
}

fn check_upgrade(headers: &HeaderMap) -> Result<(), Problem> {
    if !lists(headers, &header::UPGRADE, "websocket") || !lists(headers, &header::CONNECTION, "upgrade") {
        return Err(Problem::new(
            Kind::UpgradeRequired,
            "the request lacks Connection: upgrade and Upgrade: websocket",
        )
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "upgrade"));
    }
    if one(headers, &header::SEC_WEBSOCKET_VERSION)?.is_none_or(|version| version != "13") {
        return Err(Problem::new(Kind::UpgradeRequired, "only version 13 of the protocol is spoken")
            .header(header::SEC_WEBSOCKET_VERSION, "13"));
    }
    Ok(())
}

/// Browsers let any page open a socket anywhere, and only tell from where.
fn check_origin(headers: &HeaderMap, rules: &Rules) -> Result<(), Problem> {
    let foreign = || Problem::new(Kind::ForeignOrigin, "the Origin is not in listen.allowed_origins");
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let Some(origin) = origins.next() else {
        return if rules.allow_missing_origin { Ok(()) } else { Err(foreign()) };
    };
    let origin = origin.to_str().ok().and_then(|text| Origin::parse(text).ok()).ok_or_else(foreign)?;
    let alone = origins.next().is_none();
    let allowed =
        rules.allowed_origins.contains(&origin) || (rules.allow_own_pages && is_own(&origin, headers));
    if alone && allowed { Ok(()) } else { Err(foreign()) }
}

/// Whether a page comes from where it calls. A browser says both, and no page can change either. That an address may be
/// given another name by whoever owns the name is of no use to them: nothing but a token signs anybody in.
fn is_own(origin: &Origin, headers: &HeaderMap) -> bool {
    let host = one(headers, &header::HOST).ok().flatten().and_then(|host| host.to_str().ok());
    host.is_some_and(|host| origin.is_of(host))
}

/// The nonce: 16 bytes in Base64, which is 22 digits and two equals signs.
fn key(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let key = one(headers, &header::SEC_WEBSOCKET_KEY)?;
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/';
    let is_nonce = |key: &[u8]| {
        key.len() == 24
            && key.ends_with(b"==")
            && key[..22].iter().all(is_digit)
            && b"AQgw".contains(&key[21])
    };
    key.filter(|key| is_nonce(key.as_bytes()))
        .cloned()
        .ok_or_else(|| malformed("Sec-WebSocket-Key must be 16 bytes in Base64"))
}

fn subprotocols(headers: &HeaderMap) -> Result<Vec<&str>, Problem> {
    let mut entries = Vec::new();
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let text = value.to_str().map_err(|_| malformed("Sec-WebSocket-Protocol cannot be read"))?;
        entries.extend(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()));
    }
    Ok(entries)
}

/// The first entry that we speak: the order is the client's preference.
fn encoding(entries: &[&str]) -> Result<Encoding, Problem> {
    entries
        .iter()
        .find_map(|entry| wire::encoding_of(entry))
        .ok_or_else(|| malformed("name a subprotocol: presence.v1.json or presence.v1.msgpack"))
}

/// The token of the header or of a subprotocol entry. It is never part of an answer.
fn token(headers: &HeaderMap, entries: &[&str]) -> Result<Option<Secret>, Problem> {
    let mut tokens: Vec<&str> =
        entries.iter().filter_map(|entry| entry.strip_prefix(wire::TOKEN_SUBPROTOCOL)).collect();
    tokens.extend(bearer(headers)?);
    match tokens.as_slice() {
        [] => Ok(None),
        [token] => Ok(Some(Secret::new(*token))),
        _ => Err(malformed("the token is given more than once")),
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = one(headers, &header::AUTHORIZATION)? else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(malformed("Authorization must be: Bearer <token>"));
    }
    Ok(Some(token.trim()))
}

/// The value of a header that may be given once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(malformed("a header is given more than once")),
        (value, None) => Ok(value),
    }
}

/// Whether a header that is a list contains a word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|entry| entry.trim().eq_ignore_ascii_case(word))
}
