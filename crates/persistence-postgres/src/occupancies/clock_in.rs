//! Coming to hold an account: with a code, or from the account that is held.

use chrono::{DateTime, Utc};
use model::{AccountId, Hold, OrganizationId, UserId};
use persistence::{ClockIn, ClockedIn, StoreError, stored::occupancies::StoredOutcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    operation::{Call, Known, Operation, complete, kept, recalled},
    stored_epoch, turn,
};
use crate::{
    error::Failure,
    facts::{epoch, wall},
};

/// Who wants to come where.
#[derive(Clone, Copy)]
struct Wish {
    user: UserId,
    organization: OrganizationId,
    to: AccountId,
    /// The code of which a use is to be counted; `None`: the one that the assistant came with, uncounted.
    code: Option<Uuid>,
}

/// What there is, as of one instant, with the rows locked on which it rests.
#[derive(sqlx::FromRow)]
struct Found {
    now: DateTime<Utc>,
    next_epoch: i64,
    /// Whether the assistant may work there.
    is_admitted: bool,
    is_known: bool,
    holder: Option<Uuid>,
    /// Of which organization the holder's hold is: of another one only where no trigger saw the account leave it.
    holder_organization: Option<Uuid>,
    #[sqlx(flatten)]
    mine: Mine,
    /// Not revoked, not expired.
    is_good: bool,
    has_uses: bool,
    #[sqlx(flatten)]
    known: Known,
}

/// What the assistant holds already; all of it or nothing.
#[derive(Clone, Copy, sqlx::FromRow)]
struct Mine {
    mine: Option<Uuid>,
    mine_epoch: Option<i64>,
    mine_since: Option<DateTime<Utc>>,
    came_with: Option<Uuid>,
}

/// What is locked is what a directory takes away: in its own order, and then the hold, so that nobody waits for somebody
/// who waits for them. Each part names the one before it, which keeps them in this order.
const FIND: &str = concat!(
    "SELECT date_trunc('milliseconds', clock_timestamp()) AS now, \
         greatest(last.epoch + 1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS next_epoch, \
         admitted.person IS NOT NULL AS is_admitted, account.id IS NOT NULL AS is_known, holder.user_id AS holder, \
         holder.organization_id AS holder_organization, mine.account_id AS mine, mine.epoch AS mine_epoch, mine.clocked_in_at AS mine_since, \
         mine.code_id AS came_with, \
         coalesce(code.revoked_at IS NULL AND code.expires_at > clock_timestamp(), false) AS is_good, \
         coalesce(code.max_uses IS NULL OR code.uses < code.max_uses, false) AS has_uses, \
         o.body_json AS asked, o.result_json::text AS answered \
     FROM (VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid)) AS wish (person, organization, account, code) \
     LEFT JOIN LATERAL (\
         SELECT u.id AS person, m.organization_id AS organization FROM organizations AS place \
         JOIN users AS u ON u.id = wish.person AND u.disabled IS NOT TRUE \
         JOIN user_organizations AS m ON m.user_id = u.id AND m.organization_id = place.id \
         WHERE place.id = wish.organization LIMIT 1 FOR KEY SHARE OF place FOR SHARE OF u, m\
     ) AS admitted ON true \
     LEFT JOIN LATERAL (\
         SELECT a.id, a.organization_id AS organization FROM accounts AS a \
         WHERE a.id = wish.account AND a.organization_id = coalesce(admitted.organization, wish.organization) \
         FOR SHARE\
     ) AS account ON true \
     LEFT JOIN LATERAL (\
         SELECT h.account_id, h.epoch, h.clocked_in_at, h.code_id FROM account_presence AS h \
         WHERE h.user_id = wish.person AND h.organization_id = coalesce(account.organization, wish.organization) \
         FOR UPDATE\
     ) AS mine ON true \
     LEFT JOIN account_presence AS holder ON holder.account_id = account.id \
     LEFT JOIN account_epochs AS last ON last.account_id = account.id \
     LEFT JOIN access_codes AS code ON code.id = coalesce(wish.code, mine.code_id) ",
    recalled!("wish.person", "$5")
);

/// A use of the code where one is counted, and the hold, which is new or leaves the account before.
const WRITE: &str = concat!(
    "WITH ",
    kept!(),
    ", used AS (\
         UPDATE access_codes SET uses = uses + 1 \
         WHERE id = $9 AND revoked_at IS NULL AND expires_at > clock_timestamp() \
           AND (max_uses IS NULL OR uses < max_uses) RETURNING id\
     ), came AS (\
         INSERT INTO account_presence AS mine (account_id, organization_id, user_id, clocked_in_at, last_sign_at, \
             last_activity_at, epoch, code_id) \
         SELECT $6, $7, $1, $8, $8, $8, $10, $9 WHERE $9 IS NULL OR EXISTS (SELECT FROM used) \
         ON CONFLICT (organization_id, user_id) DO UPDATE SET account_id = excluded.account_id, \
             clocked_in_at = excluded.clocked_in_at, last_sign_at = excluded.last_sign_at, \
             last_activity_at = excluded.last_activity_at, stale_since = NULL, epoch = excluded.epoch, \
             code_id = coalesce(excluded.code_id, mine.code_id) RETURNING 1\
     ) SELECT EXISTS (SELECT FROM kept) AND EXISTS (SELECT FROM came)"
);

/// Clocks in, or moves, by a code.
pub(super) async fn clock_in(
    connection: &mut PgConnection,
    asked: &ClockIn,
    operation: &Operation,
) -> Result<ClockedIn, Failure> {
    let code = take_turn_of_code(connection, asked).await?;
    let (code, organization, user) = code.ok_or(StoreError::InvalidCode)?;
    let (organization, user) = (OrganizationId(organization), UserId(user));
    let wish = Wish { user, organization, to: asked.account, code: Some(code) };
    let (found, call) = find(connection, wish, operation).await?;
    // Whoever may not come any more is told nothing either.
    if !found.may_come() {
        return Err(StoreError::InvalidCode.into());
    }
    if let Some(outcome) = call.done() {
        return again(outcome, operation);
    }
    let came_with_it = found.mine.mine == Some(asked.account.0) && found.mine.came_with == Some(code);
    if !(found.has_uses || came_with_it) {
        return Err(StoreError::InvalidCode.into());
    }
    come(connection, wish, &found, &call, operation).await
}

/// Moves to another account with the code that the assistant came with.
pub(super) async fn change_account(
    connection: &mut PgConnection,
    hold: Hold,
    to: AccountId,
    operation: &Operation,
) -> Result<ClockedIn, Failure> {
    take_turn(connection, (hold.organization, hold.user)).await?;
    let wish = Wish { user: hold.user, organization: hold.organization, to, code: None };
    let (found, call) = find(connection, wish, operation).await?;
    if let Some(outcome) = call.done() {
        return again(outcome, operation);
    }
    if (found.mine.mine, found.mine.mine_epoch) != (Some(hold.account.0), Some(stored_epoch(hold.epoch))) {
        return Err(StoreError::NotHeld.into());
    }
    if !found.may_come() {
        return Err(StoreError::InvalidCode.into());
    }
    come(connection, wish, &found, &call, operation).await
}

/// The code with that hash, its organization, whose turn begins, and its assistant, who is the actor. One that has ended
/// stays so, and takes nobody's turn.
async fn take_turn_of_code(
    connection: &mut PgConnection,
    asked: &ClockIn,
) -> Result<Option<(Uuid, Uuid, Uuid)>, Failure> {
    let code = sqlx::query_as(concat!(
        "SELECT id, organization_id, user_id, set_config('presence.actor', 'user:' || user_id, true), ",
        turn!("organization_id"),
        " FROM access_codes WHERE code_hash = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()"
    ));
    Ok(code.bind(&asked.code.0[..]).fetch_optional(connection).await?)
}

/// The turn of an organization, in which an assistant is the actor. Taken twice, it is as if once.
async fn take_turn(
    connection: &mut PgConnection,
    (organization, user): (OrganizationId, UserId),
) -> Result<(), Failure> {
    sqlx::query(concat!(
        "SELECT set_config('presence.actor', 'user:' || $2::uuid, true), ",
        turn!("$1::uuid")
    ))
    .bind(organization.0)
    .bind(user.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn find(
    connection: &mut PgConnection,
    wish: Wish,
    operation: &Operation,
) -> Result<(Found, Call), Failure> {
    let mut found: Found = sqlx::query_as(FIND)
        .bind(wish.user.0)
        .bind(wish.organization.0)
        .bind(wish.to.0)
        .bind(wish.code)
        .bind(operation.id)
        .fetch_one(connection)
        .await?;
    let call = operation.judge(std::mem::take(&mut found.known))?;
    Ok((found, call))
}

impl Found {
    fn may_come(&self) -> bool {
        self.is_admitted && self.is_good
    }
}

/// What was answered then. A name that nobody gave is known to this call alone, which is made again.
fn again(outcome: StoredOutcome, operation: &Operation) -> Result<ClockedIn, Failure> {
    let clocked_in = ClockedIn::try_from(outcome)?;
    Ok(ClockedIn { new: !operation.is_given, ..clocked_in })
}

/// Comes to hold the account, or stays there.
async fn come(
    connection: &mut PgConnection,
    wish: Wish,
    found: &Found,
    call: &Call,
    operation: &Operation,
) -> Result<ClockedIn, Failure> {
    if !found.is_known {
        return Err(StoreError::UnknownAccount.into());
    }
    let is_unfounded = found.holder_organization.is_some_and(|other| other != wish.organization.0);
    if !is_unfounded && found.holder.is_some_and(|holder| holder != wish.user.0) {
        return Err(StoreError::Occupied.into());
    }
    call.check()?;
    if is_unfounded {
        end_unfounded_hold(connection, wish).await?;
    }
    if let Some(stays) = found.stays(wish)? {
        operation.keep(connection, wish.user, &(&stays).into()).await?;
        return Ok(stays);
    }
    let comes = found.comes(wish)?;
    let write = operation.write(WRITE, wish.user, &(&comes).into())?;
    let write = write.bind(wish.to.0).bind(wish.organization.0).bind(found.now);
    complete(write.bind(wish.code).bind(found.next_epoch), connection).await?;
    Ok(comes)
}

/// Ends a hold of an account that has gone to another organization, which nobody's trigger saw: it is the directory's end
/// and not the assistant's, who goes on.
async fn end_unfounded_hold(connection: &mut PgConnection, wish: Wish) -> Result<(), Failure> {
    sqlx::query(
        "WITH directory AS MATERIALIZED (SELECT set_config('presence.actor', 'directory', true)) \
         DELETE FROM account_presence AS o USING directory WHERE o.account_id = $1 AND o.organization_id <> $2",
    )
    .bind(wish.to.0)
    .bind(wish.organization.0)
    .execute(&mut *connection)
    .await?;
    take_turn(connection, (wish.organization, wish.user)).await
}

impl Found {
    /// The hold that the assistant has of this very account.
    fn stays(&self, wish: Wish) -> Result<Option<ClockedIn>, StoreError> {
        let Mine { mine, mine_epoch: Some(held), mine_since: Some(since), .. } = self.mine else {
            return Ok(None);
        };
        if mine != Some(wish.to.0) {
            return Ok(None);
        }
        let hold = wish.hold(epoch(held)?);
        Ok(Some(ClockedIn { hold, since: wall(since), left: None, new: false }))
    }

    fn comes(&self, wish: Wish) -> Result<ClockedIn, StoreError> {
        let hold = wish.hold(epoch(self.next_epoch)?);
        Ok(ClockedIn { hold, since: wall(self.now), left: self.mine.mine.map(AccountId), new: true })
    }
}

impl Wish {
    fn hold(self, epoch: u64) -> Hold {
        Hold { user: self.user, organization: self.organization, account: self.to, epoch }
    }
}
