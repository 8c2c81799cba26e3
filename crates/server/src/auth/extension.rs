//! The tokens of extensions: made by the hub, each for one hold of an account, and taken for nothing else.
//!
//! Whether the hold lasts, the store says: a token is worth nothing after it.

use std::{fmt, time::Duration};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, dangerous, decode, encode, get_current_timestamp,
};
use model::{AccountId, Hold, OrganizationId, UserId};
use persistence::TokenKey;
use serde::{Deserialize, Serialize};

use super::{AuthError, jwt::MAX_TOKEN_BYTES};
use crate::config::Secret;

/// The claim `type` of these tokens.
const KIND: &str = "access_code";
/// The claims `iss` and `aud`: tokens of people name others.
const ISSUER: &str = "presence-hub";
const AUDIENCE: &str = "extension";

/// Makes and verifies the tokens of extensions.
pub struct ExtensionTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lasts: Duration,
}

impl fmt::Debug for ExtensionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionTokens").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

/// What a token says. Times are whole seconds.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    #[serde(rename = "type")]
    kind: String,
    iss: String,
    aud: String,
    sub: UserId,
    org: OrganizationId,
    account: AccountId,
    epoch: u64,
    iat: u64,
    exp: u64,
}

impl Claims {
    fn of(hold: Hold, exp: u64) -> Self {
        let Hold { user: sub, organization: org, account, epoch } = hold;
        let [kind, iss, aud] = [KIND, ISSUER, AUDIENCE].map(str::to_owned);
        Self { kind, iss, aud, sub, org, account, epoch, iat: get_current_timestamp(), exp }
    }
}

/// What tells the kind of a token before anything is checked.
#[derive(Deserialize)]
struct Hint {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl ExtensionTokens {
    /// Tokens that are good for `lasts`, signed with the key of the store.
    #[must_use]
    pub fn new(key: &TokenKey, lasts: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Made and checked by hubs of one installation: of their clocks no more is forgiven than of others'.
        validation.leeway = 30;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let (encoding, decoding) = (EncodingKey::from_secret(&key.0), DecodingKey::from_secret(&key.0));
        Self { encoding, decoding, validation, lasts }
    }

    /// For how long a new token is good.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// A token for a hold.
    ///
    /// # Errors
    /// Where it cannot be signed, which a hold does not cause.
    pub fn mint(&self, hold: Hold) -> Result<Secret, jsonwebtoken::errors::Error> {
        let exp = get_current_timestamp().saturating_add(self.lasts.as_secs());
        encode(&Header::new(Algorithm::HS256), &Claims::of(hold, exp), &self.encoding).map(Secret::new)
    }

    /// The hold that a token was made for.
    ///
    /// # Errors
    /// [`AuthError`] says what it lacks.
    pub fn verify(&self, token: &str) -> Result<Hold, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Malformed);
        }
        if !is_of_extension(token) {
            return Err(AuthError::WrongType);
        }
        let decoded = decode::<Claims>(token, &self.decoding, &self.validation);
        let claims = decoded.map_err(|error| super::jwt::refusal(error.kind()))?.claims;
        let Claims { sub: user, org: organization, account, epoch, .. } = claims;
        Ok(Hold { user, organization, account, epoch })
    }
}

/// Whether a token says that it is an extension's. Good for choosing who verifies it, and for nothing else.
#[must_use]
pub fn is_of_extension(token: &str) -> bool {
    let hint =
        (token.len() <= MAX_TOKEN_BYTES).then(|| dangerous::insecure_decode_claims::<Hint>(token).ok());
    hint.flatten().is_some_and(|hint| hint.kind.as_deref() == Some(KIND))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::auth::install_crypto;

    fn tokens(key: u8, lasts_s: u64) -> ExtensionTokens {
        install_crypto();
        ExtensionTokens::new(&TokenKey([key; 32]), Duration::from_secs(lasts_s))
    }

    fn hold() -> Hold {
        let id = Uuid::from_u128;
        Hold {
            user: UserId(id(1)),
            organization: OrganizationId(id(2)),
            account: AccountId(id(3)),
            epoch: 1_700_000_000_000,
        }
    }

    #[test]
    fn a_token_names_its_hold_and_ends() {
        let token = tokens(1, 3_600).mint(hold()).unwrap();
        assert_eq!(tokens(1, 60).verify(token.expose()), Ok(hold()));
        // 30 s are forgiven.
        let old = encode(
            &Header::new(Algorithm::HS256),
            &Claims::of(hold(), get_current_timestamp() - 31),
            &tokens(1, 1).encoding,
        );
        assert_eq!(tokens(1, 60).verify(&old.unwrap()), Err(AuthError::Expired));
        assert!(is_of_extension(token.expose()));
    }

    #[test]
    fn tokens_of_others_are_not_taken() {
        let tokens_here = tokens(1, 3_600);
        let theirs = tokens(2, 3_600).mint(hold()).unwrap();
        assert_eq!(tokens_here.verify(theirs.expose()), Err(AuthError::BadSignature));
        assert_eq!(tokens_here.verify("a.b.c"), Err(AuthError::WrongType));
        assert_eq!(tokens_here.verify(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(AuthError::Malformed));
    }

    #[test]
    fn a_token_of_a_person_is_none_of_an_extension_even_with_the_same_key() {
        let claims = serde_json::json!({
            "sub": Uuid::from_u128(1), "aud": "authenticated", "exp": get_current_timestamp() + 60
        });
        install_crypto();
        let token =
            encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&[1; 32])).unwrap();
        assert_eq!(tokens(1, 60).verify(&token), Err(AuthError::WrongType));
    }
}
