//! `/api/access-codes`: minted and revoked by admins; with them assistants clock in, and out again.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use hub::OperationError;
use model::{
    AccessCodeId, AccountId, ErrorCode, Hold, Minute, OrganizationId, RequestError, UserId, Wall, limits,
};
use persistence::{AccessCode, ClockedIn, NewCode, Revocation, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{ADMINS_SEE, Token};

use super::{
    caller::{Address, Caller, Extension},
    operation::{IdempotencyKey, operation},
};
use crate::{
    app::App,
    auth::code,
    failure,
    openapi::codes,
    problem::{Json, Path, Problem, Query},
    rate::Call,
};

type AppState = State<Arc<App>>;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(mint, list))
        .routes(routes!(revoke))
        .routes(routes!(validate))
        .routes(routes!(log_out))
}

/// A code that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AccessCodeRequest)]
struct Wanted {
    organization_id: OrganizationId,
    /// Whose it is to be.
    user_id: UserId,
    /// How long it is good, in milliseconds; left out: as configured.
    #[schema(minimum = 1, maximum = 9007199254740991_u64, example = 86400000)]
    expires_in_ms: Option<u64>,
    /// How many clock-ins and moves it is good for; left out: any number.
    #[schema(minimum = 1, maximum = 1000000)]
    max_uses: Option<u32>,
}

/// A code as an admin is told of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessCode)]
struct CodeNow {
    id: AccessCodeId,
    organization_id: OrganizationId,
    user_id: UserId,
    created_at: Minute,
    expires_at: Minute,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Minute>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_uses: Option<u32>,
    uses: u32,
}

/// A code that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = MintedAccessCode)]
struct Minted {
    /// Shown once: left out where the same request had made it before.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(flatten)]
    now: CodeNow,
}

impl From<AccessCode> for CodeNow {
    fn from(code: AccessCode) -> Self {
        Self {
            id: code.id,
            organization_id: code.organization,
            user_id: code.user,
            created_at: code.created_at.minute(),
            expires_at: code.expires_at.minute(),
            revoked_at: code.revoked_at.map(Wall::minute),
            max_uses: code.max_uses,
            uses: code.uses,
        }
    }
}

/// Makes an access code for a member. For owners and admins.
///
/// The code is shown once and stored hashed. Asked for again under the same `Idempotency-Key`, the answer is without it.
#[utoipa::path(
    post,
    path = "/api/access-codes",
    tag = "accounts",
    operation_id = "mintAccessCode",
    params(IdempotencyKey),
    responses((status = 201, description = "The code", body = Minted)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), ErrorCode::Forbidden.into(), ErrorCode::UnknownChannel.into(),
        ErrorCode::OperationConflict.into(), ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
async fn mint(
    State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Clocking)?;
    let lasts = lasts(&app, wanted.expires_in_ms)?;
    let (text, hash) = code::generate();
    let code = NewCode {
        id: AccessCodeId(Uuid::new_v4()),
        hash,
        organization: wanted.organization_id,
        user: wanted.user_id,
        by: caller.principal(),
        lasts,
        max_uses: uses(wanted.max_uses)?,
        operation: operation(&headers)?,
    };
    let minted = app.operations.mint_code(code).await.map_err(|error| match error {
        OperationError::Store(StoreError::UnknownUser) => {
            RequestError::new(ErrorCode::UnknownChannel, "the organization has no such member")
        }
        error => failure::of_operation(&error),
    })?;
    let code = (!minted.again).then_some(text);
    Ok((StatusCode::CREATED, private(Minted { code, now: minted.code.into() })))
}

fn lasts(app: &App, asked_ms: Option<u64>) -> Result<Duration, Problem> {
    let lasts = asked_ms.map_or(app.occupancy.code_lasts(), Duration::from_millis);
    let most = app.occupancy.code_lasts_at_most();
    if lasts.is_zero() || lasts > most {
        let words = format!("expiresInMs is from 1 to {}", most.as_millis());
        return Err(Problem::new(ErrorCode::InvalidValue, words));
    }
    Ok(lasts)
}

fn uses(asked: Option<u32>) -> Result<Option<u32>, Problem> {
    match asked {
        Some(uses) if uses == 0 || uses > limits::ACCESS_CODE_USES => {
            let words = format!("maxUses is from 1 to {}", limits::ACCESS_CODE_USES);
            Err(Problem::new(ErrorCode::InvalidValue, words))
        }
        other => Ok(other),
    }
}

/// Of which organization.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Of {
    organization_id: OrganizationId,
}

/// Codes of an organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessCodes)]
struct Codes {
    access_codes: Vec<CodeNow>,
}

/// The access codes of an organization, the newest 1,000. For owners and admins.
#[utoipa::path(
    get,
    path = "/api/access-codes",
    tag = "accounts",
    operation_id = "accessCodes",
    params(Of),
    responses((status = 200, description = "Without the codes themselves", body = Codes)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::Forbidden.into(), ErrorCode::UnknownChannel.into(), ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(of): Query<Of>,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Board)?;
    let codes = app.operations.access_codes(caller.0, of.organization_id).await;
    let codes = codes.map_err(|error| failure::of_operation(&error))?;
    Ok(private(Codes { access_codes: codes.into_iter().map(CodeNow::from).collect() }))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HowToRevoke {
    #[serde(default)]
    clock_out: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessCodeRevoked)]
struct Revoked {
    success: bool,
    /// Whether its assistant was clocked out with it.
    clocked_out: bool,
}

/// Revokes an access code. For owners and admins.
#[utoipa::path(
    delete,
    path = "/api/access-codes/{code}",
    tag = "accounts",
    operation_id = "revokeAccessCode",
    params(("code" = AccessCodeId, Path), HowToRevoke, IdempotencyKey),
    responses((status = 200, description = "It is worth nothing any more", body = Revoked)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::Forbidden.into(), ErrorCode::UnknownChannel.into(), ErrorCode::OperationConflict.into(),
        ErrorCode::RateLimited.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
async fn revoke(
    State(app): AppState,
    caller: Caller,
    Path(code): Path<AccessCodeId>,
    Query(how): Query<HowToRevoke>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Clocking)?;
    let operation = operation(&headers)?;
    let revocation = Revocation { by: caller.principal(), code, clock_out: how.clock_out, operation };
    let ended = app.operations.revoke_code(revocation).await;
    let ended = ended.map_err(|error| failure::of_operation(&error))?;
    Ok(Json(Revoked { success: true, clocked_out: ended.is_some() }))
}

/// A code and where to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClockIn)]
struct Presented {
    #[schema(value_type = String)]
    code: Token,
    account_id: AccountId,
}

/// Where the assistant is, with the token of the extension.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClockedIn)]
struct Valid {
    user_id: UserId,
    organization_id: OrganizationId,
    account_id: AccountId,
    epoch: u64,
    since: Minute,
    #[schema(value_type = String)]
    token: Token,
    token_ms: u64,
    #[schema(value_type = Vec<String>)]
    admins_see: &'static [&'static str],
}

/// Clocks in: an access code, for an account. Whoever is in another account moves.
///
/// No token is needed but the code. For the account that one holds already it is the same hold, and one more connection.
#[utoipa::path(
    post,
    path = "/api/access-codes/validate",
    tag = "accounts",
    operation_id = "clockIn",
    params(IdempotencyKey),
    responses(
        (status = 200, description = "The hold is recorded; the token is the extension's", body = Valid),
    ),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidCode.into(), ErrorCode::UnknownChannel.into(), ErrorCode::Occupied.into(),
        ErrorCode::OperationConflict.into(), ErrorCode::RateLimited.into(),
    ])))),
)]
async fn validate(
    State(app): AppState,
    Address(address): Address,
    headers: HeaderMap,
    Json(presented): Json<Presented>,
) -> Result<impl IntoResponse, Problem> {
    let operation = operation(&headers)?;
    let done = app.clock_in(address, presented.code.reveal(), presented.account_id, operation).await?;
    let ClockedIn { hold, since, .. } = done;
    let (token, token_ms) = app.extension_token(hold)?;
    let Hold { user: user_id, organization: organization_id, account: account_id, epoch } = hold;
    let since = since.minute();
    Ok(private(Valid {
        user_id,
        organization_id,
        account_id,
        epoch,
        since,
        token,
        token_ms,
        admins_see: ADMINS_SEE,
    }))
}

/// The hold that is meant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ClockOut)]
struct Meant {
    account_id: AccountId,
    #[schema(maximum = 9007199254740992_u64)]
    epoch: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClockedOut)]
struct Done {
    success: bool,
}

/// Clocks out of the account that the extension's token is for.
#[utoipa::path(
    post,
    path = "/api/access-codes/logout",
    tag = "accounts",
    operation_id = "clockOut",
    params(IdempotencyKey),
    responses((status = 200, description = "The hold is over; the token is worth nothing", body = Done)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::NotHeld.into(), ErrorCode::OperationConflict.into(), ErrorCode::RateLimited.into(),
    ])))),
    security(("extensionToken" = [])),
)]
async fn log_out(
    State(app): AppState,
    Extension(own): Extension,
    headers: HeaderMap,
    Json(meant): Json<Meant>,
) -> Result<impl IntoResponse, Problem> {
    // The token is for one hold. Another one may not be there, or not be theirs.
    let hold = Hold { account: meant.account_id, epoch: meant.epoch, ..own };
    if hold != own {
        return Err(failure::of_operation(&StoreError::NotHeld.into()).into());
    }
    app.user_limits.check_hold(hold)?;
    let done = app.operations.clock_out(hold, operation(&headers)?).await;
    done.map_err(|error| failure::of_operation(&error))?;
    Ok(Json(Done { success: true }))
}

/// An answer for nobody but the caller, also not for a cache.
fn private<T: Serialize>(body: T) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body))
}
