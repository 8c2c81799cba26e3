//! Changes of the directory: all of them or none.

mod apply;

use std::collections::BTreeMap;

use model::{DirectoryChange, UserId, Wall, limits};
use persistence::{
    Actor, InvalidReason, StoreError,
    audited::{self, Homes},
};
use serde_json::{Map, Value};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{audit, error::store_error};

/// Why one change was not made.
enum Refusal {
    Reason(InvalidReason),
    Store(StoreError),
}

impl From<InvalidReason> for Refusal {
    fn from(reason: InvalidReason) -> Self {
        Self::Reason(reason)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(store_error(error))
    }
}

impl Refusal {
    fn of_change(self, index: usize) -> StoreError {
        match self {
            Self::Reason(reason) => StoreError::Invalid { index, reason },
            Self::Store(error) => error,
        }
    }
}

/// A user who was removed: the audit calls them by the pseudonym up to this change, and by their id after it.
struct Removed {
    index: usize,
    pseudonym: Uuid,
}

/// Users who were removed so far.
type Removals = BTreeMap<UserId, Removed>;

/// Makes all changes and writes them down.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    changes: &[DirectoryChange],
    (at, actor): (Wall, Actor),
) -> Result<(), StoreError> {
    let (mut removed, before) = (Removals::new(), audit::last(connection).await?);
    let homes = audit::homes(connection, &audited::removed(changes)).await?;
    for (index, change) in changes.iter().enumerate() {
        let mut applying = apply::Applying { connection: &mut *connection, removed: &mut removed, at, index };
        applying.apply(change).await.map_err(|refusal| refusal.of_change(index))?;
    }
    if changes.is_empty() {
        return Ok(());
    }
    let said = Said { removed: &removed, homes: &homes, before };
    record(connection, changes, (at, actor), said).await
}

/// # Errors
/// [`StoreError::TooManyChanges`].
pub(crate) fn check_count(changes: &[DirectoryChange]) -> Result<(), StoreError> {
    let count = changes.len();
    if count > limits::DIRECTORY_CHANGES { Err(StoreError::TooManyChanges { count }) } else { Ok(()) }
}

/// What the audit says of changes beside them.
struct Said<'a> {
    removed: &'a Removals,
    homes: &'a Homes,
    /// The newest entry before them.
    before: i64,
}

/// One audit row for all changes, by the same actor as those of the holds that ended with them, which are the ones after
/// `before`.
async fn record(
    connection: &mut SqliteConnection,
    changes: &[DirectoryChange],
    (at, actor): (Wall, Actor),
    Said { removed, homes, before }: Said<'_>,
) -> Result<(), StoreError> {
    let pseudonyms: BTreeMap<String, &Removed> =
        removed.iter().map(|(user, removed)| (user.to_string(), removed)).collect();
    let entry =
        audited::directory_entry(changes, homes, |index, fields| forget_removed(index, fields, &pseudonyms))?;
    let actor = match actor {
        Actor::User(user) if removed.contains_key(&user) => format!("user:{}", removed[&user].pseudonym),
        actor => actor.to_string(),
    };
    audit::ended_by(connection, before, &actor).await?;
    audit::directory_changed(connection, at, &actor, entry).await
}

/// Up to their removal, the removed are called by their pseudonym.
fn forget_removed(index: usize, fields: &mut Map<String, Value>, pseudonyms: &BTreeMap<String, &Removed>) {
    for value in fields.values_mut() {
        let removed = value.as_str().and_then(|text| pseudonyms.get(text)).filter(|r| index <= r.index);
        if let Some(removed) = removed {
            *value = removed.pseudonym.hyphenated().to_string().into();
        }
    }
}
