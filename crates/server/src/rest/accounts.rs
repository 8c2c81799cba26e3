//! `/api/presence/accounts`: who is in which account, as the caller may know it; and clearing one.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};
use model::{AccountId, AccountRecord, CleanText, ErrorCode, OrganizationId, SharedRecord, UserId, limits};
use persistence::ForceClear;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::Caller,
    operation::{IdempotencyKey, operation},
};
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Path, Problem, Query},
    rate::Call,
};

/// Of which organization.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Of {
    organization_id: OrganizationId,
}

/// The occupied accounts, sorted by id.
#[derive(Serialize, ToSchema)]
#[schema(as = OccupiedAccounts)]
pub(super) struct Occupied {
    #[schema(value_type = Vec<AccountRecord>)]
    accounts: Vec<Shown>,
}

/// A record as the projection made it.
struct Shown(Arc<SharedRecord>);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.record().serialize(serializer)
    }
}

/// The occupied accounts of an organization, as the caller's role may know them.
///
/// From memory, so that a database out of reach does not stop it.
#[utoipa::path(
    get,
    path = "/api/presence/accounts",
    tag = "accounts",
    operation_id = "accounts",
    params(Of),
    responses(
        (status = 200, description = "Sorted by id; an available account is not listed", body = Occupied),
    ),
    extensions(("x-codes" = json!(codes([ErrorCode::UnknownChannel.into(), ErrorCode::RateLimited.into()])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(of): Query<Of>,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Board)?;
    let accounts = app.hub.accounts_of(caller.0, of.organization_id).await;
    let accounts = accounts.map_err(|gone| failure::of_operation(&gone.into()))?;
    let accounts =
        accounts.ok_or_else(|| Problem::new(ErrorCode::UnknownChannel, "there is no such organization"))?;
    let body = Json(Occupied { accounts: accounts.into_iter().map(Shown).collect() });
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], body))
}

/// What is cleared, and why.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Clearing {
    /// For the audit.
    #[param(max_length = 200)]
    reason: Option<String>,
    /// Whose hold is meant, as the caller saw it; left out: whoever's it is.
    user_id: Option<UserId>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountCleared)]
pub(super) struct Cleared {
    success: bool,
}

/// Clears an account: ends the hold of whoever is in it. For owners and admins; audited.
#[utoipa::path(
    delete,
    path = "/api/presence/accounts/{account}",
    tag = "accounts",
    operation_id = "clearAccount",
    params(("account" = AccountId, Path), Clearing, IdempotencyKey),
    responses((status = 200, description = "Nobody holds it", body = Cleared)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::Forbidden.into(), ErrorCode::UnknownChannel.into(),
        ErrorCode::OperationConflict.into(), ErrorCode::NotHeld.into(), ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn clear(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<AccountId>,
    Query(clearing): Query<Clearing>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Clocking)?;
    let clear = ForceClear {
        by: caller.principal(),
        account,
        holder: clearing.user_id,
        reason: reason(clearing.reason.as_deref())?,
        operation: operation(&headers)?,
    };
    app.operations.force_clear(clear).await.map_err(|error| failure::of_operation(&error))?;
    Ok(Json(Cleared { success: true }))
}

fn reason(raw: Option<&str>) -> Result<Option<CleanText>, Problem> {
    let clean = raw.map(|raw| CleanText::parse(raw, "reason", limits::REASON_CHARS)).transpose();
    clean.map(Option::flatten).map_err(|error| Problem::new(ErrorCode::InvalidValue, error.to_string()))
}
