//! One change of the directory.

use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role, UserId, Wall, WeddingId};
use persistence::{InvalidReason, store::clean_name, stored::write_word};
use sqlx::{SqliteConnection, types::Uuid};

use super::{Refusal, Removals, Removed};
use crate::{audit, operations};

/// One change being made.
pub(super) struct Applying<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) removed: &'a mut Removals,
    pub(super) at: Wall,
    pub(super) index: usize,
}

impl Applying<'_> {
    pub(super) async fn apply(&mut self, change: &DirectoryChange) -> Result<(), Refusal> {
        use DirectoryChange as Change;
        match change {
            Change::PutUser { id, display_name, disabled } => {
                self.put_user(*id, display_name, *disabled).await
            }
            Change::RemoveUser { id } => self.remove_user(*id).await,
            Change::PutOrganization { id, name, plan } => self.put_organization(*id, name, *plan).await,
            Change::RemoveOrganization { id } => self.remove_organization(*id).await,
            Change::PutMember { organization, user, role } => {
                self.put_member(*organization, *user, *role).await
            }
            Change::RemoveMember { organization, user } => self.remove_member(*organization, *user).await,
            Change::PutWedding { id, name } => self.put_wedding(*id, name).await,
            Change::RemoveWedding { id } => self.remove_wedding(*id).await,
            Change::PutCollaboration { wedding, supplier, client, supplier_type } => {
                self.put_collaboration(*wedding, [*supplier, *client], supplier_type).await
            }
            Change::RemoveCollaboration { wedding, supplier, client } => {
                self.remove_collaboration(*wedding, [*supplier, *client]).await
            }
            Change::PutAccount { id, organization, name } => self.put_account(*id, *organization, name).await,
            Change::RemoveAccount { id } => self.remove_account(*id).await,
        }
    }

    async fn put_user(&mut self, id: UserId, display_name: &str, disabled: bool) -> Result<(), Refusal> {
        let name = clean_name(display_name, "displayName")?;
        sqlx::query(
            "INSERT INTO users (id, display_name, disabled, created_at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, disabled = excluded.disabled",
        )
        .bind(id.0.hyphenated())
        .bind(name.as_str())
        .bind(disabled)
        .bind(self.at.0)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_user(&mut self, id: UserId) -> Result<(), Refusal> {
        self.run("DELETE FROM users WHERE id = ?1", &[id.0]).await?;
        let pseudonym = Uuid::new_v4();
        self.removed.insert(id, Removed { index: self.index, pseudonym });
        operations::forget(self.connection, id, pseudonym, Wall(i64::MAX)).await?;
        Ok(audit::forget(self.connection, id, pseudonym, Wall(i64::MAX)).await?)
    }

    async fn put_organization(&mut self, id: OrganizationId, name: &str, plan: Plan) -> Result<(), Refusal> {
        let name = clean_name(name, "name")?;
        sqlx::query(
            "INSERT INTO organizations (id, name, plan) VALUES (?1, ?2, ?3) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, plan = excluded.plan",
        )
        .bind(id.0.hyphenated())
        .bind(name.as_str())
        .bind(write_word(&plan)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_organization(&mut self, id: OrganizationId) -> Result<(), Refusal> {
        self.run("DELETE FROM organizations WHERE id = ?1", &[id.0]).await
    }

    async fn put_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: Role,
    ) -> Result<(), Refusal> {
        self.require_organization(organization).await?;
        self.require_user(user).await?;
        sqlx::query(
            "INSERT INTO user_organizations (user_id, organization_id, role) VALUES (?1, ?2, ?3) \
             ON CONFLICT (user_id, organization_id) DO UPDATE SET role = excluded.role",
        )
        .bind(user.0.hyphenated())
        .bind(organization.0.hyphenated())
        .bind(write_word(&role)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_member(&mut self, organization: OrganizationId, user: UserId) -> Result<(), Refusal> {
        let sql = "DELETE FROM user_organizations WHERE organization_id = ?1 AND user_id = ?2";
        self.run(sql, &[organization.0, user.0]).await
    }

    async fn put_wedding(&mut self, id: WeddingId, name: &str) -> Result<(), Refusal> {
        let name = clean_name(name, "name")?;
        sqlx::query(
            "INSERT INTO weddings (id, name) VALUES (?1, ?2) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        )
        .bind(id.0.hyphenated())
        .bind(name.as_str())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_wedding(&mut self, id: WeddingId) -> Result<(), Refusal> {
        self.run("DELETE FROM weddings WHERE id = ?1", &[id.0]).await
    }

    async fn put_collaboration(
        &mut self,
        wedding: WeddingId,
        [supplier, client]: [UserId; 2],
        supplier_type: &str,
    ) -> Result<(), Refusal> {
        let supplier_type = clean_name(supplier_type, "supplierType")?;
        self.require(
            "SELECT 1 FROM weddings WHERE id = ?1",
            wedding.0,
            InvalidReason::UnknownWedding(wedding),
        )
        .await?;
        self.require_user(supplier).await?;
        self.require_user(client).await?;
        sqlx::query(
            "INSERT INTO wedding_collaborations (wedding_id, supplier_id, client_id, supplier_type) \
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (wedding_id, supplier_id, client_id) \
             DO UPDATE SET supplier_type = excluded.supplier_type",
        )
        .bind(wedding.0.hyphenated())
        .bind(supplier.0.hyphenated())
        .bind(client.0.hyphenated())
        .bind(supplier_type.as_str())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_collaboration(
        &mut self,
        wedding: WeddingId,
        [supplier, client]: [UserId; 2],
    ) -> Result<(), Refusal> {
        let sql = "DELETE FROM wedding_collaborations \
                   WHERE wedding_id = ?1 AND supplier_id = ?2 AND client_id = ?3";
        self.run(sql, &[wedding.0, supplier.0, client.0]).await
    }

    async fn put_account(
        &mut self,
        id: AccountId,
        organization: OrganizationId,
        name: &str,
    ) -> Result<(), Refusal> {
        let name = clean_name(name, "name")?;
        self.require_organization(organization).await?;
        sqlx::query(
            "INSERT INTO accounts (id, organization_id, name) VALUES (?1, ?2, ?3) ON CONFLICT (id) \
             DO UPDATE SET organization_id = excluded.organization_id, name = excluded.name",
        )
        .bind(id.0.hyphenated())
        .bind(organization.0.hyphenated())
        .bind(name.as_str())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn remove_account(&mut self, id: AccountId) -> Result<(), Refusal> {
        self.run("DELETE FROM accounts WHERE id = ?1", &[id.0]).await
    }

    async fn require_user(&mut self, id: UserId) -> Result<(), Refusal> {
        self.require("SELECT 1 FROM users WHERE id = ?1", id.0, InvalidReason::UnknownUser(id)).await
    }

    async fn require_organization(&mut self, id: OrganizationId) -> Result<(), Refusal> {
        let missing = InvalidReason::UnknownOrganization(id);
        self.require("SELECT 1 FROM organizations WHERE id = ?1", id.0, missing).await
    }

    /// Asked before the foreign keys are, because they do not say which of them failed.
    async fn require(&mut self, sql: &'static str, id: Uuid, missing: InvalidReason) -> Result<(), Refusal> {
        let query = sqlx::query_scalar(sql).bind(id.hyphenated());
        let found: Option<i64> = query.fetch_optional(&mut *self.connection).await?;
        found.map(|_| ()).ok_or(missing.into())
    }

    async fn run(&mut self, sql: &'static str, ids: &[Uuid]) -> Result<(), Refusal> {
        let query = ids.iter().fold(sqlx::query(sql), |query, id| query.bind(id.hyphenated()));
        query.execute(&mut *self.connection).await?;
        Ok(())
    }
}
