//! What durable operations on access codes and holds asked for, and what they answered: compared and told again by name.

use model::{AccessCodeId, AccountId, Hold, Wall};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{corrupt, write_json};
use crate::{ClockIn, ClockedIn, ForceClear, NewCode, Revocation, StoreError};

impl NewCode {
    /// What was asked for, word for word.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], which no request causes; so of all of these.
    pub fn request(&self) -> Result<String, StoreError> {
        let Self { organization, user, lasts, max_uses, .. } = self;
        let lasts = lasts.as_millis().to_string();
        write_json(&json!({ "mintCode": [organization, user, lasts, max_uses] }))
    }
}

impl Revocation {
    /// As [`NewCode::request`].
    ///
    /// # Errors
    /// As there.
    pub fn request(&self) -> Result<String, StoreError> {
        write_json(&json!({ "revokeCode": [self.code, self.clock_out] }))
    }
}

impl ClockIn {
    /// As [`NewCode::request`]. The code's hash and not the code.
    ///
    /// # Errors
    /// As there.
    pub fn request(&self) -> Result<String, StoreError> {
        let code: String = self.code.0.iter().map(|byte| format!("{byte:02x}")).collect();
        write_json(&json!({ "clockIn": [code, self.account] }))
    }
}

impl ForceClear {
    /// As [`NewCode::request`].
    ///
    /// # Errors
    /// As there.
    pub fn request(&self) -> Result<String, StoreError> {
        let reason = self.reason.as_ref().map(|reason| reason.as_str());
        write_json(&json!({ "forceClear": [self.account, self.holder, reason] }))
    }
}

/// As [`NewCode::request`], of a move to another account.
///
/// # Errors
/// As there.
pub fn change_account_request(hold: Hold, to: AccountId) -> Result<String, StoreError> {
    write_json(&json!({ "changeAccount": [hold, to] }))
}

/// As [`NewCode::request`], of a clock-out.
///
/// # Errors
/// As there.
pub fn clock_out_request(hold: Hold) -> Result<String, StoreError> {
    write_json(&json!({ "clockOut": hold }))
}

/// What an operation on codes and holds came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StoredOutcome {
    /// A code was made.
    Minted(AccessCodeId),
    /// A code was revoked, and a hold ended with it.
    Revoked(Option<Hold>),
    /// An assistant was clocked in or moved.
    #[serde(rename_all = "camelCase")]
    ClockedIn {
        /// The hold.
        hold: Hold,
        /// Since when, in milliseconds since 1970.
        since: i64,
        /// What was held before.
        left: Option<AccountId>,
    },
    /// A hold was ended by its assistant.
    ClockedOut,
    /// A hold was ended by an owner or admin.
    Cleared(Hold),
}

impl StoredOutcome {
    /// As JSON.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], which no outcome causes.
    pub fn write(&self) -> Result<String, StoreError> {
        write_json(self)
    }

    /// From its JSON.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where no hub wrote it.
    pub fn read(json: &str) -> Result<Self, StoreError> {
        serde_json::from_str(json).map_err(corrupt)
    }
}

impl From<&ClockedIn> for StoredOutcome {
    fn from(clocked_in: &ClockedIn) -> Self {
        let ClockedIn { hold, since, left, .. } = clocked_in;
        Self::ClockedIn { hold: *hold, since: since.0, left: *left }
    }
}

impl TryFrom<StoredOutcome> for ClockedIn {
    type Error = StoreError;

    /// What was answered then; nothing is new of it.
    fn try_from(stored: StoredOutcome) -> Result<Self, StoreError> {
        match stored {
            StoredOutcome::ClockedIn { hold, since, left } => {
                Ok(Self { hold, since: Wall(since), left, new: false })
            }
            other => Err(corrupt(format!("{other:?} is no clock-in"))),
        }
    }
}
