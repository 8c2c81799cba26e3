//! Random hubs: notes, outages, kills, restarts, torn files and bad rows, by seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::OpenOptions,
    io::Write,
    ops::Range,
};

use tokio::time::Instant;

use super::*;

/// Every one syncs hundreds of files. `PROPERTY_RUNS` asks for more, `PROPERTY_SEED` for one alone.
const SEEDS: u64 = 4;
const STEPS: u32 = 120;
/// What a kill may cost, in milliseconds.
const LOSS_MS: i64 = 6_000;
const BAD: u128 = 9;

fn seeds() -> Range<u64> {
    let asked = |name| env::var(name).ok().and_then(|number| number.parse().ok());
    match asked("PROPERTY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("PROPERTY_RUNS").unwrap_or(SEEDS),
    }
}

/// What a failure prints: its seed, and how to see it again.
fn replayed(seed: u64) -> String {
    format!("seed {seed} (PROPERTY_SEED={seed} cargo test -p persistence --lib model_based)")
}

/// Numbers that depend on the seed alone (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// What was noted, and what of it has to be there in the end.
#[derive(Default)]
struct Model {
    noted: BTreeMap<u128, (u128, i64)>,
    may_be_lost: BTreeSet<u128>,
    newest: BTreeMap<u128, Vec<i64>>,
    safe: BTreeMap<u128, i64>,
}

struct World {
    bench: Bench,
    model: Model,
    dice: Dice,
    begun: Instant,
}

impl World {
    fn new(seed: u64, max_bytes: u64) -> Self {
        let bench = Bench::with(WriterOptions { batch_rows: 50, ..WriterOptions::default() }, max_bytes);
        Self { bench, model: Model::default(), dice: Dice(seed), begun: Instant::now() }
    }

    fn now(&self) -> i64 {
        self.begun.elapsed().as_millis() as i64
    }

    fn note(&mut self, users: u64) {
        let now = self.now();
        for _ in 0..self.dice.below(150) {
            let (n, id) = (u128::from(self.dice.below(users)), self.model.noted.len() as u128);
            self.bench.note(Note::Activity(activity(n, id, now)));
            self.model.noted.insert(id, (n, now));
        }
        let n = u128::from(self.dice.below(users));
        self.bench.note(Note::LastSeen(seen(n, now)));
        self.bench.note(Note::Stretch(stretch(n, now, false)));
        self.model.newest.entry(n).or_default().push(now);
    }

    fn change_mood(&mut self) {
        let ms = Duration::from_millis(self.dice.below(12_000));
        let moods =
            [Mood::Works, Mood::Works, Mood::Away, Mood::Hangs(ms), Mood::Slow(ms / 40), Mood::RefusesAll];
        self.bench.store.set(moods[self.dice.below(6) as usize]);
    }

    async fn kill(&mut self) {
        self.bench.kill().await;
        let safe = self.now() - LOSS_MS;
        let late = self.model.noted.iter().filter(|(_, (_, at))| *at > safe).map(|(id, _)| *id);
        self.model.may_be_lost.extend(late);
        self.settle_newest(safe);
        self.tear();
        self.bench.boot();
    }

    /// What was noted by then has to be known in the end, or something newer.
    fn settle_newest(&mut self, safe: i64) {
        for (n, times) in &mut self.model.newest {
            if let Some(at) = times.iter().copied().filter(|at| *at <= safe).max() {
                self.model.safe.insert(*n, at);
            }
            times.retain(|at| *at <= safe);
        }
    }

    /// A line that was being written when the hub was killed.
    fn tear(&mut self) {
        let files = self.bench.files();
        let data: Vec<_> = files.iter().filter(|name| name.ends_with(".ndjson")).collect();
        if let Some(name) = data.get(self.dice.below(4) as usize) {
            let mut file = OpenOptions::new().append(true).open(self.bench.path().join(name)).unwrap();
            file.write_all(b"0badc0de {\"kind\":\"act").unwrap();
        }
    }

    async fn recover(&mut self) {
        self.bench.store.set(Mood::Works);
        self.settle_newest(self.now());
        // A good row of each kind, so that bad ones are known to be bad.
        for _ in 0..3 {
            let id = self.model.noted.len() as u128;
            self.bench.note(Note::Activity(activity(1, id, self.now())));
            self.bench.note(Note::LastSeen(seen(1, self.now())));
            self.bench.note(Note::Stretch(stretch(1, self.now(), false)));
            self.model.noted.insert(id, (1, self.now()));
            pass(20_000).await;
        }
    }

    /// Ids that are not there, of users who are not bad.
    fn missing(&self) -> Vec<u128> {
        let written: BTreeSet<u128> = self.bench.store.activity_ids().into_iter().collect();
        let good = self.model.noted.iter().filter(|(_, (n, _))| *n != BAD).map(|(id, _)| *id);
        good.filter(|id| !written.contains(id)).collect()
    }

    fn assert_newest(&self, replay: &str) {
        let rows = self.bench.store.rows.lock().unwrap();
        for (n, at) in self.model.safe.iter().filter(|(n, _)| **n != BAD) {
            assert!(rows.last_seen[&user(*n)].at.0 >= *at, "{replay}: last-seen of {n}");
            assert!(rows.stretches[&stretch(*n, 0, false).id].seen.0 >= *at, "{replay}: stretch of {n}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_nothing_is_lost_but_the_last_seconds_before_a_kill() {
    for seed in seeds() {
        let replay = replayed(seed);
        let mut world = World::new(seed, MAX_BYTES);
        world.bench.store.bad.lock().unwrap().insert(user(BAD));
        for _ in 0..STEPS {
            match world.dice.below(12) {
                0..6 => world.note(10),
                6 | 7 => world.change_mood(),
                8 if world.dice.below(4) == 0 => world.kill().await,
                _ => pass(world.dice.below(4_000)).await,
            }
        }
        world.recover().await;
        let stats = world.bench.stats();
        assert_eq!((stats.pending, stats.backlog_rows, stats.dropped), (0, 0, 0), "{replay}: {stats:?}");
        let lost: Vec<_> =
            world.missing().into_iter().filter(|id| !world.model.may_be_lost.contains(id)).collect();
        assert!(lost.is_empty(), "{replay} lost {lost:?}");
        world.assert_newest(&replay);
        let bad = world
            .model
            .noted
            .iter()
            .filter(|(id, (n, _))| *n == BAD && !world.model.may_be_lost.contains(id));
        assert!(world.bench.store.gap_rows() >= bad.count() as u64, "{replay}: refused rows are marked");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_full_disk_costs_is_what_the_marks_say() {
    let mut costly = 0;
    for seed in seeds() {
        let replay = replayed(seed);
        let mut world = World::new(seed, 64 * 1024);
        for _ in 0..STEPS {
            match world.dice.below(12) {
                0..6 => world.note(9),
                6 => world.bench.store.set(Mood::Works),
                7 => world.bench.store.set(Mood::Away),
                8 if world.dice.below(4) == 0 => {
                    world.bench.shutdown().await;
                    world.bench.boot();
                }
                _ => pass(world.dice.below(4_000)).await,
            }
        }
        world.recover().await;
        let missing = world.missing().len() as u64;
        assert_eq!(world.bench.store.gap_rows(), missing, "{replay}");
        assert_eq!(world.bench.stats().backlog_rows, 0, "{replay}");
        world.assert_newest(&replay);
        costly += u64::from(missing > 0);
    }
    let runs = seeds().end - seeds().start;
    assert!(runs == 1 || costly > runs / 4, "the disk was full in {costly} of {runs} runs");
}
