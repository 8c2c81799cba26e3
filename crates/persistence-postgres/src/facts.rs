//! Reads facts: of a page of everybody, or of some. One statement, and so one instant.

mod accounts;
mod statements;

use chrono::{DateTime, Utc};
use model::{OrganizationId, Settings, UserFacts, UserId, Visibility, Wall, WeddingId};
use persistence::{
    Pick, StoreError,
    stored::{self, StoredSettings, read_word},
};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::error::Failure;
pub(crate) use accounts::{accounts, epoch};
pub(crate) use statements::{Indexed, Statements};

/// The columns of a settings row, which are all there or all not.
#[derive(sqlx::FromRow)]
pub(crate) struct SettingsRow {
    visibility: Option<String>,
    show_activity: Option<bool>,
    show_current_page: Option<bool>,
    appear_offline: Option<bool>,
    custom_status: Option<String>,
    custom_status_emoji: Option<String>,
}

impl SettingsRow {
    /// The settings; `None` where there is no row.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where no hub wrote them.
    pub(crate) fn settings(self) -> Result<Option<Settings>, StoreError> {
        let Some(visibility) = self.visibility else { return Ok(None) };
        let missing = || stored::corrupt("a row of settings lacks a value");
        let settings = stored::settings(StoredSettings {
            visibility: read_word(visibility)?,
            show_activity: self.show_activity.ok_or_else(missing)?,
            show_current_page: self.show_current_page.ok_or_else(missing)?,
            appear_offline: self.appear_offline.ok_or_else(missing)?,
            custom_status: self.custom_status,
            custom_emoji: self.custom_status_emoji,
        })?;
        Ok(Some(settings))
    }
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: Uuid,
    display_name: String,
    disabled: bool,
    #[sqlx(flatten)]
    settings: SettingsRow,
    seen_at: Option<DateTime<Utc>>,
    organizations: Vec<Uuid>,
    roles: Vec<String>,
    enterprise: Vec<Uuid>,
    erased: bool,
    weddings: Vec<Uuid>,
}

/// The facts of users, sorted by id.
pub(crate) async fn users(
    connection: &mut PgConnection,
    pick: &Pick<UserId>,
    statements: &Statements,
    defaults: &Settings,
) -> Result<Vec<(UserId, UserFacts)>, Failure> {
    let rows: Vec<UserRow> = match pick {
        Pick::Next(after, count) => {
            let Some(first) = first_after(after.map(|user| user.0)) else { return Ok(Vec::new()) };
            // Planned for this page: a plan for pages of any size reads whole tables.
            let page = sqlx::query_as(AssertSqlSafe(statements.page.clone())).persistent(false);
            page.bind(first).bind(limit(*count)).fetch_all(connection).await?
        }
        Pick::These(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|user| user.0).collect();
            let some = sqlx::query_as(AssertSqlSafe(statements.some.clone()));
            some.bind(ids).fetch_all(connection).await?
        }
    };
    Ok(rows.into_iter().map(|row| user(row, defaults)).collect::<Result<_, StoreError>>()?)
}

fn user(row: UserRow, defaults: &Settings) -> Result<(UserId, UserFacts), StoreError> {
    let id = UserId(row.id);
    let roles = row.roles.into_iter().map(read_word).collect::<Result<Vec<_>, _>>()?;
    let facts = UserFacts {
        display_name: row.display_name,
        disabled: row.disabled,
        organizations: row.organizations.into_iter().map(OrganizationId).zip(roles).collect(),
        enterprise: row.enterprise.into_iter().map(OrganizationId).collect(),
        erased: row.erased,
        weddings: row.weddings.into_iter().map(WeddingId).collect(),
        settings: Some(shown(id, row.settings, defaults)),
        last_seen: row.seen_at.map(|at| Wall(at.timestamp_millis())),
    };
    Ok((id, facts))
}

/// Settings that cannot be read hide their user, and nobody else.
fn shown(user: UserId, row: SettingsRow, defaults: &Settings) -> Settings {
    match row.settings() {
        Ok(settings) => settings.unwrap_or_else(|| defaults.clone()),
        Err(error) => {
            tracing::error!(%user, %error, "these settings cannot be read; the user is hidden");
            unreadable()
        }
    }
}

/// What holds where the settings cannot be read. `None` would leave in force what was known before.
pub(crate) fn unreadable() -> Settings {
    Settings { visibility: Visibility::Nobody, ..Settings::default() }
}

/// The first id there could be after `after`; `None` after the last one.
pub(crate) fn first_after(after: Option<Uuid>) -> Option<Uuid> {
    match after {
        None => Some(Uuid::nil()),
        Some(after) => after.as_u128().checked_add(1).map(Uuid::from_u128),
    }
}

pub(crate) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A time of the database, to the millisecond.
pub(crate) fn wall(at: DateTime<Utc>) -> Wall {
    Wall(at.timestamp_millis())
}

/// A time as the database holds it.
pub(crate) fn timestamp(at: Wall) -> DateTime<Utc> {
    let farthest = if at.0 < 0 { DateTime::UNIX_EPOCH } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_millis(at.0).unwrap_or(farthest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_place_in_the_pages() {
        assert_eq!(first_after(None), Some(Uuid::nil()));
        assert_eq!(first_after(Some(Uuid::nil())), Some(Uuid::from_u128(1)));
        assert_eq!(first_after(Some(Uuid::max())), None);
    }

    #[test]
    fn times_are_whole_milliseconds() {
        assert_eq!(timestamp(Wall(1_700_000_000_123)).timestamp_millis(), 1_700_000_000_123);
        assert_eq!(timestamp(Wall(i64::MAX)), DateTime::<Utc>::MAX_UTC);
        assert_eq!(timestamp(Wall(i64::MIN)), DateTime::UNIX_EPOCH);
    }
}
