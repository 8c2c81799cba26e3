//! Two stores on one database and many who want the same accounts. At every commit there is one holder of an account, and
//! nobody is in two places; what was answered is what happened.
//!
//! The audit is written in the transaction of each change, so the entries in their order are all that ever was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::{Hold, UserId};
use persistence::{ForceClear, Occupancies, Pick, Store, StoreError, Truth};
use persistence_postgres::PostgresStore;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::task::JoinSet;

use super::{HOUR, MINUTE, account, agency, clock_in, entries, heard_now};
use crate::{
    fixture::{Home, user},
    schema::id,
};

const ASSISTANTS: u128 = 5;
const ACCOUNTS: u128 = 4;
/// Who act at once.
const TASKS: usize = 8;

/// How many operations there are; `PRESENCE_HUB_OCCUPANCY_ROUNDS` says otherwise.
fn rounds() -> usize {
    let said = std::env::var("PRESENCE_HUB_OCCUPANCY_ROUNDS").ok();
    said.map_or(200, |said| said.parse().expect("PRESENCE_HUB_OCCUPANCY_ROUNDS is a number"))
}

/// What the answers said.
#[derive(Debug, Default)]
struct Answers {
    begun: Vec<Hold>,
    ended: Vec<Hold>,
    refused: usize,
}

/// Random operations of one task, on what it learns from the answers.
async fn act(store: PostgresStore, seed: u64, count: usize) -> Answers {
    let (mut random, mut answers) = (SmallRng::seed_from_u64(seed), Answers::default());
    let mut known: Vec<Hold> = Vec::new();
    for _ in 0..count {
        let to = random.random_range(0..ACCOUNTS);
        let held = if known.is_empty() { None } else { Some(known[random.random_range(0..known.len())]) };
        let outcome = match (random.random_range(0..10), held) {
            (0..4, _) | (_, None) => {
                clock_in(&store, random.random_range(0..ASSISTANTS), to).await.map(Outcome::In)
            }
            (4..7, Some(held)) => store.change_account(held, account(to), None).await.map(Outcome::In),
            (7, Some(held)) => store.clock_out(held, None).await.map(|it| Outcome::Out(vec![it.hold])),
            (8, _) => {
                let clear = ForceClear {
                    by: user(1).into(),
                    account: account(to),
                    holder: None,
                    reason: None,
                    operation: None,
                };
                store.force_clear(clear).await.map(|it| Outcome::Out(vec![it.hold]))
            }
            (_, Some(held)) => {
                store.mark_stale(Duration::ZERO).await.expect("it is marked");
                let patience = if random.random_bool(0.3) { Duration::ZERO } else { HOUR };
                store.write_signs(&[heard_now(held)], MINUTE, patience).await.map(Outcome::Out)
            }
        };
        answers.take(outcome, &mut known);
    }
    answers
}

enum Outcome {
    In(persistence::ClockedIn),
    Out(Vec<Hold>),
}

impl Answers {
    fn take(&mut self, outcome: Result<Outcome, StoreError>, known: &mut Vec<Hold>) {
        match outcome {
            Ok(Outcome::In(clocked_in)) => {
                known.push(clocked_in.hold);
                self.begun.extend(clocked_in.new.then_some(clocked_in.hold));
            }
            Ok(Outcome::Out(holds)) => self.ended.extend(holds),
            Err(StoreError::Occupied | StoreError::NotHeld) => self.refused += 1,
            Err(error) => panic!("no such answer is documented: {error:?}"),
        }
    }
}

/// Looks all the time, until told that it is over: how often.
async fn watch(store: PostgresStore, over: Arc<AtomicBool>) -> usize {
    let (mut epochs, mut looks) = (BTreeMap::new(), 0);
    while !over.load(Ordering::Relaxed) {
        let seen = store.accounts(Pick::Next(None, 100)).await.expect("accounts can be read");
        let mut people: BTreeSet<UserId> = BTreeSet::new();
        for (account, state) in seen {
            let Some(occupancy) = state.occupancy else { continue };
            assert!(people.insert(occupancy.user), "{} is in two places", occupancy.user);
            let (known, whose) = epochs.entry(account).or_insert((occupancy.epoch, occupancy.user));
            assert!(*known <= occupancy.epoch, "{account}: {known} and then {}", occupancy.epoch);
            assert!(*known < occupancy.epoch || *whose == occupancy.user, "{account}: an epoch of two");
            (*known, *whose) = (occupancy.epoch, occupancy.user);
        }
        looks += 1;
        tokio::task::yield_now().await;
    }
    looks
}

/// All that ever was, played again.
#[derive(Default)]
struct Played {
    holders: BTreeMap<String, (String, u64)>,
    last: BTreeMap<String, u64>,
    begun: BTreeSet<(String, u64)>,
    ended: BTreeSet<(String, u64)>,
}

impl Played {
    fn of(home: &Home) -> Self {
        let mut played = Self::default();
        for entry in entries(home) {
            played.play(&entry);
        }
        played
    }

    fn play(&mut self, entry @ [_, event, account, person, epoch]: &[String; 5]) {
        let epoch: u64 = epoch.parse().expect("a number");
        match event.as_str() {
            "clocked_in" | "moved" => {
                let before: Vec<String> = self.of_person(person);
                assert_eq!(before.len(), usize::from(event == "moved"), "{entry:?}");
                for left in before {
                    let (_, ended) = self.holders.remove(&left).expect("it was held");
                    self.ended.insert((left, ended));
                }
                let known = self.last.insert(account.clone(), epoch);
                assert!(known.is_none_or(|known| known < epoch), "{entry:?} after {known:?}");
                assert_eq!(self.holders.insert(account.clone(), (person.clone(), epoch)), None, "{entry:?}");
                self.begun.insert((account.clone(), epoch));
            }
            "stale" | "returned" => {
                assert_eq!(self.holders.get(account), Some(&(person.clone(), epoch)), "{entry:?}");
            }
            _ => {
                assert_eq!(self.holders.remove(account), Some((person.clone(), epoch)), "{entry:?}");
                assert!(self.ended.insert((account.clone(), epoch)), "{entry:?}");
            }
        }
    }

    fn of_person(&self, person: &str) -> Vec<String> {
        let held = self.holders.iter().filter(|(_, (holder, _))| holder == person);
        held.map(|(account, _)| account.clone()).collect()
    }
}

fn key(hold: &Hold) -> (String, u64) {
    (hold.account.to_string(), hold.epoch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_every_commit_there_is_one_holder() {
    let seed: u64 = rand::random();
    let (home, store) = agency(ASSISTANTS).await;
    let other = home.store().await;
    let over = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(home.store().await, over.clone()));
    let mut acting = JoinSet::new();
    for task in 0..TASKS {
        let store = if task % 2 == 0 { store.clone() } else { other.clone() };
        acting.spawn(act(store, seed.wrapping_add(task as u64), rounds() / TASKS));
    }
    let answers = acting.join_all().await;
    over.store(true, Ordering::Relaxed);
    let looks = watching.await.expect("what was seen could be");
    check(&home, &store, &answers, seed).await;
    let (begun, refused): (usize, usize) =
        answers.iter().fold((0, 0), |(b, r), a| (b + a.begun.len(), r + a.refused));
    assert!(
        begun > 0 && refused > 0 && looks > 0,
        "seed {seed}: {begun} begun, {refused} refused, {looks} looks"
    );
    store.close().await;
    other.close().await;
}

/// What was answered is what happened, no more and no less; and what is there is what is left.
async fn check(home: &Home, store: &PostgresStore, answers: &[Answers], seed: u64) {
    let played = Played::of(home);
    let begun: Vec<_> = answers.iter().flat_map(|answers| answers.begun.iter().map(key)).collect();
    let distinct: BTreeSet<_> = begun.iter().cloned().collect();
    assert_eq!(distinct.len(), begun.len(), "seed {seed}: one hold was answered twice as new");
    assert_eq!(distinct, played.begun, "seed {seed}");
    for hold in answers.iter().flat_map(|answers| &answers.ended) {
        assert!(played.ended.contains(&key(hold)), "seed {seed}: {hold:?} was ended");
    }
    let left = store.accounts(Pick::Next(None, 100)).await.expect("accounts can be read");
    let left = left.into_iter().filter_map(|(account, state)| {
        state.occupancy.map(|held| (account.to_string(), (held.user.to_string(), held.epoch)))
    });
    assert_eq!(left.collect::<BTreeMap<_, _>>(), played.holders, "seed {seed}");
}

/// A checker that accepts everything proves nothing.
#[test]
fn bad_histories_are_rejected() {
    let entry = |event: &str, account: u128, person: u128, epoch: u64| {
        ["hub".to_owned(), event.to_owned(), id(account), id(person), epoch.to_string()]
    };
    let bad = [
        vec![entry("clocked_in", 300, 2, 5), entry("clocked_in", 300, 3, 6)],
        vec![entry("clocked_in", 300, 2, 5), entry("clocked_in", 301, 2, 6)],
        vec![entry("clocked_in", 300, 2, 5), entry("clocked_out", 300, 2, 5), entry("clocked_in", 300, 3, 5)],
        vec![entry("clocked_in", 300, 2, 5), entry("clocked_out", 300, 3, 5)],
        vec![entry("clocked_in", 300, 2, 5), entry("moved", 301, 3, 6)],
        vec![entry("clocked_in", 300, 2, 5), entry("clocked_out", 300, 2, 5), entry("stale", 300, 2, 5)],
    ];
    for history in bad {
        let play = || {
            let mut played = Played::default();
            history.iter().for_each(|entry| played.play(entry));
        };
        std::panic::catch_unwind(play).expect_err("it cannot have been");
    }
}
