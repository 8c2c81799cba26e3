//! The name of a durable operation: asked for again under it, it is done once.

use axum::http::HeaderMap;
use model::ErrorCode;
use persistence::OperationId;

use crate::problem::Problem;

/// The header that names a durable operation (draft-ietf-httpapi-idempotency-key-header): a UUID.
const OPERATION: &str = "idempotency-key";

/// The operation's name, where the caller gave one.
pub(super) fn operation(headers: &HeaderMap) -> Result<Option<OperationId>, Problem> {
    let Some(value) = headers.get(OPERATION) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim_matches('"').parse().ok());
    id.map(|id| Some(OperationId(id)))
        .ok_or_else(|| Problem::new(ErrorCode::Malformed, "Idempotency-Key must be a UUID"))
}
