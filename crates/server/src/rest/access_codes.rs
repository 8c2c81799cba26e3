//! `/api/access-codes`: minted and revoked by admins; with them assistants clock in, and out again.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::{delete, post},
};
use hub::OperationError;
use model::{
    AccessCodeId, AccountId, ErrorCode, Hold, Minute, OrganizationId, RequestError, UserId, Wall, limits,
};
use persistence::{AccessCode, ClockedIn, NewCode, Revocation, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::{ADMINS_SEE, Token};

use super::{
    caller::{Address, Caller, Extension},
    operation::operation,
};
use crate::{
    app::App,
    auth::code,
    failure,
    problem::{Json, Path, Problem, Query},
    rate::Call,
};

type AppState = State<Arc<App>>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", post(mint).get(list))
        .route("/{code}", delete(revoke))
        .route("/validate", post(validate))
        .route("/logout", post(log_out))
}

/// A code that is wanted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    organization_id: OrganizationId,
    /// Whose it is to be.
    user_id: UserId,
    /// How long it is good, in milliseconds; left out: as configured.
    expires_in_ms: Option<u64>,
    /// How many clock-ins and moves it is good for; left out: any number.
    max_uses: Option<u32>,
}

/// A code as an admin is told of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeNow {
    id: AccessCodeId,
    organization_id: OrganizationId,
    user_id: UserId,
    created_at: Minute,
    expires_at: Minute,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Minute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_uses: Option<u32>,
    uses: u32,
}

/// A code that was made.
#[derive(Serialize)]
struct Minted {
    /// Shown once: left out where the same request had made it before.
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
        by: caller.0,
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
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Of {
    organization_id: OrganizationId,
}

/// Codes of an organization.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Codes {
    access_codes: Vec<CodeNow>,
}

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HowToRevoke {
    #[serde(default)]
    clock_out: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revoked {
    success: bool,
    /// Whether its assistant was clocked out with it.
    clocked_out: bool,
}

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
    let revocation = Revocation { by: caller.0, code, clock_out: how.clock_out, operation };
    let ended = app.operations.revoke_code(revocation).await;
    let ended = ended.map_err(|error| failure::of_operation(&error))?;
    Ok(Json(Revoked { success: true, clocked_out: ended.is_some() }))
}

/// A code and where to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Presented {
    code: Token,
    account_id: AccountId,
}

/// Where the assistant is, with the token of the extension.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Valid {
    user_id: UserId,
    organization_id: OrganizationId,
    account_id: AccountId,
    epoch: u64,
    since: Minute,
    token: Token,
    token_ms: u64,
    admins_see: &'static [&'static str],
}

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
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Meant {
    account_id: AccountId,
    epoch: u64,
}

#[derive(Serialize)]
struct Done {
    success: bool,
}

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
