//! Reads facts: of some, or of the next ones in the order of their ids.

use std::collections::{BTreeMap, BTreeSet};

use model::{AccountFacts, AccountId, OrganizationId, Settings, UserFacts, UserId, Wall, WeddingId};
use persistence::{
    Pick, StoreError,
    stored::{self, StoredSettings, read_word},
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::error::store_error;

/// `SELECT … FROM …` of the rows whose `$column` is in `$ids`: a JSON array, so that one prepared statement serves any
/// number of them.
macro_rules! rows_of {
    ($connection:expr, $ids:expr, $select:literal, $column:literal) => {
        sqlx::query_as(concat!($select, " WHERE ", $column, " IN (SELECT value FROM json_each(?1))"))
            .bind($ids)
            .fetch_all(&mut *$connection)
            .await
            .map_err(store_error)
    };
}

/// `SELECT … FROM …` of the rows picked by their `id`.
macro_rules! picked {
    ($connection:expr, $pick:expr, $select:literal) => {
        match $pick {
            Pick::Next(after, limit) => {
                sqlx::query_as(concat!($select, " WHERE id > ?1 ORDER BY id LIMIT ?2"))
                    .bind(after.map_or_else(String::new, |id| id.0.hyphenated().to_string()))
                    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                    .fetch_all(&mut *$connection)
                    .await
                    .map_err(store_error)
            }
            Pick::These(ids) => rows_of!($connection, stored::write_json(&ids)?, $select, "id"),
        }
    };
}

/// The facts of users, sorted by id.
pub(crate) async fn users(
    connection: &mut SqliteConnection,
    pick: Pick<UserId>,
    defaults: &Settings,
) -> Result<Vec<(UserId, UserFacts)>, StoreError> {
    let mut users = bare_users(connection, pick, defaults).await?;
    let ids = stored::write_json(&users.keys().collect::<Vec<_>>())?;
    add_settings(connection, &ids, &mut users).await?;
    add_last_seen(connection, &ids, &mut users).await?;
    add_organizations(connection, &ids, &mut users).await?;
    add_weddings(connection, &ids, &mut users).await?;
    Ok(users.into_iter().collect())
}

/// The facts of accounts, sorted by id.
pub(crate) async fn accounts(
    connection: &mut SqliteConnection,
    pick: Pick<AccountId>,
) -> Result<Vec<(AccountId, AccountFacts)>, StoreError> {
    let rows: Vec<(Hyphenated, Hyphenated, String)> =
        picked!(connection, pick, "SELECT id, organization_id, name FROM accounts")?;
    let facts = |organization: Hyphenated, name| AccountFacts {
        organization: OrganizationId(organization.into()),
        name,
    };
    let accounts: BTreeMap<_, _> = rows
        .into_iter()
        .map(|(id, organization, name)| (AccountId(id.into()), facts(organization, name)))
        .collect();
    Ok(accounts.into_iter().collect())
}

/// A row of settings.
#[derive(sqlx::FromRow)]
struct SettingsRow {
    user_id: Hyphenated,
    visibility: String,
    show_activity: bool,
    show_current_page: bool,
    appear_offline: bool,
    custom_status: Option<String>,
    custom_status_emoji: Option<String>,
    erased: bool,
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

type Users = BTreeMap<UserId, UserFacts>;

async fn bare_users(
    connection: &mut SqliteConnection,
    pick: Pick<UserId>,
    defaults: &Settings,
) -> Result<Users, StoreError> {
    let rows: Vec<(Hyphenated, String, bool)> =
        picked!(connection, pick, "SELECT id, display_name, disabled FROM users")?;
    let facts = |display_name, disabled| UserFacts {
        display_name,
        disabled,
        organizations: BTreeMap::new(),
        enterprise: BTreeSet::new(),
        erased: false,
        weddings: BTreeSet::new(),
        settings: Some(defaults.clone()),
        last_seen: None,
    };
    Ok(rows.into_iter().map(|(id, name, disabled)| (UserId(id.into()), facts(name, disabled))).collect())
}

async fn add_settings(
    connection: &mut SqliteConnection,
    ids: &str,
    users: &mut Users,
) -> Result<(), StoreError> {
    for (user, chosen) in chosen_settings(connection, ids).await? {
        if let Some(facts) = users.get_mut(&user) {
            facts.settings = Some(chosen.settings);
            facts.erased = chosen.erased;
        }
    }
    Ok(())
}

/// What a user chose.
pub(crate) struct Chosen {
    pub(crate) settings: Settings,
    /// Whether it was chosen for them when they were erased, and they have not chosen to be seen since.
    erased: bool,
}

impl TryFrom<SettingsRow> for Chosen {
    type Error = StoreError;

    fn try_from(row: SettingsRow) -> Result<Self, StoreError> {
        Ok(Self { erased: row.erased, settings: row.try_into()? })
    }
}

/// The settings of those of `ids`, a JSON array, who ever chose.
pub(crate) async fn chosen_settings(
    connection: &mut SqliteConnection,
    ids: &str,
) -> Result<Vec<(UserId, Chosen)>, StoreError> {
    let rows: Vec<SettingsRow> = rows_of!(
        connection,
        ids,
        "SELECT user_id, visibility, show_activity, show_current_page, appear_offline, custom_status, \
         custom_status_emoji, coalesce(erased_at, 0) = 9223372036854775807 AS erased FROM presence_settings",
        "user_id"
    )?;
    rows.into_iter().map(|row| Ok((UserId(row.user_id.into()), row.try_into()?))).collect()
}

async fn add_last_seen(
    connection: &mut SqliteConnection,
    ids: &str,
    users: &mut Users,
) -> Result<(), StoreError> {
    let rows: Vec<(Hyphenated, i64)> =
        rows_of!(connection, ids, "SELECT user_id, last_seen_at FROM user_last_seen", "user_id")?;
    for (user, at) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            facts.last_seen = Some(Wall(at));
        }
    }
    Ok(())
}

async fn add_organizations(
    connection: &mut SqliteConnection,
    ids: &str,
    users: &mut Users,
) -> Result<(), StoreError> {
    let rows: Vec<(Hyphenated, Hyphenated, String, bool)> = rows_of!(
        connection,
        ids,
        "SELECT user_id, organization_id, role, plan = 'enterprise' \
         FROM user_organizations JOIN organizations ON organizations.id = organization_id",
        "user_id"
    )?;
    for (user, organization, role, enterprise) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            let organization = OrganizationId(organization.into());
            facts.organizations.insert(organization, read_word(role)?);
            facts.enterprise.extend(enterprise.then_some(organization));
        }
    }
    Ok(())
}

/// Both sides of the collaborations rather than the view over them: each side has its index.
async fn add_weddings(
    connection: &mut SqliteConnection,
    ids: &str,
    users: &mut Users,
) -> Result<(), StoreError> {
    let mut rows: Vec<(Hyphenated, Hyphenated)> = rows_of!(
        connection,
        ids,
        "SELECT supplier_id, wedding_id FROM wedding_collaborations",
        "supplier_id"
    )?;
    let clients: Vec<(Hyphenated, Hyphenated)> =
        rows_of!(connection, ids, "SELECT client_id, wedding_id FROM wedding_collaborations", "client_id")?;
    rows.extend(clients);
    for (user, wedding) in rows {
        if let Some(facts) = users.get_mut(&UserId(user.into())) {
            facts.weddings.insert(WeddingId(wedding.into()));
        }
    }
    Ok(())
}
