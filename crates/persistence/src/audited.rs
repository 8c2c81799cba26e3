//! What the audit says of changes of the directory, the same in every store: ids and roles, but no names, which would
//! have to be found again on an erasure.

use std::collections::BTreeMap;

use model::{DirectoryChange, limits};
use serde_json::{Map, Value};

use crate::{StoreError, stored};

/// The entry of one transaction of `changes`. `mend` is shown each listed change, with its place, and may replace what
/// the store does not keep.
///
/// More than [`limits::AUDIT_LISTED_CHANGES`], as of an import, are only counted: rewriting a row of megabytes for each
/// user who goes would hold up all writes.
///
/// # Errors
/// [`StoreError::Corrupt`], which no change causes.
pub fn directory_entry(
    changes: &[DirectoryChange],
    mut mend: impl FnMut(usize, &mut Map<String, Value>),
) -> Result<String, StoreError> {
    if changes.len() > limits::AUDIT_LISTED_CHANGES {
        return counts(changes);
    }
    let listed = changes.iter().enumerate().map(|(index, change)| {
        let mut entry = fields(change)?;
        mend(index, &mut entry);
        Ok(entry)
    });
    stored::write_json(&listed.collect::<Result<Vec<_>, StoreError>>()?)
}

fn fields(change: &DirectoryChange) -> Result<Map<String, Value>, StoreError> {
    let mut fields = match serde_json::to_value(change).map_err(stored::corrupt)? {
        Value::Object(fields) => fields,
        other => return Err(stored::corrupt(format!("{other} is no change"))),
    };
    fields.retain(|name, _| !matches!(name.as_str(), "displayName" | "name"));
    Ok(fields)
}

fn counts(changes: &[DirectoryChange]) -> Result<String, StoreError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        let kind = fields(change)?.get("change").and_then(Value::as_str).unwrap_or_default().to_owned();
        *counts.entry(kind).or_default() += 1;
    }
    stored::write_json(&counts)
}

#[cfg(test)]
mod tests {
    use model::UserId;
    use uuid::Uuid;

    use super::*;

    fn put(n: u128) -> DirectoryChange {
        DirectoryChange::PutUser {
            id: UserId(Uuid::from_u128(n)),
            display_name: "Ada".into(),
            disabled: false,
        }
    }

    #[test]
    fn few_are_listed_without_names_and_many_are_counted() {
        let changes: Vec<_> = (0..=limits::AUDIT_LISTED_CHANGES as u128).map(put).collect();
        let mut places = Vec::new();
        let listed = directory_entry(&changes[1..], |place, _| places.push(place)).unwrap();
        assert!(listed.contains(&Uuid::from_u128(1).to_string()) && !listed.contains("Ada"), "{listed}");
        assert_eq!(places, (0..limits::AUDIT_LISTED_CHANGES).collect::<Vec<_>>());
        let counted = directory_entry(&changes, |_, _| unreachable!("not listed")).unwrap();
        assert_eq!(counted, format!("{{\"putUser\":{}}}", changes.len()));
    }
}
