//! `/api/presence/users`, `/weddings` and `/permissions`: people as the caller may see them, asked once.
//!
//! From memory, by the projection of the views. Whoever is not seen is absent, as if they did not exist.

use std::sync::Arc;

use axum::{
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, header},
};
use model::{ChannelId, ErrorCode, Minute, PersonRecord, PersonState, UserId, WeddingId, limits};
use presence::Subjects;
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use crate::{
    app::App,
    failure,
    problem::{Json, Kind, Path, Problem, Query},
};

pub(super) type Answer<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// People by their ids, in the query of the URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Some100 {
    #[serde(default, rename = "userIds[]")]
    user_ids: Vec<UserId>,
    context: Option<ChannelId>,
}

/// The same in a body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Some500 {
    user_ids: Vec<UserId>,
    context: Option<ChannelId>,
}

/// Where somebody is looked at; left out: wherever both are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    context: Option<ChannelId>,
}

/// Of whom a right is asked.
#[derive(Deserialize)]
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

/// People, sorted by id.
#[derive(Serialize)]
pub(super) struct People {
    users: Vec<Seen>,
}

/// Whether the caller sees somebody.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    subject: UserId,
    visible: bool,
}

/// As many ids as may be asked about do not fit into the body that others may have.
pub(super) fn query_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(limits::QUERY_BYTES)
}

/// `GET /users`: at most 100.
pub(super) async fn some(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Some100>,
) -> Result<Answer<People>, Problem> {
    let Some100 { user_ids, context } = asked;
    at_most(limits::BULK_USERS, &user_ids)?;
    people(&app, &caller, subjects(user_ids, context)).await
}

/// `POST /users/query`: at most 500.
pub(super) async fn query(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(asked): Json<Some500>,
) -> Result<Answer<People>, Problem> {
    let Some500 { user_ids, context } = asked;
    at_most(limits::QUERY_USERS, &user_ids)?;
    people(&app, &caller, subjects(user_ids, context)).await
}

/// `GET /users/{id}`.
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

/// `GET /weddings/{id}`: those who take part, here or not.
pub(super) async fn team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wedding): Path<WeddingId>,
) -> Result<Answer<People>, Problem> {
    people(&app, &caller, Subjects::All(ChannelId::Wedding(wedding))).await
}

/// `GET /permissions`.
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
