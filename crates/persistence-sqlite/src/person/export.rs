//! Reading out: one statement a part, which makes the row's JSON and the place where the next page begins.
//!
//! Each statement takes the user, where the page before ended, and how many rows are wanted. Of rows that tell of
//! others too, it leaves out who they are.

use model::UserId;
use persistence::{EXPORT_ROWS, ExportPage, ExportPart, StoreError};
use sqlx::SqliteConnection;

use crate::error::store_error;

/// SQL for an instant as RFC 3339 in UTC with milliseconds.
macro_rules! utc {
    ($column:literal) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%fZ', ", $column, " / 1000.0, 'unixepoch')")
    };
}

/// SQL for a boolean, which SQLite has none of.
macro_rules! boolean {
    ($column:literal) => {
        concat!("json(iif(", $column, ", 'true', 'false'))")
    };
}

/// SQL for an id where it is the person's own.
macro_rules! own {
    ($id:literal) => {
        concat!("iif(", $id, " = ?1, ?1, NULL)")
    };
}

/// A part whose rows are picked by `$of` and lie in the order of the key `$key`, which is greater than `$after`.
macro_rules! part {
    ($row:expr, $from:literal, $of:literal, ($($key:literal),+) > ($($after:literal),+)) => {
        concat!(
            "SELECT json_object(", $row, "), json_array(", part!(@list $($key),+), ") FROM ", $from,
            " WHERE (", $of, ") AND (", part!(@list $($key),+), ") > (", part!(@list $($after),+), ") ORDER BY ",
            part!(@list $($key),+), " LIMIT ?3"
        )
    };
    (@list $first:literal $(, $more:literal)*) => { concat!($first $(, ", ", $more)*) };
}

const USER: &str = part!(
    concat!(
        "'id', id, 'display_name', display_name, 'disabled', ",
        boolean!("disabled"),
        ", 'created_at', ",
        utc!("created_at")
    ),
    "users",
    "id = ?1",
    ("id") > ("coalesce(?2 ->> 0, '')")
);
const MEMBERSHIPS: &str = part!(
    "'user_id', user_id, 'organization_id', organization_id, 'role', role",
    "user_organizations",
    "user_id = ?1",
    ("organization_id") > ("coalesce(?2 ->> 0, '')")
);
const COLLABORATIONS: &str = part!(
    "'wedding_id', wedding_id, 'supplier_id', iif(supplier_id = ?1, ?1, NULL), \
     'client_id', iif(client_id = ?1, ?1, NULL), 'supplier_type', iif(supplier_id = ?1, supplier_type, NULL)",
    "wedding_collaborations",
    "supplier_id = ?1 OR client_id = ?1",
    ("wedding_id", "supplier_id", "client_id")
        > ("coalesce(?2 ->> 0, '')", "coalesce(?2 ->> 1, '')", "coalesce(?2 ->> 2, '')")
);
const SETTINGS: &str = part!(
    concat!(
        "'user_id', user_id, 'visibility', visibility, 'show_activity', ",
        boolean!("show_activity"),
        ", 'show_current_page', ",
        boolean!("show_current_page"),
        ", 'appear_offline', ",
        boolean!("appear_offline"),
        ", 'custom_status', custom_status, 'custom_status_emoji', custom_status_emoji, 'updated_at', ",
        utc!("updated_at"),
        ", 'erased_at', iif(erased_at = 9223372036854775807, 'infinity', ",
        utc!("erased_at"),
        ")"
    ),
    "presence_settings",
    "user_id = ?1",
    ("user_id") > ("coalesce(?2 ->> 0, '')")
);
const LAST_SEEN: &str = part!(
    concat!(
        "'user_id', user_id, 'last_seen_at', ",
        utc!("last_seen_at"),
        ", 'last_page', last_page, 'last_device', last_device, 'last_activity_type', last_activity_type, \
         'session_duration_minutes', session_duration_minutes, 'updated_at', ",
        utc!("updated_at")
    ),
    "user_last_seen",
    "user_id = ?1",
    ("user_id") > ("coalesce(?2 ->> 0, '')")
);
/// With the weeks that are set aside: they are in no archive yet.
const ACTIVITY: &str = part!(
    concat!(
        "'id', id, 'organization_id', organization_id, 'user_id', user_id, 'activity_type', activity_type, \
         'page_viewed', page_viewed, 'timestamp', ",
        utc!("timestamp"),
        ", 'device_type', device_type, 'session_id', session_id, 'metadata', json(metadata)"
    ),
    "presence_activity_logs",
    "user_id = ?1",
    ("timestamp", "id") > ("coalesce(?2 ->> 0, -9223372036854775808)", "coalesce(?2 ->> 1, '')")
);
const SESSIONS: &str = part!(
    concat!(
        "'organization_id', organization_id, 'session_id', session_id, 'user_id', user_id, 'started_at', ",
        utc!("started_at"),
        ", 'seen_at', ",
        utc!("seen_at"),
        ", 'ended', ",
        boolean!("ended"),
        ", 'device_type', device_type"
    ),
    "presence_sessions",
    "user_id = ?1",
    ("organization_id", "session_id", "started_at")
        > ("coalesce(?2 ->> 0, '')", "coalesce(?2 ->> 1, '')", "coalesce(?2 ->> 2, 0)")
);
const ROLLUPS: &str = part!(
    concat!(
        "'organization_id', organization_id, 'user_id', user_id, 'bucket', ",
        utc!("bucket"),
        ", 'events', events, 'sessions', sessions, 'millis', millis, 'desktop', desktop, 'mobile', mobile, \
         'tablet', tablet"
    ),
    "activity_rollups",
    "user_id = ?1",
    ("organization_id", "bucket") > ("coalesce(?2 ->> 0, '')", "coalesce(?2 ->> 1, 0)")
);
const PAGES: &str = part!(
    concat!(
        "'organization_id', organization_id, 'user_id', user_id, 'bucket', ",
        utc!("bucket"),
        ", 'page', page, 'views', views"
    ),
    "activity_pages",
    "user_id = ?1",
    ("organization_id", "bucket", "page")
        > ("coalesce(?2 ->> 0, '')", "coalesce(?2 ->> 1, 0)", "coalesce(?2 ->> 2, '')")
);
const OCCUPANCY: &str = part!(
    concat!(
        "'account_id', account_id, 'organization_id', organization_id, 'user_id', user_id, 'clocked_in_at', ",
        utc!("clocked_in_at"),
        ", 'last_sign_at', ",
        utc!("last_sign_at"),
        ", 'last_activity_at', ",
        utc!("last_activity_at"),
        ", 'stale_since', ",
        utc!("stale_since"),
        ", 'epoch', epoch, 'code_id', code_id"
    ),
    "account_presence",
    "user_id = ?1",
    ("account_id") > ("coalesce(?2 ->> 0, '')")
);
/// Without the hash.
const ACCESS_CODES: &str = part!(
    concat!(
        "'id', id, 'organization_id', organization_id, 'user_id', user_id, 'created_by', ",
        own!("created_by"),
        ", 'created_at', ",
        utc!("created_at"),
        ", 'expires_at', ",
        utc!("expires_at"),
        ", 'revoked_at', ",
        utc!("revoked_at"),
        ", 'max_uses', max_uses, 'uses', uses"
    ),
    "access_codes",
    "user_id = ?1",
    ("seq") > ("coalesce(?2 ->> 0, 0)")
);
/// Without whose code they made and whom they cleared.
const OPERATIONS: &str = part!(
    concat!(
        "'user_id', user_id, 'operation_id', operation_id, 'body_json', json_replace(body_json, \
             '$.mintCode[1]', ",
        own!("body_json ->> '$.mintCode[1]'"),
        ", '$.forceClear[1]', ",
        own!("body_json ->> '$.forceClear[1]'"),
        "), 'result_json', json_replace(result_json, '$.revoked.user', ",
        own!("result_json ->> '$.revoked.user'"),
        ", '$.cleared.user', ",
        own!("result_json ->> '$.cleared.user'"),
        "), 'at', ",
        utc!("at")
    ),
    "operation_results",
    "user_id = ?1",
    ("operation_id") > ("coalesce(?2 ->> 0, '')")
);
/// Of a transaction of the directory, the changes that name the user, without the other side of a collaboration and, for
/// a client, without what that side supplies; and
/// whoever else made it is only said to be a user. Its changes have no index: the whole audit of the directory is read.
const AUDIT: &str = part!(
    concat!(
        "'at', ",
        utc!("at"),
        ", 'kind', kind, 'actor', iif(actor LIKE 'user:%' AND actor NOT LIKE 'user:' || ?1 || '%', 'user', actor), \
         'organization_id', organization_id, 'subject', subject, 'before_json', json(CASE \
             WHEN kind IN ('occupancy', 'access_code') THEN json_replace(before_json, '$.user', ",
        own!("before_json ->> '$.user'"),
        ") ELSE before_json END), \
         'after_json', json(CASE kind WHEN 'settings' THEN after_json WHEN 'directory' THEN \
             (SELECT json_group_array(json(json_remove(change.value, \
                  iif(change.value ->> 'supplier' = ?1, '$.none', '$.supplier'), \
                  iif(change.value ->> 'supplier' = ?1, '$.none', '$.supplierType'), \
                  iif(change.value ->> 'client' = ?1, '$.none', '$.client')))) \
              FROM json_each(after_json) AS change WHERE instr(change.value, ?1)) \
             ELSE json_replace(after_json, '$.user', ",
        own!("after_json ->> '$.user'"),
        ") END)"
    ),
    "presence_audit",
    "subject = ?1 OR (kind IN ('directory', 'occupancy', 'access_code') \
         AND (instr(after_json, ?1) OR coalesce(instr(before_json, ?1), 0) OR actor LIKE 'user:' || ?1 || '%'))",
    ("id") > ("coalesce(?2 ->> 0, 0)")
);

fn statement(part: ExportPart) -> &'static str {
    match part {
        ExportPart::User => USER,
        ExportPart::Memberships => MEMBERSHIPS,
        ExportPart::Collaborations => COLLABORATIONS,
        ExportPart::Settings => SETTINGS,
        ExportPart::LastSeen => LAST_SEEN,
        ExportPart::Activity => ACTIVITY,
        ExportPart::Sessions => SESSIONS,
        ExportPart::Rollups => ROLLUPS,
        ExportPart::Pages => PAGES,
        ExportPart::Occupancy => OCCUPANCY,
        ExportPart::AccessCodes => ACCESS_CODES,
        ExportPart::Operations => OPERATIONS,
        ExportPart::Audit => AUDIT,
    }
}

/// The rows of one part after those of the page before.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    user: UserId,
    part: ExportPart,
    after: Option<String>,
) -> Result<ExportPage, StoreError> {
    let read: Vec<(String, String)> = sqlx::query_as(statement(part))
        .bind(user.0.hyphenated())
        .bind(after)
        .bind(i64::try_from(EXPORT_ROWS).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let full = read.len() == EXPORT_ROWS;
    let (rows, mut places): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    Ok(ExportPage { rows, next: places.pop().filter(|_| full) })
}
