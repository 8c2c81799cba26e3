mod jwks;

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp, jwk::Jwk};
use model::{CloseCode, ErrorCode, UserId, Wall};
use serde_json::{Value, json};

use super::{AuthError, Authenticator, VerifiedUser, install_crypto, jwt::MAX_TOKEN_BYTES};
use crate::testing::config;

pub(super) const USER: &str = "6f9b1f8e-0000-4000-8000-000000000001";
const SECRET: &str = "a-shared-secret-of-more-than-32-bytes";
const SERVICE: &str = "the-service-token-of-more-than-32-bytes";
pub(super) const ISSUER: &str = "https://project.example/auth/v1";

/// An RSA key pair; making one takes a while.
pub(super) static RSA: LazyLock<EncodingKey> = LazyLock::new(|| {
    install_crypto();
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    // PKCS#8 is PKCS#1 behind 26 bytes that name the algorithm.
    EncodingKey::from_rsa_der(&der.as_ref()[26..])
});

pub(super) fn ec_key() -> EncodingKey {
    install_crypto();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    EncodingKey::from_ec_der(der.as_ref())
}

pub(super) fn published(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
    jwk.common.key_id = Some(id.to_owned());
    jwk
}

pub(super) fn claims() -> Value {
    json!({ "sub": USER, "aud": "authenticated", "iss": ISSUER, "role": "authenticated", "exp": now() + 600 })
}

fn now() -> u64 {
    get_current_timestamp()
}

/// The claims with some replaced; `null` removes one.
fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub(super) fn signed(key: &EncodingKey, algorithm: Algorithm, id: Option<&str>, claims: &Value) -> String {
    install_crypto();
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn shared(claims: &Value) -> String {
    signed(&EncodingKey::from_secret(SECRET.as_bytes()), Algorithm::HS256, None, claims)
}

/// Any header and payload, correctly signed with the secret.
fn raw(header: &str, payload: &str, secret: &str) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    format!("{message}.{}", base64url(signature.as_ref()))
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |n: usize| char::from(DIGITS[(bits >> (18 - 6 * n)) as usize & 63]);
        text.extend((0..=chunk.len()).map(digit));
    }
    text
}

/// Accepts tokens of the shared secret.
fn authenticator(leeway_s: u64) -> Authenticator {
    let issuers = format!("[{{ issuer = '{ISSUER}', hs256_secret = '{SECRET}' }}]");
    let config = config(&[
        ("auth.issuers", &issuers),
        ("auth.service_token", SERVICE),
        ("auth.leeway_s", &leeway_s.to_string()),
    ]);
    Authenticator::new(&config.auth).unwrap()
}

#[tokio::test]
async fn a_good_token_names_its_user_and_its_end() {
    let user: UserId = USER.parse().unwrap();
    let exp = now() + 600;
    let good = VerifiedUser { user, expires_at: Wall(exp as i64 * 1000) };
    for claims in [
        with(json!({ "exp": exp })),
        with(json!({ "exp": exp, "aud": ["other", "authenticated"], "nbf": now(), "iat": now() })),
        with(json!({ "exp": exp, "type": "access", "token_use": "access", "email": { "deep": [[[1]]] } })),
    ] {
        assert_eq!(authenticator(5).user(&shared(&claims)).await, Ok(good), "{claims}");
    }
}

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    use AuthError::{BadClaims, Expired, NotYetValid, UnknownIssuer, WrongAudience, WrongType};
    let table = [
        (json!({ "exp": now() - 60 }), Expired),
        (json!({ "exp": 0 }), Expired),
        (json!({ "nbf": now() + 60 }), NotYetValid),
        (json!({ "aud": "anon" }), WrongAudience),
        (json!({ "aud": "authenticated2" }), WrongAudience),
        (json!({ "aud": ["anon", "other"] }), WrongAudience),
        (json!({ "aud": [] }), WrongAudience),
        (json!({ "iss": "https://evil.example" }), UnknownIssuer),
        (json!({ "iss": null }), UnknownIssuer),
        (json!({ "iss": [ISSUER] }), BadClaims),
        (json!({ "exp": null }), BadClaims),
        (json!({ "aud": null }), BadClaims),
        (json!({ "sub": null }), BadClaims),
        (json!({ "sub": "admin" }), BadClaims),
        (json!({ "sub": USER.replace('-', "") }), BadClaims),
        (json!({ "sub": format!("{{{USER}}}") }), BadClaims),
        (json!({ "sub": 7 }), BadClaims),
        (json!({ "exp": (now() + 600).to_string() }), BadClaims),
        (json!({ "exp": now() as f64 + 600.5 }), BadClaims),
        (json!({ "exp": -1 }), BadClaims),
        (json!({ "exp": 1e300 }), BadClaims),
        (json!({ "exp": u64::MAX }), BadClaims),
        (json!({ "exp": [now() + 600] }), BadClaims),
        (json!({ "nbf": now().to_string() }), BadClaims),
        (json!({ "iat": "yesterday" }), BadClaims),
        (json!({ "aud": 7 }), BadClaims),
        (json!({ "type": "access_code" }), WrongType),
        (json!({ "type": "service" }), WrongType),
        (json!({ "token_use": "refresh" }), WrongType),
        (json!({ "role": "service_role" }), WrongType),
    ];
    let authenticator = authenticator(5);
    for (changes, expected) in table {
        let token = shared(&with(changes.clone()));
        assert_eq!(authenticator.user(&token).await, Err(expected), "{changes}");
    }
}

#[tokio::test]
async fn the_leeway_is_the_configured_one() {
    let authenticator = authenticator(30);
    let at = async |changes| authenticator.user(&shared(&with(changes))).await;
    assert!(at(json!({ "exp": now() - 20 })).await.is_ok());
    assert_eq!(at(json!({ "exp": now() - 31 })).await, Err(AuthError::Expired));
    assert!(at(json!({ "nbf": now() + 20 })).await.is_ok());
    assert_eq!(at(json!({ "nbf": now() + 45 })).await, Err(AuthError::NotYetValid));
}

#[tokio::test]
async fn forged_and_broken_tokens_are_refused() {
    use AuthError::{BadClaims, BadSignature, Malformed, WrongType};
    let good = shared(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let payload = claims().to_string();
    let hs256 = r#"{"alg":"HS256","typ":"JWT"}"#;
    let unsigned = |alg: &str| {
        let message = raw(&format!(r#"{{"alg":"{alg}"}}"#), &payload, SECRET);
        format!("{}.", message.rsplit_once('.').unwrap().0)
    };
    let twice =
        |name: &str, value: &str| raw(hs256, &format!("{{\"{name}\":{value},{}", &payload[1..]), SECRET);
    let header = |header: &str| raw(header, &payload, SECRET);
    let attacker = serde_json::to_string(&published(&RSA, Algorithm::RS256, "evil")).unwrap();
    let table = [
        (String::new(), Malformed),
        ("a.b.c".to_owned(), Malformed),
        ("a".repeat(1_000_000), Malformed),
        (
            raw(hs256, &format!("{{\"pad\":\"{}\",{}", "x".repeat(MAX_TOKEN_BYTES), &payload[1..]), SECRET),
            Malformed,
        ),
        (unsigned("none"), Malformed),
        (unsigned("None"), Malformed),
        (unsigned("NONE"), Malformed),
        (unsigned("HS256"), BadSignature),
        (format!("{message}."), BadSignature),
        (format!("{message}.{}", signature.chars().rev().collect::<String>()), BadSignature),
        (format!("{good}.{signature}"), Malformed),
        (raw(hs256, &payload, "another-secret-of-more-than-32-bytes"), BadSignature),
        (raw(r#"{"alg":"HS384"}"#, &payload, SECRET), BadSignature),
        (signed(&RSA, Algorithm::RS256, None, &claims()), BadSignature),
        (signed(&ec_key(), Algorithm::ES256, None, &claims()), BadSignature),
        (twice("exp", "1"), BadClaims),
        (twice("sub", "\"admin\""), BadClaims),
        (twice("aud", "\"other\""), BadClaims),
        (twice("type\":\"access\",\"type", "\"access\""), BadClaims),
        (raw(hs256, "[]", SECRET), BadClaims),
        (raw(hs256, "not json", SECRET), BadClaims),
        (header(r#"{"alg":"HS256","typ":"refresh+jwt"}"#), WrongType),
        (header(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#), Malformed),
        // A key that the token brings along, or says where to find, is never used.
        (signed_with_own_key(&format!(r#"{{"alg":"RS256","kid":"evil","jwk":{attacker}}}"#)), BadSignature),
        (signed_with_own_key(r#"{"alg":"RS256","jku":"http://127.0.0.1:1/evil"}"#), BadSignature),
        (
            signed_with_own_key(
                r#"{"alg":"RS256","x5u":"http://127.0.0.1:1/evil","kid":"../../etc/passwd"}"#,
            ),
            BadSignature,
        ),
    ];
    let authenticator = authenticator(5);
    for (token, expected) in table {
        assert_eq!(authenticator.user(&token).await, Err(expected), "{}", &token[..token.len().min(80)]);
    }
}

/// A token with the attacker's header; what it is signed with does not matter, as it must not be asked.
fn signed_with_own_key(header: &str) -> String {
    raw(header, &claims().to_string(), "the-attackers-own-secret-of-32-bytes")
}

#[tokio::test]
async fn the_service_token_is_no_user_token_and_the_other_way_round() {
    let authenticator = authenticator(5);
    assert!(authenticator.is_service(SERVICE));
    assert_eq!(authenticator.user(SERVICE).await, Err(AuthError::WrongType));
    let good = shared(&claims());
    for token in ["", SECRET, &SERVICE[1..], &format!("{SERVICE} "), good.as_str()] {
        assert!(!authenticator.is_service(token), "{token}");
    }
    let without = Authenticator::new(&config(&[]).auth).unwrap();
    assert!(!without.is_service("") && !without.is_service(SERVICE));
    assert_eq!(without.user(&good).await, Err(AuthError::UnknownIssuer));
}

#[tokio::test]
async fn an_issuer_without_a_name_takes_what_no_other_names() {
    let other = "another-secret-of-more-than-32-bytes";
    let issuers =
        format!("[{{ hs256_secret = '{other}' }}, {{ issuer = '{ISSUER}', hs256_secret = '{SECRET}' }}]");
    let authenticator = Authenticator::new(&config(&[("auth.issuers", &issuers)]).auth).unwrap();
    let by_other = |claims: &Value| raw(r#"{"alg":"HS256"}"#, &claims.to_string(), other);
    assert!(authenticator.user(&shared(&claims())).await.is_ok());
    assert!(authenticator.user(&by_other(&with(json!({ "iss": null })))).await.is_ok());
    assert!(authenticator.user(&by_other(&with(json!({ "iss": "somebody" })))).await.is_ok());
    assert_eq!(authenticator.user(&by_other(&claims())).await, Err(AuthError::BadSignature));
}

#[test]
fn refusals_have_codes_for_requests_and_sockets() {
    assert_eq!(AuthError::Expired.code(), ErrorCode::Unauthorized);
    assert_eq!(AuthError::KeysUnavailable.code(), ErrorCode::Unavailable);
    assert_eq!(AuthError::Expired.close_code(), CloseCode::TokenExpired);
    assert_eq!(AuthError::BadSignature.close_code(), CloseCode::TokenInvalid);
    assert_eq!(AuthError::KeysUnavailable.close_code(), CloseCode::Overloaded);
}
