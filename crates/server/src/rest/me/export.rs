//! `GET /api/presence/me/export`: one JSON document, table by table, made page by page while it is sent.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat};
use futures_util::{Stream, stream};
use model::{ErrorCode, UserId};
use persistence::{ExportPage, ExportPart, Store, StoreError};
use tokio::time::Instant;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};

use super::Caller;
use crate::{app::App, failure, problem::Problem, telemetry::UnderWay};

/// Exports that may be under way at once. Each holds one page of [`persistence::EXPORT_ROWS`] rows: 64 x 0.5 MB = 32 MB.
const EXPORTS_AT_ONCE: usize = 64;
/// How long one may take: whoever reads more slowly is cut off, and others may have theirs.
const PATIENCE: Duration = Duration::from_secs(300);
/// When to come back, where one is under way, in milliseconds.
const RETRY_AFTER_MS: u64 = 5_000;

/// Whose exports are under way: one of a user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exports(Arc<Mutex<BTreeSet<UserId>>>);

/// The place of an export that is under way.
struct Place {
    exports: Exports,
    user: UserId,
    _under_way: UnderWay,
}

impl Exports {
    fn begin(&self, user: UserId) -> Option<Place> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = under_way.len() < EXPORTS_AT_ONCE && under_way.insert(user);
        begins.then(|| {
            let _under_way = UnderWay::begin("presence_hub_exports_under_way");
            Place { exports: self.clone(), user, _under_way }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.exports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.user);
    }
}

/// The shape of an export.
pub(crate) struct Exported;

impl PartialSchema for Exported {
    fn schema() -> RefOr<Schema> {
        let time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let time = ObjectBuilder::new().schema_type(Type::String).format(Some(time));
        let rows = || ArrayBuilder::new().items(ObjectBuilder::new());
        let words = "Who, when, and the rows of each table with the columns' names as keys.";
        let head = ObjectBuilder::new().property("userId", Ref::from_schema_name(UserId::name()));
        let head = head.property("exportedAt", time).required("userId").required("exportedAt");
        let parts = ExportPart::ALL.iter().map(|part| part.name());
        parts
            .fold(head, |object, part| object.property(part, rows()).required(part))
            .description(Some(words))
            .into()
    }
}

impl ToSchema for Exported {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((UserId::name().into(), UserId::schema()));
    }
}

/// All that is stored about the caller, and nothing about anybody else.
///
/// One at a time; it is made while it is sent, and cut off where the reader takes more than five minutes.
#[utoipa::path(
    get,
    path = "/api/presence/me/export",
    tag = "me",
    operation_id = "exportMe",
    responses((status = 200, description = "One document, table by table", body = Exported)),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(crate) async fn export(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    let place = app.exports.begin(caller.0).ok_or_else(busy)?;
    let now = app.hub.clock().now().wall;
    let exported = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
    let head = format!(
        "{{\"userId\":\"{}\",\"exportedAt\":\"{}\"",
        caller.0,
        exported.to_rfc3339_opts(SecondsFormat::Millis, true)
    );
    let mut export = Export::new(app.store.clone(), caller.0, place);
    // Where the store is away, it is said before anything is sent.
    let first = export.next().await.map_err(|error| failure::of_operation(&error.into()))?;
    let rest = export.rest(head + &first.unwrap_or_default());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"presence-export.json\""),
        ),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

fn busy() -> Problem {
    Problem::new(ErrorCode::Unavailable, "an export is under way").retry_after_ms(RETRY_AFTER_MS)
}

/// What is left of an export.
struct Export {
    store: Arc<dyn Store>,
    user: UserId,
    parts: std::slice::Iter<'static, ExportPart>,
    /// The part that is being written, and where its next page begins.
    open: Option<(ExportPart, Option<String>)>,
    ended: bool,
    until: Instant,
    _place: Place,
}

impl Export {
    fn new(store: Arc<dyn Store>, user: UserId, place: Place) -> Self {
        let until = Instant::now() + PATIENCE;
        Self { store, user, parts: ExportPart::ALL.iter(), open: None, ended: false, until, _place: place }
    }

    /// The next piece of the document; `None`: it was the last.
    async fn next(&mut self) -> Result<Option<String>, StoreError> {
        if Instant::now() > self.until {
            return Err(StoreError::Unavailable("the reader took too long".into()));
        }
        let (part, after, begin) = match self.open.take() {
            Some((part, after)) => (part, after, String::new()),
            None => match self.parts.next() {
                Some(part) => (*part, None, format!(",\n\"{}\":[", part.name())),
                None if self.ended => return Ok(None),
                None => {
                    self.ended = true;
                    return Ok(Some("}\n".to_owned()));
                }
            },
        };
        let first = !begin.is_empty();
        let ExportPage { rows, next } = self.store.export_page(self.user, part, after).await?;
        let comma = if first || rows.is_empty() { "" } else { ",\n" };
        let end = if next.is_some() { "" } else { "]" };
        self.open = next.map(|next| (part, Some(next)));
        Ok(Some(format!("{begin}{comma}{}{end}", rows.join(",\n"))))
    }

    /// An error in the middle cuts the body short, which no JSON parser takes for a whole one.
    fn rest(self, head: String) -> impl Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold((self, Some(head)), |(mut export, head)| async move {
            let piece = match head {
                Some(head) => Some(head),
                None => export.next().await?,
            };
            Ok(piece.map(|piece| (Bytes::from(piece), (export, None))))
        })
    }
}
