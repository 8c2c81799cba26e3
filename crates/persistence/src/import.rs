//! A directory as one JSON document, turned into changes. Putting only: what the document does not name stays.
//!
//! ```json
//! { "users": [{ "id": "…", "displayName": "Ada" }],
//!   "organizations": [{ "id": "…", "name": "Agency", "plan": "enterprise",
//!     "members": [{ "user": "…", "role": "owner" }], "accounts": [{ "id": "…", "name": "Inbox" }] }],
//!   "weddings": [{ "id": "…", "name": "June",
//!     "collaborations": [{ "supplier": "…", "client": "…", "supplierType": "florist" }] }] }
//! ```

mod unique;

use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role, SupplierType, UserId, WeddingId};
use serde::{
    Deserialize,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

use unique::Unique;

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Syntax(#[source] serde_json::Error),
    /// It is JSON of another shape.
    #[error("{place}: {reason}")]
    Shape {
        /// Where, such as `organizations[0].members[2]`.
        place: String,
        /// What is wrong there.
        #[source]
        reason: serde_json::Error,
    },
}

/// A document to import: people, organizations and weddings, each with what belongs to it.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DirectoryDocument))]
#[serde(deny_unknown_fields)]
pub struct Document {
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<User>))]
    users: Vec<Value>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Organization>))]
    organizations: Vec<Value>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Wedding>))]
    weddings: Vec<Value>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedUser))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct User {
    id: UserId,
    #[cfg_attr(feature = "openapi", schema(schema_with = model::openapi::name))]
    display_name: String,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedOrganization))]
#[serde(deny_unknown_fields)]
struct Organization {
    id: OrganizationId,
    #[cfg_attr(feature = "openapi", schema(schema_with = model::openapi::name))]
    name: String,
    #[serde(default)]
    plan: Plan,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Member>))]
    members: Vec<Value>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Account>))]
    accounts: Vec<Value>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedMember))]
#[serde(deny_unknown_fields)]
struct Member {
    user: UserId,
    role: Role,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedAccount))]
#[serde(deny_unknown_fields)]
struct Account {
    id: AccountId,
    #[cfg_attr(feature = "openapi", schema(schema_with = model::openapi::name))]
    name: String,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedWedding))]
#[serde(deny_unknown_fields)]
struct Wedding {
    id: WeddingId,
    #[cfg_attr(feature = "openapi", schema(schema_with = model::openapi::name))]
    name: String,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Collaboration>))]
    collaborations: Vec<Value>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportedCollaboration))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Collaboration {
    supplier: UserId,
    client: UserId,
    #[cfg_attr(feature = "openapi", schema(schema_with = model::openapi::name))]
    supplier_type: SupplierType,
}

/// The changes that put all that the document names, in an order in which each finds what it refers to.
///
/// # Errors
/// [`ImportError`] names the place.
pub fn parse(document: &str) -> Result<Vec<DirectoryChange>, ImportError> {
    let Unique(document) = serde_json::from_str(document).map_err(ImportError::Syntax)?;
    let document: Document = shaped(document, || "the document".to_owned())?;
    let mut changes = Vec::new();
    for (place, user) in placed(document.users, "users") {
        let User { id, display_name, disabled } = shaped(user, || place)?;
        changes.push(DirectoryChange::PutUser { id, display_name, disabled });
    }
    for (place, organization) in placed(document.organizations, "organizations") {
        put_organization(&place, organization, &mut changes)?;
    }
    for (place, wedding) in placed(document.weddings, "weddings") {
        put_wedding(&place, wedding, &mut changes)?;
    }
    Ok(changes)
}

fn put_organization(
    place: &str,
    value: Value,
    changes: &mut Vec<DirectoryChange>,
) -> Result<(), ImportError> {
    let Organization { id: organization, name, plan, members, accounts } =
        shaped(value, || place.to_owned())?;
    changes.push(DirectoryChange::PutOrganization { id: organization, name, plan });
    for (place, member) in placed(members, &format!("{place}.members")) {
        let Member { user, role } = shaped(member, || place)?;
        changes.push(DirectoryChange::PutMember { organization, user, role });
    }
    for (place, account) in placed(accounts, &format!("{place}.accounts")) {
        let Account { id, name } = shaped(account, || place)?;
        changes.push(DirectoryChange::PutAccount { id, organization, name });
    }
    Ok(())
}

fn put_wedding(place: &str, value: Value, changes: &mut Vec<DirectoryChange>) -> Result<(), ImportError> {
    let Wedding { id: wedding, name, collaborations } = shaped(value, || place.to_owned())?;
    changes.push(DirectoryChange::PutWedding { id: wedding, name });
    for (place, collaboration) in placed(collaborations, &format!("{place}.collaborations")) {
        let Collaboration { supplier, client, supplier_type } = shaped(collaboration, || place)?;
        changes.push(DirectoryChange::PutCollaboration { wedding, supplier, client, supplier_type });
    }
    Ok(())
}

fn placed(values: Vec<Value>, list: &str) -> impl Iterator<Item = (String, Value)> {
    values.into_iter().enumerate().map(move |(index, value)| (format!("{list}[{index}]"), value))
}

/// An object of which no field is one: left to itself, a derived decoder takes a list of the values for an object too (an empty
/// list where all have defaults), and `{"owner":null}` for the word `owner`.
fn shaped<T: DeserializeOwned>(value: Value, place: impl FnOnce() -> String) -> Result<T, ImportError> {
    let shaped = serde_json::from_value::<Map<String, Value>>(value).and_then(|object| {
        let nested = object.iter().find(|(_, value)| value.is_object()).map(|(field, _)| field.clone());
        let shaped = serde_json::from_value(Value::Object(object))?;
        match nested {
            Some(field) => Err(serde_json::Error::custom(format_args!("the field `{field}` is no object"))),
            None => Ok(shaped),
        }
    });
    shaped.map_err(|reason| ImportError::Shape { place: place(), reason })
}

/// Where in the document a change made by [`parse`] comes from, such as `organizations[0].members[2]`.
///
/// For the message of a change that the store refused. `None` where the document has no such change.
#[must_use]
pub fn place(changes: &[DirectoryChange], index: usize) -> Option<String> {
    use DirectoryChange::{PutAccount, PutCollaboration, PutMember, PutOrganization, PutUser, PutWedding};
    let before = changes.get(..index)?;
    let count = |is: fn(&DirectoryChange) -> bool| before.iter().filter(|change| is(change)).count();
    let since = |top: fn(&DirectoryChange) -> bool, is: fn(&DirectoryChange) -> bool| {
        before.iter().rev().take_while(|change| !top(change)).filter(|change| is(change)).count()
    };
    let organization: fn(&DirectoryChange) -> bool = |change| matches!(change, PutOrganization { .. });
    let wedding: fn(&DirectoryChange) -> bool = |change| matches!(change, PutWedding { .. });
    let within = |list: &str, top, is| {
        let inner = since(top, is);
        count(top)
            .checked_sub(1)
            .map(|outer| list.replacen("[]", &format!("[{outer}]"), 1) + &format!("[{inner}]"))
    };
    match changes.get(index)? {
        PutUser { .. } => Some(format!("users[{index}]")),
        PutOrganization { .. } => Some(format!("organizations[{}]", count(organization))),
        PutWedding { .. } => Some(format!("weddings[{}]", count(wedding))),
        PutMember { .. } => {
            within("organizations[].members", organization, |c| matches!(c, PutMember { .. }))
        }
        PutAccount { .. } => {
            within("organizations[].accounts", organization, |c| matches!(c, PutAccount { .. }))
        }
        PutCollaboration { .. } => {
            within("weddings[].collaborations", wedding, |c| matches!(c, PutCollaboration { .. }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
