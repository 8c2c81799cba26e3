//! A database that is away under load: presence goes on, what may lag waits on the hub's disk, and when the database is
//! back all of it is there, once. Where the disk may not hold it all, what is missing is counted, and marked.
//!
//! `OUTAGE_S=120 cargo test -p server --test end_to_end writer_outage -- --nocapture` is the long run.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use model::{Status, UserId};
use postgres_cluster::{Cluster, Options};
use tokio::{sync::watch, time::sleep};

use crate::{
    fixture::{Hub, Postgres, Tab, World, eventually, track},
    writer_kills::{
        BUSY, Place, all_kept,
        diary::{self, Diary, Life, Moment},
        fleet::{Fleet, Kind},
        kept::Kept,
        members, number, report,
        stalls::Stalls,
        unlimited,
        verdict::{CLOCKS_MS, Verdict},
    },
};

/// Seconds of an outage where nobody asked for more: two of the writer's intervals, and a little.
const SHORT_S: u64 = 12;
/// Between two looks at the metrics, which are renewed each second.
const LOOK: Duration = Duration::from_secs(1);
/// What was acknowledged for longer than this is on the disk, and in the metrics.
const ON_DISK: Duration = Duration::from_secs(8);

const BACKLOG_ROWS: &str = "presence_hub_backlog_rows";
const BACKLOG_BYTES: &str = "presence_hub_backlog_bytes";
const SYNCS: &str = "presence_hub_backlog_syncs_total";
const FAILED_BATCHES: &str = "presence_hub_writer_failed_batches_total";
const DROPPED: &str = "presence_hub_writer_dropped_total";
const PENDING: &str = "presence_hub_writer_pending";

fn outage() -> Duration {
    Duration::from_secs(number("OUTAGE_S", SHORT_S))
}

/// A hub on a server of its own, and clients who tell.
struct Scene {
    postgres: Postgres,
    world: World,
    fleet: Fleet,
    /// Where the clients find the hub, which stays where it is.
    place: watch::Sender<Place>,
    /// Members who have not done anything yet.
    people: Vec<UserId>,
}

/// What the metrics said during an outage.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    rows: f64,
    bytes: f64,
    pending: f64,
    syncs: f64,
    failed_batches: f64,
}

impl Scene {
    async fn new(kinds: &[Kind], backlog_mb: u64) -> Self {
        let postgres = Postgres::on(&Arc::new(Cluster::start(Options::default())));
        let launch = unlimited(postgres.launch()).set("store.backlog_mb", backlog_mb);
        let hub = Arc::new(launch.start());
        let place = watch::Sender::new(Place::of(&hub, 0, BUSY));
        let world = World::on(hub).await;
        let mut people = members(&world, kinds.len() + 2).await;
        let mut fleet = Fleet::new(place.subscribe());
        for kind in kinds {
            fleet.join(*kind, people.pop().expect("a person"));
        }
        eventually("a first page", async || (fleet.acknowledged() > 50).then_some(())).await;
        Self { postgres, world, fleet, place, people }
    }

    fn hub(&self) -> &Hub {
        &self.world.hub
    }

    async fn metric(&self, name: &str) -> f64 {
        self.hub().metric(&self.world.http, name).await
    }

    async fn sample(&self) -> Sample {
        Sample {
            rows: self.metric(BACKLOG_ROWS).await,
            bytes: self.metric(BACKLOG_BYTES).await,
            pending: self.metric(PENDING).await,
            syncs: self.metric(SYNCS).await,
            failed_batches: self.metric(FAILED_BATCHES).await,
        }
    }

    /// Looks at the metrics, second by second, while people come and go.
    async fn go_through(&self, time: Duration) -> Vec<(Instant, usize, Sample)> {
        let mut scene = Stage::new(&self.world).await;
        let (began, mut samples) = (Instant::now(), Vec::new());
        while began.elapsed() < time {
            scene.presence_goes_on(&self.world, samples.len()).await;
            samples.push((Instant::now(), self.fleet.acknowledged(), self.sample().await));
            sleep(LOOK).await;
        }
        samples
    }

    /// What waited is written.
    async fn recovers(&self) -> Duration {
        let began = Instant::now();
        let nothing = async || (self.metric(BACKLOG_ROWS).await == 0.0).then_some(());
        eventually("an empty backlog", nothing).await;
        began.elapsed()
    }

    /// Everybody signs out and the hub is told to end; then it is all read on another one.
    async fn end(self, others: Vec<Diary>, stalls: &Stalls) -> End {
        let Self { postgres, world, fleet, .. } = self;
        let diaries = [others, fleet.end().await].concat();
        let (at, stalled) = (Moment::now(), stalls.lately());
        world.hub.terminate();
        assert!(world.hub.ended().await.success());
        let life = Life { end: diary::End::Terminated, at, gone: Moment::now(), stalled };
        let next = postgres.launch().start();
        let kept = all_kept(&diaries, &next, &world.http).await;
        End { postgres, diaries, kept, life }
    }
}

/// What was told, and what is stored.
struct End {
    postgres: Postgres,
    diaries: Vec<Diary>,
    kept: Vec<Kept>,
    life: Life,
}

/// Finn before the eyes of Anna.
struct Stage {
    finn: Tab,
    anna: Tab,
}

impl Stage {
    async fn new(world: &World) -> Self {
        let finn = world.enter_present(world.finn).await;
        let mut anna = world.enter(world.anna).await;
        anna.watch(world.wedding_a).await;
        Self { finn, anna }
    }

    async fn presence_goes_on(&mut self, world: &World, turn: usize) {
        let status = [Status::Busy, Status::Online][turn % 2];
        self.finn.track(track(status)).await;
        self.anna.sees(world.wedding_a, world.finn, status).await;
        let vera = world.enter_present(world.vera).await;
        self.anna.sees(world.wedding_a, world.vera, Status::Online).await;
        vera.sign_out().await;
        self.anna.loses(world.wedding_a, world.vera).await;
        self.finn.ping().await;
        self.anna.forget();
        self.finn.forget();
    }
}

/// What is told for a while is on the disk before long, and the metrics say so.
fn the_metrics_tell_of_it(samples: &[(Instant, usize, Sample)]) {
    let (_, acknowledged, first) = samples.first().expect("a sample");
    let (end, _, last) = samples.last().expect("a sample");
    let old = samples.iter().rfind(|(at, ..)| *at + ON_DISK < *end).expect("a long outage");
    let on_disk = (old.1 - acknowledged) as f64;
    assert!(last.rows >= on_disk, "{on_disk} pages were told long ago; {last:?}");
    assert!(last.bytes > last.rows * 100.0, "{last:?}");
    assert!(last.pending <= on_disk.max(5_000.0), "memory holds the last seconds: {last:?}");
    assert!(last.syncs > first.syncs && last.failed_batches > first.failed_batches, "{first:?}, {last:?}");
    for pair in samples.windows(2) {
        assert!(pair[0].2.rows <= pair[1].2.rows + f64::from(u8::MAX), "it only grows: {pair:?}");
    }
}

const CREW: &[Kind] = &[Kind::Rest, Kind::Rest, Kind::Socket, Kind::Socket, Kind::Socket, Kind::Quiet];

async fn loses_nothing(name: &str, stop: fn(&Cluster), start: fn(&Cluster)) {
    let (stalls, mut scene) = (Stalls::watch(), Scene::new(CREW, 256).await);
    let mut early = Fleet::new(scene.place.subscribe());
    early.join(Kind::Socket, scene.people.pop().expect("a person"));
    stop(scene.postgres.cluster());
    let before = scene.fleet.acknowledged();
    let mut samples = scene.go_through(outage() / 2).await;
    // Who goes while the database is away was seen last just then.
    let early = early.end().await;
    samples.extend(scene.go_through(outage() / 2).await);
    let told = scene.fleet.acknowledged() - before;
    start(scene.postgres.cluster());
    let took = scene.recovers().await;
    // Somebody comes after it, and is seen.
    let late = scene.people.pop().expect("a person");
    scene.fleet.join(Kind::Socket, late);
    the_metrics_tell_of_it(&samples);
    assert_eq!(scene.metric(DROPPED).await, 0.0);
    let end = scene.end(early, &stalls).await;
    let verdict = Verdict::on(&end.diaries, &end.kept, &[end.life]);
    let most = samples.last().expect("a sample").2;
    report(&format!(
        "{name} for {:?}: {told} pages meanwhile, {most:?}, written in {took:.1?}; {verdict}",
        outage()
    ));
    verdict.holds();
    assert_eq!(end.postgres.sql("SELECT count(*) FROM presence_gaps"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_loses_nothing_where_the_database_is_stopped() {
    loses_nothing("stopped", Cluster::stop, Cluster::start_again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_loses_nothing_where_the_database_stands_still() {
    loses_nothing("frozen", Cluster::freeze, Cluster::thaw).await;
}

/// Reason, rows, and from when until when.
const GAPS: &str = "SELECT coalesce(string_agg(DISTINCT reason, ' '), ''), coalesce(sum(rows_lost), 0), \
    (extract(epoch FROM min(from_at)) * 1000)::bigint, (extract(epoch FROM max(until_at)) * 1000)::bigint \
    FROM presence_gaps";

/// What is missing: how much, and when it was told and acknowledged.
#[derive(Default)]
struct Missing {
    told: Vec<i64>,
    acknowledged: Vec<i64>,
}

impl Missing {
    fn of(end: &End) -> Self {
        let mut missing = Self::default();
        for (diary, kept) in end.diaries.iter().zip(&end.kept) {
            let pages = diary.pages.iter().enumerate();
            for (_, entry) in pages.filter(|(n, _)| !kept.pages.contains_key(&diary.page(*n))) {
                missing.told.push(entry.told.wall);
                missing.acknowledged.push(entry.answered.expect("a hub that was never away").wall);
            }
        }
        missing
    }

    /// The marks have as many rows, the first and the last of which were taken between the telling and its
    /// acknowledgement.
    fn is_marked_by(&self, gaps: &str) {
        let columns: Vec<_> = gaps.split('|').collect();
        let number = |n: usize| columns[n].parse::<i64>().expect("a number");
        assert_eq!((columns[0], number(1)), ("full", i64::try_from(self.told.len()).expect("a number")));
        let (first, last) = (i64::min as fn(i64, i64) -> i64, i64::max as fn(i64, i64) -> i64);
        for (n, pick) in [(2, first), (3, last)] {
            let of = |times: &[i64]| times.iter().copied().reduce(pick).expect("something missing");
            let within = of(&self.told) - CLOCKS_MS..=of(&self.acknowledged) + CLOCKS_MS;
            assert!(within.contains(&number(n)), "{gaps}, not {within:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_small_disk_cannot_hold_is_counted_and_marked() {
    let (stalls, scene) = (Stalls::watch(), Scene::new(&[Kind::Wordy; 4], 1).await);
    scene.postgres.cluster().stop();
    let began = Instant::now();
    let full = async || (scene.metric(DROPPED).await > 0.0).then_some(());
    eventually("something dropped", full).await;
    let first = began.elapsed();
    sleep(outage().saturating_sub(first)).await;
    let bytes = scene.metric(BACKLOG_BYTES).await;
    scene.postgres.cluster().start_again();
    scene.recovers().await;
    let dropped = scene.metric(DROPPED).await;
    let end = scene.end(Vec::new(), &stalls).await;
    let missing = Missing::of(&end);
    let rows = missing.told.len();
    report(&format!("1 MB of disk, full after {first:.1?}: {bytes} bytes, {rows} pages missing"));
    assert!(bytes <= 1_000_000.0, "{bytes}");
    assert!((dropped - rows as f64).abs() < 0.5, "{dropped} dropped, {rows} missing");
    missing.is_marked_by(&end.postgres.sql(GAPS));
    for kept in &end.kept {
        assert!(kept.ids.values().chain(kept.pages.values()).all(|times| *times == 1));
    }
}
