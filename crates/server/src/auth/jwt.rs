//! JSON Web Tokens of users: what one must carry, and the check with one key.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, dangerous, decode, decode_header, encode,
    errors::ErrorKind, get_current_timestamp,
};
use model::{UserId, Wall};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use uuid::Uuid;

use super::{AuthError, VerifiedUser};
use crate::config::{self, Secret};

/// Longer tokens are not looked at. Those of Supabase have about 1 KiB.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token must carry besides a signature.
#[derive(Clone, Debug)]
pub struct Checks {
    /// `iss`; `None`: any or none.
    pub issuer: Option<String>,
    /// `aud`.
    pub audience: String,
    /// Seconds by which clocks may differ.
    pub leeway_s: u64,
}

impl Checks {
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway_s;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        // Without being required, a claim that is absent would pass.
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        validation
    }
}

/// The claims that matter. Times are whole numbers: a text or a fraction is refused, and so is a claim given twice.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(rename = "aud")]
    _audience: IgnoredAny,
    iss: Option<String>,
    #[serde(rename = "nbf")]
    _not_before: Option<u64>,
    #[serde(rename = "iat")]
    _issued_at: Option<u64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    token_use: Option<String>,
    role: Option<String>,
}

impl Claims {
    /// Whether it is a user's access token, as far as it says.
    fn is_of_user(&self) -> bool {
        let is_access = |value: &Option<String>| value.as_deref().is_none_or(|value| value == "access");
        is_access(&self.kind) && is_access(&self.token_use) && self.role.as_deref() != Some("service_role")
    }

    fn verified(&self) -> Result<VerifiedUser, AuthError> {
        // Only the hyphenated form: one user has one name.
        let user = Uuid::try_parse(&self.sub).ok().filter(|_| self.sub.len() == 36);
        let expires_at = self.exp.checked_mul(1000).and_then(|ms| i64::try_from(ms).ok());
        match (user, expires_at) {
            (Some(user), Some(expires_at)) => {
                Ok(VerifiedUser { user: UserId(user), expires_at: Wall(expires_at) })
            }
            _ => Err(AuthError::BadClaims),
        }
    }
}

/// What a token says of itself before anything is checked: good for choosing a key, and for nothing else.
#[derive(Debug)]
pub(super) struct Hints {
    pub(super) issuer: Option<String>,
    pub(super) key_id: Option<String>,
}

/// Reads a token's form, its type and where its key may be found.
pub(super) fn read_unverified(token: &str) -> Result<Hints, AuthError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(AuthError::Malformed);
    }
    let header = decode_header(token).map_err(|_| AuthError::Malformed)?;
    let typ = header.typ.as_deref().unwrap_or("JWT");
    if !["JWT", "at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known)) {
        return Err(AuthError::WrongType);
    }
    // RFC 7515, 4.1.11: what is critical and not understood makes a token invalid.
    if header.crit.is_some() {
        return Err(AuthError::Malformed);
    }
    let claims: Claims = dangerous::insecure_decode_claims(token).map_err(|_| AuthError::BadClaims)?;
    if !claims.is_of_user() {
        return Err(AuthError::WrongType);
    }
    Ok(Hints { issuer: claims.iss, key_id: header.kid })
}

/// One key with the one algorithm that we let it be used with.
pub struct VerifyingKey {
    key: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithms", &self.validation.algorithms)
            .finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// A shared secret, for HS256.
    #[must_use]
    pub fn shared(secret: &Secret, checks: &Checks) -> Self {
        Self::new(DecodingKey::from_secret(secret.expose().as_bytes()), Algorithm::HS256, checks)
    }

    pub(super) fn new(key: DecodingKey, algorithm: Algorithm, checks: &Checks) -> Self {
        Self { key, validation: checks.validation(algorithm) }
    }

    /// The user of a token that holds.
    ///
    /// # Errors
    /// [`AuthError`] says what it lacks.
    pub fn verify(&self, token: &str) -> Result<VerifiedUser, AuthError> {
        let claims =
            decode::<Claims>(token, &self.key, &self.validation).map_err(|e| refusal(e.kind()))?.claims;
        if claims.is_of_user() { claims.verified() } else { Err(AuthError::WrongType) }
    }
}

pub(super) fn refusal(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::ExpiredSignature => AuthError::Expired,
        ErrorKind::ImmatureSignature => AuthError::NotYetValid,
        ErrorKind::InvalidAudience => AuthError::WrongAudience,
        ErrorKind::InvalidIssuer => AuthError::UnknownIssuer,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
            AuthError::BadClaims
        }
        _ => AuthError::BadSignature,
    }
}

/// Why no development token can be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The issuer signs with keys that the hub does not have.
    #[error("only an issuer with a shared secret (hs256_secret) can be imitated")]
    NoSecret,
    /// The token cannot be signed.
    #[error("the token cannot be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

#[derive(Serialize)]
struct Minted<'a> {
    sub: UserId,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    iat: u64,
    exp: u64,
}

/// A development token, as `issuer` would sign it.
///
/// # Errors
/// [`MintError`] where the issuer has no shared secret.
pub fn mint(issuer: &config::Issuer, user: UserId, ttl: Duration) -> Result<String, MintError> {
    if issuer.hs256_secret.is_empty() {
        return Err(MintError::NoSecret);
    }
    let iat = get_current_timestamp();
    let exp = iat.saturating_add(ttl.as_secs());
    let claims = Minted { sub: user, aud: &issuer.audience, iss: issuer.issuer.as_deref(), iat, exp };
    let key = EncodingKey::from_secret(issuer.hs256_secret.expose().as_bytes());
    Ok(encode(&Header::new(Algorithm::HS256), &claims, &key)?)
}
