//! The audit's entries of holds and codes, in the transaction of the change. Of a code there is its name and never its text
//! or hash.

use model::{Hold, OrganizationId, Wall};
use persistence::{AccessCode, Actor, Principal, StoreError, stored::write_json};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::{clock, error::store_error};

/// What the hub does by itself.
pub(super) const HUB: &str = "hub";
/// What follows from the directory, whoever changed it.
pub(super) const DIRECTORY: &str = "directory";

pub(super) fn by(principal: impl Into<Principal>) -> String {
    Actor::from(principal.into()).to_string()
}

/// A change of a hold.
pub(super) struct HoldEntry<'a> {
    pub(super) at: Wall,
    pub(super) actor: &'a str,
    /// What happened to it: a word of [`model::ClockOutReason`], or one for a beginning.
    pub(super) event: &'a str,
    pub(super) before: Option<Hold>,
    pub(super) hold: Hold,
    /// An owner's or admin's own words.
    pub(super) text: Option<&'a str>,
}

impl HoldEntry<'_> {
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut after = fields(self.hold);
        after["event"] = self.event.into();
        if let Some(text) = self.text {
            after["reason"] = text.into();
        }
        let entry = (self.at, "occupancy", self.actor, (self.before.map(fields), after));
        insert(connection, self.hold.organization, entry).await
    }
}

fn fields(Hold { user, account, epoch, .. }: Hold) -> Value {
    json!({ "account": account, "user": user, "epoch": epoch })
}

/// A code was made.
pub(super) async fn write_minted(
    connection: &mut SqliteConnection,
    code: &AccessCode,
    principal: Principal,
) -> Result<(), StoreError> {
    let mut after = fields_of_code(code);
    after["event"] = "minted".into();
    if let Some(max) = code.max_uses {
        after["maxUses"] = max.into();
    }
    if let Some(expires_at) = clock::utc(connection, code.expires_at).await? {
        after["expiresAt"] = expires_at.into();
    }
    let actor = by(principal);
    insert(connection, code.organization, (code.created_at, "access_code", &actor, (None, after))).await
}

/// A code was revoked.
pub(super) async fn write_revoked(
    connection: &mut SqliteConnection,
    code: &AccessCode,
    (at, principal): (Wall, Principal),
) -> Result<(), StoreError> {
    let mut after = fields_of_code(code);
    after["event"] = "revoked".into();
    let (actor, before) = (by(principal), Some(fields_of_code(code)));
    insert(connection, code.organization, (at, "access_code", &actor, (before, after))).await
}

fn fields_of_code(code: &AccessCode) -> Value {
    json!({ "code": code.id, "user": code.user })
}

type Entry<'a> = (Wall, &'a str, &'a str, (Option<Value>, Value));

async fn insert(
    connection: &mut SqliteConnection,
    organization: OrganizationId,
    (at, kind, actor, (before, after)): Entry<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presence_audit (at, kind, actor, organization_id, before_json, after_json) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(at.0)
    .bind(kind)
    .bind(actor)
    .bind(organization.0.hyphenated())
    .bind(before.as_ref().map(write_json).transpose()?)
    .bind(write_json(&after)?)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}
