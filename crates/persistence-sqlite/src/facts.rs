//! Reads facts: of some, or of the next ones in the order of their ids.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, AccountState, ClockOutReason, EndedHold, Occupancy, OrganizationId, Settings,
    UserFacts, UserId, Wall, WeddingId,
};
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

/// The facts of accounts and who holds them, sorted by id: one statement, and so one instant.
pub(crate) async fn accounts(
    connection: &mut SqliteConnection,
    pick: Pick<AccountId>,
) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
    let rows: Vec<AccountRow> = picked!(
        connection,
        pick,
        "SELECT id, accounts.organization_id, name, user_id, clocked_in_at, stale_since, account_presence.epoch, \
         account_epochs.epoch AS ended_epoch, ended_reason \
         FROM accounts LEFT JOIN account_presence ON account_presence.account_id = id \
             LEFT JOIN account_epochs ON account_epochs.account_id = id"
    )?;
    let accounts: BTreeMap<_, _> = rows
        .into_iter()
        .map(|row| Ok((AccountId(row.id.into()), row.try_into()?)))
        .collect::<Result<_, StoreError>>()?;
    Ok(accounts.into_iter().collect())
}

/// An account, the hold of it, and the last one of it.
#[derive(sqlx::FromRow)]
struct AccountRow {
    id: Hyphenated,
    organization_id: Hyphenated,
    name: String,
    user_id: Option<Hyphenated>,
    clocked_in_at: Option<i64>,
    stale_since: Option<i64>,
    epoch: Option<i64>,
    ended_epoch: Option<i64>,
    ended_reason: Option<String>,
}

impl AccountRow {
    fn occupancy(&self) -> Result<Option<Occupancy>, StoreError> {
        let (Some(user), Some(since), Some(epoch)) = (self.user_id, self.clocked_in_at, self.epoch) else {
            return Ok(None);
        };
        let stale_since = self.stale_since.map(Wall);
        Ok(Some(Occupancy {
            user: UserId(user.into()),
            since: Wall(since),
            stale_since,
            epoch: epoch_of(epoch)?,
        }))
    }

    fn ended(&self) -> Result<Option<EndedHold>, StoreError> {
        let (Some(epoch), Some(reason)) = (self.ended_epoch, &self.ended_reason) else { return Ok(None) };
        let unknown = || stored::corrupt(format!("{reason:?} is no reason why a hold ends"));
        let reason = ClockOutReason::from_name(reason).ok_or_else(unknown)?;
        Ok(Some(EndedHold { epoch: epoch_of(epoch)?, reason }))
    }
}

impl TryFrom<AccountRow> for AccountState {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let (occupancy, ended) = (row.occupancy()?, row.ended()?);
        let facts = AccountFacts { organization: OrganizationId(row.organization_id.into()), name: row.name };
        Ok(Self { facts, ended: ended.filter(|_| occupancy.is_none()), occupancy })
    }
}

/// An epoch from its column.
pub(crate) fn epoch_of(column: i64) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(stored::corrupt)
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
