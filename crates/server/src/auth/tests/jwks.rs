//! Published keys, fetched from a real server on this machine.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::super::{AuthError, Authenticator, SetupError, jwks::JwksTimings};
use super::{ISSUER, RSA, claims, ec_key, published, raw, signed};
use crate::testing::{PATIENCE, config};

/// An issuer that counts how often it is asked.
#[derive(Clone, Default)]
struct Published {
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Published {
    async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = async |State(this): State<Self>| {
            this.asked.fetch_add(1, Ordering::SeqCst);
            this.answer.lock().unwrap().clone()
        };
        let router = Router::new().route("/jwks", get(answer)).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        address
    }

    fn publish(&self, keys: &[Jwk]) {
        self.answer(StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Fetches for every unknown key, or never twice.
fn timings(cool_down: Duration) -> JwksTimings {
    JwksTimings { cool_down, first_cool_down: cool_down, ..JwksTimings::default() }
}

fn authenticator(address: SocketAddr, more: &str, timings: &JwksTimings) -> Authenticator {
    let issuers = format!("[{{ issuer = '{ISSUER}', jwks_url = 'http://{address}/jwks'{more} }}]");
    Authenticator::with_timings(&config(&[("auth.issuers", &issuers)]).auth, timings).unwrap()
}

async fn issuer(keys: &[Jwk], timings: &JwksTimings) -> (Published, Authenticator) {
    let issuer = Published::default();
    issuer.publish(keys);
    let address = issuer.serve().await;
    (issuer, authenticator(address, "", timings))
}

const EAGER: Duration = Duration::ZERO;
const NEVER_TWICE: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn es256_and_rs256_verify() {
    let ec = ec_key();
    let keys = [published(&ec, Algorithm::ES256, "e"), published(&RSA, Algorithm::RS256, "r")];
    let (issuer, authenticator) = issuer(&keys, &timings(NEVER_TWICE)).await;
    for token in [
        signed(&ec, Algorithm::ES256, Some("e"), &claims()),
        signed(&RSA, Algorithm::RS256, Some("r"), &claims()),
    ] {
        assert!(authenticator.user(&token).await.is_ok());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_key_is_used_with_its_own_algorithm_only() {
    let keys = [published(&ec_key(), Algorithm::ES256, "e"), published(&RSA, Algorithm::RS256, "r")];
    let (_issuer, authenticator) = issuer(&keys, &timings(NEVER_TWICE)).await;
    let public = serde_json::to_value(&keys[1]).unwrap();
    let modulus = public["n"].as_str().unwrap();
    let document = public.to_string();
    for secret in [modulus, &document] {
        let forged = raw(r#"{"alg":"HS256","kid":"r"}"#, &claims().to_string(), secret);
        assert_eq!(authenticator.user(&forged).await, Err(AuthError::BadSignature));
    }
    for (algorithm, id) in [(Algorithm::RS256, "e"), (Algorithm::RS512, "r"), (Algorithm::PS256, "r")] {
        let token = signed(&RSA, algorithm, Some(id), &claims());
        assert_eq!(authenticator.user(&token).await, Err(AuthError::BadSignature), "{algorithm:?} {id}");
    }
}

#[tokio::test]
async fn keys_that_may_not_be_used_do_not_exist() {
    let ec = ec_key();
    let mut encrypting = published(&ec, Algorithm::ES256, "e");
    encrypting.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Encryption);
    let secret = published(&EncodingKey::from_secret(b"x"), Algorithm::HS256, "s");
    let mut mislabelled = published(&ec, Algorithm::ES256, "m");
    mislabelled.common.key_algorithm = Some(jsonwebtoken::jwk::KeyAlgorithm::RS256);
    let keys = [encrypting, secret, mislabelled, published(&RSA, Algorithm::RS256, "r")];
    let (_issuer, authenticator) = issuer(&keys, &timings(NEVER_TWICE)).await;
    for id in ["e", "s", "m"] {
        let token = signed(&ec, Algorithm::ES256, Some(id), &claims());
        assert_eq!(authenticator.user(&token).await, Err(AuthError::UnknownKey), "{id}");
    }
    assert!(
        authenticator.user(&signed(&RSA, Algorithm::RS256, None, &claims())).await.is_ok(),
        "the only key"
    );
}

#[tokio::test]
async fn the_configured_algorithms_narrow_what_is_published() {
    let ec = ec_key();
    let issuer = Published::default();
    issuer.publish(&[published(&ec, Algorithm::ES256, "e"), published(&RSA, Algorithm::RS256, "r")]);
    let address = issuer.serve().await;
    let authenticator = authenticator(address, ", algorithms = ['ES256']", &timings(NEVER_TWICE));
    assert!(authenticator.user(&signed(&ec, Algorithm::ES256, Some("e"), &claims())).await.is_ok());
    let token = signed(&RSA, Algorithm::RS256, Some("r"), &claims());
    assert_eq!(authenticator.user(&token).await, Err(AuthError::UnknownKey));
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_it_first_appears() {
    let (old, new) = (ec_key(), ec_key());
    let (issuer, authenticator) = issuer(&[published(&old, Algorithm::ES256, "old")], &timings(EAGER)).await;
    let [by_old, by_new] =
        [(&old, "old"), (&new, "new")].map(|(key, id)| signed(key, Algorithm::ES256, Some(id), &claims()));
    assert!(authenticator.user(&by_old).await.is_ok());
    assert_eq!(authenticator.user(&by_new).await, Err(AuthError::UnknownKey));
    issuer.publish(&[published(&new, Algorithm::ES256, "new")]);
    assert!(authenticator.user(&by_new).await.is_ok());
    assert_eq!(authenticator.user(&by_old).await, Err(AuthError::UnknownKey), "a withdrawn key is gone");
}

#[tokio::test]
async fn made_up_key_ids_are_asked_for_once() {
    let key = ec_key();
    let (issuer, authenticator) =
        issuer(&[published(&key, Algorithm::ES256, "e")], &timings(NEVER_TWICE)).await;
    let tokens: Vec<_> =
        (0..20).map(|n| signed(&key, Algorithm::ES256, Some(&format!("made-up-{n}")), &claims())).collect();
    let asked = tokens.iter().map(|token| authenticator.user(token));
    for outcome in futures_util::future::join_all(asked).await {
        assert_eq!(outcome, Err(AuthError::UnknownKey));
    }
    assert_eq!(issuer.asked(), 1, "twenty at once, one fetch");
    assert!(authenticator.user(&signed(&key, Algorithm::ES256, Some("e"), &claims())).await.is_ok());
}

#[tokio::test]
async fn an_outage_keeps_the_last_good_keys() {
    let key = ec_key();
    let good = [published(&key, Algorithm::ES256, "e")];
    let (issuer, authenticator) = issuer(&good, &timings(EAGER)).await;
    let token = signed(&key, Algorithm::ES256, Some("e"), &claims());
    let unknown = signed(&key, Algorithm::ES256, Some("x"), &claims());
    assert!(authenticator.user(&token).await.is_ok());
    let valid = json!({ "keys": good });
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::FOUND, valid.to_string()),
        (StatusCode::OK, "no json".to_owned()),
        (StatusCode::OK, json!({ "keys": [] }).to_string()),
        (StatusCode::OK, json!({ "keys": [{ "kty": "quantum", "kid": "e" }] }).to_string()),
        (StatusCode::OK, format!("{valid}{}", " ".repeat(64 * 1024))),
    ] {
        issuer.answer(status, body);
        let before = issuer.asked();
        assert_eq!(authenticator.user(&unknown).await, Err(AuthError::UnknownKey));
        assert_eq!(issuer.asked(), before + 1);
        assert!(authenticator.user(&token).await.is_ok());
    }
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_no_fault_of_the_token() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    let timings = JwksTimings { timeout: Duration::from_millis(50), ..timings(EAGER) };
    let authenticator = authenticator(address, "", &timings);
    let token = signed(&ec_key(), Algorithm::ES256, Some("e"), &claims());
    // It accepts, and says nothing; then it is gone.
    assert_eq!(authenticator.user(&token).await, Err(AuthError::KeysUnavailable));
    drop(nobody);
    assert_eq!(authenticator.user(&token).await, Err(AuthError::KeysUnavailable));
}

#[tokio::test]
async fn keys_are_kept_fresh_until_told_to_stop() {
    let timings = JwksTimings { refresh_every: Duration::from_millis(5), ..timings(NEVER_TWICE) };
    let key = ec_key();
    let (issuer, authenticator) = issuer(&[published(&key, Algorithm::ES256, "e")], &timings).await;
    let stop = CancellationToken::new();
    let fetched_thrice = async {
        while issuer.asked() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let both = async { tokio::join!(authenticator.keep_keys_fresh(stop.clone()), fetched_thrice) };
    tokio::time::timeout(PATIENCE, both).await.expect("refreshes, then ends");
    assert!(authenticator.user(&signed(&key, Algorithm::ES256, Some("e"), &claims())).await.is_ok());
}

#[test]
fn an_address_that_is_none_is_told_at_the_start() {
    let mut auth = config(&[("auth.issuers", "[{ jwks_url = 'https://keys.example' }]")]).auth;
    auth.issuers[0].jwks_url = Some("keys".to_owned());
    assert!(matches!(Authenticator::new(&auth), Err(SetupError::Url(url)) if url == "keys"));
}
