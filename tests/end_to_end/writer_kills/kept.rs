//! What is stored of a client, as the client's own export has it: the same on both databases.

use std::collections::BTreeMap;

use chrono::DateTime;
use model::UserId;
use reqwest::StatusCode;
use serde_json::Value;

use crate::fixture::{Hub, token};

/// A time in which a session was there, shown and consented; times in milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Organization and session.
    pub(crate) of: (String, String),
    pub(crate) started: i64,
    pub(crate) seen: i64,
    pub(crate) ended: bool,
}

/// What is stored of one user.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How often each row of the log is there, by its id.
    pub(crate) ids: BTreeMap<String, usize>,
    /// How often each page.
    pub(crate) pages: BTreeMap<String, usize>,
    /// The kinds of rows without a page.
    pub(crate) others: Vec<String>,
    /// In milliseconds since the Unix epoch.
    pub(crate) last_seen: Option<i64>,
    pub(crate) stretches: Vec<Stretch>,
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}")).to_owned()
}

fn time(row: &Value, key: &str) -> i64 {
    DateTime::parse_from_rfc3339(&text(row, key)).expect("a time").timestamp_millis()
}

impl Kept {
    pub(crate) async fn of(user: UserId, hub: &Hub, http: &reqwest::Client) -> Self {
        let call = http.get(hub.url("/api/presence/me/export")).bearer_auth(token(user).reveal());
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        Self::read(&answer.json().await.expect("a whole document"))
    }

    fn read(export: &Value) -> Self {
        let rows = |part: &str| export[part].as_array().expect("a part").iter();
        let mut kept = Self::default();
        for row in rows("activity") {
            *kept.ids.entry(text(row, "id")).or_default() += 1;
            match row["page_viewed"].as_str() {
                Some(page) => *kept.pages.entry(page.to_owned()).or_default() += 1,
                None => kept.others.push(text(row, "activity_type")),
            }
        }
        kept.last_seen = rows("lastSeen").next().map(|row| time(row, "last_seen_at"));
        kept.stretches = rows("sessions").map(stretch).collect();
        kept
    }
}

fn stretch(row: &Value) -> Stretch {
    Stretch {
        of: (text(row, "organization_id"), text(row, "session_id")),
        started: time(row, "started_at"),
        seen: time(row, "seen_at"),
        ended: row["ended"].as_bool().expect("whether it ended"),
    }
}
