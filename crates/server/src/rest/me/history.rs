//! `GET /api/presence/me/audit`: how the caller's settings changed. For the caller alone.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, SecondsFormat};
use model::Settings;
use persistence::SettingsEntry;
use serde::Serialize;
use utoipa::ToSchema;
use wire::SettingsBody;

use super::super::{caller::Caller, people};
use crate::{
    app::App,
    failure,
    problem::{Json, Problem},
};

/// Changes, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsHistory)]
pub(crate) struct History {
    entries: Vec<Entry>,
}

/// A change of settings.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsChange)]
struct Entry {
    #[schema(format = DateTime)]
    at: String,
    #[schema(value_type = Settings)]
    before: SettingsBody,
    #[schema(value_type = Settings)]
    after: SettingsBody,
}

impl From<SettingsEntry> for Entry {
    fn from(SettingsEntry { at, before, after }: SettingsEntry) -> Self {
        let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        Self {
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            before: SettingsBody(before),
            after: SettingsBody(after),
        }
    }
}

/// How the caller's settings changed, the newest 1,000.
#[utoipa::path(
    get,
    path = "/api/presence/me/audit",
    tag = "me",
    operation_id = "settingsHistory",
    responses((status = 200, description = "Changes, the newest first", body = History)),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<people::Answer<History>, Problem> {
    caller.admit(&app).await?;
    let found = app.store.settings_history(caller.0).await;
    let found = found.map_err(|error| failure::of_operation(&error.into()))?;
    let entries = found.into_iter().rev().map(Entry::from).collect();
    Ok((people::no_store(), Json(History { entries })))
}
