//! Tokens of the users, and the issuer who publishes the key of some of them.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::Context;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use model::UserId;
use serde_json::{Value, json};
use wire::Token;

/// The secret of the nameless issuer, and the service token.
pub(super) const SECRET: &str = "a secret for load tests on loopback";
/// The issuer who publishes a key.
const ISSUER: &str = "https://issuer.example";
const KEY_ID: &str = "load";

/// Signs tokens.
pub(super) struct Signer {
    secret: EncodingKey,
    key: EncodingKey,
}

impl Signer {
    pub(super) fn new() -> Self {
        // Fails only where a provider is installed already, and then it is the same one.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).and_then(|pair| pair.to_pkcs8v1());
        let document = pair.expect("the library makes keys of this curve");
        let key = EncodingKey::from_ec_der(document.as_ref());
        Self { secret: EncodingKey::from_secret(SECRET.as_bytes()), key }
    }

    /// A token by the shared secret.
    pub(super) fn shared(&self, user: UserId) -> anyhow::Result<Token> {
        Ok(Token::new(encode(&Header::default(), &claims(user), &self.secret)?))
    }

    /// A token by the published key.
    pub(super) fn published(&self, user: UserId) -> anyhow::Result<Token> {
        let mut claims = claims(user);
        claims["iss"] = ISSUER.into();
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::ES256) };
        Ok(Token::new(encode(&header, &claims, &self.key)?))
    }

    /// The key set to publish.
    pub(super) fn key_set(&self) -> anyhow::Result<String> {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::ES256)?;
        jwk.common.key_id = Some(KEY_ID.to_owned());
        Ok(json!({ "keys": [jwk] }).to_string())
    }
}

fn claims(user: UserId) -> Value {
    json!({ "sub": user.to_string(), "aud": "authenticated", "exp": u32::MAX })
}

/// Answers whoever asks on this machine with a key set.
pub(super) struct Issuer {
    address: SocketAddr,
}

impl Issuer {
    /// Publishes for as long as this process lives: a thread that waits costs nothing.
    pub(super) fn publish(key_set: anyhow::Result<String>) -> anyhow::Result<Self> {
        let key_set = key_set?;
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the issuer")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            // Whoever hangs up may ask again.
            listener.incoming().flatten().for_each(|asker| drop(answer(asker, &key_set)));
        });
        Ok(Self { address })
    }

    /// The issuer as the hub's configuration has it.
    pub(super) fn config(&self) -> String {
        format!("[[auth.issuers]]\nissuer = {ISSUER:?}\njwks_url = \"http://{}/jwks\"\n", self.address)
    }
}

fn answer(stream: TcpStream, body: &str) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut asked = BufReader::new(stream);
    let mut line = String::new();
    while asked.read_line(&mut line)? > 2 {
        line.clear();
    }
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    Ok(asked.get_mut().write_all((head + body).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_issuer_answers_with_its_key() {
        let signer = Signer::new();
        let key_set = signer.key_set().unwrap();
        let issuer = Issuer::publish(Ok(key_set.clone())).unwrap();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(issuer.address).unwrap();
            stream.write_all(b"GET /jwks HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with(&key_set), "{text}");
        }
        assert!(key_set.contains("\"kid\":\"load\"") && !key_set.contains("\"d\""), "{key_set}");
    }

    #[test]
    fn tokens_name_their_user() {
        let (signer, user) = (Signer::new(), UserId(uuid::Uuid::from_u128(7)));
        for token in [signer.shared(user).unwrap(), signer.published(user).unwrap()] {
            assert_eq!(token.reveal().split('.').count(), 3);
        }
    }
}
