//! Reads facts: of everybody, or of some.

use std::collections::{BTreeMap, BTreeSet};

use model::{AccountFacts, AccountId, OrganizationId, Settings, UserFacts, UserId, Wall, WeddingId};
use persistence::{
    DirectorySnapshot, StoreError,
    stored::{self, StoredSettings, read_word},
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::error::store_error;

/// Whose facts. Ids travel as a JSON array, so that one prepared statement serves any number of them.
enum Scope {
    All,
    Only(String),
}

/// `SELECT … FROM …` of all rows, or of those whose `$column` is in scope.
macro_rules! rows {
    ($connection:expr, $scope:expr, $select:literal, $column:literal) => {
        match $scope {
            Scope::All => sqlx::query_as($select).fetch_all(&mut *$connection).await,
            Scope::Only(ids) => {
                let some = concat!($select, " WHERE ", $column, " IN (SELECT value FROM json_each(?1))");
                sqlx::query_as(some).bind(ids.as_str()).fetch_all(&mut *$connection).await
            }
        }
        .map_err(store_error)
    };
}

/// The whole directory.
pub(crate) async fn snapshot(
    connection: &mut SqliteConnection,
    defaults: &Settings,
) -> Result<DirectorySnapshot, StoreError> {
    let users = read_users(connection, &Scope::All, defaults).await?;
    let accounts = read_accounts(connection, &Scope::All).await?;
    Ok(DirectorySnapshot { users: users.into_iter().collect(), accounts: accounts.into_iter().collect() })
}

/// The users of `ids` that exist.
pub(crate) async fn users(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<UserId>,
    defaults: &Settings,
) -> Result<BTreeMap<UserId, UserFacts>, StoreError> {
    read_users(connection, &Scope::Only(stored::write_json(ids)?), defaults).await
}

/// The accounts of `ids` that exist.
pub(crate) async fn accounts(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, AccountFacts>, StoreError> {
    read_accounts(connection, &Scope::Only(stored::write_json(ids)?)).await
}

/// A row of settings.
#[derive(sqlx::FromRow)]
pub(crate) struct SettingsRow {
    user_id: Hyphenated,
    visibility: String,
    show_activity: bool,
    show_current_page: bool,
    appear_offline: bool,
    custom_status: Option<String>,
    custom_status_emoji: Option<String>,
}

impl TryFrom<SettingsRow> for Settings {
    type Error = StoreError;

    fn try_from(row: SettingsRow) -> Result<Self, StoreError> {
        stored::settings(StoredSettings {
            visibility: read_word(row.visibility)?,
            show_activity: row.show_activity,
            show_current_page: row.show_current_page,
            appear_offline: row.appear_offline,
            custom_status: row.custom_status,
            custom_emoji: row.custom_status_emoji,
        })
    }
}

async fn read_users(
    connection: &mut SqliteConnection,
    scope: &Scope,
    defaults: &Settings,
) -> Result<BTreeMap<UserId, UserFacts>, StoreError> {
    let mut users = bare_users(connection, scope, defaults).await?;
    add_settings(connection, scope, &mut users).await?;
    add_last_seen(connection, scope, &mut users).await?;
    add_organizations(connection, scope, &mut users).await?;
    add_weddings(connection, scope, &mut users).await?;
    Ok(users)
}

type Users = BTreeMap<UserId, UserFacts>;

async fn bare_users(
    connection: &mut SqliteConnection,
    scope: &Scope,
    defaults: &Settings,
) -> Result<Users, StoreError> {
    let rows: Vec<(Hyphenated, String, bool)> =
        rows!(connection, scope, "SELECT id, display_name, disabled FROM users", "id")?;
    let facts = |display_name, disabled| UserFacts {
        display_name,
        disabled,
        organizations: BTreeMap::new(),
        weddings: BTreeSet::new(),
        settings: Some(defaults.clone()),
        last_seen: None,
    };
    Ok(rows.into_iter().map(|(id, name, disabled)| (UserId(id.into()), facts(name, disabled))).collect())
}

async fn add_settings(
    connection: &mut SqliteConnection,
    scope: &Scope,
    users: &mut Users,
) -> Result<(), StoreError> {
    let rows: Vec<SettingsRow> = rows!(
        connection,
        scope,
        "SELECT user_id, visibility, show_activity, show_current_page, appear_offline, custom_status, \
         custom_status_emoji FROM presence_settings",
        "user_id"
    )?;
    for row in rows {
        if let Some(facts) = users.get_mut(&UserId(row.user_id.into())) {
            facts.settings = Some(row.try_into()?);
        }
    }
    Ok(())
}

async fn add_last_seen(
    connection: &mut SqliteConnection,
    scope: &Scope,
    users: &mut Users,
) -> Result<(), StoreError> {
    let rows: Vec<(Hyphenated, i64)> =
        rows!(connection, scope, "SELECT user_id, last_seen_at FROM user_last_seen", "user_id")?;
    for (user, at) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            facts.last_seen = Some(Wall(at));
        }
    }
    Ok(())
}

async fn add_organizations(
    connection: &mut SqliteConnection,
    scope: &Scope,
    users: &mut Users,
) -> Result<(), StoreError> {
    let rows: Vec<(Hyphenated, Hyphenated, String)> =
        rows!(connection, scope, "SELECT user_id, organization_id, role FROM user_organizations", "user_id")?;
    for (user, organization, role) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            facts.organizations.insert(OrganizationId(organization.into()), read_word(role)?);
        }
    }
    Ok(())
}

/// Both sides of the collaborations rather than the view over them: each side has its index.
async fn add_weddings(
    connection: &mut SqliteConnection,
    scope: &Scope,
    users: &mut Users,
) -> Result<(), StoreError> {
    let mut rows: Vec<(Hyphenated, Hyphenated)> = rows!(
        connection,
        scope,
        "SELECT supplier_id, wedding_id FROM wedding_collaborations",
        "supplier_id"
    )?;
    let clients: Vec<(Hyphenated, Hyphenated)> =
        rows!(connection, scope, "SELECT client_id, wedding_id FROM wedding_collaborations", "client_id")?;
    rows.extend(clients);
    for (user, wedding) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            facts.weddings.insert(WeddingId(wedding.into()));
        }
    }
    Ok(())
}

async fn read_accounts(
    connection: &mut SqliteConnection,
    scope: &Scope,
) -> Result<BTreeMap<AccountId, AccountFacts>, StoreError> {
    let rows: Vec<(Hyphenated, Hyphenated, String)> =
        rows!(connection, scope, "SELECT id, organization_id, name FROM accounts", "id")?;
    let facts = |organization: Hyphenated, name| AccountFacts {
        organization: OrganizationId(organization.into()),
        name,
    };
    Ok(rows
        .into_iter()
        .map(|(id, organization, name)| (AccountId(id.into()), facts(organization, name)))
        .collect())
}
