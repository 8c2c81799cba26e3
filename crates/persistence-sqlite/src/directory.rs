//! Changes of the directory: all of them or none.

mod apply;

use std::collections::BTreeMap;

use model::{DirectoryChange, UserId, Wall, limits};
use persistence::{Actor, InvalidReason, StoreError, stored};
use serde_json::Value;
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
    let mut removed = Removals::new();
    for (index, change) in changes.iter().enumerate() {
        let mut applying = apply::Applying { connection: &mut *connection, removed: &mut removed, at, index };
        applying.apply(change).await.map_err(|refusal| refusal.of_change(index))?;
    }
    if changes.is_empty() {
        return Ok(());
    }
    record(connection, changes, (at, actor), &removed).await
}

/// # Errors
/// [`StoreError::TooManyChanges`].
pub(crate) fn check_count(changes: &[DirectoryChange]) -> Result<(), StoreError> {
    let count = changes.len();
    if count > limits::DIRECTORY_CHANGES { Err(StoreError::TooManyChanges { count }) } else { Ok(()) }
}

/// One audit row for all changes: ids and roles, but no names, which would have to be found again on an erasure.
/// Of an import there are counts alone: rewriting a row of megabytes for each user who goes would hold up all writes.
async fn record(
    connection: &mut SqliteConnection,
    changes: &[DirectoryChange],
    (at, actor): (Wall, Actor),
    removed: &Removals,
) -> Result<(), StoreError> {
    let listed = changes.len() <= limits::AUDIT_LISTED_CHANGES;
    let changes = if listed { list(changes, removed)? } else { counts(changes)? };
    let actor = match actor {
        Actor::User(user) if removed.contains_key(&user) => format!("user:{}", removed[&user].pseudonym),
        actor => actor.to_string(),
    };
    audit::directory_changed(connection, at, &actor, changes).await
}

fn list(changes: &[DirectoryChange], removed: &Removals) -> Result<String, StoreError> {
    let pseudonyms: BTreeMap<String, &Removed> =
        removed.iter().map(|(user, removed)| (user.to_string(), removed)).collect();
    let entries = changes.iter().enumerate().map(|(index, change)| entry(index, change, &pseudonyms));
    let entries: Vec<Value> = entries.collect::<Result<_, _>>()?;
    stored::write_json(&entries)
}

fn counts(changes: &[DirectoryChange]) -> Result<String, StoreError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        let entry = serde_json::to_value(change).map_err(stored::corrupt)?;
        let kind = entry.get("change").and_then(Value::as_str).unwrap_or_default();
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    stored::write_json(&counts)
}

fn entry(
    index: usize,
    change: &DirectoryChange,
    pseudonyms: &BTreeMap<String, &Removed>,
) -> Result<Value, StoreError> {
    let mut entry = serde_json::to_value(change).map_err(stored::corrupt)?;
    let Value::Object(fields) = &mut entry else { return Ok(entry) };
    fields.retain(|name, _| !matches!(name.as_str(), "displayName" | "name"));
    for value in fields.values_mut() {
        let removed = value.as_str().and_then(|text| pseudonyms.get(text)).filter(|r| index <= r.index);
        if let Some(removed) = removed {
            *value = removed.pseudonym.hyphenated().to_string().into();
        }
    }
    Ok(entry)
}
