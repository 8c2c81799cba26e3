//! An issuer that publishes its keys, and changes them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use client::SocketError;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use model::{Encoding, UserId};
use serde_json::json;
use tokio::net::TcpListener;
use wire::Token;

use crate::fixture::{Launch, World, claims, eventually, token};

const ISSUER: &str = "https://issuer.example";

/// A key of an issuer.
struct Key {
    id: &'static str,
    private: EncodingKey,
}

impl Key {
    fn new(id: &'static str) -> Self {
        server::auth::install_crypto();
        let pair = aws_lc_rs::signature::EcdsaKeyPair::generate(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        );
        let document = pair.expect("a key").to_pkcs8v1().expect("a document");
        Self { id, private: EncodingKey::from_ec_der(document.as_ref()) }
    }

    fn published(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.private, Algorithm::ES256).expect("a public key");
        jwk.common.key_id = Some(self.id.to_owned());
        jwk
    }

    fn token(&self, user: UserId) -> Token {
        let mut claims = claims(user);
        claims["iss"] = ISSUER.into();
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(Algorithm::ES256) };
        Token::new(encode(&header, &claims, &self.private).expect("a token"))
    }
}

/// What the issuer answers at the moment.
#[derive(Clone, Default)]
struct Issuer(Arc<Mutex<Option<String>>>);

impl Issuer {
    async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = async |State(this): State<Self>| {
            this.0.lock().expect("no panic").clone().ok_or(StatusCode::SERVICE_UNAVAILABLE)
        };
        let router = Router::new().route("/jwks", get(answer)).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        address
    }

    fn publish(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.published()).collect();
        *self.0.lock().expect("no panic") = Some(json!({ "keys": keys }).to_string());
    }
}

/// The code with which a token is refused; `None`: it is taken.
async fn refusal(world: &World, token: Token) -> Option<u16> {
    match world.try_enter(Encoding::Json, token).await {
        Ok(_) => None,
        Err(SocketError::Closed(closed)) => closed.code,
        Err(error) => panic!("{error}"),
    }
}

/// The hub asks an issuer at most every 30 s for keys that it does not know: this test waits for that.
#[tokio::test]
async fn keys_are_fetched_when_they_are_there_and_again_when_they_change() {
    let (issuer, [old, new]) = (Issuer::default(), [Key::new("old"), Key::new("new")]);
    let address = issuer.serve().await;
    let issuers = format!("[{{ issuer = '{ISSUER}', jwks_url = 'http://{address}/jwks' }}]");
    let world = World::on(Arc::new(Launch::new().set("auth.issuers", issuers).start())).await;
    assert_eq!(refusal(&world, old.token(world.finn)).await, Some(4102), "nothing is wrong with the token");
    issuer.publish(&[&old]);
    eventually("the keys", async || refusal(&world, old.token(world.finn)).await.is_none().then_some(()))
        .await;
    assert_eq!(refusal(&world, new.token(world.finn)).await, Some(4201));
    assert_eq!(refusal(&world, token(world.finn)).await, Some(4201), "a secret is no key of this issuer");
    let mut connected =
        world.try_enter(Encoding::MessagePack, old.token(world.vera)).await.expect("a welcome");

    issuer.publish(&[&new]);
    let taken = async || {
        connected.ping().await;
        refusal(&world, new.token(world.finn)).await.is_none().then_some(())
    };
    patiently("the new key", taken).await;
    assert_eq!(
        refusal(&world, old.token(world.finn)).await,
        Some(4201),
        "a key that is not published any more"
    );
    connected.ping().await;
}

/// Twice as patient as others.
async fn patiently(what: &str, mut ask: impl AsyncFnMut() -> Option<()>) {
    let half = std::time::Instant::now() + std::time::Duration::from_secs(25);
    eventually("half of the time", async || {
        (ask().await.is_some() || std::time::Instant::now() > half).then_some(())
    })
    .await;
    eventually(what, ask).await;
}
