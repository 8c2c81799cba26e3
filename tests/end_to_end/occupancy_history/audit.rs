//! The audit of an organization, entry by entry: it tells one possible story, which ends with what is there.

use std::collections::{BTreeMap, BTreeSet};

use postgres_cluster::Session;
use serde_json::Value;

use crate::fixture::Agency;

/// What the audit told of an organization.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// How often each thing happened.
    pub(crate) events: BTreeMap<String, usize>,
    /// The epochs that began, each of an account.
    pub(crate) begun: BTreeSet<(String, u64)>,
    /// Who is where, with the epoch.
    held: BTreeMap<String, (String, u64)>,
    last: BTreeMap<String, u64>,
}

/// A hold as an entry names it: account, assistant, epoch.
type Named = (String, String, u64);

impl Story {
    /// Reads it, and holds it against the table.
    pub(crate) fn read(session: &mut Session, agency: &Agency) -> Self {
        let organization = agency.organization;
        let mut story = Self::default();
        // Both as of one moment: a call that was given up may still be on its way.
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ").expect("a transaction");
        let entries = session.run(&format!(
            "SELECT jsonb_build_array(before_json, after_json) FROM presence_audit \
             WHERE kind = 'occupancy' AND organization_id = '{organization}' ORDER BY id"
        ));
        for entry in entries.expect("rows").lines() {
            let [before, after]: [Value; 2] = serde_json::from_str(entry).expect("a pair");
            story.goes_on(&before, &after).unwrap_or_else(|| panic!("{entry} after {:?}", story.held));
        }
        let rows = session.run(&format!(
            "SELECT account_id, user_id, epoch FROM account_presence WHERE organization_id = '{organization}' ORDER BY 1"
        ));
        session.run("COMMIT").expect("an end");
        let told = story.held.iter().map(|(account, (user, epoch))| format!("{account}|{user}|{epoch}"));
        assert_eq!(
            rows.expect("rows").lines().collect::<Vec<_>>(),
            told.collect::<Vec<_>>(),
            "the end of the story"
        );
        story
    }

    /// How often it happened.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.events.get(event).copied().unwrap_or(0)
    }

    /// One entry; `None`: it cannot follow.
    fn goes_on(&mut self, before: &Value, after: &Value) -> Option<()> {
        let event = after["event"].as_str()?;
        *self.events.entry(event.to_owned()).or_default() += 1;
        let (was, has) = (named(before), named(after)?);
        match event {
            "clocked_in" => self.begins(was, has),
            "moved" => {
                self.ends(was?)?;
                self.begins(None, has)
            }
            // The same hold, before and after.
            "stale" | "returned" => (self.held.get(&has.0)? == &(has.1.clone(), has.2)).then_some(()),
            _ => self.ends(was?),
        }
    }

    fn begins(&mut self, was: Option<Named>, (account, user, epoch): Named) -> Option<()> {
        let is_free = was.is_none() && !self.held.contains_key(&account);
        let is_nowhere = self.held.values().all(|(holder, _)| *holder != user);
        let rises = self.last.insert(account.clone(), epoch).is_none_or(|last| last < epoch);
        self.begun.insert((account.clone(), epoch));
        self.held.insert(account, (user, epoch));
        (is_free && is_nowhere && rises).then_some(())
    }

    fn ends(&mut self, (account, user, epoch): Named) -> Option<()> {
        (self.held.remove(&account)? == (user, epoch)).then_some(())
    }
}

fn named(entry: &Value) -> Option<Named> {
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    Some((text("account")?, text("user")?, entry["epoch"].as_u64()?))
}
