//! A spooled change as text.

use model::{SettingsPatch, UserId, Wall};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OperationId, SettingsChange};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    user: UserId,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_back_end: bool,
    operation: Uuid,
    at: i64,
    patch: SettingsPatch,
}

/// `None`: it has no name, without which it could not be told whether it was committed.
pub(super) fn write(change: &SettingsChange) -> Option<String> {
    let SettingsChange { user, by_back_end, patch, operation, at, .. } = change.clone();
    let entry = Entry { user, by_back_end, operation: operation?.0, at: at.0, patch };
    serde_json::to_string(&entry).ok()
}

/// `None`: no hub wrote it.
pub(super) fn read(text: &str) -> Option<SettingsChange> {
    let Entry { user, by_back_end, operation, at, patch } = serde_json::from_str(text).ok()?;
    let operation = Some(OperationId(operation));
    Some(SettingsChange { user, by_back_end, patch, operation, at: Wall(at), tightens: true, belated: true })
}
