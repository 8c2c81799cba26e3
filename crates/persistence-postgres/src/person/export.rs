//! What is stored about one person, page by page. Rows are made into JSON by the database, with its own names.

use chrono::{DateTime, Utc};
use model::UserId;
use persistence::{
    EXPORT_ROWS, ExportPage, ExportPart, StoreError,
    stored::{corrupt, write_json},
};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::error::Failure;

/// One page of one part.
pub(super) struct Wanted {
    user: UserId,
    from: From,
}

/// Where a page begins.
enum From {
    /// Of the log: its own key, by which a million rows are found as fast as one.
    Log(DateTime<Utc>, Uuid),
    /// Of all else, which is little: any text that orders it.
    Part(&'static str, String),
}

impl Wanted {
    pub(super) fn new(user: UserId, part: ExportPart, after: Option<String>) -> Result<Self, StoreError> {
        let from = match (statement(part), after) {
            (Some(statement), after) => From::Part(statement, after.unwrap_or_default()),
            (None, None) => From::Log(DateTime::UNIX_EPOCH, Uuid::nil()),
            (None, Some(after)) => log_place(&after).ok_or_else(|| corrupt("no page begins there"))?,
        };
        Ok(Self { user, from })
    }
}

fn log_place(after: &str) -> Option<From> {
    let (micros, id) = after.split_once('/')?;
    Some(From::Log(DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
}

/// At most [`EXPORT_ROWS`] rows. One more is asked for, to know whether this is the last page.
pub(super) async fn page(connection: &mut PgConnection, wanted: &Wanted) -> Result<ExportPage, Failure> {
    let limit = i64::try_from(EXPORT_ROWS).unwrap_or(i64::MAX - 1) + 1;
    let found: Vec<(String, String)> = match &wanted.from {
        From::Log(at, id) => {
            let sql = log(&super::tables_of_the_log(connection).await?);
            // Planned for this person: a plan for any may read whole weeks.
            let log = sqlx::query_as(AssertSqlSafe(sql)).persistent(false);
            log.bind(wanted.user.0).bind(at).bind(id).bind(limit).fetch_all(connection).await?
        }
        From::Part(statement, after) => {
            let sql = format!(
                "SELECT key, row::text FROM ({statement}) AS part (key, row) WHERE key > $2 COLLATE \"C\" \
                 ORDER BY key COLLATE \"C\" LIMIT $3"
            );
            let part = sqlx::query_as(AssertSqlSafe(sql)).bind(wanted.user.0).bind(after).bind(limit);
            part.fetch_all(connection).await?
        }
    };
    Ok(page_of(found)?)
}

fn page_of(mut found: Vec<(String, String)>) -> Result<ExportPage, StoreError> {
    let more = found.len() > EXPORT_ROWS;
    found.truncate(EXPORT_ROWS);
    let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
    let rows = found.into_iter().map(|(_, row)| in_one_form(&row)).collect::<Result<_, _>>()?;
    Ok(ExportPage { rows, next })
}

/// A row with its times in the form that every store exports: to the millisecond, with `Z`.
fn in_one_form(row: &str) -> Result<String, StoreError> {
    let mut row: Map<String, Value> = serde_json::from_str(row).map_err(corrupt)?;
    for (name, value) in &mut row {
        let is_time = name.ends_with("_at") || matches!(name.as_str(), "at" | "timestamp" | "bucket");
        if let Some(Ok(at)) = value.as_str().filter(|_| is_time).map(DateTime::parse_from_rfc3339) {
            *value = at.to_utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into();
        }
    }
    write_json(&row)
}

/// What the person did, in the log and in weeks that were taken out and are not archived yet. Each table is read by its
/// own index, as far as a page goes.
fn log(tables: &[String]) -> String {
    let part = |table: &String| {
        format!(
            "(SELECT \"timestamp\" AS at, id, to_jsonb(row) || jsonb_build_object('metadata', coalesce(metadata, '{{}}')) \
                 AS row FROM {table} AS row \
             WHERE user_id = $1 AND \"timestamp\" >= $2 AND (\"timestamp\", id) > ($2, $3) \
             ORDER BY \"timestamp\", id LIMIT $4)"
        )
    };
    let parts = tables.iter().map(part).collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT (extract(epoch FROM at) * 1000000)::bigint || '/' || id, row::text FROM ({parts}) AS page \
         ORDER BY at, id LIMIT $4"
    )
}

/// A document without the ids of others in two places.
macro_rules! without_others {
    ($document:literal, $one:literal, $other:literal) => {
        concat!(
            "jsonb_set(jsonb_set(",
            $document,
            ", '",
            $one,
            "', CASE WHEN ",
            $document,
            " #>> '",
            $one,
            "' = $1::text THEN to_jsonb($1) ELSE 'null' END, false), '",
            $other,
            "', CASE WHEN ",
            $document,
            " #>> '",
            $other,
            "' = $1::text THEN to_jsonb($1) ELSE 'null' END, false)"
        )
    };
}

/// The rows of a part with what orders them; `None`: the log.
///
/// Of tables that the platform made, the hub's columns alone. Rows of them are ordered as they lie: their keys name
/// others, and may be missing.
fn statement(part: ExportPart) -> Option<&'static str> {
    Some(match part {
        ExportPart::Activity => return None,
        ExportPart::User => {
            "SELECT id::text, json_build_object('id', id, 'display_name', display_name, 'disabled', disabled, \
                'created_at', created_at) FROM users WHERE id = $1"
        }
        ExportPart::Memberships => {
            "SELECT format('%s %s', tableoid, ctid), json_build_object('user_id', user_id, \
                'organization_id', organization_id, 'role', role) FROM user_organizations WHERE user_id = $1"
        }
        ExportPart::Collaborations => {
            "SELECT format('%s %s', tableoid, ctid), json_strip_nulls(json_build_object('wedding_id', wedding_id, \
                'supplier_id', CASE WHEN supplier_id = $1 THEN supplier_id END, \
                'client_id', CASE WHEN client_id = $1 THEN client_id END, \
                'supplier_type', CASE WHEN supplier_id = $1 THEN supplier_type::text END)) \
             FROM wedding_collaborations WHERE supplier_id = $1 OR client_id = $1"
        }
        ExportPart::Settings => {
            "SELECT 'settings', row_to_json(s) FROM presence_settings AS s WHERE user_id = $1"
        }
        // To the person the exact time; the one for others is cut from it.
        ExportPart::LastSeen => {
            "SELECT 'seen', to_jsonb(s) - 'seen_at' || jsonb_build_object('last_seen_at', seen_at) \
             FROM user_last_seen AS s WHERE user_id = $1"
        }
        ExportPart::Sessions => {
            "SELECT format('%s %s %s', extract(epoch FROM started_at), organization_id, session_id), \
                to_jsonb(s) - 'long' FROM presence_sessions AS s WHERE user_id = $1"
        }
        ExportPart::Rollups => {
            "SELECT format('%s %s', extract(epoch FROM bucket), organization_id), row_to_json(r) \
             FROM activity_rollups AS r WHERE user_id = $1"
        }
        ExportPart::Pages => {
            "SELECT format('%s %s %s', extract(epoch FROM bucket), organization_id, page), row_to_json(p) \
             FROM activity_pages AS p WHERE user_id = $1"
        }
        ExportPart::Occupancy => {
            "SELECT account_id::text, row_to_json(o) FROM account_presence AS o WHERE user_id = $1"
        }
        ExportPart::AccessCodes => {
            "SELECT id::text, json_strip_nulls(json_build_object('id', id, 'organization_id', organization_id, \
                'user_id', user_id, 'created_by', CASE WHEN created_by = $1 THEN created_by END, \
                'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at, \
                'max_uses', max_uses, 'uses', uses)) FROM access_codes WHERE user_id = $1"
        }
        ExportPart::Operations => OPERATIONS,
        ExportPart::Audit => AUDIT,
    })
}

/// Without whose code they made, and whose hold they ended.
const OPERATIONS: &str = concat!(
    "SELECT operation_id::text, to_jsonb(o) - 'is_named' - 'about' || jsonb_build_object(\
        'body_json', ",
    without_others!("body_json::jsonb", "{mintCode,1}", "{forceClear,1}"),
    "::text, 'result_json', ",
    without_others!("result_json", "{revoked,user}", "{cleared,user}"),
    ") FROM operation_results AS o WHERE user_id = $1 AND is_named"
);

/// The changes in a column of the audit that mention the person, without what names others.
macro_rules! concerning {
    ($column:literal) => {
        concat!(
            "(SELECT jsonb_agg(kept.fields) FROM jsonb_array_elements(CASE jsonb_typeof(",
            $column,
            ") WHEN 'array' THEN ",
            $column,
            " ELSE jsonb_build_array(",
            $column,
            ") END) AS change (fields) CROSS JOIN LATERAL (\
                 SELECT jsonb_object_agg(field.key, field.value) FROM jsonb_each(\
                     CASE jsonb_typeof(change.fields) WHEN 'object' THEN change.fields ELSE '{}' END) AS field \
                 WHERE jsonb_typeof(field.value) NOT IN ('object', 'array') \
                   AND (field.value #>> '{}' !~ '[0-9a-f]{8}-[0-9a-f]{4}-' OR field.value #>> '{}' = $1::text \
                       OR field.key IN ('organization', 'wedding', 'account', 'code')) \
                   AND (field.key <> 'supplierType' OR change.fields ->> 'supplier' = $1::text)\
             ) AS kept (fields) WHERE change.fields::text LIKE '%' || $1 || '%')"
        )
    };
}

/// Of a person's own settings everything. Of all else who did it, where it was they or nobody in particular, and of each
/// change that mentions them what does not name another person; what somebody supplies is that person's own.
const AUDIT: &str = concat!(
    "SELECT lpad(id::text, 20, '0'), json_strip_nulls(json_build_object('at', at, 'kind', kind, \
        'organization_id', organization_id, \
        'actor', CASE WHEN actor LIKE 'user:' || $1 || '%' OR actor NOT LIKE 'user:%' THEN actor END, \
        'before_json', CASE WHEN kind = 'settings' THEN before_json ELSE ",
    concerning!("before_json"),
    " END, 'after_json', CASE WHEN kind = 'settings' THEN after_json ELSE ",
    concerning!("after_json"),
    " END)) FROM presence_audit WHERE subject = $1 OR mentions @> ARRAY[$1]"
);
