//! Who holds an account, and how a hold is named, fenced and ended.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountFacts, AccountId, OrganizationId, UserId, Wall};

/// Who holds an account. Raw truth: never serialized for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// The assistant.
    pub user: UserId,
    /// Clocked in at.
    pub since: Wall,
    /// Set when the extension was lost; the last sign of life then.
    pub stale_since: Option<Wall>,
    /// Of this hold: higher than that of every hold of the account before. Fences old calls.
    pub epoch: u64,
}

/// One assistant in one account, from a clock-in to its end: what an extension's token is for. An extension's every call
/// names the account and the epoch; of another epoch nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The assistant.
    pub user: UserId,
    /// The account's organization.
    pub organization: OrganizationId,
    /// The account.
    pub account: AccountId,
    /// At most 2^53, so that every client can read it.
    pub epoch: u64,
}

/// Why a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockOutReason {
    /// The assistant clocked out.
    ClockedOut,
    /// The assistant moved to another account.
    Moved,
    /// An owner or admin cleared the account.
    ForceCleared,
    /// Nothing was done for an hour while an extension was connected.
    Inactive,
    /// An owner or admin revoked the access code and asked for this.
    CodeRevoked,
    /// The account, the membership or the assistant is not there any more.
    Removed,
}

impl ClockOutReason {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ClockedOut,
        Self::Moved,
        Self::ForceCleared,
        Self::Inactive,
        Self::CodeRevoked,
        Self::Removed,
    ];

    /// The word of the protocol, of the tables and of the audit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClockedOut => "clocked_out",
            Self::Moved => "moved",
            Self::ForceCleared => "force_cleared",
            Self::Inactive => "inactive",
            Self::CodeRevoked => "code_revoked",
            Self::Removed => "removed",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.name() == name)
    }
}

/// How the last hold of a free account ended, for whoever was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedHold {
    /// Which hold.
    pub epoch: u64,
    /// Why.
    pub reason: ClockOutReason,
}

/// All that is known of an account: read and shown as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// What the directory says.
    pub facts: AccountFacts,
    /// Who holds it; `None`: it is free.
    pub occupancy: Option<Occupancy>,
    /// The last hold that ended, as long as nobody holds the account again.
    pub ended: Option<EndedHold>,
}

/// An access code, by a random name that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct AccessCodeId(pub Uuid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name() {
        for reason in ClockOutReason::ALL {
            assert_eq!(ClockOutReason::from_name(reason.name()), Some(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
        assert_eq!(ClockOutReason::from_name("left"), None);
    }
}
