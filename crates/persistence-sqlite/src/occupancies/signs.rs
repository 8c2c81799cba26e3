//! Signs of life: who is there, who is lost, who is back, and in whose account nothing is done.

use std::{collections::BTreeMap, time::Duration};

use model::{ClockOutReason, Hold, Wall};
use persistence::{Sign, StoreError, stored::write_json};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{
    endings::{Ending, end},
    entries::HUB,
    holds, millis,
};
use crate::{clock, error::store_error};

/// The signs as rows: account, user, organization, epoch, when it was heard of, when something was done, whether that is
/// recent. Of a hold that is over, or whose assistant is disabled, there is none.
macro_rules! of_signs {
    ($hold:literal) => {
        concat!(
            " json_each(?1) AS sign WHERE ",
            $hold,
            ".account_id = sign.value ->> 0 AND ",
            $hold,
            ".user_id = sign.value ->> 1 AND ",
            $hold,
            ".organization_id = sign.value ->> 2 AND ",
            $hold,
            ".epoch = sign.value ->> 3 AND NOT (SELECT disabled FROM users WHERE id = ",
            $hold,
            ".user_id)"
        )
    };
}

/// The entry of those who were lost or are back, `$event`, of the holds in `$from`.
macro_rules! entries_of {
    ($event:literal, $from:expr) => {
        concat!(
            "INSERT INTO presence_audit (at, kind, actor, organization_id, before_json, after_json) \
             SELECT ?2, 'occupancy', 'hub', hold.organization_id, \
                 json_object('account', hold.account_id, 'user', hold.user_id, 'epoch', hold.epoch), \
                 json_object('event', '",
            $event,
            "', 'account', hold.account_id, 'user', hold.user_id, 'epoch', hold.epoch) FROM account_presence AS hold",
            $from
        )
    };
}

const NOTE_RETURNED: &str = entries_of!(
    "returned",
    concat!(",", of_signs!("hold"), " AND hold.stale_since IS NOT NULL AND sign.value ->> 6")
);
/// Back is who is heard of again after the time in which they are lost, whether or not somebody noticed. What is later than
/// now was written before the clock was set back, and is as old as can be known.
const WRITE: &str = concat!(
    "UPDATE account_presence AS hold SET last_sign_at = min(?2, max(last_sign_at, sign.value ->> 4)), \
         last_activity_at = min(?2, CASE \
             WHEN sign.value ->> 6 AND (stale_since IS NOT NULL OR last_sign_at < ?3) THEN ?2 \
             ELSE max(last_activity_at, coalesce(sign.value ->> 5, last_activity_at)) END), \
         stale_since = iif(sign.value ->> 6, NULL, stale_since) FROM",
    of_signs!("hold")
);

/// See [`persistence::Occupancies::write_signs`].
pub(super) async fn write(
    connection: &mut SqliteConnection,
    signs: &[Sign],
    stale_after: Duration,
    inactive_after: Duration,
) -> Result<Vec<Hold>, StoreError> {
    let now = clock::now(connection).await?;
    let signs = newest(signs);
    let rows: Vec<Value> = signs.values().map(|sign| row(sign, stale_after, now)).collect();
    let rows = write_json(&rows)?;
    let lost_before = now.0.saturating_sub(millis(stale_after));
    for sql in [NOTE_RETURNED, WRITE] {
        let statement = sqlx::query(sql).bind(&rows).bind(now.0).bind(lost_before);
        statement.execute(&mut *connection).await.map_err(store_error)?;
    }
    // A lost connection never clocks out: it is for as long as an extension is there that nothing may be done.
    let there: Vec<Hold> =
        signs.into_values().filter(|it| it.heard < stale_after).map(|it| it.hold).collect();
    end_inactive(connection, &there, inactive_after, now).await
}

/// One sign a hold: the latest of each kind.
fn newest(signs: &[Sign]) -> BTreeMap<Hold, Sign> {
    let mut newest: BTreeMap<Hold, Sign> = BTreeMap::new();
    for sign in signs {
        let known = newest.entry(sign.hold).or_insert(*sign);
        known.heard = known.heard.min(sign.heard);
        known.active = known.active.into_iter().chain(sign.active).min();
    }
    newest
}

fn row(sign: &Sign, stale_after: Duration, now: Wall) -> Value {
    let Hold { user, organization, account, epoch } = sign.hold;
    let ago = |time| now.0.saturating_sub(millis(time));
    let is_recent = u8::from(sign.heard < stale_after);
    json!([account, user, organization, epoch, ago(sign.heard), sign.active.map(ago), is_recent])
}

async fn end_inactive(
    connection: &mut SqliteConnection,
    there: &[Hold],
    inactive_after: Duration,
    now: Wall,
) -> Result<Vec<Hold>, StoreError> {
    let accounts = write_json(&there.iter().map(|hold| hold.account).collect::<Vec<_>>())?;
    let since = Wall(now.0.saturating_sub(millis(inactive_after)));
    let mut ended = Vec::new();
    for held in holds::inactive(connection, &accounts, since).await? {
        if there.contains(&held.hold) {
            let reason = ClockOutReason::Inactive;
            end(connection, &held, Ending { at: now, reason, actor: HUB, text: None }).await?;
            ended.push(held.hold);
        }
    }
    Ok(ended)
}

/// Holds that are marked in one transaction: others wait to write meanwhile.
pub(super) const MARKED_AT_ONCE: u64 = 1_000;
const NOTE_STALE: &str =
    entries_of!("stale", " WHERE stale_since IS NULL AND last_sign_at <= ?1 ORDER BY account_id LIMIT ?3");
const MARK_STALE: &str = "UPDATE account_presence SET stale_since = last_sign_at WHERE account_id IN (\
    SELECT account_id FROM account_presence WHERE stale_since IS NULL AND last_sign_at <= ?1 \
    ORDER BY account_id LIMIT ?3)";

/// Marks some of the holds that were not heard of; how many. Fewer than [`MARKED_AT_ONCE`]: these were the last.
pub(super) async fn mark_stale(
    connection: &mut SqliteConnection,
    stale_after: Duration,
) -> Result<u64, StoreError> {
    let now = clock::now(connection).await?;
    let before = now.0.saturating_sub(millis(stale_after));
    let mut marked = 0;
    for sql in [NOTE_STALE, MARK_STALE] {
        let statement = sqlx::query(sql).bind(before).bind(now.0).bind(MARKED_AT_ONCE.cast_signed());
        marked = statement.execute(&mut *connection).await.map_err(store_error)?.rows_affected();
    }
    Ok(marked)
}
