//! Facts about people that the hub reads and does not invent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{AccountId, OrganizationId, Settings, UserId, Wall, WeddingId};

/// A member's role in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Owns the organization.
    Owner,
    /// Administers it.
    Admin,
    /// Works in it.
    Member,
}

impl Role {
    /// Whether the role sees occupants by name.
    #[must_use]
    pub fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// An organization's plan; `enterprise` turns activity logging on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Without activity logging.
    #[default]
    Standard,
    /// With activity logging.
    Enterprise,
}

/// What a supplier does at a wedding: a word of the platform such as `photographer`, `venue`, `planner`.
pub type SupplierType = String;

/// One way in which two users are related. They may be related in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same person.
    SameUser,
    /// They share an organization.
    OrganizationMember,
    /// They both take part in one wedding.
    WeddingCollaborator,
}

/// All that the directory says of one user, loaded and replaced whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFacts {
    /// The name that admins read in an occupied account.
    pub display_name: String,
    /// Signed out and refused.
    pub disabled: bool,
    /// Organizations with the role in each.
    pub organizations: BTreeMap<OrganizationId, Role>,
    /// Those of them on the plan [`Plan::Enterprise`], which keep a log of activity.
    pub enterprise: BTreeSet<OrganizationId>,
    /// Weddings the user takes part in.
    pub weddings: BTreeSet<WeddingId>,
    /// The user's choice; `None`: not loaded, so hidden.
    pub settings: Option<Settings>,
    /// The stored last-seen.
    pub last_seen: Option<Wall>,
    /// Whether all that was stored about the user was erased, and the user has not chosen to be seen since.
    pub erased: bool,
}

/// What the directory says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The organization it belongs to.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
}

/// One change of the directory, as the platform writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum DirectoryChange {
    /// Creates or replaces a user.
    #[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
    PutUser {
        /// The user.
        id: UserId,
        /// The name shown to admins.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name))]
        display_name: String,
        /// Signed out and refused.
        #[serde(default)]
        disabled: bool,
    },
    /// Removes a user: everything about them goes.
    RemoveUser {
        /// The user.
        id: UserId,
    },
    /// Creates or replaces an organization.
    PutOrganization {
        /// The organization.
        id: OrganizationId,
        /// Its name.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name))]
        name: String,
        /// Its plan.
        #[serde(default)]
        plan: Plan,
    },
    /// Removes an organization with its memberships and accounts.
    RemoveOrganization {
        /// The organization.
        id: OrganizationId,
    },
    /// Makes a user a member, or changes the role.
    PutMember {
        /// The organization.
        organization: OrganizationId,
        /// The user.
        user: UserId,
        /// The role.
        role: Role,
    },
    /// Ends a membership.
    RemoveMember {
        /// The organization.
        organization: OrganizationId,
        /// The user.
        user: UserId,
    },
    /// Creates or replaces a wedding.
    PutWedding {
        /// The wedding.
        id: WeddingId,
        /// Its name.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name))]
        name: String,
    },
    /// Removes a wedding with its collaborations.
    RemoveWedding {
        /// The wedding.
        id: WeddingId,
    },
    /// A supplier works for a client at a wedding: both take part in it.
    #[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
    PutCollaboration {
        /// The wedding.
        wedding: WeddingId,
        /// The supplier.
        supplier: UserId,
        /// The client.
        client: UserId,
        /// What the supplier does.
        supplier_type: SupplierType,
    },
    /// Ends a collaboration.
    RemoveCollaboration {
        /// The wedding.
        wedding: WeddingId,
        /// The supplier.
        supplier: UserId,
        /// The client.
        client: UserId,
    },
    /// Creates or replaces an account.
    PutAccount {
        /// The account.
        id: AccountId,
        /// Its organization.
        organization: OrganizationId,
        /// Its name.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name))]
        name: String,
    },
    /// Removes an account.
    RemoveAccount {
        /// The account.
        id: AccountId,
    },
}

#[cfg(test)]
mod tests;
