//! Seeded leaks: each deliberate fault must be caught by the non-interference test within 2,000 cases.

use presence::{Leak, Presence};

use crate::noninterference::Pair;

const CASES: u64 = 2_000;

#[test]
fn every_seeded_leak_is_caught() {
    let mut waiting: Vec<Leak> = Leak::ALL.to_vec();
    for seed in 0..CASES {
        if waiting.is_empty() {
            break;
        }
        let pair = Pair::new(seed);
        waiting.retain(|leak| {
            let caught = catches(&pair, *leak);
            if caught {
                eprintln!("{leak:?} caught by case {seed}");
            }
            !caught
        });
    }
    assert!(Leak::ALL.len() >= 12, "at least 12 leaks");
    assert!(waiting.is_empty(), "not caught within {CASES} cases: {waiting:?}");
}

fn catches(pair: &Pair, leak: Leak) -> bool {
    let seed = |presence: &mut Presence| presence.seed_leak(leak);
    let (one, other) = pair.transcripts(Some(&seed));
    one != other
}
