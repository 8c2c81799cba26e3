//! What a failed durable operation is to its caller: one exhaustive match for the socket and for HTTP.

use hub::OperationError;
use model::{ErrorCode, RequestError};
use persistence::StoreError;

/// After which time a store that was out of reach is worth asking again, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// The code and the words for a failed operation. What only operators should know goes to the log.
pub(crate) fn of_operation(error: &OperationError) -> RequestError {
    let store = match error {
        OperationError::Store(store) => store,
        OperationError::Gone(_) => return unavailable("the hub is shutting down"),
        OperationError::Broken => return internal(error),
    };
    match store {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "the store is out of reach; the caller was told to ask again");
            unavailable("the store is out of reach")
        }
        StoreError::OperationConflict => RequestError::new(ErrorCode::OperationConflict, store.to_string()),
        StoreError::Text(_) | StoreError::Invalid { .. } | StoreError::TooManyChanges { .. } => {
            RequestError::new(ErrorCode::InvalidValue, store.to_string())
        }
        StoreError::Refused(_) => {
            tracing::warn!(%error, "a rule of the database refused a change");
            RequestError::new(ErrorCode::InvalidValue, "a rule of the database refuses this")
        }
        StoreError::UnknownOrganization | StoreError::UnknownAccount | StoreError::UnknownCode => {
            RequestError::new(ErrorCode::UnknownChannel, store.to_string())
        }
        StoreError::Forbidden => RequestError::new(ErrorCode::Forbidden, store.to_string()),
        StoreError::InvalidCode => RequestError::new(ErrorCode::InvalidCode, store.to_string()),
        StoreError::Occupied => RequestError::new(ErrorCode::Occupied, store.to_string()),
        StoreError::NotHeld => RequestError::new(ErrorCode::NotHeld, store.to_string()),
        StoreError::TooManyCodes => RequestError::new(ErrorCode::InvalidValue, store.to_string()),
        StoreError::UnknownUser => RequestError::new(ErrorCode::Unauthorized, store.to_string()),
        StoreError::Corrupt(_) => internal(error),
    }
}

fn unavailable(message: &str) -> RequestError {
    let error = RequestError::new(ErrorCode::Unavailable, message);
    RequestError { retry_after_ms: Some(RETRY_AFTER_MS), ..error }
}

fn internal(error: &OperationError) -> RequestError {
    tracing::error!(%error, "a durable operation failed");
    RequestError::new(ErrorCode::Internal, "the failure is logged")
}
