//! Holds, as they are in their table: found, begun, and taken away.

use model::{AccessCodeId, AccountId, ClockOutReason, Hold, OrganizationId, UserId, Wall};
use persistence::{ClockedIn, StoreError};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{error::store_error, facts::epoch_of};

/// A hold that lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) hold: Hold,
    pub(super) since: Wall,
    /// The code they came with, where it is still kept.
    pub(super) code: Option<AccessCodeId>,
}

impl Held {
    /// For whoever asks where they are, and changes nothing.
    pub(super) fn as_it_is(&self) -> ClockedIn {
        ClockedIn { hold: self.hold, since: self.since, left: None, new: false }
    }
}

/// A row of `account_presence`.
#[derive(sqlx::FromRow)]
struct Row {
    account_id: Hyphenated,
    organization_id: Hyphenated,
    user_id: Hyphenated,
    epoch: i64,
    clocked_in_at: i64,
    code_id: Option<Hyphenated>,
}

impl TryFrom<Row> for Held {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hold = Hold {
            user: UserId(row.user_id.into()),
            organization: OrganizationId(row.organization_id.into()),
            account: AccountId(row.account_id.into()),
            epoch: epoch_of(row.epoch)?,
        };
        let code = row.code_id.map(|id| AccessCodeId(id.into()));
        Ok(Self { hold, since: Wall(row.clocked_in_at), code })
    }
}

/// `SELECT` of holds `$where`.
macro_rules! holds {
    ($where:literal) => {
        sqlx::query_as::<_, Row>(concat!(
            "SELECT account_id, organization_id, user_id, epoch, clocked_in_at, code_id FROM account_presence ",
            $where
        ))
    };
}

/// The hold of an account, whoever's it is.
pub(super) async fn of_account(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Option<Held>, StoreError> {
    let query = holds!("WHERE account_id = ?1").bind(account.0.hyphenated());
    let row = query.fetch_optional(connection).await.map_err(store_error)?;
    row.map(Held::try_from).transpose()
}

/// What a member holds in an organization.
pub(super) async fn of_member(
    connection: &mut SqliteConnection,
    user: UserId,
    organization: OrganizationId,
) -> Result<Option<Held>, StoreError> {
    let query = holds!("WHERE user_id = ?1 AND organization_id = ?2");
    let query = query.bind(user.0.hyphenated()).bind(organization.0.hyphenated());
    let row = query.fetch_optional(connection).await.map_err(store_error)?;
    row.map(Held::try_from).transpose()
}

/// What somebody holds since before an instant, or at it.
pub(super) async fn of_user(
    connection: &mut SqliteConnection,
    user: UserId,
    until: Wall,
) -> Result<Vec<Held>, StoreError> {
    let query = holds!("WHERE user_id = ?1 AND clocked_in_at <= ?2");
    let query = query.bind(user.0.hyphenated()).bind(until.0);
    let rows = query.fetch_all(connection).await.map_err(store_error)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// Those of `accounts`, a JSON array, in which nothing was done since an instant; but of who is disabled.
pub(super) async fn inactive(
    connection: &mut SqliteConnection,
    accounts: &str,
    since: Wall,
) -> Result<Vec<Held>, StoreError> {
    let query = holds!(
        "WHERE account_id IN (SELECT value FROM json_each(?1)) AND last_activity_at <= ?2 \
             AND NOT (SELECT disabled FROM users WHERE id = user_id) ORDER BY account_id"
    );
    let rows = query.bind(accounts).bind(since.0).fetch_all(connection).await.map_err(store_error)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// The hold that is meant, and no other one of that account.
///
/// # Errors
/// [`StoreError::NotHeld`].
pub(super) async fn require(connection: &mut SqliteConnection, hold: Hold) -> Result<Held, StoreError> {
    let held = of_account(connection, hold.account).await?;
    held.filter(|held| held.hold == hold).ok_or(StoreError::NotHeld)
}

/// See [`persistence::Occupancies::find_hold`].
pub(super) async fn find(connection: &mut SqliteConnection, hold: Hold) -> Result<ClockedIn, StoreError> {
    let held = require(connection, hold).await?;
    let query = sqlx::query_scalar("SELECT disabled FROM users WHERE id = ?1");
    let query = query.bind(hold.user.0.hyphenated());
    let disabled: bool = query.fetch_one(connection).await.map_err(store_error)?;
    if disabled { Err(StoreError::NotHeld) } else { Ok(held.as_it_is()) }
}

/// Somebody comes to hold an account that is free. Its epoch is the time, so that it tells nobody how often others came
/// before; but for two who come within a millisecond, and for a clock that was set back.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    (user, organization, account): (UserId, OrganizationId, AccountId),
    code: AccessCodeId,
    now: Wall,
) -> Result<Held, StoreError> {
    let query = sqlx::query_scalar("SELECT epoch FROM account_epochs WHERE account_id = ?1");
    let last: Option<i64> =
        query.bind(account.0.hyphenated()).fetch_optional(&mut *connection).await.map_err(store_error)?;
    let epoch = last.map_or(now.0, |last| now.0.max(last.saturating_add(1)));
    sqlx::query(
        "INSERT INTO account_presence (account_id, organization_id, user_id, clocked_in_at, last_sign_at, \
         last_activity_at, epoch, code_id) VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6)",
    )
    .bind(account.0.hyphenated())
    .bind(organization.0.hyphenated())
    .bind(user.0.hyphenated())
    .bind(now.0)
    .bind(epoch)
    .bind(code.0.hyphenated())
    .execute(connection)
    .await
    .map_err(store_error)?;
    let hold = Hold { user, organization, account, epoch: epoch_of(epoch)? };
    Ok(Held { hold, since: now, code: Some(code) })
}

/// Ends a hold, having said how: else the trigger of its table takes it for the work of the directory.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    hold: Hold,
    reason: ClockOutReason,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE account_epochs SET ended_reason = ?2 WHERE account_id = ?1")
        .bind(hold.account.0.hyphenated())
        .bind(reason.name())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query("DELETE FROM account_presence WHERE account_id = ?1")
        .bind(hold.account.0.hyphenated())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
