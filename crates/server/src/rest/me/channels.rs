//! `GET /api/presence/me/channels`: what the caller is in, by name. Facts of the directory alone, the same whoever is there.

use std::sync::Arc;

use axum::extract::State;
use model::{OrganizationId, Plan, Role, UserId, WeddingId, limits};
use persistence::{NamedOrganization, NamedWedding, Places, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{caller::Caller, people};
use crate::{
    app::App,
    failure,
    problem::{Json, Problem},
};

/// What the caller is in.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnChannels)]
pub(crate) struct Channels {
    user: Named,
    /// Sorted by name, then by id.
    #[schema(max_items = 1_000)]
    organizations: Vec<Organization>,
    /// Sorted by name, then by id.
    #[schema(max_items = 1_000)]
    weddings: Vec<Wedding>,
    /// Whether the caller may look at the hub itself (`/api/system`).
    operator: bool,
}

/// The caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnName)]
struct Named {
    user_id: UserId,
    display_name: String,
}

/// An organization of the caller's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnOrganization)]
struct Organization {
    organization_id: OrganizationId,
    name: String,
    role: Role,
    plan: Plan,
}

/// A wedding that the caller takes part in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnWedding)]
struct Wedding {
    wedding_id: WeddingId,
    name: String,
    part: Side,
}

/// On which side of a wedding somebody is. Who is on both supplies something.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WeddingPart)]
pub(super) enum Side {
    Client,
    Supplier,
}

impl Side {
    fn of(supplies: bool) -> Self {
        if supplies { Self::Supplier } else { Self::Client }
    }
}

impl Channels {
    fn of(user_id: UserId, places: Places, operator: bool) -> Self {
        let Places { display_name, mut organizations, mut weddings } = places;
        organizations.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        weddings.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Self {
            user: Named { user_id, display_name },
            organizations: organizations.into_iter().map(Organization::from).collect(),
            weddings: weddings.into_iter().map(Wedding::from).collect(),
            operator,
        }
    }
}

impl From<NamedOrganization> for Organization {
    fn from(NamedOrganization { id, name, role, plan }: NamedOrganization) -> Self {
        Self { organization_id: id, name, role, plan }
    }
}

impl From<NamedWedding> for Wedding {
    fn from(NamedWedding { id, name, supplies }: NamedWedding) -> Self {
        Self { wedding_id: id, name, part: Side::of(supplies) }
    }
}

/// The organizations and weddings that the caller is in, by name: at most 1,000 of each.
#[utoipa::path(
    get,
    path = "/api/presence/me/channels",
    tag = "people",
    operation_id = "ownChannels",
    responses((status = 200, description = "Nothing that the caller is not in", body = Channels)),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(crate) async fn channels(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<people::Answer<Channels>, Problem> {
    caller.admit(&app).await?;
    let places = app.store.places(caller.0, limits::NAMED_PLACES).await;
    let places = places.and_then(|found| found.ok_or(StoreError::UnknownUser));
    let places = places.map_err(|error| failure::of_operation(&error.into()))?;
    let operator = app.console.operators.contains(&caller.0);
    Ok((people::no_store(), Json(Channels::of(caller.0, places, operator))))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_one_is_in_is_sorted_by_name_and_then_by_id() {
        let wedding = |n, name: &str| NamedWedding {
            id: WeddingId(Uuid::from_u128(n)),
            name: name.to_owned(),
            supplies: n == 1,
        };
        let places = Places {
            display_name: "Olga".to_owned(),
            organizations: Vec::new(),
            weddings: vec![wedding(1, "June"), wedding(2, "April"), wedding(3, "June"), wedding(4, "April")],
        };
        let channels = Channels::of(UserId(Uuid::nil()), places, false);
        let ids: Vec<_> = channels.weddings.iter().map(|wedding| wedding.wedding_id.0.as_u128()).collect();
        assert_eq!(ids, [2, 4, 1, 3]);
        assert!(matches!(channels.weddings[2].part, Side::Supplier));
    }
}
