//! The name of a durable operation: asked for again under it, it is done once.

use axum::http::HeaderMap;
use model::ErrorCode;
use persistence::OperationId;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::problem::Problem;

/// The header that names a durable operation (draft-ietf-httpapi-idempotency-key-header): a UUID.
pub(super) const OPERATION: &str = "idempotency-key";

/// The header as the description has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "its shape")]
pub(super) struct IdempotencyKey {
    /// Names the operation: asked for again under the same name within 24 h, it is done once and answered as then.
    /// Another body under it is a conflict.
    #[param(rename = "Idempotency-Key")]
    key: Option<Uuid>,
}

/// The operation's name, where the caller gave one.
pub(super) fn operation(headers: &HeaderMap) -> Result<Option<OperationId>, Problem> {
    let Some(value) = headers.get(OPERATION) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim_matches('"').parse().ok());
    id.map(|id| Some(OperationId(id)))
        .ok_or_else(|| Problem::new(ErrorCode::Malformed, "Idempotency-Key must be a UUID"))
}
