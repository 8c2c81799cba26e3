//! `kill -9` of a hub at each step of a clock-in and of a swap, and at random moments: what was acknowledged is there,
//! what was not is there whole or not at all, both hubs come to show the same, and whoever asks again gets the first
//! result.
//!
//! `KILLS=200 cargo test -p server --test end_to_end occupancy_kills -- --nocapture` is the long run; `KILLS_SEED=7`
//! plays another one.

mod episodes;
mod scene;
mod steps;

use std::collections::BTreeMap;

use rand::{SeedableRng, rngs::StdRng};
use tokio::time::Instant;

use crate::{
    fixture::Postgres,
    occupancy_history::{in_words, number},
};
use scene::{Deed, Stage};
use steps::Step;

/// Random kills where nobody asked for more.
const FEW: u64 = 4;
/// How often a step is tried where the kill was not in time.
const TRIES: usize = 10;

/// Two hubs that soon miss an extension.
fn stage() -> Stage {
    let postgres = Postgres::shared();
    let launch = || {
        let launch = postgres.launch().for_agencies();
        let beats = launch.set("presence.heartbeat_ms", 700).set("presence.heartbeat_timeout_ms", 700);
        beats.set("occupancy.stale_after_s", 2)
    };
    let (session, launch, other) = (postgres.session(), launch(), launch().start());
    Stage { session, victim: launch.start(), other, launch, postgres }
}

/// A kill at each step.
async fn at_each_step(deed: Deed) {
    let mut stage = stage();
    steps::build_gate(&stage.postgres);
    let began = Instant::now();
    for step in Step::ALL {
        for attempt in 1.. {
            let is_met;
            (stage, is_met) = stage.play(deed, step).await;
            if is_met {
                report(&format!("{deed:?} at {step:?}: as it should be, at attempt {attempt}"));
                break;
            }
            assert!(attempt < TRIES, "{deed:?} at {step:?}: the kill was never in time");
        }
    }
    report(&format!("{deed:?}: a kill at each of {} steps in {:.1?}", Step::ALL.len(), began.elapsed()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_in_is_whole_or_absent_wherever_its_hub_dies() {
    at_each_step(Deed::ClockIn).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_is_whole_or_absent_wherever_its_hub_dies() {
    at_each_step(Deed::Swap).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_random_kills() {
    let (kills, seed) = (number("KILLS").unwrap_or(FEW), number("KILLS_SEED").unwrap_or(1));
    let (mut stage, mut dice, began) = (stage(), StdRng::seed_from_u64(seed), Instant::now());
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for kill in 0..kills {
        let ops;
        (stage, ops) = episodes::episode(stage, &mut dice, &format!("kill {kill} of seed {seed}")).await;
        ops.iter().for_each(|op| *answers.entry(in_words(op)).or_default() += 1);
    }
    report(&format!(
        "{kills} at random (seed {seed}) in {:.1?}, all explained: {answers:?}",
        began.elapsed()
    ));
}

#[expect(clippy::print_stdout, reason = "the totals are what the long run is made for")]
fn report(line: &str) {
    println!("kills  {line}");
}
