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
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use super::caller::BackEnd;
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Path, Problem, Text},
};

/// Bytes of a document to import: about 100,000 people with their weddings.
const IMPORT_BYTES: usize = 32 * 1024 * 1024;

type Done = Result<StatusCode, Problem>;
type AppState = State<Arc<App>>;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(change))
        .routes(routes!(import).layer(import_limit()))
        .routes(routes!(put_user, remove_user))
        .routes(routes!(put_organization, remove_organization))
        .routes(routes!(put_member, remove_member))
        .routes(routes!(put_wedding, remove_wedding))
        .routes(routes!(put_collaboration, remove_collaboration))
        .routes(routes!(put_account, remove_account))
}

fn import_limit() -> DefaultBodyLimit {
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
#[utoipa::path(
    post,
    path = "/api/directory/changes",
    tag = "directory",
    operation_id = "changeDirectory",
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn change(_: BackEnd, State(app): AppState, Json(changes): Json<Vec<DirectoryChange>>) -> Done {
    apply(&app, changes, Actor::Service).await
}

/// A whole document, all or none.
///
/// The body may have 32 MiB.
#[utoipa::path(
    post,
    path = "/api/directory/import",
    tag = "directory",
    operation_id = "importDirectory",
    request_body = import::Document,
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn import(_: BackEnd, State(app): AppState, Text(document): Text) -> Done {
    let changes =
        import::parse(&document).map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))?;
    apply(&app, changes, Actor::Import).await
}

/// A user without their id.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserBody {
    #[schema(schema_with = model::openapi::name)]
    display_name: String,
    #[serde(default)]
    disabled: bool,
}

/// Creates or replaces a user.
#[utoipa::path(
    put,
    path = "/api/directory/users/{user}",
    tag = "directory",
    operation_id = "putUser",
    params(("user" = UserId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_user(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<UserId>,
    Json(body): Json<UserBody>,
) -> Done {
    let UserBody { display_name, disabled } = body;
    one(&app, DirectoryChange::PutUser { id, display_name, disabled }).await
}

/// Removes a user, and all that is stored about them.
#[utoipa::path(
    delete,
    path = "/api/directory/users/{user}",
    tag = "directory",
    operation_id = "removeUser",
    params(("user" = UserId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_user(_: BackEnd, State(app): AppState, Path(id): Path<UserId>) -> Done {
    one(&app, DirectoryChange::RemoveUser { id }).await
}

/// An organization without its id.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrganizationBody {
    #[schema(schema_with = model::openapi::name)]
    name: String,
    #[serde(default)]
    plan: Plan,
}

/// Creates or replaces an organization.
#[utoipa::path(
    put,
    path = "/api/directory/organizations/{organization}",
    tag = "directory",
    operation_id = "putOrganization",
    params(("organization" = OrganizationId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_organization(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<OrganizationId>,
    Json(body): Json<OrganizationBody>,
) -> Done {
    one(&app, DirectoryChange::PutOrganization { id, name: body.name, plan: body.plan }).await
}

/// Removes an organization with its memberships and accounts.
#[utoipa::path(
    delete,
    path = "/api/directory/organizations/{organization}",
    tag = "directory",
    operation_id = "removeOrganization",
    params(("organization" = OrganizationId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_organization(_: BackEnd, State(app): AppState, Path(id): Path<OrganizationId>) -> Done {
    one(&app, DirectoryChange::RemoveOrganization { id }).await
}

/// A membership without whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MemberBody {
    role: Role,
}

/// Makes a user a member, or changes the role.
#[utoipa::path(
    put,
    path = "/api/directory/organizations/{organization}/members/{user}",
    tag = "directory",
    operation_id = "putMember",
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_member(
    _: BackEnd,
    State(app): AppState,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
    Json(body): Json<MemberBody>,
) -> Done {
    one(&app, DirectoryChange::PutMember { organization, user, role: body.role }).await
}

/// Ends a membership.
#[utoipa::path(
    delete,
    path = "/api/directory/organizations/{organization}/members/{user}",
    tag = "directory",
    operation_id = "removeMember",
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_member(
    _: BackEnd,
    State(app): AppState,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Done {
    one(&app, DirectoryChange::RemoveMember { organization, user }).await
}

/// A wedding without its id.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WeddingBody {
    #[schema(schema_with = model::openapi::name)]
    name: String,
}

/// Creates or replaces a wedding.
#[utoipa::path(
    put,
    path = "/api/directory/weddings/{wedding}",
    tag = "directory",
    operation_id = "putWedding",
    params(("wedding" = WeddingId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_wedding(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<WeddingId>,
    Json(body): Json<WeddingBody>,
) -> Done {
    one(&app, DirectoryChange::PutWedding { id, name: body.name }).await
}

/// Removes a wedding with its collaborations.
#[utoipa::path(
    delete,
    path = "/api/directory/weddings/{wedding}",
    tag = "directory",
    operation_id = "removeWedding",
    params(("wedding" = WeddingId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_wedding(_: BackEnd, State(app): AppState, Path(id): Path<WeddingId>) -> Done {
    one(&app, DirectoryChange::RemoveWedding { id }).await
}

/// A collaboration without whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CollaborationBody {
    #[schema(schema_with = model::openapi::name)]
    supplier_type: SupplierType,
}

/// A supplier works for a client at a wedding: both take part in it.
#[utoipa::path(
    put,
    path = "/api/directory/weddings/{wedding}/collaborations/{supplier}/{client}",
    tag = "directory",
    operation_id = "putCollaboration",
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_collaboration(
    _: BackEnd,
    State(app): AppState,
    Path((wedding, supplier, client)): Path<(WeddingId, UserId, UserId)>,
    Json(body): Json<CollaborationBody>,
) -> Done {
    let supplier_type = body.supplier_type;
    one(&app, DirectoryChange::PutCollaboration { wedding, supplier, client, supplier_type }).await
}

/// Ends a collaboration.
#[utoipa::path(
    delete,
    path = "/api/directory/weddings/{wedding}/collaborations/{supplier}/{client}",
    tag = "directory",
    operation_id = "removeCollaboration",
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_collaboration(
    _: BackEnd,
    State(app): AppState,
    Path((wedding, supplier, client)): Path<(WeddingId, UserId, UserId)>,
) -> Done {
    one(&app, DirectoryChange::RemoveCollaboration { wedding, supplier, client }).await
}

/// An account without its id.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountBody {
    organization: OrganizationId,
    #[schema(schema_with = model::openapi::name)]
    name: String,
}

/// Creates or replaces an account.
#[utoipa::path(
    put,
    path = "/api/directory/accounts/{account}",
    tag = "directory",
    operation_id = "putAccount",
    params(("account" = AccountId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn put_account(
    _: BackEnd,
    State(app): AppState,
    Path(id): Path<AccountId>,
    Json(body): Json<AccountBody>,
) -> Done {
    let AccountBody { organization, name } = body;
    one(&app, DirectoryChange::PutAccount { id, organization, name }).await
}

/// Removes an account.
#[utoipa::path(
    delete,
    path = "/api/directory/accounts/{account}",
    tag = "directory",
    operation_id = "removeAccount",
    params(("account" = AccountId, Path)),
    responses((status = 204, description = "It is committed")),
    extensions(("x-codes" = json!(codes([ErrorCode::InvalidValue.into()])))),
    security(("serviceToken" = [])),
)]
async fn remove_account(_: BackEnd, State(app): AppState, Path(id): Path<AccountId>) -> Done {
    one(&app, DirectoryChange::RemoveAccount { id }).await
}
