//! What the scenario is judged by.

use std::{collections::BTreeMap, time::Duration};

use super::{DAYS, Part, SETTLING, Shift, Stage};
use crate::{
    engine::{drive, judge::Tally},
    outcome::{Check, Outcome, Recorder},
    postgres::Postgres,
    world::{
        Choice, World,
        agency::{account, assistant},
        user,
    },
};

/// By how much the hub may weigh more after the last day than after the second one. What it has in use is the same from day
/// to day, by `malloc_info`. What grows, ever more slowly, is free memory between pieces in use, most of it in pieces of
/// just under 16 KiB: by their size what is left of the two buffers that each handshake is given for a moment.
const GROWTH: f64 = 1.05;
/// Shorter runs are over before the hub has what it keeps for a while, in seconds.
const FULL_S: u64 = 120;

/// Adds what was counted in some hours.
pub(super) fn count(outcome: &mut Outcome, tally: &Tally) {
    outcome.delivered += tally.delivered;
    outcome.expected += tally.expected;
    outcome.forbidden += tally.forbidden;
    outcome.errors += tally.errors + tally.told.saturating_sub(tally.taken);
    // The complaints go on from hours to hours.
    outcome.notes.clone_from(&tally.complaints);
}

/// Figures of each part of the day.
pub(super) fn parts(outcome: &mut Outcome, parts: &[Part], duration: Duration) {
    let mut all = Recorder::new();
    for part in parts {
        let (name, latency) = (part.name, part.latency.latency());
        let share = |s: f64| 100.0 * s / part.cost.wall_s;
        outcome.figure(&format!("p50, {name}"), latency.p50_ms, "ms");
        outcome.figure(&format!("p99, {name}"), latency.p99_ms, "ms");
        outcome.figure(&format!("p99.9, {name}"), latency.p999_ms, "ms");
        outcome.figure(
            &format!("deliveries a second, {name}"),
            part.cost.deliveries as f64 / part.cost.wall_s,
            "",
        );
        outcome.figure(&format!("hub busy, {name}"), share(part.cost.cpu_s), "%");
        outcome.figure(&format!("generator busy, {name}"), share(part.cost.generator_cpu_s), "%");
        outcome.figure(&format!("generator late p99, {name}"), part.lag.latency().p99_ms, "ms");
        all.add(&part.latency);
    }
    outcome.latency = all.latency();
    outcome.duration_s = duration.as_secs_f64();
    outcome.hub = parts.iter().map(|part| part.cost).reduce(|one, other| one.and(other));
}

/// What the hub weighs at night.
pub(super) fn memory(outcome: &mut Outcome, rss_kib: &[u64]) {
    for (day, kib) in (1..).zip(rss_kib) {
        outcome.figure(&format!("RSS after day {day}"), *kib as f64 / 1024.0, "MiB");
    }
    // On the first day everything is there for the first time.
    let (Some(second), Some(last)) = (rss_kib.get(1), rss_kib.last()) else { return };
    let name = format!("RSS after day {DAYS}, times that after day 2");
    let check = Check::at_most(&name, *last as f64 / *second as f64, GROWTH);
    let is_full = outcome.duration_s >= FULL_S as f64;
    outcome.checks.push(if is_full { check } else { check.into_aim() });
}

/// Whether everybody is shown in the end what is so.
pub(super) fn truth(outcome: &mut Outcome, stage: &mut Stage, shift: &Shift) -> anyhow::Result<()> {
    let held = shift.held();
    let people = |stage: &Stage| stage.swarm().judge.people_right(&stage.world);
    let badges = |stage: &Stage| stage.swarm().judge.badges_right(|account| held.contains_key(&account));
    drive::wait_for(stage, SETTLING, |stage| {
        [people(stage), badges(stage)].iter().all(|(right, all)| right == all)
    })?;
    for (name, (right, all)) in [("people", people(stage)), ("badges", badges(stage))] {
        let check = format!("{name} as they are, over all views");
        outcome.checks.push(Check::exactly(&check, right as f64, all as f64));
    }
    Ok(())
}

/// What was acknowledged, in the database.
pub(super) fn database(
    outcome: &mut Outcome,
    postgres: &Postgres,
    (stage, shift): (&Stage, &Shift),
    before: &World,
) -> anyhow::Result<()> {
    let rows = postgres.ask(
        "SELECT user_id, visibility, appear_offline, show_activity, show_current_page FROM presence_settings",
    )?;
    let rows: BTreeMap<&str, &str> = rows.lines().filter_map(|row| row.split_once('|')).collect();
    let none = row_of(Choice::NONE);
    let is_right = |person| {
        let row = rows.get(user(person).to_string().as_str()).copied();
        row.unwrap_or(&none) == row_of(stage.world.choice(person))
    };
    let people = stage.world.people();
    let right = (0..people).filter(|person| is_right(*person)).count();
    outcome.checks.push(Check::exactly("settings in the database", right as f64, people.into()));
    let entries =
        |kind: &str| postgres.ask(&format!("SELECT count(*) FROM presence_audit WHERE kind = '{kind}'"));
    let chosen = stage.settings() as f64 + before.settings().len() as f64;
    let settings: f64 = entries("settings")?.parse()?;
    outcome.figure("changes of settings that were acknowledged", stage.settings() as f64, "");
    outcome.checks.push(Check::exactly("entries of the audit for settings", settings, chosen));
    let clockings: f64 = entries("occupancy")?.parse()?;
    outcome.checks.push(Check::exactly(
        "entries of the audit for clock-ins",
        clockings,
        shift.changes() as f64,
    ));
    let rows = postgres.ask("SELECT account_id, user_id FROM account_presence ORDER BY account_id")?;
    let held = shift.held();
    let held = held.iter().map(|(number, who)| format!("{}|{}", account(*number), assistant(*who)));
    outcome.checks.push(Check::exactly("holds in the database", f64::from(rows.lines().eq(held)), 1.0));
    Ok(())
}

/// A choice as a row of the database has it.
fn row_of(choice: Choice) -> String {
    let yes = |yes| if yes { "t" } else { "f" };
    let Choice { visibility, appear_offline, show_activity, show_current_page } = choice;
    let flags = [appear_offline, show_activity, show_current_page].map(yes).join("|");
    format!("{}|{flags}", visibility.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_row() {
        assert_eq!(row_of(Choice::NONE), "contacts|f|t|f");
        assert_eq!(row_of(Choice { appear_offline: true, ..Choice::NONE }), "contacts|t|t|f");
    }
}
