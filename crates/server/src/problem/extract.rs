//! axum's extractors, with problem documents for what they refuse.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, StringRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use model::ErrorCode;
use serde::{Serialize, de::DeserializeOwned};
use wire::Strictly;

use super::{Kind, Problem};

/// A JSON body, in and out. What comes in is read as strictly as a frame: a list is no object, an object no word.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(Strictly(body)) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// The query of a URL. A field that is a list is given once for each of its values, as `name[]=a&name[]=b`.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if !is_well_encoded(query) {
            let words = "the query cannot be read: its percent-encoding is no UTF-8";
            return Err(Problem::new(ErrorCode::Malformed, words));
        }
        let read = serde_html_form::from_str(query).map(Self);
        read.map_err(|error| Problem::new(ErrorCode::Malformed, format!("the query cannot be read: {error}")))
    }
}

/// The parameters in a path.
#[derive(Clone, Copy, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

/// A body as text, whatever its header says it is.
#[derive(Clone, Debug)]
pub struct Text(pub String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Self(String::from_request(request, state).await?))
    }
}

/// Whether each `%` has its two digits, and all of it is UTF-8. Decoders put another character in the place of what is
/// not, which would be read as what nobody wrote.
pub(super) fn is_well_encoded(query: &str) -> bool {
    let (mut decoded, mut rest) = (Vec::with_capacity(query.len()), query.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let byte = match byte {
            b'%' => digit().zip(digit()).and_then(|(high, low)| u8::try_from(16 * high + low).ok()),
            other => Some(other),
        };
        let Some(byte) = byte else { return false };
        decoded.push(byte);
    }
    std::str::from_utf8(&decoded).is_ok()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge.into(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            _ => ErrorCode::Malformed.into(),
        };
        Self::new(kind, rejection.body_text())
    }
}

impl From<StringRejection> for Problem {
    fn from(rejection: StringRejection) -> Self {
        let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        let code = if too_large { ErrorCode::TooLarge } else { ErrorCode::Malformed };
        Self::new(code, rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(ErrorCode::Malformed, rejection.body_text())
    }
}
