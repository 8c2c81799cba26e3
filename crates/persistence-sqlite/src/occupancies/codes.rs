//! Access codes: made, listed, looked up, revoked and dropped.

use model::{AccessCodeId, ClockOutReason, OrganizationId, UserId, Wall, limits};
use persistence::{
    AccessCode, CODE_KEPT_MS, CodeHash, Ended, Minted, NewCode, Principal, Revocation, StoreError,
    stored::{corrupt, occupancies::StoredOutcome},
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use super::{
    endings::{Ending, end},
    entries::{by, write_minted, write_revoked},
    foreign, holds, millis, rights,
};
use crate::{clock, error::store_error, operations::Operation};

/// A code and what the directory says of its assistant.
pub(super) struct Code {
    pub(super) facts: AccessCode,
    /// Whether its assistant is a member who is not disabled.
    welcome: bool,
}

impl Code {
    /// Whether it opens anything now, but for its uses.
    pub(super) fn is_good(&self, now: Wall) -> bool {
        self.welcome && self.facts.revoked_at.is_none() && self.facts.expires_at > now
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.facts.max_uses.is_some_and(|max| self.facts.uses >= max)
    }
}

/// A row of `access_codes`.
#[derive(sqlx::FromRow)]
struct Row {
    id: Hyphenated,
    organization_id: Hyphenated,
    user_id: Hyphenated,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    max_uses: Option<u32>,
    uses: u32,
    welcome: bool,
}

impl From<Row> for Code {
    fn from(row: Row) -> Self {
        let facts = AccessCode {
            id: AccessCodeId(row.id.into()),
            organization: OrganizationId(row.organization_id.into()),
            user: UserId(row.user_id.into()),
            created_at: Wall(row.created_at),
            expires_at: Wall(row.expires_at),
            revoked_at: row.revoked_at.map(Wall),
            max_uses: row.max_uses,
            uses: row.uses,
        };
        Self { facts, welcome: row.welcome }
    }
}

/// `SELECT` of codes `$where`.
macro_rules! codes {
    ($where:literal) => {
        sqlx::query_as::<_, Row>(concat!(
            "SELECT id, organization_id, user_id, created_at, expires_at, revoked_at, max_uses, uses, \
                 EXISTS (SELECT 1 FROM user_organizations AS member JOIN users ON users.id = member.user_id \
                     WHERE member.user_id = access_codes.user_id \
                         AND member.organization_id = access_codes.organization_id AND NOT users.disabled) AS welcome \
             FROM access_codes ",
            $where
        ))
    };
}

pub(super) async fn by_hash(
    connection: &mut SqliteConnection,
    hash: CodeHash,
) -> Result<Option<Code>, StoreError> {
    let query = codes!("WHERE code_hash = ?1").bind(hash.0.to_vec());
    query.fetch_optional(connection).await.map(|row| row.map(Code::from)).map_err(store_error)
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: AccessCodeId,
) -> Result<Option<Code>, StoreError> {
    let query = codes!("WHERE id = ?1").bind(id.0.hyphenated());
    query.fetch_optional(connection).await.map(|row| row.map(Code::from)).map_err(store_error)
}

/// See [`persistence::Occupancies::access_codes`].
pub(super) async fn list(
    connection: &mut SqliteConnection,
    by: UserId,
    organization: OrganizationId,
) -> Result<Vec<AccessCode>, StoreError> {
    rights::require_office(connection, by, organization, StoreError::UnknownOrganization).await?;
    let rows = codes!("WHERE organization_id = ?1 ORDER BY seq DESC LIMIT ?2")
        .bind(organization.0.hyphenated())
        .bind(i64::try_from(limits::ACCESS_CODES_LISTED).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(rows.into_iter().map(|row| Code::from(row).facts).collect())
}

/// See [`persistence::Occupancies::mint_code`].
pub(super) async fn mint(connection: &mut SqliteConnection, new: &NewCode) -> Result<Minted, StoreError> {
    let now = clock::now(connection).await?;
    let operation = Operation { user: new.by.user, name: new.operation, request: new.request()?, at: now };
    rights::require_office(connection, new.by.user, new.organization, StoreError::UnknownOrganization)
        .await?;
    let done = operation.replay(connection).await;
    if let Ok(Some(result)) = &done {
        return Ok(Minted { code: minted(connection, result).await?, again: true });
    }
    rights::require_member(connection, new.user, new.organization).await?;
    require_room(connection, new, now).await?;
    done?;
    let code = insert(connection, new, now).await?;
    write_minted(connection, &code, new.by).await?;
    operation.remember(connection, StoredOutcome::Minted(new.id).write()?).await?;
    Ok(Minted { code, again: false })
}

/// What was made then, as it is now.
///
/// # Errors
/// [`StoreError::UnknownUser`] where it is gone: with whose it was.
async fn minted(connection: &mut SqliteConnection, result: &str) -> Result<AccessCode, StoreError> {
    match StoredOutcome::read(result)? {
        StoredOutcome::Minted(id) => {
            by_id(connection, id).await?.map(|code| code.facts).ok_or(StoreError::UnknownUser)
        }
        other => Err(foreign(&other)),
    }
}

/// # Errors
/// [`StoreError::TooManyCodes`].
async fn require_room(connection: &mut SqliteConnection, new: &NewCode, now: Wall) -> Result<(), StoreError> {
    let good: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM access_codes WHERE organization_id = ?1 AND user_id = ?2 \
         AND revoked_at IS NULL AND expires_at > ?3 AND (max_uses IS NULL OR uses < max_uses)",
    )
    .bind(new.organization.0.hyphenated())
    .bind(new.user.0.hyphenated())
    .bind(now.0)
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    let full = usize::try_from(good).map_err(corrupt)? >= limits::ACCESS_CODES_OF_A_MEMBER;
    if full { Err(StoreError::TooManyCodes) } else { Ok(()) }
}

async fn insert(
    connection: &mut SqliteConnection,
    new: &NewCode,
    now: Wall,
) -> Result<AccessCode, StoreError> {
    let expires_at = Wall(now.0.saturating_add(millis(new.lasts)));
    sqlx::query(
        "INSERT INTO access_codes (id, organization_id, user_id, code_hash, created_by, created_at, expires_at, \
         max_uses) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(new.id.0.hyphenated())
    .bind(new.organization.0.hyphenated())
    .bind(new.user.0.hyphenated())
    .bind(new.hash.0.to_vec())
    .bind(new.by.user.0.hyphenated())
    .bind(now.0)
    .bind(expires_at.0)
    .bind(new.max_uses)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(AccessCode {
        id: new.id,
        organization: new.organization,
        user: new.user,
        created_at: now,
        expires_at,
        revoked_at: None,
        max_uses: new.max_uses,
        uses: 0,
    })
}

pub(super) async fn count_use(connection: &mut SqliteConnection, id: AccessCodeId) -> Result<(), StoreError> {
    sqlx::query("UPDATE access_codes SET uses = uses + 1 WHERE id = ?1")
        .bind(id.0.hyphenated())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// See [`persistence::Occupancies::revoke_code`].
pub(super) async fn revoke(
    connection: &mut SqliteConnection,
    revocation: &Revocation,
) -> Result<Option<Ended>, StoreError> {
    let at = clock::now(connection).await?;
    let request = revocation.request()?;
    let operation = Operation { user: revocation.by.user, name: revocation.operation, request, at };
    let done = operation.replay(connection).await;
    if let Ok(Some(result)) = done {
        return match StoredOutcome::read(&result)? {
            StoredOutcome::Revoked(ended) => Ok(ended.map(|hold| Ended { hold, new: false })),
            other => Err(foreign(&other)),
        };
    }
    let code = by_id(connection, revocation.code).await?.ok_or(StoreError::UnknownCode)?.facts;
    rights::require_office(connection, revocation.by.user, code.organization, StoreError::UnknownCode)
        .await?;
    done?;
    if code.revoked_at.is_none() {
        mark_revoked(connection, &code, (at, revocation.by)).await?;
    }
    let held = match revocation.clock_out {
        true => holds::of_member(connection, code.user, code.organization).await?,
        false => None,
    };
    if let Some(held) = &held {
        let reason = ClockOutReason::CodeRevoked;
        end(connection, held, Ending { at, reason, actor: &by(revocation.by), text: None }).await?;
    }
    let ended = held.map(|held| held.hold);
    operation.remember(connection, StoredOutcome::Revoked(ended).write()?).await?;
    Ok(ended.map(|hold| Ended { hold, new: true }))
}

async fn mark_revoked(
    connection: &mut SqliteConnection,
    code: &AccessCode,
    (at, by): (Wall, Principal),
) -> Result<(), StoreError> {
    sqlx::query("UPDATE access_codes SET revoked_at = ?2 WHERE id = ?1")
        .bind(code.id.0.hyphenated())
        .bind(at.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    write_revoked(connection, code, (at, by)).await
}

/// Drops codes that ended long ago; returns how many.
pub(crate) async fn expire(connection: &mut SqliteConnection, now: Wall) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM access_codes WHERE min(expires_at, coalesce(revoked_at, expires_at)) <= ?1")
        .bind(now.0.saturating_sub(CODE_KEPT_MS))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(store_error)
}
