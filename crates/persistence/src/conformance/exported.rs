//! What is stored, read back as a person's export.

use std::{
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use model::Wall;
use serde_json::Value;

use super::{Shared, user};
use crate::{EXPORT_ROWS, ExportPart, Week};

/// The first instant of next week: every store has room for it, and no job of the hub is about to touch it.
static NEXT_WEEK: LazyLock<Wall> = LazyLock::new(|| Week::of(now()).end());

/// The hub's clock.
pub(super) fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    Wall(i64::try_from(since.as_millis()).expect("and before the end of time"))
}

/// So many milliseconds after the beginning of next week.
pub(super) fn soon(ms: i64) -> Wall {
    Wall(NEXT_WEEK.0 + ms)
}

/// All rows of one part of a user's export.
pub(super) async fn exported(store: &Shared, n: u128, part: ExportPart) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.export_page(user(n), part, after).await.expect("the store can be read");
        assert!(page.rows.len() <= EXPORT_ROWS, "{} rows in a page", page.rows.len());
        rows.extend(page.rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")));
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

/// Those columns of a row.
pub(super) fn pick(row: &Value, columns: &[&str]) -> Value {
    let column = |name: &&str| row.get(name).unwrap_or_else(|| panic!("no {name} in {row}")).clone();
    columns.iter().map(column).collect()
}

/// An instant as an export has it.
pub(super) fn utc(at: Wall) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.0).expect("an instant of this age");
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// And back.
pub(super) fn instant(text: &Value) -> Wall {
    let text = text.as_str().expect("an instant is a text");
    let at = chrono::DateTime::parse_from_rfc3339(text).expect("in the form of RFC 3339");
    assert_eq!(utc(Wall(at.timestamp_millis())), text);
    Wall(at.timestamp_millis())
}
