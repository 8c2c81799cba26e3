//! `/api/presence/users`, `/weddings` and `/permissions`: people as the caller may see them, asked once.
//!
//! From memory, by the projection of the views. Whoever is not seen is absent, as if they did not exist.

use std::sync::Arc;

use axum::{
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, header},
};
use model::{
    ChannelId, Device, ErrorCode, Minute, PersonRecord, PersonState, Status, UserId, WeddingId, limits,
};
use presence::Subjects;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Kind, Path, Problem, Query},
};

pub(super) type Answer<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// People by their ids, in the query of the URL.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Some100 {
    #[serde(default, rename = "userIds[]")]
    #[param(max_items = 100)]
    user_ids: Vec<UserId>,
    context: Option<ChannelId>,
}

/// The same in a body.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PeopleQuery)]
pub(super) struct Some500 {
    #[schema(max_items = 500)]
    user_ids: Vec<UserId>,
    context: Option<ChannelId>,
}

/// Where somebody is looked at; left out: wherever both are.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    context: Option<ChannelId>,
}

/// Of whom a right is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    subject: UserId,
}

/// A person as the caller may see them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Seen {
    #[serde(flatten)]
    person: PersonRecord,
    /// Of somebody who is here: now. A record of somebody who is not has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Minute>,
}

/// What a person is as JSON. A field that is not shown is not there.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the shape of `Seen`, of which half is written by hand; a test holds them together"
)]
struct Person {
    user_id: UserId,
    status: Shown,
    /// Of somebody who is here: now. `null`: never seen.
    #[schema(required)]
    last_seen: Option<Minute>,
    /// Where they are, if they show it.
    #[schema(nullable = false)]
    current_page: Option<String>,
    /// Whether they are typing; left out: no.
    #[schema(nullable = false)]
    is_typing: Option<bool>,
    #[schema(nullable = false)]
    device: Option<Device>,
    #[schema(nullable = false)]
    custom_status: Option<String>,
    #[schema(nullable = false)]
    custom_emoji: Option<String>,
}

/// A status as others see it.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of a status")]
enum Shown {
    Here(Status),
    Gone(Offline),
}

/// Not here.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the shape of a status")]
enum Offline {
    Offline,
}

/// People, sorted by id.
#[derive(Serialize, ToSchema)]
pub(super) struct People {
    #[schema(value_type = Vec<Person>)]
    users: Vec<Seen>,
}

/// Whether the caller sees somebody.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    subject: UserId,
    visible: bool,
}

/// As many ids as may be asked about do not fit into the body that others may have.
pub(super) fn query_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(limits::QUERY_BYTES)
}

/// People by their ids, as the caller may see them: at most 100.
///
/// Whoever is not seen is absent, as if they did not exist. Sorted by id; one id many times counts as often.
#[utoipa::path(
    get,
    path = "/api/presence/users",
    tag = "people",
    operation_id = "people",
    params(Some100),
    responses((status = 200, description = "Those of them who are seen", body = People)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::UnknownChannel.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn some(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Some100>,
) -> Result<Answer<People>, Problem> {
    let Some100 { user_ids, context } = asked;
    at_most(limits::BULK_USERS, &user_ids)?;
    people(&app, &caller, subjects(user_ids, context)).await
}

/// People by their ids in a body, as the caller may see them: at most 500.
///
/// The body may have 32 KiB.
#[utoipa::path(
    post,
    path = "/api/presence/users/query",
    tag = "people",
    operation_id = "queryPeople",
    responses((status = 200, description = "Those of them who are seen", body = People)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::UnknownChannel.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn query(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(asked): Json<Some500>,
) -> Result<Answer<People>, Problem> {
    let Some500 { user_ids, context } = asked;
    at_most(limits::QUERY_USERS, &user_ids)?;
    people(&app, &caller, subjects(user_ids, context)).await
}

/// One person, as the caller may see them.
#[utoipa::path(
    get,
    path = "/api/presence/users/{user}",
    tag = "people",
    operation_id = "person",
    params(("user" = UserId, Path), Where),
    responses((status = 200, description = "The person", body = Person)),
    extensions(("x-codes" = json!(codes([Kind::UnknownUser, ErrorCode::UnknownChannel.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<UserId>,
    Query(Where { context }): Query<Where>,
) -> Result<Answer<Seen>, Problem> {
    let ([cache], Json(found)) = people(&app, &caller, subjects(vec![user], context)).await?;
    let nobody = || Problem::new(Kind::UnknownUser, "there is nobody by that id for this viewer");
    let seen = found.users.into_iter().next().ok_or_else(nobody)?;
    Ok(([cache], Json(seen)))
}

/// The people of a wedding whom the caller may see, here or not.
#[utoipa::path(
    get,
    path = "/api/presence/weddings/{wedding}",
    tag = "people",
    operation_id = "weddingTeam",
    params(("wedding" = WeddingId, Path)),
    responses((status = 200, description = "Those of them who are seen", body = People)),
    extensions(("x-codes" = json!(codes([ErrorCode::UnknownChannel.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wedding): Path<WeddingId>,
) -> Result<Answer<People>, Problem> {
    people(&app, &caller, Subjects::All(ChannelId::Wedding(wedding))).await
}

/// Whether the caller may see somebody.
#[utoipa::path(
    get,
    path = "/api/presence/permissions",
    tag = "people",
    operation_id = "permission",
    params(Of),
    responses(
        (status = 200, description = "Whether they may; somebody who does not exist is not seen", body = Permission),
    ),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn permission(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(Of { subject }): Query<Of>,
) -> Result<Answer<Permission>, Problem> {
    caller.admit(&app).await?;
    let visible = app.hub.may_see(caller.0, subject).await;
    let visible = visible.map_err(|gone| failure::of_operation(&gone.into()))?;
    Ok((no_store(), Json(Permission { subject, visible })))
}

fn subjects(users: Vec<UserId>, context: Option<ChannelId>) -> Subjects {
    match context {
        Some(channel) => Subjects::In(channel, users),
        None => Subjects::Users(users),
    }
}

/// One id many times counts as often: how many may be asked about depends on nobody.
fn at_most(limit: usize, users: &[UserId]) -> Result<(), Problem> {
    if users.len() <= limit {
        return Ok(());
    }
    let words = format!("{} ids; at most {limit} may be asked about at once", users.len());
    Err(Problem::new(ErrorCode::InvalidValue, words))
}

async fn people(app: &App, caller: &Caller, subjects: Subjects) -> Result<Answer<People>, Problem> {
    caller.admit(app).await?;
    let found = app.hub.people_for(caller.0, subjects).await;
    let found = found.map_err(|gone| failure::of_operation(&gone.into()))?;
    let found = found.ok_or_else(|| Problem::new(ErrorCode::UnknownChannel, "there is no such channel"))?;
    let now = app.hub.clock().now().wall.minute();
    let users = found.into_iter().map(|person| Seen::at(now, person)).collect();
    Ok((no_store(), Json(People { users })))
}

impl Seen {
    fn at(now: Minute, person: PersonRecord) -> Self {
        let is_here = matches!(person.state, PersonState::Present { .. });
        Self { person, last_seen: is_here.then_some(now) }
    }
}

/// Nobody but the caller may ever be given this, also not by a cache.
pub(super) fn no_store() -> [(HeaderName, HeaderValue); 1] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

#[cfg(test)]
mod tests;
