//! Which rows of a batch may be written: of people and organizations that are there, noted since they are, and of a
//! time that has a place.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::{OrganizationId, UserId, Wall};
use persistence::{StoreError, WEEK_MS, Week, stored::write_json};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{clock, error::store_error, weeks};

/// How far ahead the log has a place, beyond the week that it is: as far as a store that has to make room for it.
const WEEKS_AHEAD: i64 = 4;

/// What admission asks of a row.
pub(crate) trait Candidate {
    /// Whose row.
    fn user(&self) -> UserId;
    /// In whose log; `None`: in nobody's.
    fn organization(&self) -> Option<OrganizationId>;
    /// When it was noted.
    fn at(&self) -> Wall;
    /// The last instant that it tells of.
    fn until(&self) -> Wall {
        self.at()
    }
}

/// Since when what is noted of a user may be written.
struct Since {
    created: i64,
    erased: Option<i64>,
}

/// The rules for one batch.
pub(crate) struct Admission {
    users: HashMap<UserId, Since>,
    organizations: HashSet<OrganizationId>,
    aside: BTreeSet<Week>,
    /// The first instant that is too far ahead.
    horizon: Wall,
}

impl Admission {
    /// Reads what is to be known of the rows.
    pub(crate) async fn of(
        connection: &mut SqliteConnection,
        rows: &[impl Candidate],
    ) -> Result<Self, StoreError> {
        let now = clock::now(connection).await?;
        Ok(Self {
            users: users(connection, &ids_of(rows.iter().map(Candidate::user))?).await?,
            organizations: organizations(connection, rows).await?,
            aside: weeks::aside(connection).await?,
            horizon: Wall(Week::of(now).end().0.saturating_add(WEEKS_AHEAD * WEEK_MS)),
        })
    }

    /// Whether it may be written now.
    pub(crate) fn admits(&self, row: &impl Candidate) -> bool {
        self.admits_restored(row) && row.until() < self.horizon && !self.aside.contains(&Week::of(row.at()))
    }

    /// Whether whom it tells of is still there, and was when it was noted.
    pub(crate) fn admits_restored(&self, row: &impl Candidate) -> bool {
        let noted_since = |since: &Since| {
            row.at().0 >= since.created && since.erased.is_none_or(|erased| row.at().0 > erased)
        };
        self.users.get(&row.user()).is_some_and(noted_since)
            && row.organization().is_none_or(|id| self.organizations.contains(&id))
    }
}

/// Ids as a JSON array, each once.
fn ids_of<Id: Ord + serde::Serialize>(ids: impl Iterator<Item = Id>) -> Result<String, StoreError> {
    write_json(&ids.collect::<BTreeSet<_>>())
}

async fn users(connection: &mut SqliteConnection, ids: &str) -> Result<HashMap<UserId, Since>, StoreError> {
    let rows: Vec<(Hyphenated, i64, Option<i64>)> = sqlx::query_as(
        "SELECT users.id, created_at, erased_at FROM json_each(?1) AS wanted \
         JOIN users ON users.id = wanted.value LEFT JOIN presence_settings ON user_id = users.id",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    Ok(rows.into_iter().map(|(id, created, erased)| (UserId(id.into()), Since { created, erased })).collect())
}

async fn organizations(
    connection: &mut SqliteConnection,
    rows: &[impl Candidate],
) -> Result<HashSet<OrganizationId>, StoreError> {
    let ids = ids_of(rows.iter().filter_map(Candidate::organization))?;
    let found: Vec<Hyphenated> = sqlx::query_scalar(
        "SELECT organizations.id FROM json_each(?1) AS wanted \
         JOIN organizations ON organizations.id = wanted.value",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    Ok(found.into_iter().map(|id| OrganizationId(id.into())).collect())
}
