//! How long it takes from the commit of a removal to the leave at a viewer, many times.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use model::{Status, UserId};

use super::{begin_collaboration, end_collaboration, onlooker, world};
use crate::fixture::{Postgres, Tab, World};

/// From the commit of a removal to the leave.
const PROMISED: Duration = Duration::from_secs(1);
/// Rounds where nobody asked for more.
const FEW: usize = 20;

/// Ends the connection that listens, again and again. Dropped, it stops.
struct Attack {
    over: Arc<AtomicBool>,
    attacker: Option<JoinHandle<usize>>,
}

impl Attack {
    fn begin(postgres: &Postgres) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (until, mut session) = (over.clone(), postgres.session());
        let attacker = thread::spawn(move || {
            let mut killed = 0;
            while !until.load(Ordering::Relaxed) {
                let count = session.run(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND query LIKE 'LISTEN %'",
                );
                killed += count.expect("a count").parse::<usize>().expect("a number");
                thread::sleep(Duration::from_millis(20));
            }
            killed
        });
        Self { over, attacker: Some(attacker) }
    }

    /// How many connections it ended.
    fn end(mut self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.attacker.take().expect("an attacker").join().expect("a count")
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// One supplier goes, and another one comes, in one transaction.
async fn swap(
    world: &World,
    session: &mut postgres_cluster::Session,
    anna: &mut Tab,
    pair: [UserId; 2],
) -> Duration {
    let [goes, comes] = pair;
    for statement in ["BEGIN", &end_collaboration(world, goes), &begin_collaboration(world, comes)] {
        session.run(statement).expect("done");
    }
    let before_commit = Instant::now();
    session.run("COMMIT").expect("committed");
    anna.loses(world.wedding_a, goes).await;
    let took = before_commit.elapsed();
    anna.sees(world.wedding_a, comes, Status::Online).await;
    took
}

/// The times of all rounds, sorted.
async fn measure(postgres: &Postgres, world: &World, rounds: usize) -> Vec<Duration> {
    let mut present = [world.enter_present(world.rosa).await, world.enter_present(world.vera).await];
    let mut anna = onlooker(world, &[world.rosa, world.vera]).await;
    let mut session = postgres.session();
    session.run(&end_collaboration(world, world.vera)).expect("done");
    anna.loses(world.wedding_a, world.vera).await;
    let (mut times, mut pair) = (Vec::with_capacity(rounds), [world.rosa, world.vera]);
    for _ in 0..rounds {
        times.push(swap(world, &mut session, &mut anna, pair).await);
        pair.reverse();
        // Who is not heard of for long is taken for lost.
        for tab in &mut present {
            tab.ping().await;
        }
    }
    times.sort_unstable();
    times
}

#[expect(clippy::print_stdout, reason = "the distribution is what the long run is made for")]
fn judge(name: &str, times: &[Duration], asked_for: bool) {
    let at = |share: usize| times[(times.len() * share / 1_000).min(times.len() - 1)];
    let [median, p99, max] = [at(500), at(990), at(1_000)];
    println!("{name}: {} rounds, median {median:?}, p99 {p99:?}, max {max:?}", times.len());
    assert!(!asked_for || max <= PROMISED, "{name}: {max:?} from commit to leave");
}

fn rounds() -> (usize, bool) {
    let asked_for =
        std::env::var("RELATION_ROUNDS").ok().map(|text| text.parse().expect("a number of rounds"));
    (asked_for.unwrap_or(FEW), asked_for.is_some())
}

#[tokio::test]
async fn a_removal_leaves_live_views_in_time() {
    let ((postgres, world), (rounds, asked_for)) = (world().await, rounds());
    judge("removals", &measure(&postgres, &world, rounds).await, asked_for);
}

#[tokio::test]
async fn a_removal_leaves_live_views_in_time_while_the_listener_is_killed() {
    let ((postgres, world), (rounds, asked_for)) = (world().await, rounds());
    let attack = Attack::begin(&postgres);
    let times = measure(&postgres, &world, rounds).await;
    let killed = attack.end();
    assert!(killed > 0, "there was nobody to kill");
    judge(&format!("removals, listener killed {killed} times"), &times, asked_for);
}
