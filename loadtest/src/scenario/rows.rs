//! What was told, found again in the logs: each once, and nothing else.
//!
//! A hub that is started on the database of the one before it is asked for everybody's export. So whatever way the rows
//! went, they are counted where a person would look for them.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{Setup, load::Load};
use crate::{
    hub::{Answer, Hub, HubOptions, Rest},
    outcome::{Check, Outcome},
    world::{Person, user},
};

/// What somebody told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) person: Person,
    /// They told the numbers below this one.
    pub(super) count: u32,
    /// Whether a log is kept of them.
    pub(super) logged: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    rows: u64,
    missing: u64,
    doubled: u64,
    /// Rows of those of whom no log is kept, and of what was never told.
    strange: u64,
}

/// Starts a hub where the load's hub has ended, and holds what it finds against what was told.
///
/// # Errors
/// The hub does not start, or does not answer.
pub(super) fn check(outcome: &mut Outcome, load: &Load, setup: &Setup, told: &[Told]) -> anyhow::Result<()> {
    let options = HubOptions { core: setup.core, settings: load.settings.clone(), es256: false };
    let hub = Hub::start(&setup.hub, &options).context("the hub that is to find the rows")?;
    let mut rest = Rest::connect(hub.address())?;
    let mut found = Found::default();
    setup.progress.phase("reading back", told.len() as u64);
    for (asked, told) in (1..).zip(told) {
        found.take(numbers(&mut rest, &hub, told.person)?, *told);
        setup.progress.reach(asked);
    }
    hub.stop()?;
    let logged: u64 = told.iter().filter(|told| told.logged).map(|told| u64::from(told.count)).sum();
    outcome.figure("rows in the log after the hub's end", found.rows as f64, "");
    outcome.checks.extend([
        Check::exactly("rows of what was told for a log", found.rows as f64, logged as f64),
        Check::exactly("told and not in the log", found.missing as f64, 0.0),
        Check::exactly("in the log more than once", found.doubled as f64, 0.0),
        Check::exactly("in the log and not told for it", found.strange as f64, 0.0),
    ]);
    Ok(())
}

/// The numbers that a person's log has, in whatever order.
fn numbers(rest: &mut Rest, hub: &Hub, person: Person) -> anyhow::Result<Vec<u64>> {
    let token = hub.token(user(person))?;
    let Answer { status, body, .. } =
        rest.ask("GET", "/api/presence/me/export", token.reveal(), &Value::Null)?;
    ensure!(status == 200, "the export of person {person}: {status} {body}");
    let export: Value = serde_json::from_str(&body).context("an export that was cut short")?;
    let rows = export["activity"].as_array().context("an export without activity")?;
    Ok(rows.iter().filter_map(|row| row["metadata"]["count"].as_u64()).collect())
}

impl Found {
    fn take(&mut self, mut numbers: Vec<u64>, told: Told) {
        let end = if told.logged { u64::from(told.count) } else { 0 };
        let rows = numbers.len() as u64;
        numbers.retain(|number| *number < end);
        let known = numbers.len() as u64;
        numbers.sort_unstable();
        numbers.dedup();
        let different = numbers.len() as u64;
        self.rows += rows;
        self.strange += rows - known;
        self.doubled += known - different;
        self.missing += end - different;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: &[u64], count: u32, logged: bool) -> Found {
        let mut found = Found::default();
        found.take(numbers.to_vec(), Told { person: 1, count, logged });
        found
    }

    #[test]
    fn each_number_is_looked_for_once() {
        assert_eq!(found(&[2, 0, 1], 3, true), Found { rows: 3, ..Found::default() });
        assert_eq!(found(&[0, 0, 7], 3, true), Found { rows: 3, missing: 2, doubled: 1, strange: 1 });
    }

    #[test]
    fn where_no_log_is_kept_every_row_is_one_too_many() {
        assert_eq!(found(&[], 3, false), Found::default());
        assert_eq!(found(&[0, 1], 3, false), Found { rows: 2, strange: 2, ..Found::default() });
    }
}
