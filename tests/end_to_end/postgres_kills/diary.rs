//! What those who hide were told, held against what the database has and what hubs say.

use std::{collections::BTreeMap, fmt};

use model::UserId;
use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::{
    fleet::Client,
    hiders::{hidden, patch},
};
use crate::fixture::{Postgres, eventually};

/// What a hider was told about a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// It is stored: 200, and the result.
    Done(Value),
    /// It is in force, and waits for the database: 202.
    InForce,
    /// It was answered 503, or the connection was lost: what became of it is not known.
    Nothing,
}

/// One change.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) operation: Uuid,
    /// Whether it hides; it shows otherwise.
    pub(super) hide: bool,
    /// The last that was said about it.
    pub(super) told: Told,
}

/// What one hider did, in order: the next step was not asked for before this one was acknowledged or given up.
#[derive(Debug)]
pub(super) struct Diary {
    pub(super) user: UserId,
    pub(super) steps: Vec<Step>,
    /// How often the hider looked while hidden, and a hub answered.
    pub(super) looks: usize,
}

impl Diary {
    pub(super) fn of(user: UserId) -> Self {
        Self { user, steps: Vec::new(), looks: 0 }
    }

    /// Whether the hider is hidden; not known where the last step is open.
    pub(super) fn end(&self) -> Option<bool> {
        self.steps.last().filter(|step| step.told != Told::Nothing).map(|step| step.hide)
    }

    fn told(&self, is: fn(&Told) -> bool) -> usize {
        self.steps.iter().filter(|step| is(&step.told)).count()
    }

    /// What is kept under the name of each step: exactly once where it was acknowledged, and nothing else.
    fn is_kept(&self, postgres: &Postgres) {
        let user = self.user.0;
        let rows = postgres.sql(&format!(
            "SELECT operation_id, result_json ->> 'appearOffline' FROM operation_results WHERE user_id = '{user}'"
        ));
        let mut kept: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (operation, hides) in rows.lines().filter_map(|line| line.split_once('|')) {
            kept.entry(operation).or_default().push(hides == "true");
        }
        for step in &self.steps {
            match kept.remove(step.operation.to_string().as_str()) {
                Some(results) => assert_eq!(results, [step.hide], "{step:?} of {user}"),
                None => assert_eq!(step.told, Told::Nothing, "nothing is kept of {step:?} of {user}"),
            }
        }
        assert!(kept.is_empty(), "{kept:?} of {user} is what nobody asked for");
    }

    /// Each entry of the audit is one step's, and goes on from the one before it.
    fn is_audited(&self, postgres: &Postgres) {
        let user = self.user.0;
        let counts = postgres.sql(&format!(
            "WITH entries AS (SELECT *, lag(after_json, 1, before_json) OVER (ORDER BY id) AS last \
                 FROM presence_audit WHERE kind = 'settings' AND subject = '{user}') \
             SELECT count(*) <= {steps}, count(*) FILTER (WHERE last <> before_json), \
                 count(*) FILTER (WHERE NOT EXISTS (SELECT FROM operation_results AS o \
                     WHERE o.user_id = '{user}' AND o.at = entries.at AND o.result_json = after_json)) \
             FROM entries",
            steps = self.steps.len()
        ));
        assert_eq!(counts, "t|0|0", "of {user}: few enough, out of line, of no step");
    }

    fn in_database(&self, postgres: &Postgres) -> String {
        let user = self.user.0;
        postgres.sql(&format!("SELECT appear_offline FROM presence_settings WHERE user_id = '{user}'"))
    }

    /// The database and the hub agree with the last step, where that is known.
    async fn is_in_force(&self, postgres: &Postgres, hub: &Client) {
        let hide = self.end().expect("hiders end with an acknowledged step");
        assert_eq!(self.in_database(postgres), if hide { "t" } else { "f" }, "the end of {:?}", self.user);
        // What was read back may lag behind, in the direction that hides.
        let agrees = async || {
            let settings = hub.settings_of(self.user).await.expect("settings");
            assert!(hidden(&settings) || !hide, "{settings} of {:?}", self.user);
            (settings["appearOffline"] == hide && settings["visibility"] == "contacts").then_some(())
        };
        eventually("the last step", agrees).await;
    }

    /// Asks both hubs again for what was acknowledged: they give the first result.
    async fn is_told_again(&self, hubs: &[Client; 2]) -> usize {
        let mut calls = 0;
        for step in self.steps.iter().filter(|step| step.told != Told::Nothing) {
            for hub in hubs {
                let again = hub.put(self.user, step.operation, &patch(step.hide)).await;
                let (status, result) = again.expect("an answer");
                assert_eq!(status, StatusCode::OK, "{result} to {step:?} again");
                assert_eq!(result["settings"]["appearOffline"], step.hide, "to {step:?} again");
                assert!(
                    !matches!(&step.told, Told::Done(first) if *first != result),
                    "{result}, not {step:?}"
                );
                calls += 1;
            }
        }
        calls
    }
}

/// What all hiders wrote down.
pub(super) struct Diaries(pub(super) Vec<Diary>);

impl Diaries {
    /// What was acknowledged is there once, and in force.
    pub(super) async fn agree_with(&self, postgres: &Postgres, hub: &Client) {
        for diary in &self.0 {
            diary.is_kept(postgres);
            diary.is_audited(postgres);
            diary.is_in_force(postgres, hub).await;
        }
    }

    /// Asks again for all that was acknowledged, on both hubs: that changes nothing. Returns how many calls it made.
    pub(super) async fn ask_again(&self, hubs: &[Client; 2]) -> usize {
        let mut calls = 0;
        for diary in &self.0 {
            calls += diary.is_told_again(hubs).await;
        }
        calls
    }

    fn told(&self, is: fn(&Told) -> bool) -> usize {
        self.0.iter().map(|diary| diary.told(is)).sum()
    }
}

impl fmt::Display for Diaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, in_force) =
            (self.told(|told| matches!(told, Told::Done(_))), self.told(|told| *told == Told::InForce));
        let open = self.told(|told| *told == Told::Nothing);
        let looks = self.0.iter().map(|diary| diary.looks).sum::<usize>();
        write!(
            f,
            "{} hidings and showings, {done} acknowledged with 200, {in_force} with 202, {open} open, \
             {looks} looks while hidden",
            done + in_force + open
        )
    }
}
