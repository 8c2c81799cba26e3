//! What the extension of a virtual assistant and the hub say to each other: clocking in, moving, clocking out.

use model::{AccountId, ClockOutReason, Minute, OrganizationId, RequestId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Token, shape};

/// Wants to be in an account, by an access code: what a hello carries instead of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockInRequest {
    /// The access code: a secret, like a token.
    pub code: Token,
    /// The account.
    pub account_id: AccountId,
    /// Names the operation, so that asking again after a cut does it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<Uuid>,
}

/// Ends the hold of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockOut {
    /// The request.
    pub id: RequestId,
    /// The account.
    pub account_id: AccountId,
    /// Of the hold that is meant; of another one nothing is done. At most 2^53.
    #[serde(deserialize_with = "shape::epoch")]
    pub epoch: u64,
    /// Names the operation, so that asking again after a cut does it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<Uuid>,
}

/// Moves from the account that is held to another one of the organization: one step, never none and never both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeAccount {
    /// The request.
    pub id: RequestId,
    /// The account that is held.
    pub account_id: AccountId,
    /// Of the hold that is meant; of another one nothing is done. At most 2^53.
    #[serde(deserialize_with = "shape::epoch")]
    pub epoch: u64,
    /// The account to move to.
    pub to: AccountId,
    /// Names the operation, so that asking again after a cut does it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<Uuid>,
}

/// The hold as it is now, with a token for it: the answer to an extension's hello, to a move, and to a renew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockedIn {
    /// The request; `None` where it answers the hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<RequestId>,
    /// The assistant.
    pub user: UserId,
    /// The account's organization.
    pub organization: OrganizationId,
    /// The account.
    pub account_id: AccountId,
    /// Of this hold: to be named in every call about it.
    pub epoch: u64,
    /// When the hold began.
    pub since: Minute,
    /// Opens this hold, and is worth nothing after it.
    pub token: Token,
    /// Milliseconds for which the token is good.
    pub token_ms: u64,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u64,
    /// Milliseconds within which a heartbeat wants its answer.
    pub heartbeat_timeout_ms: u64,
    /// What owners and admins of the organization see of the assistant meanwhile, hidden or not. Now
    /// [`ADMINS_SEE`]; later versions may add words.
    pub admins_see: Vec<String>,
}

/// What owners and admins see of whoever is clocked in, as [`ClockedIn::admins_see`] tells it.
pub const ADMINS_SEE: &[&str] = &["name", "since", "lastSeen"];

/// The hold is over. The hub closes the connection behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockedOut {
    /// The account.
    pub account_id: AccountId,
    /// Of the hold that ended.
    pub epoch: u64,
    /// Why; `None`: not known, also where a later version adds a reason.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "shape::clock_out_reason")]
    pub reason: Option<ClockOutReason>,
}
