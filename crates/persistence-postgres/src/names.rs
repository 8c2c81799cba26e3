//! Names out of the directory. Tables that the platform made may be looser than ours: a role that is no administrator's
//! is a member's, what has no name is called nothing, and a row without a person or a place names nobody.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, Plan, Role, SupplierType, UserId, WeddingId};
use persistence::{NamedOrganization, NamedPerson, NamedWedding, Names, Part, Place, Places, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::Failure,
    facts::{first_after, limit},
};

/// The highest of somebody's roles, as a number.
macro_rules! rank {
    () => {
        "max(CASE role::text WHEN 'owner' THEN 2 WHEN 'admin' THEN 1 ELSE 0 END)"
    };
}

const ORGANIZATIONS: &str = concat!(
    "SELECT o.id, coalesce(o.name::text, ''), m.rank, coalesce(o.plan::text, '') = 'enterprise' FROM \
     (SELECT organization_id, ",
    rank!(),
    " AS rank FROM user_organizations WHERE user_id = $1 GROUP BY organization_id) AS m \
     JOIN organizations AS o ON o.id = m.organization_id ORDER BY o.id LIMIT $2"
);
/// Both sides of the collaborations rather than the view over them: each side has its index.
const WEDDINGS: &str = "SELECT w.id, coalesce(w.name::text, ''), c.supplies FROM \
    (SELECT wedding_id, bool_or(supplies) AS supplies FROM \
        (SELECT wedding_id, true AS supplies FROM wedding_collaborations WHERE supplier_id = $1 \
         UNION ALL SELECT wedding_id, false FROM wedding_collaborations WHERE client_id = $1) AS side \
     GROUP BY wedding_id) AS c \
    JOIN weddings AS w ON w.id = c.wedding_id ORDER BY w.id LIMIT $2";
const MEMBERS: &str = concat!(
    "SELECT u.id, coalesce(u.display_name::text, ''), m.rank FROM (SELECT user_id, ",
    rank!(),
    " AS rank FROM user_organizations WHERE organization_id = $1 AND user_id >= $2 GROUP BY user_id) AS m \
     JOIN users AS u ON u.id = m.user_id ORDER BY u.id LIMIT $3"
);
const PARTICIPANTS: &str = "SELECT u.id, coalesce(u.display_name::text, ''), p.supplies, p.types FROM \
    (SELECT person, bool_or(supplies) AS supplies, array_remove(array_agg(type), NULL) AS types FROM \
        (SELECT supplier_id AS person, true AS supplies, supplier_type::text AS type \
             FROM wedding_collaborations WHERE wedding_id = $1 \
         UNION ALL SELECT client_id, false, NULL FROM wedding_collaborations WHERE wedding_id = $1) AS side \
     WHERE person >= $2 GROUP BY person) AS p \
    JOIN users AS u ON u.id = p.person ORDER BY u.id LIMIT $3";
const ACCOUNTS: &str =
    "SELECT id, coalesce(name::text, '') FROM accounts WHERE organization_id = $1 ORDER BY id LIMIT $2";

#[async_trait]
impl Names for PostgresStore {
    async fn places(&self, user: UserId, most: usize) -> Result<Option<Places>, StoreError> {
        let asked = (user, limit(most));
        let work = self
            .database
            .read_snapshot(asked, |connection, (user, most)| Box::pin(places(connection, *user, *most)));
        work.await
    }

    async fn people_in(
        &self,
        place: Place,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<NamedPerson>, StoreError> {
        let Some(first) = first_after(after.map(|user| user.0)) else { return Ok(Vec::new()) };
        let asked = (place, first, limit(most));
        let work = self.database.read(asked, |connection, (place, first, most)| {
            Box::pin(async move {
                match place {
                    Place::Organization(id) => members(connection, *id, *first, *most).await,
                    Place::Wedding(id) => participants(connection, *id, *first, *most).await,
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
        let asked = (organization, limit(most));
        let work = self.database.read(asked, |connection, (organization, most)| {
            Box::pin(accounts(connection, *organization, *most))
        });
        work.await
    }
}

async fn places(connection: &mut PgConnection, user: UserId, most: i64) -> Result<Option<Places>, Failure> {
    let name = sqlx::query_scalar("SELECT coalesce(display_name::text, '') FROM users WHERE id = $1");
    let name: Option<String> = name.bind(user.0).fetch_optional(&mut *connection).await?;
    let Some(display_name) = name else { return Ok(None) };
    let organizations = sqlx::query_as(ORGANIZATIONS).bind(user.0).bind(most);
    let organizations: Vec<(Uuid, String, i32, bool)> = organizations.fetch_all(&mut *connection).await?;
    let weddings = sqlx::query_as(WEDDINGS).bind(user.0).bind(most);
    let weddings: Vec<(Uuid, String, bool)> = weddings.fetch_all(connection).await?;
    Ok(Some(Places {
        display_name,
        organizations: organizations.into_iter().map(organization).collect(),
        weddings: weddings.into_iter().map(wedding).collect(),
    }))
}

fn organization((id, name, rank, enterprise): (Uuid, String, i32, bool)) -> NamedOrganization {
    let plan = if enterprise { Plan::Enterprise } else { Plan::Standard };
    NamedOrganization { id: OrganizationId(id), name, role: role(rank), plan }
}

fn wedding((id, name, supplies): (Uuid, String, bool)) -> NamedWedding {
    NamedWedding { id: WeddingId(id), name, supplies }
}

fn role(rank: i32) -> Role {
    match rank {
        2 => Role::Owner,
        1 => Role::Admin,
        _ => Role::Member,
    }
}

async fn members(
    connection: &mut PgConnection,
    organization: OrganizationId,
    first: Uuid,
    most: i64,
) -> Result<Vec<NamedPerson>, Failure> {
    let rows = sqlx::query_as(MEMBERS).bind(organization.0).bind(first).bind(most);
    let rows: Vec<(Uuid, String, i32)> = rows.fetch_all(connection).await?;
    let named = |(id, display_name, rank)| NamedPerson {
        id: UserId(id),
        display_name,
        part: Part::Member(role(rank)),
    };
    Ok(rows.into_iter().map(named).collect())
}

async fn participants(
    connection: &mut PgConnection,
    wedding: WeddingId,
    first: Uuid,
    most: i64,
) -> Result<Vec<NamedPerson>, Failure> {
    let rows = sqlx::query_as(PARTICIPANTS).bind(wedding.0).bind(first).bind(most);
    let rows: Vec<(Uuid, String, bool, Vec<SupplierType>)> = rows.fetch_all(connection).await?;
    let named = |(id, display_name, supplies, types)| NamedPerson {
        id: UserId(id),
        display_name,
        part: Part::at_a_wedding(supplies, types),
    };
    Ok(rows.into_iter().map(named).collect())
}

async fn accounts(
    connection: &mut PgConnection,
    organization: OrganizationId,
    most: i64,
) -> Result<Vec<(AccountId, String)>, Failure> {
    let rows = sqlx::query_as(ACCOUNTS).bind(organization.0).bind(most);
    let rows: Vec<(Uuid, String)> = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, name)| (AccountId(id), name)).collect())
}
