//! Errors of the HTTP side, as RFC 9457 problem documents with a stable code.

mod extract;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::{ErrorCode, RequestError};
use serde::Serialize;
use utoipa::{PartialSchema, ToSchema};

pub use extract::{Json, Path, Query, Text};

/// What went wrong, in one closed set: the codes of the protocol and those that only HTTP has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A code that the socket has too.
    Error(ErrorCode),
    /// No such route.
    NoRoute,
    /// The route knows another method.
    MethodNotAllowed,
    /// A page from elsewhere.
    ForeignOrigin,
    /// The route wants a WebSocket, of version 13.
    UpgradeRequired,
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// The address and the headers are too long, or too many.
    HeadTooLarge,
    /// The request took too long.
    Timeout,
    /// No room for another connection.
    Overloaded,
    /// Nobody by this id whom the caller may see.
    UnknownUser,
    /// The caller has no session of this name.
    UnknownSession,
    /// The caller has as many sessions as there may be.
    TooManySessions,
    /// No job has this name.
    NoJob,
    /// The job cannot be done now, or not by this hub.
    JobTaken,
    /// The job was not done to its end.
    JobFailed,
}

impl From<ErrorCode> for Kind {
    fn from(code: ErrorCode) -> Self {
        Self::Error(code)
    }
}

impl Kind {
    /// The HTTP status, the stable code and the title.
    pub(crate) fn face(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Error(code) => (code.number(), code.name(), title(code)),
            Self::NoRoute => (404, "no_route", "No such route"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "The route knows another method"),
            Self::ForeignOrigin => (403, "foreign_origin", "This page may not open a socket here"),
            Self::UpgradeRequired => (426, "upgrade_required", "The route wants a WebSocket"),
            Self::UnsupportedMediaType => {
                (415, "unsupported_media_type", "The body must be application/json")
            }
            Self::HeadTooLarge => (431, "head_too_large", "The address or the headers are too long"),
            Self::Timeout => (503, "timeout", "The request took too long"),
            Self::Overloaded => (503, "overloaded", "No room for another connection"),
            Self::UnknownUser => (404, "unknown_user", "Nobody by that id"),
            Self::UnknownSession => (404, "unknown_session", "No such session"),
            Self::TooManySessions => (409, "too_many_sessions", "Too many sessions"),
            Self::NoJob => (404, "no_job", "No such job"),
            Self::JobTaken => (409, "job_taken", "The job cannot be done by this hub now"),
            Self::JobFailed => (500, "job_failed", "The job was not done to its end"),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.face().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn title(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Malformed => "The request cannot be read",
        ErrorCode::Unauthorized => "No valid token",
        ErrorCode::InvalidCode => "No access code that is valid here",
        ErrorCode::Forbidden => "Only owners and admins may do this",
        ErrorCode::UnknownChannel => "Nothing by that name",
        ErrorCode::UnknownSubscription => "No such subscription",
        ErrorCode::OperationConflict => "The operation id was used with another body",
        ErrorCode::Occupied => "Somebody else is clocked in",
        ErrorCode::NotHeld => "The account is not held by that clock-in",
        ErrorCode::TooLarge => "The body is too large",
        ErrorCode::InvalidValue => "A value is past its limit",
        ErrorCode::ChannelLimit => "Too many subscriptions",
        ErrorCode::RateLimited => "Too often",
        ErrorCode::Internal => "The hub failed",
        ErrorCode::Unavailable => "Out of reach for the moment",
    }
}

/// A problem document.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    retry_after_ms: Option<u64>,
    request_id: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What went wrong (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// `urn:presence-hub:problem:` and the code.
    r#type: String,
    /// The code in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// Stable: what a program goes by.
    code: &'a str,
    /// For the developer who reads it.
    detail: &'a str,
    /// After which time to ask again, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// Under which the failure is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// The schema of a problem document.
pub(crate) fn schema() -> serde_json::Value {
    serde_json::to_value(Document::schema()).unwrap_or_default()
}

impl Problem {
    /// A problem with a sentence for the developer who reads it.
    pub fn new(kind: impl Into<Kind>, detail: impl Into<Cow<'static, str>>) -> Self {
        let (detail, headers) = (detail.into(), Vec::new());
        Self { kind: kind.into(), detail, retry_after_ms: None, request_id: None, headers }
    }

    /// With the time after which asking again makes sense, in milliseconds.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// With the id under which the failure is logged.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// With a header that the status calls for.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// For the header: whole seconds, rounded up, so that who comes back then is not told to wait again.
    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_ms.map(|ms| ms.div_ceil(1000))
    }

    /// Counts that it was told.
    pub(crate) fn count(&self) {
        let code = self.kind.face().1;
        metrics::counter!("presence_hub_errors_total", "way" => "rest", "code" => code).increment(1);
    }

    /// The document as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let (status, code, title) = self.kind.face();
        let document = Document {
            r#type: format!("urn:presence-hub:problem:{code}"),
            title,
            status,
            code,
            detail: &self.detail,
            retry_after_ms: self.retry_after_ms,
            request_id: self.request_id.as_deref(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let problem = Self::new(error.code, error.message);
        match error.retry_after_ms {
            Some(ms) => problem.retry_after_ms(ms),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.count();
        let mut response = Response::new(Body::from(self.to_json()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(s) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(s));
        }
        headers.extend(self.headers);
        response
    }
}
