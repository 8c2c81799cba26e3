//! Whom a visitor of the demonstration may be in the console: one click each, where production wants the platform's token.
//!
//! It hands out tokens, so it is there in a demonstration alone, and answers this machine alone: to whoever connects from
//! it, and calls it by an address of its own. A page from elsewhere whose name leads here calls it by that name.

use std::time::Duration;

use axum::{
    Extension, Router,
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    routing::get,
};
use reqwest::Url;
use serde::Serialize;

use super::{super::CommandError, world::World};
use crate::{
    auth::jwt::mint,
    config::{Issuer, is_loopback},
    listener::Peer,
    problem::{Kind, Problem},
};

/// How long a visitor may stay without a new demonstration.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

/// Who may look at the hub itself.
pub(super) const OPERATOR: &str = "Irene Sato";

/// Who they are in the sample world, in the order in which they are offered: id, name, words, first page.
const CAST: [(&str, &str, &str, &str); 5] = [
    ("admin", "Nora Lindqvist", "Owner of the agency", "#/accounts"),
    ("va", "Sofia Marin", "Virtual assistant in the agency's accounts", "#/accounts"),
    ("coordinator", "Marta Keller", "Venue coordinator of three weddings", "#/teams"),
    ("couple", "Mia Hoffmann", "Marries Tom on Saturday", "#/teams"),
    ("operator", OPERATOR, "Admin of the agency who runs the hub", "#/system"),
];

/// Somebody to be.
#[derive(Serialize)]
struct Persona {
    id: &'static str,
    name: &'static str,
    says: &'static str,
    token: String,
    start: &'static str,
}

/// `GET /demo/personas`, with tokens that `issuer` signs.
pub(super) fn routes(world: &World, issuer: &Issuer) -> Result<Router, CommandError> {
    let personas = CAST.map(|(id, name, says, start)| {
        let token = mint(issuer, world.person(Some(name))?.id, TOKEN_LIFE)?;
        Ok::<_, CommandError>(Persona { id, name, says, token, start })
    });
    let personas = personas.into_iter().collect::<Result<Vec<_>, _>>()?;
    let body = Bytes::from(serde_json::to_vec(&personas).unwrap_or_default());
    let answer = move |Extension(peer): Extension<Peer>, headers: HeaderMap| async move {
        if is_here(&peer, &headers) { Ok((HEADERS, body)) } else { Err(elsewhere()) }
    };
    Ok(Router::new().route("/demo/personas", get(answer)))
}

const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

fn is_here(peer: &Peer, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_own_name = Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url));
    peer.address().ip().to_canonical().is_loopback() && is_own_name
}

fn elsewhere() -> Problem {
    Problem::new(Kind::NoRoute, "see the documentation for the routes there are")
}
