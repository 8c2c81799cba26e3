//! What the scenario is judged by.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    Bench, Held,
    desk::Desk,
    onlooker::{Badge, Onlooker},
    worker::{Found, Kind},
};
use crate::{
    engine::{drive, judge::Tally, swarm::Swarm},
    hub::Hub,
    outcome::{Check, Outcome, Recorder},
    postgres::Postgres,
    world::{
        agency::{Assistant, OWNER, account, assistant, names_another},
        user,
    },
};

/// What 99 in a hundred clock-ins, moves and clock-outs may take, in ms.
const P99_MS: f64 = 50.0;
/// For all members to have been told of the last change.
const SHOWN_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);
/// A badge takes as long as the first look that finds it; for all of them to be there.
const CONVERGED_WITHIN: std::time::Duration = std::time::Duration::from_millis(500);

/// Adds what was counted in a phase.
pub(super) fn count(outcome: &mut Outcome, tally: &Tally) {
    outcome.delivered += tally.delivered;
    outcome.expected += tally.expected;
    outcome.forbidden += tally.forbidden;
    outcome.errors += tally.errors;
    // The complaints go on from phase to phase.
    outcome.notes.clone_from(&tally.complaints);
}

/// The workers' calls, by kind.
pub(super) fn found(outcome: &mut Outcome, found: &Found, wall_s: f64) {
    let mut all = Recorder::new();
    for kind in Kind::ALL {
        let (name, recorder) = (kind.name(), found.latency(kind));
        let latency = recorder.latency();
        outcome.figure(&format!("{name}s a second"), latency.count as f64 / wall_s, "");
        outcome.figure(&format!("p50 {name}"), latency.p50_ms, "ms");
        outcome.figure(&format!("p99 {name}"), latency.p99_ms, "ms");
        outcome.figure(&format!("p99.9 {name}"), latency.p999_ms, "ms");
        if kind != Kind::Refusal {
            all.add(recorder);
        }
    }
    outcome.duration_s = wall_s;
    outcome.latency = all.latency();
    outcome.figure("commits a second", all.count() as f64 / wall_s, "");
    outcome.checks.extend([
        Check::at_most("p99 of a commit in ms", outcome.latency.p99_ms, P99_MS).into_aim(),
        Check::exactly("answers that were not as documented", found.wrongs as f64, 0.0),
        Check::at_least("refusals", found.latency(Kind::Refusal).count() as f64, 1.0),
    ]);
    outcome.notes.extend(found.complaints.iter().cloned());
}

/// Whether everybody is shown in the end what is so.
pub(super) fn truth(
    outcome: &mut Outcome,
    bench: &mut Bench,
    onlookers: Vec<Onlooker>,
    held: &Held,
) -> anyhow::Result<()> {
    let told = |swarm: &Swarm| swarm.judge.badges_right(|account| held.contains_key(&account));
    // A view of thousands gathers changes for a while.
    drive::wait_for(&mut bench.swarm, SHOWN_WITHIN, |swarm| {
        let (right, all) = told(swarm);
        right == all
    })?;
    let (right, all) = told(&bench.swarm);
    outcome.checks.push(Check::exactly("badges as they are, at members", right as f64, all as f64));
    ensure!(all > 0, "nobody watches the agency");
    std::thread::sleep(CONVERGED_WITHIN);
    for onlooker in onlookers {
        let (name, who) = (onlooker.name, onlooker.who);
        let seen = onlooker.end()?;
        let expected = held.iter().map(|(account, holder)| (*account, Badge::of(*holder, who)));
        let is_right = expected.eq(seen.badges);
        outcome.checks.push(Check::exactly(&format!("all as it is at the {name}"), f64::from(is_right), 1.0));
        outcome.forbidden += seen.forbidden;
        outcome.notes.extend(seen.complaints);
    }
    Ok(())
}

/// What REST shows, to each by their right.
pub(super) fn lists(
    outcome: &mut Outcome,
    hub: &Hub,
    held: &Held,
    resident: Assistant,
) -> anyhow::Result<()> {
    let mut desk = Desk::at(hub.address())?;
    for (whose, who) in [("owner's", Some(OWNER)), ("assistant's", Some(resident)), ("member's", None)] {
        let token = hub.token(who.map_or_else(|| user(0), assistant))?;
        let body = desk.list(token.reveal())?;
        let viewer = who.unwrap_or(Assistant::MAX);
        let is_right = expected(held, viewer).eq(&listed(&body)?);
        outcome.checks.push(Check::exactly(
            &format!("accounts in the {whose} list"),
            f64::from(is_right),
            1.0,
        ));
        let named = viewer != OWNER && names_another(&body, viewer);
        outcome.forbidden += u64::from(named);
    }
    Ok(())
}

/// Accounts, sorted, with the word and the id that tell who is in them.
type Listed = Vec<(String, String, Option<String>)>;

fn expected(held: &Held, viewer: Assistant) -> Listed {
    let row = |(number, holder): (&u32, &Assistant)| {
        let (word, id) = match Badge::of(*holder, viewer) {
            Badge::Occupied => ("occupied", None),
            Badge::Own => ("own", None),
            Badge::Named(who) => ("named", Some(assistant(who).to_string())),
        };
        (account(*number).to_string(), word.to_owned(), id)
    };
    held.iter().map(row).collect()
}

fn listed(body: &str) -> anyhow::Result<Listed> {
    let body: Value = serde_json::from_str(body)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |record: &Value| {
        (text(&record["accountId"]), text(&record["holder"]), record["userId"].as_str().map(str::to_owned))
    };
    Ok(body["accounts"].as_array().context("a list without accounts")?.iter().map(row).collect())
}

/// What is in the database: who is where, and an entry of the audit for each change that was acknowledged.
pub(super) fn database(
    outcome: &mut Outcome,
    postgres: &Postgres,
    held: &Held,
    (found, badges): (&Found, u64),
) -> anyhow::Result<()> {
    let rows = postgres.ask("SELECT account_id, user_id FROM account_presence ORDER BY account_id")?;
    let row = |(number, holder): (&u32, &Assistant)| format!("{}|{}", account(*number), assistant(*holder));
    let is_right = rows.lines().eq(held.iter().map(row));
    outcome.checks.push(Check::exactly("holds in the database", f64::from(is_right), 1.0));
    let entries: f64 =
        postgres.ask("SELECT count(*) FROM presence_audit WHERE kind = 'occupancy'")?.parse()?;
    let done = [Kind::ClockIn, Kind::Move, Kind::ClockOut].map(|kind| found.latency(kind).count());
    let stayed = held.len() - found.held.len();
    let done = done.iter().sum::<u64>() + badges + stayed as u64;
    outcome.checks.push(Check::exactly("entries of the audit", entries, done as f64));
    Ok(())
}
