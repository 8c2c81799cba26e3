//! `GET /api/presence/me/names`: who and what is in a channel, by name.
//!
//! Whom the caller may not see is not named, whether anybody is there or not: the right of `/api/presence/permissions`, and
//! nothing of presence. Owners and admins administer their organization, and so they read the names of all its members.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::State;
use model::{AccountId, ChannelId, ErrorCode, OrganizationId, Role, SupplierType, UserFacts, UserId, limits};
use persistence::{NamedPerson, PAGE, Part, Pick, Place, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    super::{caller::Caller, people},
    channels::Side,
};
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Problem, Query},
    rate::Call,
};

/// Of which channel: an organization or a wedding.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    channel: ChannelId,
}

/// Names, sorted by id.
#[derive(Serialize, ToSchema)]
#[schema(as = ChannelNames)]
pub(crate) struct Names {
    #[schema(max_items = 10_000)]
    people: Vec<Somebody>,
    /// Of an organization all its accounts.
    #[schema(max_items = 10_000)]
    accounts: Vec<Account>,
}

/// Somebody by name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NamedPerson)]
struct Somebody {
    user_id: UserId,
    display_name: String,
    /// In an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// At a wedding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    part: Option<Side>,
    /// Of a supplier at a wedding: sorted, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    supplier_types: Option<Vec<SupplierType>>,
}

/// An account by name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NamedAccount)]
struct Account {
    account_id: AccountId,
    name: String,
}

impl From<NamedPerson> for Somebody {
    fn from(NamedPerson { id, display_name, part }: NamedPerson) -> Self {
        let bare = Self { user_id: id, display_name, role: None, part: None, supplier_types: None };
        match part {
            Part::Member(role) => Self { role: Some(role), ..bare },
            Part::Client => Self { part: Some(Side::Client), ..bare },
            Part::Supplier(types) => Self { part: Some(Side::Supplier), supplier_types: Some(types), ..bare },
        }
    }
}

/// Who may be named to the caller.
enum Nameable {
    All,
    /// Those whom the caller sees.
    Seen(BTreeSet<UserId>),
}

impl Nameable {
    fn has(&self, user: UserId) -> bool {
        match self {
            Self::All => true,
            Self::Seen(seen) => seen.contains(&user),
        }
    }
}

/// The people and accounts of an organization or a wedding that the caller is in, by name.
///
/// Of the people those whom the caller may see, here or not; to owners and admins all members of their organization. At most
/// 10,000 of each, the first ones by their ids.
#[utoipa::path(
    get,
    path = "/api/presence/me/names",
    tag = "people",
    operation_id = "channelNames",
    params(Of),
    responses((status = 200, description = "Sorted by id", body = Names)),
    extensions(("x-codes" = json!(codes([ErrorCode::UnknownChannel.into(), ErrorCode::RateLimited.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(crate) async fn names(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(Of { channel }): Query<Of>,
) -> Result<people::Answer<Names>, Problem> {
    caller.admit(&app).await?;
    let named = match channel {
        ChannelId::Organization(id) => {
            app.user_limits.check(caller.0, Call::Board)?;
            let nameable = members(&app, caller.0, id).await?;
            let people = people_in(&app, Place::Organization(id), &nameable).await?;
            Names { people, accounts: accounts(&app, id).await? }
        }
        ChannelId::Wedding(id) => {
            let nameable = seen(&app, caller.0, channel).await?;
            Names { people: people_in(&app, Place::Wedding(id), &nameable).await?, accounts: Vec::new() }
        }
        ChannelId::Account(_) => return Err(no_channel()),
    };
    Ok((people::no_store(), Json(named)))
}

/// One answer for what is not there and for what is none of the caller's.
fn no_channel() -> Problem {
    Problem::new(ErrorCode::UnknownChannel, "there is no such channel")
}

async fn members(app: &App, caller: UserId, organization: OrganizationId) -> Result<Nameable, Problem> {
    let facts = facts(app, caller).await?;
    match facts.and_then(|facts| facts.organizations.get(&organization).copied()) {
        Some(role) if role.administers() => Ok(Nameable::All),
        Some(_) => seen(app, caller, ChannelId::Organization(organization)).await,
        None => Err(no_channel()),
    }
}

/// From the store: the role is asked for where the names come from.
async fn facts(app: &App, user: UserId) -> Result<Option<UserFacts>, Problem> {
    let mut found = app.store.users(Pick::These(vec![user])).await.map_err(refused)?;
    Ok(found.pop().map(|(_, facts)| facts))
}

async fn seen(app: &App, caller: UserId, channel: ChannelId) -> Result<Nameable, Problem> {
    let seen = app.hub.seen_in(caller, channel).await;
    let seen = seen.map_err(|gone| failure::of_operation(&gone.into()))?;
    Ok(Nameable::Seen(seen.ok_or_else(no_channel)?.into_iter().collect()))
}

fn refused(error: StoreError) -> Problem {
    failure::of_operation(&error.into()).into()
}

/// Page by page: who is not nameable does not count against how many are named.
async fn people_in(app: &App, place: Place, nameable: &Nameable) -> Result<Vec<Somebody>, Problem> {
    let mut named = Vec::new();
    let mut after = None;
    loop {
        let page = app.store.people_in(place, after, PAGE).await.map_err(refused)?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|person| person.id);
        named.extend(page.into_iter().filter(|person| nameable.has(person.id)).map(Somebody::from));
        if is_last || named.len() >= limits::NAMED_ENTRIES {
            named.truncate(limits::NAMED_ENTRIES);
            return Ok(named);
        }
    }
}

async fn accounts(app: &App, organization: OrganizationId) -> Result<Vec<Account>, Problem> {
    let found = app.store.accounts_in(organization, limits::NAMED_ENTRIES).await.map_err(refused)?;
    Ok(found.into_iter().map(|(account_id, name)| Account { account_id, name }).collect())
}
