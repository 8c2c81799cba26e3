//! The published keys of an issuer, kept at hand.
//!
//! Keys are refreshed every ten minutes. A token with an unknown key id may mean that the issuer rotates its keys:
//! then they are fetched once, whoever asks meanwhile waits for the same answer, and nothing is fetched again for
//! half a minute, so that made-up key ids cost the issuer nothing. A failure keeps the last good set.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, Url, redirect};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    AuthError, SetupError,
    jwt::{Checks, VerifyingKey},
};
use crate::config;

/// More than this is no key set. A key has about 500 bytes.
const MAX_BYTES: usize = 64 * 1024;

/// When keys are fetched.
#[derive(Clone, Debug)]
pub struct JwksTimings {
    /// Between two fetches while all goes well.
    pub refresh_every: Duration,
    /// After a fetch, before an unknown key id may cause another.
    pub cool_down: Duration,
    /// The same while there are no keys at all.
    pub first_cool_down: Duration,
    /// For one fetch.
    pub timeout: Duration,
}

impl Default for JwksTimings {
    fn default() -> Self {
        Self {
            refresh_every: Duration::from_secs(600),
            cool_down: Duration::from_secs(30),
            first_cool_down: Duration::from_secs(2),
            timeout: Duration::from_secs(3),
        }
    }
}

/// The published keys of one issuer.
#[derive(Debug)]
pub struct Jwks {
    url: Url,
    client: Client,
    checks: Checks,
    algorithms: Vec<config::Algorithm>,
    timings: JwksTimings,
    keys: ArcSwapOption<KeySet>,
    last_fetch: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct KeySet {
    by_id: HashMap<String, Arc<VerifyingKey>>,
    /// The key for tokens that name none: there must be no choice.
    only: Option<Arc<VerifyingKey>>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the issuer does not answer as it should")]
    Http(#[from] reqwest::Error),
    #[error("the answer has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer is no key set")]
    NotAKeySet(#[from] serde_json::Error),
    #[error("the key set has no key that may be used")]
    NoKeys,
}

impl Jwks {
    /// Keys to be fetched from `url`; nothing is fetched yet. No `algorithms`: all that the keys can do.
    ///
    /// # Errors
    /// [`SetupError`] for a URL that is none.
    pub fn new(
        url: &str,
        checks: Checks,
        algorithms: &[config::Algorithm],
        timings: JwksTimings,
    ) -> Result<Arc<Self>, SetupError> {
        let url = Url::parse(url).map_err(|_| SetupError::Url(url.to_owned()))?;
        Ok(Arc::new(Self {
            client: client(&url, timings.timeout)?,
            url,
            checks,
            algorithms: algorithms.to_vec(),
            timings,
            keys: ArcSwapOption::empty(),
            last_fetch: Mutex::new(None),
        }))
    }

    /// The key of that id; without an id, the only key. May wait for one fetch.
    ///
    /// # Errors
    /// [`AuthError::UnknownKey`], or [`AuthError::KeysUnavailable`] where keys were never fetched.
    pub async fn key(self: &Arc<Self>, id: Option<&str>) -> Result<Arc<VerifyingKey>, AuthError> {
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        let (this, id) = (Arc::clone(self), id.map(str::to_owned));
        // A task of its own: a client that hangs up must not use up the one fetch in half a minute.
        let fetching = tokio::spawn(async move { this.fetch_for(id.as_deref()).await });
        fetching.await.unwrap_or(Err(AuthError::KeysUnavailable))
    }

    /// Fetches now and then until `stop`.
    pub async fn keep_fresh(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let fetched = {
                let mut last = self.last_fetch.lock().await;
                self.fetch(&mut last).await
            };
            let pause = if fetched { self.timings.refresh_every } else { self.cool_down() };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn fetch_for(&self, id: Option<&str>) -> Result<Arc<VerifyingKey>, AuthError> {
        let mut last = self.last_fetch.lock().await;
        // Somebody else may have fetched it while this one waited for its turn.
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        if !last.is_some_and(|at| at.elapsed() < self.cool_down()) {
            self.fetch(&mut last).await;
        }
        self.find(id).ok_or_else(|| self.absent())
    }

    fn find(&self, id: Option<&str>) -> Option<Arc<VerifyingKey>> {
        let keys = self.keys.load();
        let keys = keys.as_ref()?;
        match id {
            Some(id) => keys.by_id.get(id).cloned(),
            None => keys.only.clone(),
        }
    }

    fn absent(&self) -> AuthError {
        if self.keys.load().is_some() { AuthError::UnknownKey } else { AuthError::KeysUnavailable }
    }

    fn cool_down(&self) -> Duration {
        if self.keys.load().is_some() { self.timings.cool_down } else { self.timings.first_cool_down }
    }

    /// Fetches; whether it went well. The guard says that nobody else does.
    async fn fetch(&self, last: &mut Option<Instant>) -> bool {
        *last = Some(Instant::now());
        metrics::counter!("presence_hub_key_fetches_total").increment(1);
        match self.download().await {
            Ok(keys) => self.keys.store(Some(Arc::new(keys))),
            Err(error) => {
                metrics::counter!("presence_hub_key_fetch_failures_total").increment(1);
                let reason: &dyn std::error::Error = &error;
                tracing::warn!(url = %self.url, reason, "keys were not fetched; those at hand stay in use");
                return false;
            }
        }
        true
    }

    async fn download(&self) -> Result<KeySet, FetchError> {
        let mut response = self.client.get(self.url.clone()).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let set: JwkSet = serde_json::from_slice(&body)?;
        let keys = self.key_set(&set);
        if keys.by_id.is_empty() && keys.only.is_none() { Err(FetchError::NoKeys) } else { Ok(keys) }
    }

    fn key_set(&self, set: &JwkSet) -> KeySet {
        let usable: Vec<_> =
            set.keys.iter().filter_map(|jwk| Some((jwk, self.verifying_key(jwk)?))).collect();
        let only = match usable.as_slice() {
            [(_, key)] => Some(Arc::clone(key)),
            _ => None,
        };
        let by_id = usable.into_iter().filter_map(|(jwk, key)| Some((jwk.common.key_id.clone()?, key)));
        KeySet { by_id: by_id.collect(), only }
    }

    /// The key with the one algorithm that its kind and our configuration leave.
    fn verifying_key(&self, jwk: &Jwk) -> Option<Arc<VerifyingKey>> {
        let (ours, algorithm) = algorithm_of(jwk)?;
        if !self.algorithms.is_empty() && !self.algorithms.contains(&ours) {
            return None;
        }
        let key = DecodingKey::from_jwk(jwk).ok()?;
        Some(Arc::new(VerifyingKey::new(key, algorithm, &self.checks)))
    }
}

fn algorithm_of(jwk: &Jwk) -> Option<(config::Algorithm, Algorithm)> {
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let (ours, algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (config::Algorithm::RS256, Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (config::Algorithm::ES256, Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == named).then_some((ours, algorithm))
}

fn client(url: &Url, timeout: Duration) -> Result<Client, reqwest::Error> {
    let builder = Client::builder().timeout(timeout).redirect(redirect::Policy::none());
    // A proxy is for the world outside; and only this machine is trusted without TLS.
    let builder = if config::is_loopback(url) { builder.no_proxy() } else { builder.https_only(true) };
    builder.build()
}
