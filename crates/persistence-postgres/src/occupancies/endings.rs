//! Ends of holds that somebody asks for. Of those that the directory makes the database's triggers know.

use std::time::Duration;

use model::{ClockOutReason, Hold, OrganizationId, UserId};
use persistence::{Actor, Ended, ForceClear, Principal, StoreError, stored::occupancies::StoredOutcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    operation::{Known, Operation, complete, kept, recalled, unexpected},
    stored_epoch, turn,
};
use crate::{database::take_time, error::Failure, facts::epoch};

/// Whether a member administers the organization; null for whoever is no member, or is disabled.
macro_rules! administers {
    ($person:literal, $organization:literal) => {
        concat!(
            "(SELECT bool_or(m.role::text IN ('owner', 'admin')) FROM user_organizations AS m \
                 JOIN users AS u ON u.id = m.user_id AND u.disabled IS NOT TRUE WHERE m.user_id = ",
            $person,
            " AND m.organization_id = ",
            $organization,
            ")"
        )
    };
}
pub(super) use administers;

/// Ends the hold `$6` to `$8` of the organization `$9`.
const END: &str = concat!(
    "WITH ",
    kept!(),
    ", ended AS (\
         DELETE FROM account_presence \
         WHERE account_id = $6 AND epoch = $7 AND user_id = $8 AND organization_id = $9 RETURNING 1\
     ) SELECT EXISTS (SELECT FROM kept) AND EXISTS (SELECT FROM ended)"
);

/// Ends a hold by its assistant's wish.
pub(super) async fn clock_out(
    connection: &mut PgConnection,
    hold: Hold,
    operation: &Operation,
) -> Result<Ended, Failure> {
    let by = By { who: hold.user.into(), reason: ClockOutReason::ClockedOut, note: None };
    take_turn(connection, hold.organization, by).await?;
    let call = operation.recall(connection, hold.user).await?;
    if let Some(outcome) = call.done() {
        return match outcome {
            StoredOutcome::ClockedOut => Ok(operation.ended_before(hold)),
            other => Err(unexpected(&other).into()),
        };
    }
    lock(connection, hold).await?;
    call.check()?;
    end(connection, hold, hold.user, &StoredOutcome::ClockedOut, operation).await
}

/// # Errors
/// [`StoreError::NotHeld`].
async fn lock(connection: &mut PgConnection, hold: Hold) -> Result<(), Failure> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM account_presence \
         WHERE account_id = $1 AND epoch = $2 AND user_id = $3 AND organization_id = $4 FOR UPDATE",
    )
    .bind(hold.account.0)
    .bind(stored_epoch(hold.epoch))
    .bind(hold.user.0)
    .bind(hold.organization.0)
    .fetch_optional(connection)
    .await?;
    found.map(drop).ok_or_else(|| StoreError::NotHeld.into())
}

/// The hold is there, or somebody who takes no turn ended it just now.
async fn end(
    connection: &mut PgConnection,
    hold: Hold,
    by: UserId,
    outcome: &StoredOutcome,
    operation: &Operation,
) -> Result<Ended, Failure> {
    let write = operation.write(END, by, outcome)?;
    let write = write.bind(hold.account.0).bind(stored_epoch(hold.epoch));
    complete(write.bind(hold.user.0).bind(hold.organization.0), connection).await?;
    Ok(Ended { hold, new: true })
}

/// Who ends holds in this transaction, and why; for the audit.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) who: Principal,
    pub(super) reason: ClockOutReason,
    /// In their own words.
    pub(super) note: Option<&'a str>,
}

/// The turn of an organization.
pub(super) async fn take_turn(
    connection: &mut PgConnection,
    organization: OrganizationId,
    by: By<'_>,
) -> Result<(), Failure> {
    sqlx::query(concat!(
        "SELECT set_config('presence.actor', $2, true), set_config('presence.reason', $3, true), \
             set_config('presence.note', $4, true), ",
        turn!("$1::uuid")
    ))
    .bind(organization.0)
    .bind(Actor::from(by.who).to_string())
    .bind(by.reason.name())
    .bind(by.note.unwrap_or_default())
    .execute(connection)
    .await?;
    Ok(())
}

/// An account and who asks for it.
#[derive(sqlx::FromRow)]
struct Found {
    is_there: bool,
    /// Whether who asks is an owner or admin; `None`: not even a member.
    administers: Option<bool>,
    holder: Option<Uuid>,
    held: Option<i64>,
    #[sqlx(flatten)]
    known: Known,
}

const FIND: &str = concat!(
    "SELECT account.id IS NOT NULL AS is_there, ",
    administers!("$1", "$2"),
    " AS administers, holder.user_id AS holder, holder.epoch AS held, o.body_json AS asked, \
         o.result_json::text AS answered \
     FROM (VALUES (1)) AS one LEFT JOIN accounts AS account ON account.id = $3 AND account.organization_id = $2 \
     LEFT JOIN account_presence AS holder ON holder.account_id = account.id ",
    recalled!("$1", "$4")
);

/// Ends whatever hold of an account there is.
pub(super) async fn force_clear(
    connection: &mut PgConnection,
    clear: &ForceClear,
    operation: &Operation,
) -> Result<Ended, Failure> {
    let ground = ground(connection, clear, operation).await?;
    if let Some(outcome) = operation.judge(ground.known)?.done() {
        return cleared(&outcome, operation);
    }
    let organization = ground.organization.map(OrganizationId).ok_or(StoreError::UnknownAccount)?;
    administer(ground.administers, StoreError::UnknownAccount)?;
    let note = clear.reason.as_ref().map(|reason| reason.as_str());
    let by = By { who: clear.by, reason: ClockOutReason::ForceCleared, note };
    take_turn(connection, organization, by).await?;
    let found = find(connection, organization, clear, operation).await?;
    let call = operation.judge(found.known)?;
    if let Some(outcome) = call.done() {
        return cleared(&outcome, operation);
    }
    if !found.is_there {
        return Err(StoreError::UnknownAccount.into());
    }
    administer(found.administers, StoreError::UnknownAccount)?;
    let (Some(holder), Some(held)) = (found.holder, found.held) else {
        return Err(StoreError::NotHeld.into());
    };
    if clear.holder.is_some_and(|meant| meant.0 != holder) {
        return Err(StoreError::NotHeld.into());
    }
    call.check()?;
    let hold = Hold { user: UserId(holder), organization, account: clear.account, epoch: epoch(held)? };
    end(connection, hold, clear.by.user, &StoredOutcome::Cleared(hold), operation).await
}

/// What is asked before a turn is taken: who may not clear takes nobody's, and does not learn how long it is.
#[derive(sqlx::FromRow)]
struct Ground {
    /// Whose account it is; `None`: nobody's.
    organization: Option<Uuid>,
    /// As in [`Found`].
    administers: Option<bool>,
    #[sqlx(flatten)]
    known: Known,
}

async fn ground(
    connection: &mut PgConnection,
    clear: &ForceClear,
    operation: &Operation,
) -> Result<Ground, Failure> {
    let ground = sqlx::query_as(concat!(
        "SELECT account.organization_id AS organization, ",
        administers!("$1", "account.organization_id"),
        " AS administers, o.body_json AS asked, o.result_json::text AS answered \
         FROM (VALUES (1)) AS one LEFT JOIN accounts AS account ON account.id = $2 ",
        recalled!("$1", "$3")
    ));
    let ground = ground.bind(clear.by.user.0).bind(clear.account.0).bind(operation.id);
    Ok(ground.fetch_one(connection).await?)
}

fn cleared(outcome: &StoredOutcome, operation: &Operation) -> Result<Ended, Failure> {
    match outcome {
        StoredOutcome::Cleared(hold) => Ok(operation.ended_before(*hold)),
        other => Err(unexpected(other).into()),
    }
}

async fn find(
    connection: &mut PgConnection,
    organization: OrganizationId,
    clear: &ForceClear,
    operation: &Operation,
) -> Result<Found, Failure> {
    let found = sqlx::query_as(FIND).bind(clear.by.user.0).bind(organization.0).bind(clear.account.0);
    Ok(found.bind(operation.id).fetch_one(connection).await?)
}

/// # Errors
/// `unknown` to who is no member, [`StoreError::Forbidden`] to who is no more than that.
pub(super) fn administer(administers: Option<bool>, unknown: StoreError) -> Result<(), StoreError> {
    match administers {
        Some(true) => Ok(()),
        Some(false) => Err(StoreError::Forbidden),
        None => Err(unknown),
    }
}

/// What a sweep over all holds may take where the platform's memberships have no index.
pub(crate) const TIME_OF_A_SWEEP: Duration = Duration::from_secs(20);

/// Holds that are changed in one transaction, well within a statement's time: each has an entry in the audit.
pub(super) const HOLDS_AT_ONCE: i64 = 1_000;

/// Ends some of the holds for which the directory gives no ground any more: how many, and whether there may be more of
/// them. The triggers end them at once; they do not see what is written with triggers switched off, nor what a transaction
/// with an old snapshot overlooked.
pub(crate) async fn end_unfounded(connection: &mut PgConnection) -> Result<(u64, bool), Failure> {
    take_time(connection, TIME_OF_A_SWEEP).await?;
    let ended = sqlx::query(
        "DELETE FROM account_presence WHERE account_id IN (SELECT o.account_id FROM account_presence AS o \
             JOIN accounts AS a ON a.id = o.account_id \
             WHERE a.organization_id IS DISTINCT FROM o.organization_id OR NOT EXISTS (\
                 SELECT FROM user_organizations AS m \
                 WHERE m.user_id = o.user_id AND m.organization_id = o.organization_id) \
             ORDER BY o.account_id LIMIT $1 FOR UPDATE OF o SKIP LOCKED)",
    )
    .bind(HOLDS_AT_ONCE)
    .execute(connection)
    .await?
    .rows_affected();
    Ok((ended, ended >= HOLDS_AT_ONCE.unsigned_abs()))
}
