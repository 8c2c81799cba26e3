//! What has changed since a place in the changes: rows that triggers write, by transaction rather than by number,
//! because transactions are not committed in the order in which they begin.

use std::{collections::BTreeSet, str::FromStr};

use model::{AccountId, UserId};
use persistence::{Changes, Cursor, PAGE, Pick};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{error::Failure, facts::accounts};

/// After this a place is too old: what came after it may have been dropped. Half of what [`drop_old`] keeps.
const PLACE_LASTS_MS: i64 = 30 * 60 * 1000;
/// Changes listed at once: an answer of at most 100,000 × 16 bytes = 1.6 MB, in about 30 ms. Above it everything is read
/// again, which is no more work than to read so many users one by one.
const LISTED_AT_MOST: i64 = 100_000;
/// Accounts whose states are read with the list: two pages, because it is all within the deadline of one unit of work, and
/// whoever follows gets no further until it has succeeded. Above it everything is read again, each page within a deadline
/// of its own.
const ACCOUNTS_READ_AT_MOST: usize = 2 * PAGE;
/// Rows dropped in one transaction, well within a statement's time.
const DROPPED_AT_ONCE: i64 = 5_000;

/// A place in the changes: which transactions were visible, since when the server runs, and when that was.
///
/// A server that was restarted may be another one, promoted or restored, in which transactions have other numbers.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    at_ms: i64,
    server_since_us: i64,
    snapshot: String,
}

impl From<Place> for Cursor {
    fn from(Place { at_ms, server_since_us, snapshot }: Place) -> Self {
        Self(format!("{at_ms}/{server_since_us}/{snapshot}"))
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().ok_or(());
        let at_ms = next()?.parse().map_err(|_| ())?;
        let server_since_us = next()?.parse().map_err(|_| ())?;
        let snapshot = next()?.to_owned();
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b',');
        let mut marks = snapshot.split(':');
        let sound = marks.next().is_some_and(digits) && marks.next().is_some_and(digits);
        if sound { Ok(Self { at_ms, server_since_us, snapshot }) } else { Err(()) }
    }
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    at_ms: i64,
    server_since_us: i64,
    snapshot: String,
}

impl From<PlaceRow> for Place {
    fn from(PlaceRow { at_ms, server_since_us, snapshot }: PlaceRow) -> Self {
        Self { at_ms, server_since_us, snapshot }
    }
}

/// What has changed since a place, and where changes stand now.
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    place: PlaceRow,
    /// Whether the place asked for is one that this server has not reached.
    ahead: bool,
    /// How many changes there are, counted to one more than [`LISTED_AT_MOST`].
    found: i64,
    /// Whether one of them names neither a user nor an account: whatever it is called, anything may have changed.
    unnamed: bool,
    users: Vec<Uuid>,
    accounts: Vec<Uuid>,
}

/// `$columns` of the place where changes stand, with the words around them.
macro_rules! at_this_place {
    ($($rest:literal),*) => {
        concat!(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at_ms, ",
            "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS server_since_us, ",
            "pg_current_snapshot()::text AS snapshot"
            $(, $rest)*
        )
    };
}

/// Where changes stand.
pub(crate) async fn cursor(connection: &mut PgConnection) -> Result<Cursor, Failure> {
    let row: PlaceRow = sqlx::query_as(at_this_place!()).fetch_one(&mut *connection).await?;
    Ok(Place::from(row).into())
}

/// What changed after `since`, and the accounts among it. The connection is in a transaction of one snapshot.
pub(crate) async fn since(connection: &mut PgConnection, since: &Cursor) -> Result<Changes, Failure> {
    let Ok(since) = since.0.parse::<Place>() else {
        return Ok(all(cursor(connection).await?));
    };
    // The place and the changes are of one statement, and so of one snapshot.
    let row: Row = sqlx::query_as(at_this_place!(
        ", pg_snapshot_xmax($1::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) AS ahead, found.* ",
        "FROM (SELECT count(*) AS found, ",
        "coalesce(bool_or(kind NOT IN ('user', 'account')), false) AS unnamed, ",
        "coalesce(array_agg(id) FILTER (WHERE kind = 'user'), '{}') AS users, ",
        "coalesce(array_agg(id) FILTER (WHERE kind = 'account'), '{}') AS accounts ",
        "FROM (SELECT kind, id FROM presence_changes WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) ",
        "AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot) LIMIT $2) AS change) AS found"
    ))
    .bind(&since.snapshot)
    .bind(LISTED_AT_MOST + 1)
    .fetch_one(&mut *connection)
    .await?;
    let mut changes = listed(row, &since);
    for ids in changes.accounts.chunks(PAGE) {
        changes.account_states.extend(accounts(connection, &Pick::These(ids.to_vec())).await?);
    }
    Ok(changes)
}

fn listed(row: Row, since: &Place) -> Changes {
    let place = Place::from(row.place);
    let everything = row.ahead || row.unnamed || row.found > LISTED_AT_MOST || is_too_old(since, &place);
    let cursor = place.into();
    let users: BTreeSet<UserId> = row.users.into_iter().map(UserId).collect();
    let accounts: BTreeSet<AccountId> = row.accounts.into_iter().map(AccountId).collect();
    if everything || accounts.len() > ACCOUNTS_READ_AT_MOST {
        return all(cursor);
    }
    let (users, accounts) = (users.into_iter().collect(), accounts.into_iter().collect());
    Changes { cursor, users, accounts, account_states: Vec::new(), all: false }
}

fn all(cursor: Cursor) -> Changes {
    Changes { cursor, users: Vec::new(), accounts: Vec::new(), account_states: Vec::new(), all: true }
}

/// Also where the clock has been set back: nobody knows then how old it is.
fn is_too_old(since: &Place, now: &Place) -> bool {
    let age = now.at_ms.saturating_sub(since.at_ms);
    since.server_since_us != now.server_since_us || !(-1_000..PLACE_LASTS_MS).contains(&age)
}

/// Drops some of the changes that are an hour old, by the server's clock: how many, and whether there may be more of
/// them.
///
/// A transaction that took an hour may lose what it has just committed: those who follow read everything once a
/// minute, whatever they were told.
pub(crate) async fn drop_old(connection: &mut PgConnection) -> Result<(u64, bool), Failure> {
    let dropped = sqlx::query(
        "DELETE FROM presence_changes WHERE seq IN (SELECT seq FROM presence_changes \
         WHERE at < now() - interval '1 hour' ORDER BY at LIMIT $1)",
    )
    .bind(DROPPED_AT_ONCE)
    .execute(connection)
    .await?
    .rows_affected();
    Ok((dropped, dropped >= DROPPED_AT_ONCE.unsigned_abs()))
}

#[cfg(test)]
mod tests;
