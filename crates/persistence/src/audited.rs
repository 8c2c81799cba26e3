//! What the audit says of changes of the directory, the same in every store: ids and roles, but no names, which would
//! have to be found again on an erasure.

use std::collections::BTreeMap;

use model::{DirectoryChange, OrganizationId, Wall, limits};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{StoreError, stored};

/// An entry, as the owners and admins of an organization may read it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Wall,
    /// `occupancy`, `access_code` or `directory`.
    pub kind: String,
    /// Who: a word, or [`crate::Actor`] as text.
    pub actor: String,
    /// What it came to: an object with its `event`; of the directory a list of changes, of which
    /// [`concerning`] are the ones that may be told.
    pub after: Value,
}

/// Where somebody or something belongs that is removed, by its id. Afterwards nobody could tell.
pub type Homes = BTreeMap<Uuid, Vec<OrganizationId>>;

/// The accounts and users that the listed `changes` remove.
#[must_use]
pub fn removed(changes: &[DirectoryChange]) -> Vec<Uuid> {
    if changes.len() > limits::AUDIT_LISTED_CHANGES {
        return Vec::new();
    }
    changes.iter().filter_map(removed_by).collect()
}

fn removed_by(change: &DirectoryChange) -> Option<Uuid> {
    match change {
        DirectoryChange::RemoveAccount { id } => Some(id.0),
        DirectoryChange::RemoveUser { id } => Some(id.0),
        _ => None,
    }
}

/// Those changes of an entry that are an organization's business: of itself, its members and its accounts.
#[must_use]
pub fn concerning(entry: &Value, organization: OrganizationId) -> Vec<Map<String, Value>> {
    let (changes, name) = (entry.as_array().into_iter().flatten(), organization.to_string());
    let concerns = |change: &&Map<String, Value>| {
        let listed = change.get(ORGANIZATIONS).and_then(Value::as_array).into_iter().flatten();
        [change.get("organization"), change.get("id")]
            .into_iter()
            .flatten()
            .chain(listed)
            .any(|id| *id == *name)
    };
    let told = changes.filter_map(Value::as_object).filter(concerns).cloned();
    told.map(without_others).collect()
}

/// Of a person who was in several organizations none learns of the others.
fn without_others(mut change: Map<String, Value>) -> Map<String, Value> {
    change.remove(ORGANIZATIONS);
    change
}

const ORGANIZATIONS: &str = "organizations";

/// The entry of one transaction of `changes`; of those that remove what has a home, with it. `mend` is shown each listed change, with its place, and may replace what
/// the store does not keep.
///
/// More than [`limits::AUDIT_LISTED_CHANGES`], as of an import, are only counted: rewriting a row of megabytes for each
/// user who goes would hold up all writes.
///
/// # Errors
/// [`StoreError::Corrupt`], which no change causes.
pub fn directory_entry(
    changes: &[DirectoryChange],
    homes: &Homes,
    mut mend: impl FnMut(usize, &mut Map<String, Value>),
) -> Result<String, StoreError> {
    if changes.len() > limits::AUDIT_LISTED_CHANGES {
        return counts(changes);
    }
    let listed = changes.iter().enumerate().map(|(index, change)| {
        let mut entry = fields(change)?;
        if let Some(organizations) = removed_by(change).and_then(|id| homes.get(&id)) {
            entry.insert(ORGANIZATIONS.into(), serde_json::to_value(organizations).map_err(stored::corrupt)?);
        }
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
        let listed = directory_entry(&changes[1..], &Homes::new(), |place, _| places.push(place)).unwrap();
        assert!(listed.contains(&Uuid::from_u128(1).to_string()) && !listed.contains("Ada"), "{listed}");
        assert_eq!(places, (0..limits::AUDIT_LISTED_CHANGES).collect::<Vec<_>>());
        let counted = directory_entry(&changes, &Homes::new(), |_, _| unreachable!("not listed")).unwrap();
        assert_eq!(counted, format!("{{\"putUser\":{}}}", changes.len()));
        assert_eq!((removed(&changes), removed(&[remove(1)])), (vec![], vec![Uuid::from_u128(1)]));
    }

    fn remove(n: u128) -> DirectoryChange {
        DirectoryChange::RemoveUser { id: UserId(Uuid::from_u128(n)) }
    }

    #[test]
    fn an_organization_is_told_what_concerns_it_and_nothing_of_others() {
        let [one, two] = [1, 2].map(|n| OrganizationId(Uuid::from_u128(0xf00 + n)));
        let member = |organization| DirectoryChange::PutMember {
            organization,
            user: UserId(Uuid::from_u128(1)),
            role: model::Role::Member,
        };
        let changes = [member(one), member(two), put(3), remove(1), remove(4)];
        let homes = Homes::from([(Uuid::from_u128(1), vec![one, two]), (Uuid::from_u128(4), vec![two])]);
        let entry: Value =
            serde_json::from_str(&directory_entry(&changes, &homes, |_, _| {}).unwrap()).unwrap();
        let told = concerning(&entry, one);
        let names: Vec<_> = told.iter().map(|change| change["change"].as_str().unwrap()).collect();
        assert_eq!(names, ["putMember", "removeUser"]);
        assert!(!serde_json::to_string(&told).unwrap().contains(&two.to_string()), "{told:?}");
        assert_eq!(concerning(&entry, two).len(), 3);
        assert!(concerning(&serde_json::json!({ "putUser": 5 }), one).is_empty());
    }
}
