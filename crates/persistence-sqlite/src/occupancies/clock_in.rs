//! How an assistant comes to hold an account: with a code, or from another account.

use model::{AccountId, ClockOutReason, Hold, OrganizationId, Wall};
use persistence::{
    ClockIn, ClockedIn, OperationId, StoreError,
    stored::occupancies::{StoredOutcome, change_account_request},
};
use sqlx::SqliteConnection;

use super::{
    codes::{self, Code},
    entries::{HoldEntry, by},
    holds::{self, Held},
    rights,
};
use crate::{clock, operations::Operation};

/// What the entry of a hold that was made from none says.
const CLOCKED_IN: &str = "clocked_in";

/// See [`persistence::Occupancies::clock_in`].
pub(super) async fn clock_in(
    connection: &mut SqliteConnection,
    asked: &ClockIn,
) -> Result<ClockedIn, StoreError> {
    let now = clock::now(connection).await?;
    // Whoever may not come any more is told nothing either, whatever was answered under the name.
    let code = codes::by_hash(connection, asked.code).await?.filter(|code| code.is_good(now));
    let code = code.ok_or(StoreError::InvalidCode)?;
    let user = code.facts.user;
    let operation = Operation { user, name: asked.operation, request: asked.request()?, at: now };
    let done = operation.replay(connection).await;
    if let Ok(Some(result)) = done {
        return StoredOutcome::read(&result)?.try_into();
    }
    let held = holds::of_member(connection, user, code.facts.organization).await?;
    let is_there = held.is_some_and(|held| held.hold.account == asked.account);
    let came_with = is_there && held.is_some_and(|held| held.code == Some(code.facts.id));
    if code.is_used_up() && !came_with {
        return Err(StoreError::InvalidCode);
    }
    require_free(connection, asked.account, code.facts.organization, held).await?;
    done?;
    let clocked_in = stay_or_enter(connection, &code, held, asked.account, now).await?;
    if clocked_in.new {
        codes::count_use(connection, code.facts.id).await?;
    }
    operation.remember(connection, StoredOutcome::from(&clocked_in).write()?).await?;
    Ok(clocked_in)
}

/// See [`persistence::Occupancies::change_account`].
pub(super) async fn change_account(
    connection: &mut SqliteConnection,
    hold: Hold,
    to: AccountId,
    name: Option<OperationId>,
) -> Result<ClockedIn, StoreError> {
    let now = clock::now(connection).await?;
    let operation = Operation { user: hold.user, name, request: change_account_request(hold, to)?, at: now };
    let done = operation.replay(connection).await;
    if let Ok(Some(result)) = done {
        return StoredOutcome::read(&result)?.try_into();
    }
    let held = holds::require(connection, hold).await?;
    let code = match held.code {
        Some(id) => codes::by_id(connection, id).await?,
        None => None,
    };
    let code = code.filter(|code| code.is_good(now)).ok_or(StoreError::InvalidCode)?;
    require_free(connection, to, hold.organization, Some(held)).await?;
    done?;
    let clocked_in = stay_or_enter(connection, &code, Some(held), to, now).await?;
    operation.remember(connection, StoredOutcome::from(&clocked_in).write()?).await?;
    Ok(clocked_in)
}

/// To where they want to be, from where they are.
async fn stay_or_enter(
    connection: &mut SqliteConnection,
    code: &Code,
    held: Option<Held>,
    to: AccountId,
    now: Wall,
) -> Result<ClockedIn, StoreError> {
    match held {
        Some(held) if held.hold.account == to => Ok(held.as_it_is()),
        held => enter(connection, code, held.map(|held| held.hold), to, now).await,
    }
}

/// # Errors
/// [`StoreError::UnknownAccount`], [`StoreError::Occupied`] by somebody else.
async fn require_free(
    connection: &mut SqliteConnection,
    account: AccountId,
    organization: OrganizationId,
    mine: Option<Held>,
) -> Result<(), StoreError> {
    if rights::organization_of(connection, account).await? != organization {
        return Err(StoreError::UnknownAccount);
    }
    match holds::of_account(connection, account).await? {
        Some(held) if mine.is_none_or(|mine| mine.hold != held.hold) => Err(StoreError::Occupied),
        _ => Ok(()),
    }
}

async fn enter(
    connection: &mut SqliteConnection,
    code: &Code,
    before: Option<Hold>,
    to: AccountId,
    now: Wall,
) -> Result<ClockedIn, StoreError> {
    let reason = ClockOutReason::Moved;
    if let Some(before) = before {
        holds::release(connection, before, reason).await?;
    }
    let place = (code.facts.user, code.facts.organization, to);
    let Held { hold, since, .. } = holds::begin(connection, place, code.facts.id, now).await?;
    let event = if before.is_some() { reason.name() } else { CLOCKED_IN };
    let entry = HoldEntry { at: now, actor: &by(hold.user), event, before, hold, text: None };
    entry.write(connection).await?;
    Ok(ClockedIn { hold, since, left: before.map(|before| before.account), new: true })
}
