//! How holds end: by their assistant, by an owner or admin, by the hub.

use model::{ClockOutReason, Hold, Wall};
use persistence::{
    Ended, ForceClear, OperationId, StoreError,
    stored::occupancies::{StoredOutcome, clock_out_request},
};
use sqlx::SqliteConnection;

use super::{
    entries::{HoldEntry, by},
    foreign,
    holds::{self, Held},
    rights,
};
use crate::{clock, operations::Operation};

/// Why a hold ends, and who ends it.
pub(super) struct Ending<'a> {
    pub(super) at: Wall,
    pub(super) reason: ClockOutReason,
    pub(super) actor: &'a str,
    /// An owner's or admin's own words.
    pub(super) text: Option<&'a str>,
}

/// Ends a hold, with its entry.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    held: &Held,
    Ending { at, reason, actor, text }: Ending<'_>,
) -> Result<(), StoreError> {
    holds::release(connection, held.hold, reason).await?;
    let event = reason.name();
    let entry = HoldEntry { at, actor, event, before: Some(held.hold), hold: held.hold, text };
    entry.write(connection).await
}

/// See [`persistence::Occupancies::clock_out`].
pub(super) async fn clock_out(
    connection: &mut SqliteConnection,
    hold: Hold,
    name: Option<OperationId>,
) -> Result<Ended, StoreError> {
    let at = clock::now(connection).await?;
    let operation = Operation { user: hold.user, name, request: clock_out_request(hold)?, at };
    let done = operation.replay(connection).await;
    if let Ok(Some(_)) = done {
        return Ok(Ended { hold, new: false });
    }
    let held = holds::require(connection, hold).await?;
    done?;
    let reason = ClockOutReason::ClockedOut;
    end(connection, &held, Ending { at, reason, actor: &by(hold.user), text: None }).await?;
    operation.remember(connection, StoredOutcome::ClockedOut.write()?).await?;
    Ok(Ended { hold, new: true })
}

/// See [`persistence::Occupancies::force_clear`].
pub(super) async fn force_clear(
    connection: &mut SqliteConnection,
    clear: &ForceClear,
) -> Result<Ended, StoreError> {
    let at = clock::now(connection).await?;
    let operation = Operation { user: clear.by.user, name: clear.operation, request: clear.request()?, at };
    let done = operation.replay(connection).await;
    if let Ok(Some(result)) = done {
        return match StoredOutcome::read(&result)? {
            StoredOutcome::Cleared(hold) => Ok(Ended { hold, new: false }),
            other => Err(foreign(&other)),
        };
    }
    let organization = rights::organization_of(connection, clear.account).await?;
    rights::require_office(connection, clear.by.user, organization, StoreError::UnknownAccount).await?;
    let held = holds::of_account(connection, clear.account).await?;
    let meant = |held: &Held| clear.holder.is_none_or(|holder| holder == held.hold.user);
    let held = held.filter(meant).ok_or(StoreError::NotHeld)?;
    done?;
    let text = clear.reason.as_ref().map(|reason| reason.as_str());
    let reason = ClockOutReason::ForceCleared;
    end(connection, &held, Ending { at, reason, actor: &by(clear.by), text }).await?;
    operation.remember(connection, StoredOutcome::Cleared(held.hold).write()?).await?;
    Ok(Ended { hold: held.hold, new: true })
}
