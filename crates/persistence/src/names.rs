//! Names out of the directory: what a person is in, and who and what is in it. They are read where they are asked for,
//! because the heart knows ids and no names.

use async_trait::async_trait;
use model::{AccountId, OrganizationId, Plan, Role, SupplierType, UserId, WeddingId};

use crate::StoreError;

/// What a person is in, each sorted by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The person's own name.
    pub display_name: String,
    /// Where they work.
    pub organizations: Vec<NamedOrganization>,
    /// Where they take part.
    pub weddings: Vec<NamedWedding>,
}

/// An organization, as a member knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedOrganization {
    /// Which.
    pub id: OrganizationId,
    /// Its name; empty where the platform gave none.
    pub name: String,
    /// The member's role; of several the highest.
    pub role: Role,
    /// Its plan.
    pub plan: Plan,
}

/// A wedding, as somebody knows it who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedWedding {
    /// Which.
    pub id: WeddingId,
    /// Its name; empty where the platform gave none.
    pub name: String,
    /// Whether they supply something. Who is a client as well is a supplier.
    pub supplies: bool,
}

/// Where people are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its members.
    Organization(OrganizationId),
    /// Those who take part.
    Wedding(WeddingId),
}

/// Somebody in a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPerson {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub display_name: String,
    /// What they are there.
    pub part: Part,
}

/// What somebody is in a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of an organization; of several roles the highest.
    Member(Role),
    /// Of a wedding, supplying nothing.
    Client,
    /// Of a wedding, with what they supply: sorted, each once.
    Supplier(Vec<SupplierType>),
}

impl Part {
    /// The part of who supplies `types` or, without having any to supply, is a client.
    #[must_use]
    pub fn at_a_wedding(supplies: bool, mut types: Vec<SupplierType>) -> Self {
        if !supplies {
            return Self::Client;
        }
        types.sort_unstable();
        types.dedup();
        Self::Supplier(types)
    }
}

/// Reads names. Who may be told them is not decided here.
#[async_trait]
pub trait Names: Send + Sync + 'static {
    /// What a user is in: at most `most` organizations and as many weddings, the first ones by their ids, all as of one
    /// instant. `None`: there is no such user.
    ///
    /// # Errors
    /// Where the store is not to be had.
    async fn places(&self, user: UserId, most: usize) -> Result<Option<Places>, StoreError>;

    /// The people of a place, at most `most`, in the order of their ids, after this one; `None`: from the first. Of a
    /// place that does not exist there are none.
    ///
    /// # Errors
    /// As [`Names::places`].
    async fn people_in(
        &self,
        place: Place,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<NamedPerson>, StoreError>;

    /// The accounts of an organization with their names, at most `most`, the first ones by their ids.
    ///
    /// # Errors
    /// As [`Names::places`].
    async fn accounts_in(
        &self,
        organization: OrganizationId,
        most: usize,
    ) -> Result<Vec<(AccountId, String)>, StoreError>;
}
