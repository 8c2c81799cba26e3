//! Access codes: made, listed, revoked.

use chrono::{DateTime, Utc};
use model::{AccessCodeId, AccountId, ClockOutReason, Hold, OrganizationId, UserId, limits};
use persistence::{
    AccessCode, Ended, Minted, NewCode, Revocation, StoreError, stored::occupancies::StoredOutcome,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    endings::{By, administer, administers, take_turn},
    interval,
    operation::{Call, Known, Operation, complete, kept, recalled, unexpected},
};
use crate::{
    error::Failure,
    facts::{epoch, wall},
};

/// What is told of a code.
macro_rules! columns {
    () => {
        "id, organization_id, user_id, created_at, expires_at, revoked_at, max_uses, uses"
    };
}

#[derive(sqlx::FromRow)]
struct CodeRow {
    id: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    max_uses: Option<i32>,
    uses: i32,
}

impl From<CodeRow> for AccessCode {
    /// Neither number is below 0: the table does not take one.
    fn from(row: CodeRow) -> Self {
        Self {
            id: AccessCodeId(row.id),
            organization: OrganizationId(row.organization_id),
            user: UserId(row.user_id),
            created_at: wall(row.created_at),
            expires_at: wall(row.expires_at),
            revoked_at: row.revoked_at.map(wall),
            max_uses: row.max_uses.map(i32::unsigned_abs),
            uses: row.uses.unsigned_abs(),
        }
    }
}

/// What is asked before a code is made.
#[derive(sqlx::FromRow)]
struct Ground {
    /// Whether who asks is an owner or admin; `None`: not even a member.
    administers: Option<bool>,
    is_member: bool,
    /// Codes of that member that are good.
    good: i64,
    #[sqlx(flatten)]
    known: Known,
}

const GROUND: &str = concat!(
    "SELECT ",
    administers!("$1", "$2"),
    " AS administers, \
         EXISTS (SELECT FROM user_organizations WHERE user_id = $3 AND organization_id = $2) AS is_member, \
         (SELECT count(*) FROM access_codes WHERE user_id = $3 AND organization_id = $2 AND revoked_at IS NULL \
             AND expires_at > clock_timestamp() AND (max_uses IS NULL OR uses < max_uses)) AS good, \
         o.body_json AS asked, o.result_json::text AS answered \
     FROM (VALUES (1)) AS one ",
    recalled!("$1", "$4")
);

const MINT: &str = concat!(
    "WITH ",
    kept!(),
    ", minted AS (\
         INSERT INTO access_codes (id, organization_id, user_id, code_hash, created_by, created_at, expires_at, \
             max_uses) \
         SELECT $6, $7, $8, $9, $1, now, now + $10::interval, $11 \
         FROM date_trunc('milliseconds', clock_timestamp()) AS now RETURNING 1\
     ) SELECT EXISTS (SELECT FROM kept) AND EXISTS (SELECT FROM minted)"
);

/// Makes a code, or finds the one that was made under this name.
pub(super) async fn mint(
    connection: &mut PgConnection,
    code: &NewCode,
    operation: &Operation,
) -> Result<Minted, Failure> {
    // Who has no right takes nobody's turn, and is not told again what became of a code.
    let unknown = StoreError::UnknownOrganization;
    administer(standing(connection, code.by.user, code.organization).await?, unknown)?;
    // No hold ends by it.
    let by = By { who: code.by, reason: ClockOutReason::CodeRevoked, note: None };
    take_turn(connection, code.organization, by).await?;
    let ground = ground(connection, code, operation).await?;
    administer(ground.administers, StoreError::UnknownOrganization)?;
    let call = operation.judge(ground.known)?;
    if let Some(outcome) = call.done() {
        return minted_before(connection, code, &outcome).await;
    }
    if !ground.is_member {
        return Err(StoreError::UnknownUser.into());
    }
    if usize::try_from(ground.good).unwrap_or(usize::MAX) >= limits::ACCESS_CODES_OF_A_MEMBER {
        return Err(StoreError::TooManyCodes.into());
    }
    call.check()?;
    write(connection, code, operation).await?;
    let made = read(connection, code.id).await?.ok_or(Failure::Overtaken)?;
    Ok(Minted { code: made, again: false })
}

async fn ground(
    connection: &mut PgConnection,
    code: &NewCode,
    operation: &Operation,
) -> Result<Ground, Failure> {
    let ground = sqlx::query_as(GROUND).bind(code.by.user.0).bind(code.organization.0).bind(code.user.0);
    Ok(ground.bind(operation.id).fetch_one(connection).await?)
}

async fn write(connection: &mut PgConnection, code: &NewCode, operation: &Operation) -> Result<(), Failure> {
    let write = operation.write(MINT, code.by.user, &StoredOutcome::Minted(code.id))?;
    let write = write.bind(code.id.0).bind(code.organization.0).bind(code.user.0).bind(&code.hash.0[..]);
    let most = code.max_uses.map(|uses| i32::try_from(uses).unwrap_or(i32::MAX));
    complete(write.bind(interval(code.lasts)).bind(most), connection).await
}

/// The code that was made then. It may have been this very call, whose answer was lost on its way. A code that is there
/// no more went with its assistant.
async fn minted_before(
    connection: &mut PgConnection,
    code: &NewCode,
    outcome: &StoredOutcome,
) -> Result<Minted, Failure> {
    let StoredOutcome::Minted(id) = outcome else { return Err(unexpected(outcome).into()) };
    let made = read(connection, *id).await?.ok_or(StoreError::UnknownUser)?;
    Ok(Minted { code: made, again: *id != code.id })
}

async fn read(connection: &mut PgConnection, code: AccessCodeId) -> Result<Option<AccessCode>, Failure> {
    let row: Option<CodeRow> =
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM access_codes WHERE id = $1"))
            .bind(code.0)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(AccessCode::from))
}

/// The codes of an organization, newest first.
pub(super) async fn list(
    connection: &mut PgConnection,
    by: UserId,
    organization: OrganizationId,
) -> Result<Vec<AccessCode>, Failure> {
    administer(standing(connection, by, organization).await?, StoreError::UnknownOrganization)?;
    let rows: Vec<CodeRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM access_codes WHERE organization_id = $1 ORDER BY created_at DESC, id LIMIT $2"
    ))
    .bind(organization.0)
    .bind(i64::try_from(limits::ACCESS_CODES_LISTED).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(AccessCode::from).collect())
}

/// Ends a code, and the hold of its assistant where that is asked for.
pub(super) async fn revoke(
    connection: &mut PgConnection,
    revocation: &Revocation,
    operation: &Operation,
) -> Result<Option<Ended>, Failure> {
    let (owner, call) = find(connection, revocation, operation).await?;
    if let Some(outcome) = call.done() {
        return revoked(&outcome, operation);
    }
    // Who has no right takes nobody's turn.
    let (organization, user) = owner.administered_by_who_asks()?;
    let by = By { who: revocation.by, reason: ClockOutReason::CodeRevoked, note: None };
    take_turn(connection, organization, by).await?;
    let (owner, call) = find(connection, revocation, operation).await?;
    if let Some(outcome) = call.done() {
        return revoked(&outcome, operation);
    }
    owner.administered_by_who_asks()?;
    call.check()?;
    // The hold before its code, as everywhere.
    let ended = if revocation.clock_out { end_hold_of(connection, organization, user).await? } else { None };
    let write = operation.write(REVOKE, revocation.by.user, &StoredOutcome::Revoked(ended))?;
    complete(write.bind(revocation.code.0), connection).await?;
    Ok(ended.map(|hold| Ended { hold, new: true }))
}

/// One that is revoked already stays so.
const REVOKE: &str = concat!(
    "WITH ",
    kept!(),
    ", revoked AS (\
         UPDATE access_codes SET revoked_at = date_trunc('milliseconds', clock_timestamp()) \
         WHERE id = $6 AND revoked_at IS NULL\
     ) SELECT EXISTS (SELECT FROM kept)"
);

/// Whose code it is, and whether who asks administers its organization.
#[derive(sqlx::FromRow)]
struct Owner {
    organization: Option<Uuid>,
    person: Option<Uuid>,
    administers: Option<bool>,
    #[sqlx(flatten)]
    known: Known,
}

impl Owner {
    fn administered_by_who_asks(&self) -> Result<(OrganizationId, UserId), StoreError> {
        administer(self.administers, StoreError::UnknownCode)?;
        let (organization, person) = self.organization.zip(self.person).ok_or(StoreError::UnknownCode)?;
        Ok((OrganizationId(organization), UserId(person)))
    }
}

async fn find(
    connection: &mut PgConnection,
    revocation: &Revocation,
    operation: &Operation,
) -> Result<(Owner, Call), Failure> {
    let mut owner: Owner = sqlx::query_as(concat!(
        "SELECT code.organization_id AS organization, code.user_id AS person, ",
        administers!("$1", "code.organization_id"),
        " AS administers, o.body_json AS asked, o.result_json::text AS answered \
         FROM (VALUES (1)) AS one LEFT JOIN access_codes AS code ON code.id = $2 ",
        recalled!("$1", "$3")
    ))
    .bind(revocation.by.user.0)
    .bind(revocation.code.0)
    .bind(operation.id)
    .fetch_one(connection)
    .await?;
    let call = operation.judge(std::mem::take(&mut owner.known))?;
    Ok((owner, call))
}

fn revoked(outcome: &StoredOutcome, operation: &Operation) -> Result<Option<Ended>, Failure> {
    match outcome {
        StoredOutcome::Revoked(ended) => Ok(ended.map(|hold| operation.ended_before(hold))),
        other => Err(unexpected(other).into()),
    }
}

/// Whether somebody administers an organization; `None`: they are not even a member.
async fn standing(
    connection: &mut PgConnection,
    by: UserId,
    organization: OrganizationId,
) -> Result<Option<bool>, Failure> {
    let standing = sqlx::query_scalar(concat!("SELECT ", administers!("$1", "$2")));
    Ok(standing.bind(by.0).bind(organization.0).fetch_one(connection).await?)
}

async fn end_hold_of(
    connection: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Hold>, Failure> {
    let ended: Option<(Uuid, i64)> = sqlx::query_as(
        "DELETE FROM account_presence WHERE organization_id = $1 AND user_id = $2 RETURNING account_id, epoch",
    )
    .bind(organization.0)
    .bind(user.0)
    .fetch_optional(connection)
    .await?;
    let hold =
        |(account, held)| Ok(Hold { user, organization, account: AccountId(account), epoch: epoch(held)? });
    Ok(ended.map(hold).transpose().map_err(|error: StoreError| error)?)
}
