//! Changes of the directory: all of them or none, once.

mod apply;

use std::time::Duration;

use model::{DirectoryChange, Wall, limits};
use persistence::{Actor, InvalidReason, StoreError, audited};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    audit,
    database::{take_patience, take_time},
    error::Failure,
    facts::timestamp,
};

/// What one change may take, beside what every unit of work has: one statement, with the network.
const TIME_OF_A_CHANGE: Duration = Duration::from_millis(2);
/// What changes may take that remove people or organizations, with all that is kept about them: a million rows.
const TIME_OF_REMOVALS: Duration = Duration::from_secs(60);
/// How long those wait for batches and totals that are under way.
const PATIENCE_OF_REMOVALS: Duration = Duration::from_secs(5);

/// Changes under a name that makes them happen once.
pub(crate) struct Request {
    changes: Vec<DirectoryChange>,
    at: Wall,
    actor: Actor,
    operation: Uuid,
}

impl Request {
    /// # Errors
    /// [`StoreError::TooManyChanges`].
    pub(crate) fn new(changes: Vec<DirectoryChange>, at: Wall, actor: Actor) -> Result<Self, StoreError> {
        let count = changes.len();
        if count > limits::DIRECTORY_CHANGES {
            return Err(StoreError::TooManyChanges { count });
        }
        Ok(Self { changes, at, actor, operation: Uuid::new_v4() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What all changes may take together.
    pub(crate) fn time(&self) -> Duration {
        let of_all = TIME_OF_A_CHANGE.saturating_mul(u32::try_from(self.changes.len()).unwrap_or(u32::MAX));
        if self.removes() { of_all + TIME_OF_REMOVALS } else { of_all }
    }

    fn removes(&self) -> bool {
        let removes = |change: &_| {
            matches!(change, DirectoryChange::RemoveUser { .. } | DirectoryChange::RemoveOrganization { .. })
        };
        self.changes.iter().any(removes)
    }
}

/// Why one change was not made.
enum Refusal {
    Reason(InvalidReason),
    Failure(Failure),
}

impl From<InvalidReason> for Refusal {
    fn from(reason: InvalidReason) -> Self {
        Self::Reason(reason)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Failure(error.into())
    }
}

impl Refusal {
    fn of_change(self, index: usize) -> Failure {
        match self {
            Self::Reason(reason) => StoreError::Invalid { index, reason }.into(),
            Self::Failure(failure) => failure,
        }
    }
}

/// Makes all changes, or finds that they were made before.
///
/// The audit comes first: whoever is removed by one of the changes is forgotten there, too.
pub(crate) async fn change(connection: &mut PgConnection, request: &Request) -> Result<(), Failure> {
    let Request { changes, at, actor, operation } = request;
    let (at, actor) = (timestamp(*at), actor.to_string());
    if request.removes() {
        take_time(connection, TIME_OF_REMOVALS).await?;
        take_patience(connection, PATIENCE_OF_REMOVALS).await?;
    }
    let homes = audit::homes(connection, &audited::removed(changes)).await?;
    let entry = audited::directory_entry(changes, &homes, |_, fields| without_nul(fields))?;
    if !audit::directory_changed(connection, at, &actor, *operation, &entry).await? {
        return Ok(());
    }
    for (index, change) in changes.iter().enumerate() {
        apply::apply(connection, change, at).await.map_err(|refusal| refusal.of_change(index))?;
    }
    Ok(())
}

/// The one character that Postgres has no place for.
fn without_nul(fields: &mut Map<String, Value>) {
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            text.retain(|letter| letter != '\0');
        }
    }
}
