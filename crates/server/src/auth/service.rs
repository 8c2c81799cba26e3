//! The token with which the platform's back-end calls.

use aws_lc_rs::{constant_time, digest};

use crate::config::Secret;

/// The service token, kept as its hash: comparing hashes takes the same time whatever was presented.
#[derive(Debug)]
pub struct ServiceToken(digest::Digest);

impl ServiceToken {
    /// A token of at least 32 bytes, which the configuration has checked.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(hash(secret.expose()))
    }

    /// Whether `token` is it.
    #[must_use]
    pub fn matches(&self, token: &str) -> bool {
        constant_time::verify_slices_are_equal(hash(token).as_ref(), self.0.as_ref()).is_ok()
    }
}

fn hash(text: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, text.as_bytes())
}
