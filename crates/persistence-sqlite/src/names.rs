//! Names out of the directory.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, UserId, WeddingId};
use persistence::{
    NamedOrganization, NamedPerson, NamedWedding, Names, Part, Place, Places, StoreError,
    stored::{corrupt, read_word},
};
use sqlx::{SqliteConnection, types::uuid::fmt::Hyphenated};

use crate::{SqliteStore, error::store_error};

const ORGANIZATIONS: &str = "SELECT organization_id, name, role, plan \
    FROM user_organizations JOIN organizations ON organizations.id = organization_id \
    WHERE user_id = ?1 ORDER BY organization_id LIMIT ?2";
/// Both sides of the collaborations rather than the view over them: each side has its index.
const WEDDINGS: &str = "SELECT wedding_id, name, max(supplies) \
    FROM (SELECT wedding_id, 1 AS supplies FROM wedding_collaborations WHERE supplier_id = ?1 \
          UNION ALL SELECT wedding_id, 0 FROM wedding_collaborations WHERE client_id = ?1) \
    JOIN weddings ON weddings.id = wedding_id \
    GROUP BY wedding_id, name ORDER BY wedding_id LIMIT ?2";
const MEMBERS: &str = "SELECT id, display_name, role FROM user_organizations JOIN users ON users.id = user_id \
    WHERE organization_id = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3";
/// What somebody supplies as a list in JSON.
const PARTICIPANTS: &str = "SELECT id, display_name, max(supplies), \
        json_group_array(supplier_type) FILTER (WHERE supplies) \
    FROM (SELECT supplier_id AS person, 1 AS supplies, supplier_type FROM wedding_collaborations \
              WHERE wedding_id = ?1 \
          UNION ALL SELECT client_id, 0, '' FROM wedding_collaborations WHERE wedding_id = ?1) \
    JOIN users ON users.id = person \
    WHERE person > ?2 GROUP BY id, display_name ORDER BY id LIMIT ?3";
const ACCOUNTS: &str = "SELECT id, name FROM accounts WHERE organization_id = ?1 ORDER BY id LIMIT ?2";

#[async_trait]
impl Names for SqliteStore {
    async fn places(&self, user: UserId, most: usize) -> Result<Option<Places>, StoreError> {
        self.read(move |connection| Box::pin(places(connection, user, limit(most)))).await
    }

    async fn people_in(
        &self,
        place: Place,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<NamedPerson>, StoreError> {
        let after = after.map_or_else(String::new, |user| user.to_string());
        let work = self.read(move |connection| {
            Box::pin(async move {
                match place {
                    Place::Organization(id) => members(connection, id, &after, limit(most)).await,
                    Place::Wedding(id) => participants(connection, id, &after, limit(most)).await,
                }
            })
        });
        work.await
    }

    async fn accounts_in(
        &self,
        organization: OrganizationId,
        most: usize,
    ) -> Result<Vec<(AccountId, String)>, StoreError> {
        self.read(move |connection| Box::pin(accounts(connection, organization, limit(most)))).await
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

async fn places(
    connection: &mut SqliteConnection,
    user: UserId,
    most: i64,
) -> Result<Option<Places>, StoreError> {
    let name = sqlx::query_scalar("SELECT display_name FROM users WHERE id = ?1").bind(user.0.hyphenated());
    let name: Option<String> = name.fetch_optional(&mut *connection).await.map_err(store_error)?;
    let Some(display_name) = name else { return Ok(None) };
    let organizations = organizations(connection, user, most).await?;
    let weddings = weddings(connection, user, most).await?;
    Ok(Some(Places { display_name, organizations, weddings }))
}

async fn organizations(
    connection: &mut SqliteConnection,
    user: UserId,
    most: i64,
) -> Result<Vec<NamedOrganization>, StoreError> {
    let rows = sqlx::query_as(ORGANIZATIONS).bind(user.0.hyphenated()).bind(most);
    let rows: Vec<(Hyphenated, String, String, String)> =
        rows.fetch_all(connection).await.map_err(store_error)?;
    let named = |(id, name, role, plan): (Hyphenated, _, _, _)| {
        let id = OrganizationId(id.into());
        Ok(NamedOrganization { id, name, role: read_word(role)?, plan: read_word(plan)? })
    };
    rows.into_iter().map(named).collect()
}

async fn weddings(
    connection: &mut SqliteConnection,
    user: UserId,
    most: i64,
) -> Result<Vec<NamedWedding>, StoreError> {
    let rows = sqlx::query_as(WEDDINGS).bind(user.0.hyphenated()).bind(most);
    let rows: Vec<(Hyphenated, String, bool)> = rows.fetch_all(connection).await.map_err(store_error)?;
    let named =
        |(id, name, supplies): (Hyphenated, _, _)| NamedWedding { id: WeddingId(id.into()), name, supplies };
    Ok(rows.into_iter().map(named).collect())
}

async fn members(
    connection: &mut SqliteConnection,
    organization: OrganizationId,
    after: &str,
    most: i64,
) -> Result<Vec<NamedPerson>, StoreError> {
    let rows = sqlx::query_as(MEMBERS).bind(organization.0.hyphenated()).bind(after).bind(most);
    let rows: Vec<(Hyphenated, String, String)> = rows.fetch_all(connection).await.map_err(store_error)?;
    let named = |(id, display_name, role): (Hyphenated, _, _)| {
        Ok(NamedPerson { id: UserId(id.into()), display_name, part: Part::Member(read_word(role)?) })
    };
    rows.into_iter().map(named).collect()
}

async fn participants(
    connection: &mut SqliteConnection,
    wedding: WeddingId,
    after: &str,
    most: i64,
) -> Result<Vec<NamedPerson>, StoreError> {
    let rows = sqlx::query_as(PARTICIPANTS).bind(wedding.0.hyphenated()).bind(after).bind(most);
    let rows: Vec<(Hyphenated, String, bool, String)> =
        rows.fetch_all(connection).await.map_err(store_error)?;
    let named = |(id, display_name, supplies, types): (Hyphenated, _, _, String)| {
        let types = serde_json::from_str(&types).map_err(corrupt)?;
        let part = Part::at_a_wedding(supplies, types);
        Ok(NamedPerson { id: UserId(id.into()), display_name, part })
    };
    rows.into_iter().map(named).collect()
}

async fn accounts(
    connection: &mut SqliteConnection,
    organization: OrganizationId,
    most: i64,
) -> Result<Vec<(AccountId, String)>, StoreError> {
    let rows = sqlx::query_as(ACCOUNTS).bind(organization.0.hyphenated()).bind(most);
    let rows: Vec<(Hyphenated, String)> = rows.fetch_all(connection).await.map_err(store_error)?;
    Ok(rows.into_iter().map(|(id, name)| (AccountId(id.into()), name)).collect())
}
