//! Clock-ins, moves, clock-outs, clearings and revocations that meet on two hubs of one Postgres: the answers are those
//! of one order of the calls, and what is there afterwards, in the database and on both hubs, is where it ends. At no
//! moment does anybody with SQL, or the owner on a live socket, see somebody in two accounts.
//!
//! `RACES=10000 cargo test -p server --test end_to_end occupancy_races -- --nocapture` is the long run, of so many races
//! of each kind; `RACES_KIND=chain` runs one kind alone, `RACES_SEED=7` others.

mod kinds;
mod lane;
mod watchers;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::{
    fixture::{Desk, Postgres},
    occupancy_history::number,
};
use kinds::Kind;
use lane::{Lane, Tally};
use watchers::{Onlooker, Reader};

/// Races of each kind where nobody asked for more.
const FEW: u64 = 100;
/// Agencies that race at the same time.
const LANES: usize = 5;

/// The kinds that are asked for, by a part of the name.
fn kinds() -> Vec<Kind> {
    let wanted = std::env::var("RACES_KIND").unwrap_or_default().to_lowercase();
    Kind::ALL.into_iter().filter(|kind| format!("{kind:?}").to_lowercase().contains(&wanted)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn races_on_two_hubs_have_one_winner() {
    let races = usize::try_from(number("RACES").unwrap_or(FEW)).expect("a number").div_ceil(LANES);
    let postgres = Postgres::shared();
    let hubs = [(); 2].map(|()| Arc::new(postgres.launch().for_agencies().start()));
    let desks = [Desk::at(&hubs[0]), Desk::at(&hubs[1])];
    let (over, until) = watch::channel(false);
    let (mut lanes, mut onlookers) = (Vec::new(), Vec::new());
    for number in 0..LANES {
        let seed = self::number("RACES_SEED").unwrap_or(1) * 1_000 + number as u64;
        let lane = Lane::begin(desks.clone(), postgres.session(), seed).await;
        for hub in &hubs {
            let agency = &lane.crew.agency;
            onlookers.push(Onlooker::begin(hub, agency.owner, agency.organization, until.clone()).await);
        }
        lanes.push(lane);
    }
    let reader = Reader::begin(postgres.session());
    let mut total = Tally::default();
    for kind in kinds() {
        lanes = run(lanes, kind, races).await;
    }
    lanes.into_iter().for_each(|lane| total.add(lane.end()));
    over.send(true).expect("onlookers");
    let mut frames = 0;
    for onlooker in onlookers {
        frames += onlooker.end().await;
    }
    let deadlocks = postgres.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    report(&format!(
        "{} looks with SQL and {frames} frames to owners show nobody twice; shown on both hubs after {:.1?} at most; \
         no deadlock reached a caller, {deadlocks} reached the database; the audit: {:?}",
        reader.end(),
        total.lag,
        total.events
    ));
    outcomes(&total);
}

/// All lanes at once.
async fn run(lanes: Vec<Lane>, kind: Kind, races: usize) -> Vec<Lane> {
    let (began, count) = (Instant::now(), lanes.len() * races);
    let running: Vec<_> = lanes
        .into_iter()
        .map(|mut lane| {
            tokio::spawn(async move {
                lane.run(kind, races).await;
                lane
            })
        })
        .collect();
    let mut lanes = Vec::new();
    for lane in running {
        lanes.push(lane.await.expect("races that have an explanation"));
    }
    let took = began.elapsed();
    let rate = count as f64 / took.as_secs_f64().max(Duration::from_millis(1).as_secs_f64());
    report(&format!("{count} of {kind:?} in {took:.1?}, {rate:.0} a second"));
    lanes
}

fn outcomes(total: &Tally) {
    for ((kind, outcome), count) in &total.outcomes {
        report(&format!("{kind:?}: {count:>6} times {outcome}"));
    }
}

#[expect(clippy::print_stdout, reason = "the totals are what the long run is made for")]
fn report(line: &str) {
    println!("races  {line}");
}
