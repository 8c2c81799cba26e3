//! `kill -9` of the hub and of its database at random moments, and SIGTERM, under clients that tell what they do and
//! whose presence goes on: of what may lag, a hub that is killed takes the last six seconds with it at most, one that is
//! told to end takes nothing, and nothing is ever there twice, or was never told.
//!
//! `KILLS=200 cargo test -p server --test end_to_end writer_kills -- --nocapture` is the long run;
//! `KILLS_SEED=7` plays another one.
//!
//! The six seconds are a promise about a machine that lets a process run. They are counted from the acknowledgement to
//! the signal by one clock of this process, and longer by as much as a thread of it, which only looks at the clock, was
//! held up in the last seconds before the signal.

pub(crate) mod diary;
pub(crate) mod fleet;
pub(crate) mod kept;
mod last_call;
mod line;
pub(crate) mod stalls;
mod target;
pub(crate) mod verdict;

use std::{sync::Arc, time::Duration};

use model::{DirectoryChange, OrganizationId, Plan, Role, UserId};
use postgres_cluster::{Cluster, Options};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::fixture::{Hub, Launch, Postgres, World, eventually, id_of, put_user};
use diary::Diary;
use fleet::{Fleet, Kind};
use kept::Kept;
use target::{Target, Victim};
use verdict::Verdict;

/// Kills where nobody asked for more.
const FEW: u64 = 3;
/// Within this after everything was up again, a kill comes: some hubs live for longer than what they hold may wait.
const PEACE: Duration = Duration::from_secs(9);
/// Within this after a kill, what was killed is started again;
const GAP: Duration = Duration::from_millis(300);
/// within this where the database is to be away for longer than the rhythm of the writer.
const OUTAGE: std::ops::Range<Duration> = Duration::from_secs(2)..Duration::from_secs(12);
/// After so long the next hub dies, too, while it catches up with an outage;
const CATCHING_UP: std::ops::Range<Duration> = Duration::from_millis(20)..Duration::from_millis(1_200);
/// and so do the ones after it, so many in all.
const RELAPSES: u32 = 3;
/// One that is longer than what may be lost.
const LONG: std::ops::Range<Duration> = Duration::from_secs(9)..Duration::from_secs(12);

pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Where the hub of the moment is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// As host and port.
    pub(crate) address: String,
    /// Which hub it is, counted from the first.
    pub(crate) life: usize,
    /// How long each client waits before it tells the next thing.
    pub(crate) pace: Duration,
}

impl Place {
    /// Where a hub is, and how its clients go about it.
    pub(crate) fn of(hub: &Hub, life: usize, pace: Duration) -> Self {
        Self { address: hub.address.clone(), life, pace }
    }
}

/// So fast that the writer does not wait for its interval.
pub(crate) const BUSY: Duration = Duration::from_millis(15);
/// So slowly that it does.
const CALM: Duration = Duration::from_millis(50);

/// Lets so many people be members of an organization that keeps a log.
pub(crate) async fn members(world: &World, count: usize) -> Vec<UserId> {
    let id = OrganizationId(id_of(world.agency));
    let people: Vec<_> = (0..count).map(|_| UserId(Uuid::new_v4())).collect();
    let mut changes =
        vec![DirectoryChange::PutOrganization { id, name: "Agency".into(), plan: Plan::Enterprise }];
    for user in &people {
        changes.push(put_user(*user, false));
        changes.push(DirectoryChange::PutMember { organization: id, user: *user, role: Role::Member });
    }
    world.change(&changes).await;
    people
}

/// What is stored of everybody, in the order of the diaries.
pub(crate) async fn all_kept(diaries: &[Diary], hub: &Hub, http: &reqwest::Client) -> Vec<Kept> {
    let mut kept = Vec::new();
    for diary in diaries {
        kept.push(Kept::of(diary.user, hub, http).await);
    }
    kept
}

/// Limits that no client here runs into.
pub(crate) fn unlimited(launch: Launch) -> Launch {
    launch.set("limits.activities_per_second", 10_000)
}

/// A round of strikes: who tells, who is struck, and by which dice.
struct Round {
    target: Target,
    world: World,
    fleet: Fleet,
    dice: StdRng,
    /// Who has not lived yet.
    mortals: Vec<UserId>,
    quiet: UserId,
    /// When the quiet one was last seen, by the database.
    seen: Option<i64>,
}

impl Round {
    async fn begin(postgres: Option<Postgres>, kills: u64, seed: u64) -> Self {
        let launch = unlimited(postgres.as_ref().map_or_else(Launch::new, Postgres::launch));
        let target = Target::start(launch, postgres);
        let world = World::on(target.hub.clone()).await;
        let mortals = usize::try_from(kills).expect("a number of kills") + 1;
        let mut people = members(&world, mortals + 6).await;
        let mut fleet = Fleet::new(target.place());
        for kind in [Kind::Rest, Kind::Rest, Kind::Socket, Kind::Socket, Kind::Socket] {
            fleet.join(kind, people.pop().expect("a person"));
        }
        let quiet = people.pop().expect("a person");
        fleet.join(Kind::Quiet, quiet);
        let dice = StdRng::seed_from_u64(seed);
        let mut round = Self { target, world, fleet, dice, mortals: people, quiet, seen: None };
        round.next_mortal();
        round
    }

    /// One comes to the hub of the moment, and to no other.
    fn next_mortal(&mut self) {
        self.fleet.join(Kind::Mortal, self.mortals.pop().expect("a person"));
    }

    fn random(&mut self, within: std::ops::Range<Duration>) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).expect("some seconds");
        Duration::from_micros(self.dice.random_range(micros(within.start)..micros(within.end)))
    }

    fn victim(&mut self) -> Victim {
        if self.target.postgres.is_none() {
            return if self.dice.random_ratio(2, 3) { Victim::Hub } else { Victim::HubBySigterm };
        }
        match self.dice.random_range(0..14) {
            0..4 => Victim::Hub,
            4..6 => Victim::Database,
            6..8 => Victim::Both,
            8..12 => Victim::HubInOutage,
            12 => Victim::HubBySigterm,
            _ => Victim::HubBySigtermInOutage,
        }
    }

    /// What comes next: whom it strikes, for how long that is away, and whether it is frozen instead of killed.
    fn plan(&mut self) -> (Victim, Duration, bool) {
        let has_database = self.target.postgres.is_some();
        if has_database && self.target.lives.is_empty() {
            // What few strikes may miss: a hub dies when what it holds has waited for longer than is promised.
            return (Victim::HubInOutage, self.random(LONG), self.dice.random_ratio(1, 2));
        }
        let victim = self.victim();
        let is_away = victim.is_outage() || victim == Victim::Database && self.dice.random_ratio(1, 2);
        let gap = self.random(if is_away { OUTAGE } else { Duration::ZERO..GAP });
        (victim, gap, victim.is_outage() && self.dice.random_ratio(1, 2))
    }

    /// Strikes at a random moment; returns once pages are acknowledged again, so that each strike meets some.
    async fn strike(&mut self) {
        let peace = self.random(Duration::ZERO..PEACE);
        tokio::time::sleep(peace).await;
        let (victim, gap, frozen) = self.plan();
        let relapses = if victim.is_outage() { self.relapses() } else { Vec::new() };
        self.target.strike(victim, gap, frozen, &relapses).await;
        if victim != Victim::Database {
            self.next_mortal();
        }
        let acknowledged = self.fleet.acknowledged();
        eventually("pages again", async || (self.fleet.acknowledged() > acknowledged + 5).then_some(()))
            .await;
        self.last_seen_goes_forward().await;
    }

    /// When hubs die while they catch up with what the one before them left on the disk: each begins with that anew.
    fn relapses(&mut self) -> Vec<Duration> {
        (0..RELAPSES).map(|_| self.random(CATCHING_UP)).collect()
    }

    async fn last_seen_goes_forward(&mut self) {
        let kept = Kept::of(self.quiet, &self.target.hub, &self.world.http).await;
        assert!(kept.last_seen >= self.seen, "last-seen went from {:?} to {:?}", self.seen, kept.last_seen);
        self.seen = kept.last_seen;
    }

    /// Everybody signs out, and the hub is told to end: all is stored by then that ever will be.
    async fn end(mut self) -> (Verdict, Target) {
        let diaries = self.fleet.end().await;
        self.target.strike(Victim::HubBySigterm, Duration::ZERO, false, &[]).await;
        self.target.nothing_waits().await;
        let kept = all_kept(&diaries, &self.target.hub, &self.world.http).await;
        let verdict = Verdict::on(&diaries, &kept, &self.target.lives);
        (verdict, self.target)
    }
}

async fn strikes(name: &str, postgres: Option<Postgres>, kills: u64) -> Target {
    let seed = number("KILLS_SEED", 1);
    let mut round = Round::begin(postgres, kills, seed).await;
    for _ in 0..kills {
        round.strike().await;
    }
    let (verdict, target) = round.end().await;
    report(&format!("{name}, {kills} strikes (seed {seed}): {verdict}"));
    verdict.holds();
    target
}

/// Whether it was never ended: its hub was killed.
const OPEN: &str = "SELECT count(*) FROM presence_sessions WHERE NOT ended";

/// Nobody waits for five minutes here: for the open ones, their time is set back.
async fn the_job_ends_what_is_open(mut target: Target) {
    let postgres = target.postgres.take().expect("a database");
    target.hub.terminate();
    assert!(target.hub.ended().await.success());
    let job = || target.launch.home().run(&["jobs", "run", "stale-presence"]);
    // After a long run there are others, which it ends.
    let since = postgres.sql("SELECT now() - interval '4 minutes'");
    let young = format!("{OPEN} AND seen_at > '{since}'");
    let before = postgres.sql(&young);
    assert!(job().status.success());
    assert_eq!(postgres.sql(&young), before, "whose hub may live still is left alone");
    let open = postgres.sql(OPEN);
    postgres.sql(
        "UPDATE presence_sessions SET started_at = started_at - interval '6 minutes', \
             seen_at = seen_at - interval '6 minutes' WHERE NOT ended",
    );
    let ends = "SELECT coalesce(sum(extract(epoch FROM seen_at)), 0) FROM presence_sessions";
    let before = postgres.sql(ends);
    let output = job();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        (postgres.sql(OPEN), postgres.sql(ends)),
        ("0".to_owned(), before),
        "ended where they were seen last"
    );
    report(&format!("the job stale-presence ended {open} stretches of sessions"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_takes_six_seconds_and_sigterm_nothing_with_postgres() {
    let options = Options { fsync: true, ..Options::default() };
    let postgres = Postgres::on(&Arc::new(Cluster::start(options)));
    let target = strikes("Postgres", Some(postgres), number("KILLS", FEW)).await;
    the_job_ends_what_is_open(target).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_takes_six_seconds_and_sigterm_nothing_with_sqlite() {
    strikes("SQLite", None, number("KILLS", FEW)).await;
}

#[expect(clippy::print_stdout, reason = "the totals are what the long run is made for")]
pub(crate) fn report(line: &str) {
    println!("writer  {line}");
}
