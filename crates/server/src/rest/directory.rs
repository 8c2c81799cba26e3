//! `/api/directory`: what the platform's back-end says of people, weddings, organizations and accounts.
//!
//! Every call is one transaction. When it is answered, views that it concerns show it or are about to.

use std::sync::Arc;

use axum::{
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
};
use model::{
    AccountId, DirectoryChange, ErrorCode, OrganizationId, Plan, Role, SupplierType, UserId, WeddingId,
};
use persistence::{Actor, import};
use serde::Deserialize;

use super::caller::BackEnd;
use crate::{
    app::App,
    failure,
    problem::{Json, Path, Problem},
};

/// Bytes of a document to import: about 100,000 people with their weddings.
const IMPORT_BYTES: usize = 32 * 1024 * 1024;

type Done = Result<StatusCode, Problem>;
type AppState = State<Arc<App>>;

pub(super) fn import_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(IMPORT_BYTES)
}

async fn apply(app: &App, changes: Vec<DirectoryChange>, actor: Actor) -> Done {
    let removes = changes.iter().any(|change| matches!(change, DirectoryChange::RemoveUser { .. }));
    let done = app.operations.change_directory(changes, actor).await;
    if removes {
        app.analytics.forget();
    }
    done.map(|()| StatusCode::NO_CONTENT).map_err(|error| failure::of_operation(&error).into())
}

async fn one(app: &App, change: DirectoryChange) -> Done {
    apply(app, vec![change], Actor::Service).await
}

/// Several changes at once, all or none.
pub(super) async fn change(
    _: BackEnd,
    State(app): AppState,
    Json(changes): Json<Vec<DirectoryChange>>,
) -> Done {
    apply(&app, changes, Actor::Service).await
}

/// A whole document, all or none.
pub(super) async fn import(_: BackEnd, State(app): AppState, document: String) -> Done {
    let changes =
        import::parse(&document).map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))?;
    apply(&app, changes, Actor::Import).await
}

/// A user without their id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserBody {
    display_name: String,
    #[serde(default)]
    disabled: bool,
}

pub(super) async fn put_user(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<UserId>,
    Json(body): Json<UserBody>,
) -> Done {
    let UserBody { display_name, disabled } = body;
    one(&app, DirectoryChange::PutUser { id, display_name, disabled }).await
}

pub(super) async fn remove_user(_: BackEnd, State(app): AppState, Path(id): Path<UserId>) -> Done {
    one(&app, DirectoryChange::RemoveUser { id }).await
}

/// An organization without its id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OrganizationBody {
    name: String,
    #[serde(default)]
    plan: Plan,
}

pub(super) async fn put_organization(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<OrganizationId>,
    Json(body): Json<OrganizationBody>,
) -> Done {
    one(&app, DirectoryChange::PutOrganization { id, name: body.name, plan: body.plan }).await
}

pub(super) async fn remove_organization(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<OrganizationId>,
) -> Done {
    one(&app, DirectoryChange::RemoveOrganization { id }).await
}

/// A membership without whose it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MemberBody {
    role: Role,
}

pub(super) async fn put_member(
    _: BackEnd,
    State(app): AppState,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
    Json(body): Json<MemberBody>,
) -> Done {
    one(&app, DirectoryChange::PutMember { organization, user, role: body.role }).await
}

pub(super) async fn remove_member(
    _: BackEnd,
    State(app): AppState,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Done {
    one(&app, DirectoryChange::RemoveMember { organization, user }).await
}

/// A wedding without its id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WeddingBody {
    name: String,
}

pub(super) async fn put_wedding(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<WeddingId>,
    Json(body): Json<WeddingBody>,
) -> Done {
    one(&app, DirectoryChange::PutWedding { id, name: body.name }).await
}

pub(super) async fn remove_wedding(_: BackEnd, State(app): AppState, Path(id): Path<WeddingId>) -> Done {
    one(&app, DirectoryChange::RemoveWedding { id }).await
}

/// A collaboration without whose it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CollaborationBody {
    supplier_type: SupplierType,
}

pub(super) async fn put_collaboration(
    _: BackEnd,
    State(app): AppState,
    Path((wedding, supplier, client)): Path<(WeddingId, UserId, UserId)>,
    Json(body): Json<CollaborationBody>,
) -> Done {
    let supplier_type = body.supplier_type;
    one(&app, DirectoryChange::PutCollaboration { wedding, supplier, client, supplier_type }).await
}

pub(super) async fn remove_collaboration(
    _: BackEnd,
    State(app): AppState,
    Path((wedding, supplier, client)): Path<(WeddingId, UserId, UserId)>,
) -> Done {
    one(&app, DirectoryChange::RemoveCollaboration { wedding, supplier, client }).await
}

/// An account without its id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountBody {
    organization: OrganizationId,
    name: String,
}

pub(super) async fn put_account(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<AccountId>,
    Json(body): Json<AccountBody>,
) -> Done {
    let AccountBody { organization, name } = body;
    one(&app, DirectoryChange::PutAccount { id, organization, name }).await
}

pub(super) async fn remove_account(_: BackEnd, State(app): AppState, Path(id): Path<AccountId>) -> Done {
    one(&app, DirectoryChange::RemoveAccount { id }).await
}
