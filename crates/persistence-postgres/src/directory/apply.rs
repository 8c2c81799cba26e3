//! One change of the directory: one statement, which also says what is not there that the change refers to.
//!
//! That is asked rather than left to the foreign keys, which do not say which of them failed, and which tables that
//! the platform made may lack. A row that stays as it is is not written.

use chrono::{DateTime, Utc};
use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role, UserId, WeddingId};
use persistence::{InvalidReason, store::clean_name, stored::write_word};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Refusal;

type Applied = Result<(), Refusal>;

pub(super) async fn apply(
    connection: &mut PgConnection,
    change: &DirectoryChange,
    at: DateTime<Utc>,
) -> Applied {
    use DirectoryChange as Change;
    match change {
        Change::PutUser { id, display_name, disabled } => {
            put_user(connection, *id, display_name, *disabled, at).await
        }
        Change::RemoveUser { id } => run(connection, "DELETE FROM users WHERE id = $1", &[id.0]).await,
        Change::PutOrganization { id, name, plan } => put_organization(connection, *id, name, *plan).await,
        Change::RemoveOrganization { id } => {
            run(connection, "DELETE FROM organizations WHERE id = $1", &[id.0]).await
        }
        Change::PutMember { organization, user, role } => {
            put_member(connection, *organization, *user, *role).await
        }
        Change::RemoveMember { organization, user } => {
            let sql = "DELETE FROM user_organizations WHERE organization_id = $1 AND user_id = $2";
            run(connection, sql, &[organization.0, user.0]).await
        }
        Change::PutWedding { id, name } => put_wedding(connection, *id, name).await,
        Change::RemoveWedding { id } => run(connection, "DELETE FROM weddings WHERE id = $1", &[id.0]).await,
        Change::PutCollaboration { wedding, supplier, client, supplier_type } => {
            put_collaboration(connection, *wedding, [*supplier, *client], supplier_type).await
        }
        Change::RemoveCollaboration { wedding, supplier, client } => {
            let sql = "DELETE FROM wedding_collaborations \
                       WHERE wedding_id = $1 AND supplier_id = $2 AND client_id = $3";
            run(connection, sql, &[wedding.0, supplier.0, client.0]).await
        }
        Change::PutAccount { id, organization, name } => {
            put_account(connection, *id, *organization, name).await
        }
        Change::RemoveAccount { id } => run(connection, "DELETE FROM accounts WHERE id = $1", &[id.0]).await,
    }
}

async fn run(connection: &mut PgConnection, sql: &'static str, ids: &[Uuid]) -> Applied {
    let query = ids.iter().fold(sqlx::query(sql), |query, id| query.bind(*id));
    query.execute(connection).await?;
    Ok(())
}

async fn put_user(
    connection: &mut PgConnection,
    id: UserId,
    display_name: &str,
    disabled: bool,
    at: DateTime<Utc>,
) -> Applied {
    let name = clean_name(display_name, "displayName")?;
    sqlx::query(
        "INSERT INTO users (id, display_name, disabled, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, disabled = excluded.disabled \
         WHERE (users.display_name, users.disabled) \
             IS DISTINCT FROM (excluded.display_name, excluded.disabled)",
    )
    .bind(id.0)
    .bind(name.as_str())
    .bind(disabled)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_organization(
    connection: &mut PgConnection,
    id: OrganizationId,
    name: &str,
    plan: Plan,
) -> Applied {
    let name = clean_name(name, "name")?;
    sqlx::query(
        "INSERT INTO organizations (id, name, plan) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, plan = excluded.plan \
         WHERE (organizations.name, organizations.plan) IS DISTINCT FROM (excluded.name, excluded.plan)",
    )
    .bind(id.0)
    .bind(name.as_str())
    .bind(write_word(&plan)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_member(
    connection: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
    role: Role,
) -> Applied {
    let (organization_is_there, user_is_there): (bool, bool) = sqlx::query_as(
        "WITH known AS (\
             SELECT EXISTS (SELECT 1 FROM organizations WHERE id = $2) AS organization, \
                 EXISTS (SELECT 1 FROM users WHERE id = $1) AS person\
         ), put AS (\
             INSERT INTO user_organizations AS m (user_id, organization_id, role) \
             SELECT $1, $2, $3 FROM known WHERE organization AND person \
             ON CONFLICT (user_id, organization_id) DO UPDATE SET role = excluded.role \
             WHERE m.role IS DISTINCT FROM excluded.role\
         ) SELECT organization, person FROM known",
    )
    .bind(user.0)
    .bind(organization.0)
    .bind(write_word(&role)?)
    .fetch_one(connection)
    .await?;
    require(organization_is_there, InvalidReason::UnknownOrganization(organization))?;
    require(user_is_there, InvalidReason::UnknownUser(user))
}

async fn put_wedding(connection: &mut PgConnection, id: WeddingId, name: &str) -> Applied {
    let name = clean_name(name, "name")?;
    sqlx::query(
        "INSERT INTO weddings (id, name) VALUES ($1, $2) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name \
         WHERE weddings.name IS DISTINCT FROM excluded.name",
    )
    .bind(id.0)
    .bind(name.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_collaboration(
    connection: &mut PgConnection,
    wedding: WeddingId,
    [supplier, client]: [UserId; 2],
    supplier_type: &str,
) -> Applied {
    let supplier_type = clean_name(supplier_type, "supplierType")?;
    let known: (bool, bool, bool) = sqlx::query_as(
        "WITH known AS (\
             SELECT EXISTS (SELECT 1 FROM weddings WHERE id = $1) AS wedding, \
                 EXISTS (SELECT 1 FROM users WHERE id = $2) AS supplier, \
                 EXISTS (SELECT 1 FROM users WHERE id = $3) AS client\
         ), put AS (\
             INSERT INTO wedding_collaborations AS c (wedding_id, supplier_id, client_id, supplier_type) \
             SELECT $1, $2, $3, $4 FROM known WHERE wedding AND supplier AND client \
             ON CONFLICT (wedding_id, supplier_id, client_id) \
             DO UPDATE SET supplier_type = excluded.supplier_type \
             WHERE c.supplier_type IS DISTINCT FROM excluded.supplier_type\
         ) SELECT wedding, supplier, client FROM known",
    )
    .bind(wedding.0)
    .bind(supplier.0)
    .bind(client.0)
    .bind(supplier_type.as_str())
    .fetch_one(connection)
    .await?;
    require(known.0, InvalidReason::UnknownWedding(wedding))?;
    require(known.1, InvalidReason::UnknownUser(supplier))?;
    require(known.2, InvalidReason::UnknownUser(client))
}

async fn put_account(
    connection: &mut PgConnection,
    id: AccountId,
    organization: OrganizationId,
    name: &str,
) -> Applied {
    let name = clean_name(name, "name")?;
    let organization_is_there: bool = sqlx::query_scalar(
        "WITH known AS (\
             SELECT EXISTS (SELECT 1 FROM organizations WHERE id = $2) AS organization\
         ), put AS (\
             INSERT INTO accounts AS a (id, organization_id, name) \
             SELECT $1, $2, $3 FROM known WHERE organization \
             ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id, name = excluded.name \
             WHERE (a.organization_id, a.name) IS DISTINCT FROM (excluded.organization_id, excluded.name)\
         ) SELECT organization FROM known",
    )
    .bind(id.0)
    .bind(organization.0)
    .bind(name.as_str())
    .fetch_one(connection)
    .await?;
    require(organization_is_there, InvalidReason::UnknownOrganization(organization))
}

fn require(is_there: bool, missing: InvalidReason) -> Applied {
    if is_there { Ok(()) } else { Err(missing.into()) }
}
