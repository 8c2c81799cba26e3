//! Reads accounts: what the directory says, who holds them, how the last hold ended. One statement, and so one instant.

use chrono::{DateTime, Utc};
use model::{
    AccountFacts, AccountId, AccountState, ClockOutReason, EndedHold, Occupancy, OrganizationId, UserId,
};
use persistence::{Pick, StoreError, stored::corrupt};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{first_after, limit, wall};
use crate::error::Failure;

/// The accounts are selected first, and what is known of each is then found by its key, as with users.
macro_rules! accounts {
    ($which:literal) => {
        concat!(
            "WITH a AS MATERIALIZED (SELECT id, organization_id, coalesce(name::text, '') AS name FROM accounts \
                 WHERE organization_id IS NOT NULL AND ",
            $which,
            ") SELECT a.id, a.organization_id, a.name, o.user_id, o.clocked_in_at, o.stale_since, o.epoch, \
                 last.epoch AS ended_epoch, last.ended_reason FROM a \
             LEFT JOIN LATERAL (SELECT * FROM account_presence WHERE account_id = a.id OFFSET 0) AS o ON true \
             LEFT JOIN LATERAL (SELECT * FROM account_epochs WHERE account_id = a.id OFFSET 0) AS last \
                 ON last.ended_reason IS NOT NULL AND o.user_id IS NULL \
             ORDER BY a.id"
        )
    };
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    user_id: Option<Uuid>,
    clocked_in_at: Option<DateTime<Utc>>,
    stale_since: Option<DateTime<Utc>>,
    epoch: Option<i64>,
    ended_epoch: Option<i64>,
    ended_reason: Option<String>,
}

/// Accounts, sorted by id. One that belongs to no organization is nobody's, and is left out.
pub(crate) async fn accounts(
    connection: &mut PgConnection,
    pick: &Pick<AccountId>,
) -> Result<Vec<(AccountId, AccountState)>, Failure> {
    let rows: Vec<AccountRow> = match pick {
        Pick::Next(after, count) => {
            let Some(first) = first_after(after.map(|account| account.0)) else { return Ok(Vec::new()) };
            // Planned for this page: a plan for pages of any size reads whole tables.
            let page = sqlx::query_as(accounts!("id >= $1 ORDER BY id LIMIT $2")).persistent(false);
            page.bind(first).bind(limit(*count)).fetch_all(connection).await?
        }
        Pick::These(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|account| account.0).collect();
            sqlx::query_as(accounts!("id = ANY ($1)")).bind(ids).fetch_all(connection).await?
        }
    };
    Ok(rows.into_iter().map(account).collect::<Result<_, StoreError>>()?)
}

fn account(row: AccountRow) -> Result<(AccountId, AccountState), StoreError> {
    let (occupancy, ended) = (row.occupancy()?, row.ended()?);
    let facts = AccountFacts { organization: OrganizationId(row.organization_id), name: row.name };
    Ok((AccountId(row.id), AccountState { facts, occupancy, ended }))
}

impl AccountRow {
    fn occupancy(&self) -> Result<Option<Occupancy>, StoreError> {
        let (Some(user), Some(since), Some(held)) = (self.user_id, self.clocked_in_at, self.epoch) else {
            return Ok(None);
        };
        let stale_since = self.stale_since.map(wall);
        Ok(Some(Occupancy { user: UserId(user), since: wall(since), stale_since, epoch: epoch(held)? }))
    }

    fn ended(&self) -> Result<Option<EndedHold>, StoreError> {
        let (Some(ended), Some(name)) = (self.ended_epoch, &self.ended_reason) else { return Ok(None) };
        let reason = ClockOutReason::from_name(name).ok_or_else(|| corrupt(format!("no end is {name}")))?;
        Ok(Some(EndedHold { epoch: epoch(ended)?, reason }))
    }
}

/// An epoch as the database has it: above 0.
pub(crate) fn epoch(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(corrupt)
}
