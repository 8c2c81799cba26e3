//! Who asks: user tokens of the configured issuers, and the service token of the platform's back-end.
//!
//! It knows tokens and keys. What a user may see is decided elsewhere.

pub mod code;
pub mod extension;
pub mod jwks;
pub mod jwt;
pub mod service;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Once};

use model::{CloseCode, ErrorCode, UserId, Wall};
use tokio_util::sync::CancellationToken;

use crate::config;
use jwks::{Jwks, JwksTimings};
use jwt::VerifyingKey;
use service::ServiceToken;

/// A user whose token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedUser {
    /// The token's `sub`.
    pub user: UserId,
    /// The token's `exp`, without leeway.
    pub expires_at: Wall,
}

/// Why a token is not accepted. The text is for the caller and never contains anything of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Not a JWT that this hub reads: too long, not three parts, an unknown or no algorithm.
    #[error("the token cannot be read")]
    Malformed,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Made for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// An access-code token, a service token, a refresh token.
    #[error("the token is of another type")]
    WrongType,
    /// A claim is missing, given twice, or not of its type.
    #[error("a claim of the token is missing, given twice or of the wrong type")]
    BadClaims,
    /// Signed by somebody else, changed, or with an algorithm that this issuer does not use.
    #[error("the signature of the token does not hold")]
    BadSignature,
    /// Nobody whose tokens are accepted here.
    #[error("the issuer of the token is not accepted here")]
    UnknownIssuer,
    /// The issuer does not publish the key.
    #[error("the key of the token is unknown")]
    UnknownKey,
    /// The issuer's keys were never fetched; nothing is wrong with the token.
    #[error("the keys of the token's issuer are out of reach")]
    KeysUnavailable,
}

impl AuthError {
    /// The code of a request that carried the token.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::KeysUnavailable => ErrorCode::Unavailable,
            _ => ErrorCode::Unauthorized,
        }
    }

    /// How a socket is closed whose token it was.
    #[must_use]
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::KeysUnavailable => CloseCode::Overloaded,
            Self::Expired => CloseCode::TokenExpired,
            _ => CloseCode::TokenInvalid,
        }
    }
}

/// Why an authenticator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A JWKS address that is no URL.
    #[error("{0} is no URL")]
    Url(String),
    /// The HTTP client cannot be made.
    #[error("the client that fetches keys cannot be made")]
    Client(#[from] reqwest::Error),
}

/// Makes the one cryptographic library known to those who look for one. The first thing a process does;
/// again does no harm.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Both fail only where a provider was installed before, and then it is the same one.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Tells who asks.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<Issuer>,
    service: Option<ServiceToken>,
}

#[derive(Debug)]
struct Issuer {
    name: Option<String>,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Shared(Arc<VerifyingKey>),
    Published(Arc<Jwks>),
}

impl Authenticator {
    /// An authenticator for checked configuration.
    ///
    /// # Errors
    /// [`SetupError`] for a JWKS that can never be asked.
    pub fn new(auth: &config::Auth) -> Result<Self, SetupError> {
        Self::with_timings(auth, &JwksTimings::default())
    }

    fn with_timings(auth: &config::Auth, timings: &JwksTimings) -> Result<Self, SetupError> {
        install_crypto();
        let issuers = auth.issuers.iter().map(|issuer| Issuer::new(issuer, auth.leeway_s, timings));
        Ok(Self {
            issuers: issuers.collect::<Result<_, _>>()?,
            service: auth.service_token().map(ServiceToken::new),
        })
    }

    /// The user of a token. May wait for an issuer's keys, at most a few seconds.
    ///
    /// # Errors
    /// [`AuthError`] says what the token lacks.
    pub async fn user(&self, token: &str) -> Result<VerifiedUser, AuthError> {
        if self.is_service(token) {
            return Err(AuthError::WrongType);
        }
        let hints = jwt::read_unverified(token)?;
        // What the token says of itself only chooses among our issuers; what they sign with is ours to say.
        let issuer = self.issuer_of(hints.issuer.as_deref()).ok_or(AuthError::UnknownIssuer)?;
        let key = match &issuer.keys {
            Keys::Shared(key) => Arc::clone(key),
            Keys::Published(jwks) => jwks.key(hints.key_id.as_deref()).await?,
        };
        key.verify(token)
    }

    /// Whether a token is the service token, compared in constant time.
    #[must_use]
    pub fn is_service(&self, token: &str) -> bool {
        self.service.as_ref().is_some_and(|service| service.matches(token))
    }

    /// Keeps the published keys fresh until `stop`.
    pub async fn keep_keys_fresh(&self, stop: CancellationToken) {
        let loops = self.issuers.iter().filter_map(|issuer| match &issuer.keys {
            Keys::Published(jwks) => Some(Arc::clone(jwks).keep_fresh(stop.clone())),
            Keys::Shared(_) => None,
        });
        futures_util::future::join_all(loops).await;
    }

    fn issuer_of(&self, name: Option<&str>) -> Option<&Issuer> {
        let named =
            self.issuers.iter().find(|issuer| issuer.name.is_some() && issuer.name.as_deref() == name);
        named.or_else(|| self.issuers.iter().find(|issuer| issuer.name.is_none()))
    }
}

impl Issuer {
    fn new(issuer: &config::Issuer, leeway_s: u64, timings: &JwksTimings) -> Result<Self, SetupError> {
        let checks =
            jwt::Checks { issuer: issuer.issuer.clone(), audience: issuer.audience.clone(), leeway_s };
        let keys = match &issuer.jwks_url {
            Some(url) => Keys::Published(Jwks::new(url, checks, &issuer.algorithms, timings.clone())?),
            None => Keys::Shared(Arc::new(VerifyingKey::shared(&issuer.hs256_secret, &checks))),
        };
        Ok(Self { name: issuer.issuer.clone(), keys })
    }
}
