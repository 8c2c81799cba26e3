//! What clients were told, held against what the database has.

use std::{collections::BTreeMap, fmt};

use model::UserId;
use serde_json::Value;
use uuid::Uuid;

use super::fleet::Client;
use crate::fixture::Postgres;

/// One change, as its client knows it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) user: UserId,
    pub(super) operation: Uuid,
    /// What the custom status becomes; no two changes have the same.
    pub(super) text: String,
    /// What the hub answered; `None`: what became of it is not known.
    pub(super) result: Option<Value>,
}

impl Entry {
    /// A change that is about to be asked for.
    pub(super) fn invoke(user: UserId, operation: Uuid, number: usize) -> Self {
        Self { user, operation, text: format!("{number} {}", operation.simple()), result: None }
    }

    fn is_ours(&self, result: &Value) -> bool {
        result["settings"]["customStatus"] == *self.text
    }
}

/// All changes of all clients.
pub(super) struct Ledger(Vec<Entry>);

/// How often a change is in the audit, and how often its result is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    audited: usize,
    kept: usize,
}

/// Both as of one moment: a change of a hub that was just killed may still be on its way.
const FOUND: &str = "SELECT coalesce(audited, 0), coalesce(kept, 0), status FROM \
    (SELECT count(*) AS audited, after_json::jsonb ->> 'customStatus' AS status FROM presence_audit \
     WHERE kind = 'settings' AND after_json::jsonb ? 'customStatus' GROUP BY 2) AS audit \
    FULL JOIN (SELECT count(*) AS kept, result_json::jsonb ->> 'customStatus' AS status \
     FROM operation_results WHERE result_json::jsonb ? 'customStatus' GROUP BY 2) AS results USING (status)";

/// What the database has, by the text of the change.
fn found(postgres: &Postgres) -> BTreeMap<String, Found> {
    let rows = postgres.sql(FOUND);
    let row = |line: &str| {
        let columns: Vec<_> = line.splitn(3, '|').collect();
        let number = |n: usize| columns[n].parse().expect("a number");
        (columns[2].to_owned(), Found { audited: number(0), kept: number(1) })
    };
    rows.lines().map(row).collect()
}

impl Ledger {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    fn acknowledged(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| entry.result.is_some())
    }

    /// What was acknowledged is there once, with its result; what is open is there once or not at all, and whole.
    pub(super) fn agrees_with(&self, postgres: &Postgres, when: &str) {
        let found = found(postgres);
        let (nowhere, once) = (Found::default(), Found { audited: 1, kept: 1 });
        for entry in &self.0 {
            let found = found.get(&entry.text).copied().unwrap_or_default();
            let may_be_nowhere = entry.result.is_none();
            assert!(found == once || (found == nowhere && may_be_nowhere), "{when}: {found:?} of {entry:?}");
            assert!(entry.result.as_ref().is_none_or(|result| entry.is_ours(result)), "{when}: {entry:?}");
        }
        assert!(found.len() <= self.0.len(), "{when}: something that nobody asked for");
    }

    /// Asks for all changes again, each on both hubs: the open ones are done by that. Returns how many calls it made.
    pub(super) async fn ask_again(&self, hubs: &[Client; 2]) -> usize {
        let mut calls = 0;
        for (number, entry) in self.0.iter().enumerate() {
            for turn in 0..2 {
                let result = hubs[(number + turn) % 2].change(entry).await.expect("an acknowledgement");
                assert!(entry.is_ours(&result), "{result} is not the first result of {entry:?}");
                let first = entry.result.as_ref();
                assert!(
                    first.is_none_or(|first| *first == result),
                    "{result} is not the first result of {entry:?}"
                );
                calls += 1;
            }
        }
        calls
    }

    /// Once everything was asked for until it was acknowledged.
    pub(super) fn everything_was_done(&self, postgres: &Postgres) {
        let once = |entry: &Entry| Entry {
            result: Some(serde_json::json!({ "settings": { "customStatus": entry.text } })),
            ..entry.clone()
        };
        Self(self.0.iter().map(once).collect()).agrees_with(postgres, "after all was asked again");
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acknowledged = self.acknowledged().count();
        write!(
            f,
            "{} changes, {acknowledged} acknowledged, {} open",
            self.0.len(),
            self.0.len() - acknowledged
        )
    }
}
