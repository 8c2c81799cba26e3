//! `GET /api/presence/audit`: what was done about an organization, for its owners and admins.

mod cursor;

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, SecondsFormat};
use model::{ErrorCode, OrganizationId, UserId, limits};
use persistence::audited::{self, AuditEntry};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use self::cursor::Cursor;
use super::{caller::Caller, people};
use crate::{
    app::App,
    failure,
    openapi::codes,
    problem::{Json, Problem, Query},
    rate::Call,
};

/// Which part.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Of {
    organization_id: OrganizationId,
    /// The `next` of the answer before, for what is older.
    before: Option<String>,
}

/// Entries, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
pub(super) struct Audit {
    #[schema(max_items = 100)]
    entries: Vec<Entry>,
    /// Where to go on; left out where nothing is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was done, and by whom.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    #[schema(format = DateTime)]
    at: String,
    by: Author,
    #[serde(flatten)]
    what: What,
}

/// Whoever did it. Of those who were erased there is a pseudonym.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditAuthor)]
#[serde(rename_all = "camelCase")]
struct Author {
    /// `user`; `backEnd`, with a user as whom it asked, or by itself; `import`; `directory`, whoever changed it; `hub`.
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

/// What it was about.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum What {
    /// A hold of an account: `event`, `account`, `user`, `epoch`, and the `reason` of a force-clear.
    Occupancy(Map<String, Value>),
    /// An access code: `event`, `code`, `user`; of a new one `expiresAt` and `maxUses`.
    AccessCode(Map<String, Value>),
    /// Changes of the organization, its members and its accounts.
    Directory {
        /// Each with its `change`, as they are given to `POST /api/directory/changes`, without names.
        changes: Vec<Map<String, Value>>,
    },
}

/// What was done about an organization: holds of its accounts, access codes, and changes of its directory.
///
/// Settings are nobody's business but their own user's, and in none of these entries.
#[utoipa::path(
    get,
    path = "/api/presence/audit",
    tag = "accounts",
    operation_id = "audit",
    params(Of),
    responses((status = 200, description = "The newest first, 100 at a time", body = Audit)),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(),
        ErrorCode::UnknownChannel.into(),
        ErrorCode::Forbidden.into(),
        ErrorCode::RateLimited.into(),
        ErrorCode::Unavailable.into(),
    ])))),
    security(("userToken" = []), ("serviceToken" = [])),
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(of): Query<Of>,
) -> Result<people::Answer<Audit>, Problem> {
    caller.admit(&app).await?;
    app.user_limits.check(caller.0, Call::Board)?;
    let cursor = of.before.as_deref().map_or(Ok(Cursor::NEWEST), Cursor::parse)?;
    caller.administers(&app, of.organization_id).await?;
    // One more tells whether there is more.
    let most = limits::AUDIT_ENTRIES + 1;
    let found = app.store.audit(of.organization_id, cursor.until, cursor.told + most).await;
    let found = found.map_err(|error| failure::of_operation(&error.into()))?;
    let (page, next) = cursor.page(found, limits::AUDIT_ENTRIES);
    let entries = page.into_iter().filter_map(|entry| Entry::of(entry, of.organization_id)).collect();
    Ok((people::no_store(), Json(Audit { entries, next: next.map(|cursor| cursor.to_string()) })))
}

impl Entry {
    /// `None`: it only mentions the organization.
    fn of(AuditEntry { at, kind, actor, after }: AuditEntry, organization: OrganizationId) -> Option<Self> {
        let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        let what = match (kind.as_str(), after) {
            ("occupancy", Value::Object(fields)) => What::Occupancy(fields),
            ("access_code", Value::Object(fields)) => What::AccessCode(fields),
            (_, after) => What::Directory { changes: audited::concerning(&after, organization) },
        };
        let is_empty = matches!(&what, What::Directory { changes } if changes.is_empty());
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        (!is_empty).then(|| Self { at, by: Author::of(&actor), what })
    }
}

impl Author {
    /// From the text of a [`persistence::Actor`], or a store's own word.
    fn of(actor: &str) -> Self {
        let user = actor.strip_prefix("user:").map(|user| match user.strip_suffix("/service") {
            Some(user) => ("backEnd", user),
            None => ("user", user),
        });
        let (r#type, user_id) = match (user, actor) {
            (Some((r#type, user)), _) => (r#type, user.parse().ok()),
            (None, "service") => ("backEnd", None),
            (None, "import") => ("import", None),
            (None, "hub") => ("hub", None),
            (None, _) => ("directory", None),
        };
        Self { r#type, user_id }
    }
}

#[cfg(test)]
mod tests {
    use persistence::Actor;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn authors_are_told_apart() {
        let ada = UserId(Uuid::from_u128(1));
        let author = |actor: &str| serde_json::to_value(Author::of(actor)).unwrap();
        let named = |r#type: &str| serde_json::json!({ "type": r#type, "userId": ada });
        assert_eq!(author(&Actor::User(ada).to_string()), named("user"));
        assert_eq!(author(&Actor::As(ada).to_string()), named("backEnd"));
        for (actor, r#type) in [
            (Actor::Service.to_string().as_str(), "backEnd"),
            (Actor::Import.to_string().as_str(), "import"),
            ("hub", "hub"),
            ("directory", "directory"),
        ] {
            assert_eq!(author(actor), serde_json::json!({ "type": r#type }));
        }
    }
}
