//! Signs of life of extensions, and their absence.

use std::{collections::BTreeMap, time::Duration};

use model::{AccountId, Hold, OrganizationId, UserId, limits};
use persistence::{Sign, StoreError};
use sqlx::{Connection, PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{endings::HOLDS_AT_ONCE, interval, stored_epoch};
use crate::{error::Failure, facts::epoch};

/// Signs, column by column, as the statement takes them. No hold is in them twice.
pub(super) struct Columns {
    accounts: Vec<Uuid>,
    organizations: Vec<Uuid>,
    users: Vec<Uuid>,
    epochs: Vec<i64>,
    heard: Vec<PgInterval>,
    active: Vec<Option<PgInterval>>,
    stale_after: PgInterval,
    inactive_after: PgInterval,
}

impl Columns {
    /// Of several signs of a hold the newest times.
    pub(super) fn of(signs: &[Sign], stale_after: Duration, inactive_after: Duration) -> Self {
        debug_assert!(signs.len() <= limits::SIGNS_AT_ONCE, "{} signs at once", signs.len());
        let mut newest: BTreeMap<Hold, Sign> = BTreeMap::new();
        for sign in signs {
            let known = newest.entry(sign.hold).or_insert(*sign);
            known.heard = known.heard.min(sign.heard);
            known.active = known.active.into_iter().chain(sign.active).min();
        }
        let signs = || newest.values();
        Self {
            accounts: signs().map(|sign| sign.hold.account.0).collect(),
            organizations: signs().map(|sign| sign.hold.organization.0).collect(),
            users: signs().map(|sign| sign.hold.user.0).collect(),
            epochs: signs().map(|sign| stored_epoch(sign.hold.epoch)).collect(),
            heard: signs().map(|sign| interval(sign.heard)).collect(),
            active: signs().map(|sign| sign.active.map(interval)).collect(),
            stale_after: interval(stale_after),
            inactive_after: interval(inactive_after),
        }
    }
}

/// Writes the signs, of hubs in one order, and says whose holds are there and not lost, and idle for too long.
///
/// Back is who is heard of again after the time in which they are lost, whether or not somebody noticed. Who is disabled
/// cannot come back. What is later than now was written before the clock was set back, and is as old as can be known.
macro_rules! sign {
    ($locked:literal) => {
        concat!(
            "WITH moment AS MATERIALIZED (\
                 SELECT clock_timestamp() AS now, set_config('presence.actor', 'hub', true), \
                     set_config('presence.reason', 'inactive', true)\
             ), held AS MATERIALIZED (\
                 SELECT o.account_id, now, now - sign.heard AS heard_at, now - sign.active AS active_at, \
                     sign.heard < $7 AS is_there, \
                     CASE WHEN sign.heard < $7 AND (o.stale_since IS NOT NULL OR o.last_sign_at < now - $7) \
                         THEN now END AS back_at \
                 FROM moment, unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::interval[], \
                     $6::interval[]) AS sign (account, organization, person, epoch, heard, active) \
                 JOIN account_presence AS o ON o.account_id = sign.account \
                     AND o.organization_id = sign.organization AND o.user_id = sign.person AND o.epoch = sign.epoch \
                 JOIN users AS u ON u.id = o.user_id AND u.disabled IS NOT TRUE \
                 ORDER BY o.account_id FOR NO KEY UPDATE OF o",
            $locked,
            ") UPDATE account_presence AS o SET last_sign_at = least(greatest(o.last_sign_at, heard_at), now), \
                 last_activity_at = least(greatest(o.last_activity_at, active_at, back_at), now), \
                 stale_since = CASE WHEN back_at IS NULL THEN o.stale_since END \
             FROM held WHERE o.account_id = held.account_id \
             RETURNING o.account_id, \
                 is_there AND o.stale_since IS NULL AND o.last_activity_at <= clock_timestamp() - $8::interval AS is_idle"
        )
    };
}

/// Writes signs of life, and ends the holds in which nothing is done.
pub(super) async fn write(connection: &mut PgConnection, signs: &Columns) -> Result<Vec<Hold>, Failure> {
    if signs.accounts.is_empty() {
        return Ok(Vec::new());
    }
    let idle = match sign_patiently(connection, signs).await {
        // Somebody is ending holds and takes their time. The others live.
        Err(failure) if failure.is_locked() => sign(connection, sign!(" SKIP LOCKED"), signs).await?,
        outcome => outcome?,
    };
    if idle.is_empty() { Ok(Vec::new()) } else { end(connection, &idle).await }
}

async fn sign_patiently(connection: &mut PgConnection, signs: &Columns) -> Result<Vec<Uuid>, Failure> {
    let mut attempt = connection.begin().await?;
    let outcome = sign(&mut attempt, sign!(""), signs).await;
    match outcome {
        Ok(_) => attempt.commit().await?,
        Err(_) => attempt.rollback().await?,
    }
    outcome
}

/// The accounts in which nothing is done.
async fn sign(
    connection: &mut PgConnection,
    sql: &'static str,
    signs: &Columns,
) -> Result<Vec<Uuid>, Failure> {
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(sql)
        .bind(&signs.accounts)
        .bind(&signs.organizations)
        .bind(&signs.users)
        .bind(&signs.epochs)
        .bind(&signs.heard)
        .bind(&signs.active)
        .bind(signs.stale_after)
        .bind(signs.inactive_after)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().filter(|(_, is_idle)| *is_idle).map(|(account, _)| account).collect())
}

/// They are locked since they were signed.
async fn end(connection: &mut PgConnection, idle: &[Uuid]) -> Result<Vec<Hold>, Failure> {
    let rows: Vec<(Uuid, Uuid, Uuid, i64)> = sqlx::query_as(
        "DELETE FROM account_presence WHERE account_id = ANY ($1) \
         RETURNING user_id, organization_id, account_id, epoch",
    )
    .bind(idle)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(hold).collect::<Result<_, _>>()?)
}

fn hold((user, organization, account, held): (Uuid, Uuid, Uuid, i64)) -> Result<Hold, StoreError> {
    Ok(Hold {
        user: UserId(user),
        organization: OrganizationId(organization),
        account: AccountId(account),
        epoch: epoch(held)?,
    })
}

/// Marks some of the holds stale that were not heard of: how many, and whether there may be more of them. What somebody is
/// changing just now is looked at the next time.
pub(super) async fn mark_stale(
    connection: &mut PgConnection,
    stale_after: Duration,
) -> Result<(u64, bool), Failure> {
    let marked = sqlx::query(
        "WITH hub AS MATERIALIZED (SELECT set_config('presence.actor', 'hub', true)), lost AS MATERIALIZED (\
             SELECT o.account_id FROM hub, account_presence AS o \
             WHERE o.stale_since IS NULL AND o.last_sign_at <= clock_timestamp() - $1::interval \
             ORDER BY o.account_id LIMIT $2 FOR NO KEY UPDATE OF o SKIP LOCKED\
         ) UPDATE account_presence AS o SET stale_since = o.last_sign_at FROM lost \
         WHERE o.account_id = lost.account_id",
    )
    .bind(interval(stale_after))
    .bind(HOLDS_AT_ONCE)
    .execute(connection)
    .await?
    .rows_affected();
    Ok((marked, marked >= HOLDS_AT_ONCE.unsigned_abs()))
}
