//! `kill -9` of the hub and of its database at random moments, under clients that change their settings: what was
//! acknowledged is there, exactly once, with its audit row, and whoever asks again gets the first result. Who was told
//! that they are hidden is hidden, at every moment from then on.
//!
//! `KILLS=200 cargo test -p server --test end_to_end postgres_kills -- --nocapture` is the long run;
//! `KILLS_SEED=7` plays another one.

mod diary;
mod fleet;
mod hiders;
mod ledger;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use model::{DirectoryChange, Status, UserId, WeddingId};
use postgres_cluster::{Cluster, Options};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::watch;
use uuid::Uuid;

use crate::fixture::{Hub, Launch, Postgres, World, eventually, id_of, put_user};
use diary::Diaries;
use fleet::{Client, Fleet};
use hiders::Hiders;

/// Kills where nobody asked for more.
const FEW: usize = 6;
/// Within this after everything was up again, a kill comes.
const CALM: Duration = Duration::from_millis(600);
/// Within this after a kill, what was killed is started again;
const GAP: Duration = Duration::from_millis(300);
/// within this where the database is to be away for longer than a hub waits for it.
const OUTAGE: Duration = Duration::from_secs(4);

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[derive(Clone, Copy, Debug)]
enum Victim {
    Hub,
    Database,
    Both,
    /// The database, and the hub once it has been without it for a while.
    HubInOutage,
}

/// What is killed, and where clients find it.
struct Target {
    postgres: Postgres,
    launch: Launch,
    hub: Arc<Hub>,
    address: watch::Sender<String>,
}

impl Target {
    /// Kills at once; all but the hub that is to go through an outage first.
    fn kill(&self, victim: Victim) {
        match victim {
            Victim::Hub => self.hub.strike(),
            Victim::Database | Victim::HubInOutage => self.postgres.cluster().kill9(),
            Victim::Both => {
                self.hub.strike();
                self.postgres.cluster().kill9();
            }
        }
    }

    fn start_again(&mut self, victim: Victim) {
        if matches!(victim, Victim::HubInOutage) {
            self.hub.strike();
        }
        if !matches!(victim, Victim::Hub) {
            self.postgres.cluster().start_again();
        }
        if !matches!(victim, Victim::Database) {
            self.hub = Arc::new(self.launch.start());
            self.address.send_replace(self.hub.url(""));
        }
    }
}

/// Strikes at a random moment; returns once changes are acknowledged again, so that each strike meets some.
async fn strike(target: &mut Target, fleet: &Fleet, dice: &mut StdRng) {
    let random = |dice: &mut StdRng, most: Duration| {
        Duration::from_micros(dice.random_range(0..most.as_micros() as u64))
    };
    tokio::time::sleep(random(dice, CALM)).await;
    let victim = match dice.random_range(0..9) {
        0..3 => Victim::Hub,
        3..6 => Victim::Database,
        6..8 => Victim::Both,
        _ => Victim::HubInOutage,
    };
    let outage = match victim {
        Victim::HubInOutage => true,
        Victim::Database => dice.random_ratio(1, 3),
        Victim::Hub | Victim::Both => false,
    };
    target.kill(victim);
    tokio::time::sleep(random(dice, if outage { OUTAGE } else { GAP })).await;
    target.start_again(victim);
    let acknowledged = fleet.acknowledged();
    eventually("changes again", async || (fleet.acknowledged() > acknowledged + 2).then_some(())).await;
}

fn people(world: &World) -> [UserId; 7] {
    [world.anna, world.bea, world.finn, world.vera, world.rosa, world.olga, world.sam]
}

/// Who hides and shows themselves, beside the people of the world: all of them suppliers of Anna's.
struct Shy {
    end_hidden: [UserId; 2],
    end_shown: [UserId; 1],
}

impl Shy {
    async fn join(world: &World) -> Self {
        let [a, b, c] = [(); 3].map(|()| UserId(Uuid::new_v4()));
        let mut changes: Vec<_> = [a, b, c].into_iter().map(|user| put_user(user, false)).collect();
        changes.extend([a, b, c].map(|supplier| DirectoryChange::PutCollaboration {
            wedding: WeddingId(id_of(world.wedding_a)),
            supplier,
            client: world.anna,
            supplier_type: "supplier".into(),
        }));
        world.change(&changes).await;
        Self { end_hidden: [a, b], end_shown: [c] }
    }

    /// What they did last is what Anna is shown.
    async fn are_seen_by_anna(&self, world: &World) {
        let mut anna = world.enter(world.anna).await;
        anna.watch(world.wedding_a).await;
        let mut tabs = Vec::new();
        for user in self.end_hidden.iter().chain(&self.end_shown) {
            tabs.push(world.enter_present(*user).await);
        }
        anna.sees(world.wedding_a, self.end_shown[0], Status::Online).await;
        anna.ping().await;
        for user in self.end_hidden {
            assert!(!anna.heard_of(user), "{:?}", anna.heard);
        }
    }
}

/// The last hidings meet a database that is away, and a hub that dies of it afterwards.
async fn last_strike(target: &mut Target, hidden: Hiders, shown: Hiders) -> Diaries {
    target.kill(Victim::HubInOutage);
    let mut diaries = hidden.end().await;
    target.start_again(Victim::HubInOutage);
    diaries.extend(shown.end().await);
    eventually("an empty spool", async || (target.launch.home().spooled() == 0).then_some(())).await;
    Diaries(diaries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_exactly_once_after_every_kill() {
    let (kills, seed) = (number("KILLS", FEW as u64), number("KILLS_SEED", 1));
    let options = Options { fsync: true, ..Options::default() };
    let postgres = Postgres::on(&Arc::new(Cluster::start(options)));
    let launch = postgres.launch();
    let hub = Arc::new(launch.start());
    let world = World::on(hub.clone()).await;
    let shy = Shy::join(&world).await;
    let (address, at) = watch::channel(hub.url(""));
    let mut target = Target { postgres: postgres.clone(), launch, hub, address };
    let (fleet, mut dice, began) =
        (Fleet::start(&people(&world), &at), StdRng::seed_from_u64(seed), Instant::now());
    let (hidden, shown) =
        (Hiders::start(&shy.end_hidden, true, &at), Hiders::start(&shy.end_shown, false, &at));
    for _ in 0..kills {
        strike(&mut target, &fleet, &mut dice).await;
    }
    let diaries = last_strike(&mut target, hidden, shown).await;
    let ledger = fleet.end().await;
    let took = began.elapsed();

    ledger.agrees_with(&postgres, "after the last kill");
    let second = postgres.launch().start();
    let hubs = [Client::new(&target.hub.url("")), Client::new(&second.url(""))];
    diaries.agree_with(&postgres, &hubs[0]).await;
    shy.are_seen_by_anna(&world.beside(target.hub.clone())).await;
    // What is open is asked again, by turns here and on another hub; then everything else is too.
    let replayed = ledger.ask_again(&hubs).await + diaries.ask_again(&hubs).await;
    ledger.everything_was_done(&postgres);
    diaries.agree_with(&postgres, &hubs[1]).await;
    report(&format!(
        "{kills} kills and one more (seed {seed}) in {took:.1?}: {ledger}; {diaries}; \
         {replayed} asked again on two hubs, all as the first time"
    ));
}

#[expect(clippy::print_stdout, reason = "the totals are what the long run is made for")]
fn report(line: &str) {
    println!("kills  {line}");
}
