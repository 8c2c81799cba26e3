//! What an outage is judged by.

use std::time::Duration;

use super::{
    HIDES_WHILE_FROZEN, HIDES_WHILE_STOPPED, Part, WANTS_TO_BE_SEEN,
    watch::{Answered, Look},
};
use crate::{
    outcome::{Check, Outcome, Recorder},
    postgres::Postgres,
    world::user,
};

/// Deliveries below which a ratio is noise: it is reported, and nothing fails by it.
const ENOUGH: u64 = 50_000;
/// What the hub may take above what it had before, in MiB.
const GROWTH_MIB: f64 = 32.0;
/// Within which a durable call is answered, whatever has become of the database, in seconds.
const ANSWERED_S: f64 = 2.0;
/// Within which all works again, in seconds.
const RECOVERED_S: f64 = 10.0;

/// The figures of each part, and as the run's latency that of the longest outage.
pub(super) fn figures(outcome: &mut Outcome, parts: &[Part]) {
    for Part { name, latency, cost, rss_kib, seen, .. } in parts {
        let latency = latency.latency();
        outcome.figure(&format!("p50 {name}"), latency.p50_ms, "ms");
        outcome.figure(&format!("p99 {name}"), latency.p99_ms, "ms");
        outcome.figure(&format!("p99.9 {name}"), latency.p999_ms, "ms");
        outcome.figure(&format!("RSS at the end of {name}"), *rss_kib as f64 / 1024.0, "MiB");
        outcome.figure(&format!("hub busy {name}"), 100.0 * cost.cpu_s / cost.wall_s, "%");
        for (calls, what) in [
            (&seen.loosenings, "longest refusal"),
            (&seen.tightenings, "hiding answered"),
            (&seen.durable, "durable call answered"),
        ] {
            if !calls.is_empty() {
                outcome.figure(&format!("{what} {name}"), longest_s(calls) * 1000.0, "ms");
            }
        }
    }
    let stopped = parts.iter().find(|part| part.name == "stopped");
    outcome.latency = stopped.map_or_else(Recorder::new, |part| part.latency.clone()).latency();
}

fn longest_s(calls: &[Answered]) -> f64 {
    calls.iter().map(|answered| answered.took).max().unwrap_or_default().as_secs_f64()
}

/// What must hold of each part.
pub(super) fn check_parts(outcome: &mut Outcome, parts: &[Part]) {
    let Some(before) = parts.first() else { return };
    for part in parts {
        check_readiness(outcome, part);
        if part.is_down {
            check_pace(outcome, before, part);
            check_calls(outcome, part);
        } else {
            let done = part.seen.durable.iter().filter(|answered| answered.status == 200).count();
            outcome.checks.push(Check::exactly(
                &format!("durable calls granted {}", part.name),
                done as f64,
                1.0,
            ));
        }
    }
}

/// As fast as before, and not much larger.
fn check_pace(outcome: &mut Outcome, before: &Part, part: &Part) {
    let name = part.name;
    let ratio = part.latency.latency().p99_ms / before.latency.latency().p99_ms;
    let check = Check::at_most(&format!("p99 {name}, times before"), ratio, 3.0);
    let enough = part.latency.count() >= ENOUGH && before.latency.count() >= ENOUGH;
    outcome.checks.push(if enough { check } else { check.into_aim() });
    outcome
        .checks
        .push(Check::at_most(&format!("p99 {name}, times before, aimed at"), ratio, 1.2).into_aim());
    outcome.figure(&format!("p99 {name} by p99 before"), ratio, "x");
    let growth_mib = part.rss_kib.saturating_sub(before.rss_kib) as f64 / 1024.0;
    outcome.checks.push(Check::at_most(&format!("RSS above before {name}, in MiB"), growth_mib, GROWTH_MIB));
}

/// Clients are always welcome; and whether the database is missed is said, and said in time.
fn check_readiness(outcome: &mut Outcome, part: &Part) {
    let (name, looks) = (part.name, &part.seen.looks);
    let unready = looks.iter().filter(|look| look.status != 200).count() as f64;
    outcome.checks.push(Check::exactly(&format!("readiness that was not 200 {name}"), unready, 0.0));
    let told = looks.last().is_some_and(|look| look.is_degraded == part.is_down);
    outcome.checks.push(Check::exactly(
        &format!("readiness told the truth at the end of {name}"),
        f64::from(told),
        1.0,
    ));
    let turned = turned(looks, part.is_down).map_or(f64::INFINITY, |after| after.as_secs_f64());
    match (name, part.is_down) {
        ("before", _) => {}
        (_, true) => outcome.figure(&format!("said to be degraded after, {name}"), turned, "s"),
        (_, false) => {
            outcome.figure(&format!("said to be whole after, {name}"), turned, "s");
            outcome.checks.push(Check::at_most(&format!("whole again {name}, in s"), turned, RECOVERED_S));
        }
    }
}

/// How long it took until every further look said the same.
fn turned(looks: &[Look], is_degraded: bool) -> Option<Duration> {
    let last_other = looks.iter().rposition(|look| look.is_degraded != is_degraded);
    looks.get(last_other.map_or(0, |last| last + 1)).map(|look| look.after)
}

fn check_calls(outcome: &mut Outcome, part: &Part) {
    let (name, seen) = (part.name, &part.seen);
    let refused = seen.loosenings.iter().filter(|answered| answered.status == 503 && answered.names_time);
    let (refused, asked) = (refused.count() as f64, seen.loosenings.len() as f64);
    let hidden = seen.tightenings.iter().filter(|answered| answered.status == 202).count() as f64;
    let longest_s = longest_s(&seen.loosenings).max(longest_s(&seen.tightenings));
    outcome.checks.extend([
        Check::at_least(&format!("calls for what cannot be granted {name}"), asked, 1.0),
        Check::exactly(&format!("of them answered 503 with a time {name}"), refused, asked),
        Check::exactly(&format!("hiding answered 202 {name}"), hidden, 1.0),
        Check::at_most(&format!("longest answer {name}, in s"), longest_s, ANSWERED_S),
    ]);
}

/// What is in the database at the end: who hid, once, with one row of audit; nobody who was refused; and people who
/// were seen in the last part, which began at `since_s` (seconds since 1970), without those who hid.
pub(super) fn check_database(outcome: &mut Outcome, postgres: &Postgres, since_s: u64) -> anyhow::Result<()> {
    let count =
        |of: &str| Ok::<f64, anyhow::Error>(postgres.ask(&format!("SELECT count(*) FROM {of}"))?.parse()?);
    let hid = format!("IN ('{}', '{}')", user(HIDES_WHILE_STOPPED), user(HIDES_WHILE_FROZEN));
    let refused = user(WANTS_TO_BE_SEEN);
    let hidden = "presence_settings WHERE visibility = 'nobody' AND user_id";
    let seen = format!("user_last_seen WHERE seen_at >= to_timestamp({since_s})");
    for (name, of, limit) in [
        ("hidden meanwhile and committed", format!("{hidden} {hid}"), 2.0),
        ("rows of audit about it", format!("presence_audit WHERE kind = 'settings' AND subject {hid}"), 2.0),
        ("refused and still hidden", format!("{hidden} = '{refused}'"), 1.0),
        ("hidden and last-seen went on", format!("{seen} AND user_id {hid}"), 0.0),
    ] {
        outcome.checks.push(Check::exactly(name, count(&of)?, limit));
    }
    let name = "people whose last-seen was written after";
    let written = count(&seen)?;
    outcome.figure(name, written, "");
    outcome.checks.push(Check::at_least(name, written, 1.0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_when_it_was_said_for_good() {
        let look = |after, is_degraded| Look { after: Duration::from_secs(after), status: 200, is_degraded };
        let looks = [look(0, false), look(1, true), look(2, false), look(3, true), look(4, true)];
        assert_eq!(turned(&looks, true), Some(Duration::from_secs(3)));
        assert_eq!(turned(&looks, false), None);
        assert_eq!(turned(&looks[..1], false), Some(Duration::ZERO));
    }
}
